package provision

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Engine turns signups into trunks. Its fields are set once; it keeps no state
// of its own and is safe for concurrent use.
type Engine struct {
	Ledger   Ledger
	Accounts Accounts
	Prefix   string // of trunk names, see CheckPrefix

	// Now is the wall clock; time.Now where nil.
	Now func() time.Time
}

// leaseMargin is how long a lease outlives the deadline of the try that holds
// it, so that a worker that is merely late isn't overtaken.
const leaseMargin = 2 * time.Second

// ErrUnavailable says that the ledger can't be reached, so that nothing is promised.
var ErrUnavailable = errors.New("the signups table can't be reached")

// Provision claims the signup and tries once to finish it. It takes at most
// within, of which it keeps some back for the record; the lease is measured by
// the context's deadline, which must be there and is when this process may be
// stopped.
//
// The error is an *InvalidError, or wraps ErrUnavailable; then nothing is
// promised to the sender. In all other cases the signup is on disk, and the
// result says how far it got.
func (e *Engine) Provision(ctx context.Context, s Signup, within time.Duration) (Result, error) {
	if err := s.Validate(); err != nil {
		return Result{}, err
	}
	s = s.Normalised()
	t := e.newTry(ctx, within)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	claim := Claim{Signup: s, TrunkName: TrunkName(e.Prefix, s.ID), AccountSID: e.readyAccount(), Owner: t.owner, Now: t.claimedAt, LeaseUntil: t.leaseUntil}
	done := t.begin(StepClaim)
	record, ours, err := e.Ledger.Claim(ctx, claim)
	done(err)
	switch {
	case err != nil:
		return Result{Steps: t.steps}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case !ours:
		return t.refused(claim, record), nil
	}
	return t.finish(ctx, record), nil
}

// Status returns the record of a signup, or ErrNotFound, or an error that wraps
// ErrUnavailable.
func (e *Engine) Status(ctx context.Context, signupID string) (Record, error) {
	record, err := e.Ledger.Get(ctx, signupID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Record{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return record, err
}

// now is to the millisecond, as the ledger keeps it.
func (e *Engine) now() time.Time {
	now := e.Now
	if now == nil {
		now = time.Now
	}
	return now().UTC().Truncate(time.Millisecond)
}

func (e *Engine) readyAccount() string {
	if account := e.Accounts.Ready(); account != nil {
		return account.SID
	}
	return ""
}

// try is one attempt at one signup, from its claim to its end.
type try struct {
	engine     *Engine
	owner      string
	claimedAt  time.Time
	leaseUntil time.Time
	vendorBy   time.Time // when the last vendor call must have ended
	steps      []Step
}

// newTry begins a try that may take so long, in a process that may be stopped at
// the context's deadline.
func (e *Engine) newTry(ctx context.Context, within time.Duration) *try {
	now := e.now()
	lease := within
	if deadline, ok := ctx.Deadline(); ok {
		lease = time.Until(deadline)
	}
	return &try{
		engine:     e,
		owner:      rand.Text(),
		claimedAt:  now,
		leaseUntil: now.Add(lease + leaseMargin),
		vendorBy:   time.Now().Add(within - recordReserve(within)),
	}
}

// recordReserve is what is kept back of a try's time for the record: a second,
// or a quarter where there is little.
func recordReserve(within time.Duration) time.Duration {
	return min(time.Second, within/4)
}

// refused explains a claim that did not hold, by the record that is there.
func (t *try) refused(claim Claim, record Record) Result {
	result := Result{Record: record, Steps: t.steps}
	switch {
	case record.Fingerprint != claim.Signup.Fingerprint():
		result.Outcome = OutcomeConflict
	case record.Status == StatusPending:
		result.Outcome = OutcomeInProgress
		result.RetryAfter = inProgressRetry
	default:
		result.Outcome = OutcomeReplayed
	}
	return result
}

// inProgressRetry: whoever holds the lease will most likely be done by then.
const inProgressRetry = 2 * time.Second

// finish does the rest of a try that holds the lease.
func (t *try) finish(ctx context.Context, record Record) Result {
	trunk, adopted, err := t.obtain(ctx, &record)
	if err != nil {
		return t.release(ctx, record, err)
	}
	done := t.begin(StepRecord)
	recorded, holds, err := t.engine.Ledger.Activate(ctx, Activate{
		SignupID: record.SignupID, Owner: t.owner, AccountSID: record.AccountSID, Trunk: *trunk, Now: t.engine.now(),
	})
	done(err)
	if err != nil {
		return t.notRecorded(ctx, record, trunk.SID, err)
	}
	result := Result{Record: recorded, Outcome: OutcomeCreated, Steps: t.steps}
	switch {
	case holds && adopted:
		result.Outcome = OutcomeAdopted
	case !holds && recorded.Status == StatusPending:
		result.Outcome, result.RetryAfter = OutcomeInProgress, inProgressRetry // taken over; theirs counts
	case !holds:
		result.Outcome = OutcomeReplayed // decided by somebody else
		if recorded.Status == StatusActive {
			result.Problem = &Problem{Err: fmt.Errorf("active with another trunk, while this try got %s", trunk.SID), Alarm: AlarmTwoTrunks}
		}
	}
	return result
}

// notRecorded: the trunk is there, but whether the record says so isn't known.
// Giving the signup back finds out, and does no harm where it does.
func (t *try) notRecorded(ctx context.Context, record Record, trunkSID string, cause error) Result {
	result := t.release(ctx, record, fmt.Errorf("the trunk %s is not recorded yet: %w", trunkSID, cause))
	if result.Record.Status == StatusActive && result.Record.TrunkSID == trunkSID {
		result.Outcome, result.Problem = OutcomeCreated, nil
	}
	return result
}

// release gives the signup back with the reason why the try did not finish it.
func (t *try) release(ctx context.Context, record Record, cause error) Result {
	problem, wait := judge(cause, record.Attempts)
	result := Result{Record: record, Outcome: OutcomePending, RetryAfter: wait, Problem: &problem}
	now := t.engine.now()
	done := t.begin(StepRelease)
	released, holds, err := t.engine.Ledger.Release(ctx, Release{
		SignupID: record.SignupID, Owner: t.owner, Now: now,
		DueAt: now.Add(wait), LastError: truncate(cause.Error(), maxLastError),
	})
	done(err)
	result.Steps = t.steps
	switch {
	case err != nil:
		result.RetryAfter = leaseMargin // the lease runs out by itself
	case holds:
		result.Record = released
	case released.Status == StatusPending:
		result.Record, result.Outcome, result.RetryAfter = released, OutcomeInProgress, inProgressRetry
	case released.SignupID != "":
		result.Record, result.Outcome, result.RetryAfter = released, OutcomeReplayed, 0
	}
	return result
}

// maxLastError is in bytes; the text is for an operator's screen.
const maxLastError = 500

func truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// begin times a step of the ledger's; the function that it returns ends it.
func (t *try) begin(name string) (done func(error)) {
	start := time.Now()
	return func(err error) {
		t.steps = append(t.steps, Step{Name: name, Start: start, Duration: time.Since(start), Err: err})
	}
}

// hooks keep the try's vendor calls in its steps, and hold back a create once
// the lease has run out by the clock: a worker that was frozen must not send
// what somebody else may be sending now.
func (t *try) hooks() exotel.Hooks {
	return exotel.Hooks{
		Before: func(context.Context, string) error {
			if !t.engine.now().Before(t.leaseUntil) {
				return errLeaseOver
			}
			return nil
		},
		After: func(call exotel.Call) {
			t.steps = append(t.steps, Step{Name: call.Op, Start: call.Start, Duration: call.Duration, HTTPStatus: call.HTTPStatus, RequestID: call.RequestID, Err: call.Err, Vendor: true})
		},
	}
}
