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

// Engine turns signups into trunks. Its fields are set once; of a signup it keeps
// no state of its own. It is safe for concurrent use.
type Engine struct {
	Ledger   Ledger
	Accounts Accounts
	Prefix   string  // of trunk names, see CheckPrefix
	Budget   *Budget // of calls to Exotel; nil for no limit

	Passwords Passwords // of credentials; needed where a signup asks for some

	// Now is the wall clock; time.Now where nil.
	Now func() time.Time
	// Jitter draws a time from zero up to a bound; at random where nil.
	Jitter func(bound time.Duration) time.Duration

	fetched fetched
}

// leaseMargin is how long a lease outlives the deadline of the try that holds
// it, so that a worker that is merely late isn't overtaken.
const leaseMargin = 2 * time.Second

// longestLease is Lambda's longest invocation. A process without such a bound gets
// no more: how long a deleted name is watched (quietTime) goes by it.
const longestLease = 15 * time.Minute

// ErrUnavailable says that the ledger can't be reached, so that nothing is promised.
var ErrUnavailable = errors.New("the signups table can't be reached")

// Provision claims the signup and tries once to finish it. It takes at most
// within, of which it keeps some back for the record; the lease is measured by
// the context's deadline, which is when this process may be stopped.
//
// The error is an *InvalidError, or wraps ErrUnavailable; then nothing is
// promised to the sender. In all other cases the signup is on disk, and the
// result says how far it got.
func (e *Engine) Provision(ctx context.Context, s Signup, within time.Duration) (Result, error) {
	t := e.newTry(ctx, within)
	ctx, cancel := context.WithDeadline(ctx, t.doneBy)
	defer cancel()
	record, ended, err := t.claim(ctx, s)
	if ended != nil || err != nil {
		return t.ended(ended, err)
	}
	return t.finish(ctx, record)
}

// ended is what a try whose claim was its end comes to.
func (t *try) ended(result *Result, err error) (Result, error) {
	if result == nil {
		return Result{Steps: t.steps}, err
	}
	return *result, err
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
	attempt    int // of the signup's, this one
	claimedAt  time.Time
	leaseUntil time.Time
	vendorBy   time.Time // when the last vendor call must have ended
	doneBy     time.Time // when all must have ended

	sendTime time.Duration // what must be left before vendorBy for one more call
	sendBy   time.Time     // when a step that would double must have been sent; zero for no such limit
	prepaid  bool          // the next call's share of the budget is taken
	share    *share        // of the budget; nil where the try doesn't wait for one
	steps    []Step
	changed  map[string]LineStep // of the line, for the next write
	byHand   *byHand             // what an import records; nil for all else
}

// newTry begins a try that may take so long, in a process that may be stopped at
// the context's deadline.
func (e *Engine) newTry(ctx context.Context, within time.Duration) *try {
	stop := within
	if deadline, ok := ctx.Deadline(); ok {
		stop = time.Until(deadline)
	}
	within = min(within, stop)
	now, clock := e.now(), time.Now()
	return &try{
		engine:     e,
		owner:      rand.Text(),
		claimedAt:  now,
		leaseUntil: now.Add(min(stop, longestLease) + leaseMargin).Truncate(time.Millisecond),
		vendorBy:   clock.Add(within - recordReserve(within)),
		doneBy:     clock.Add(within),
		sendTime:   min(time.Second, within/4),
	}
}

// recordReserve is what is kept back of a try's time for the record: a second,
// or a quarter where there is little.
func recordReserve(within time.Duration) time.Duration {
	return min(time.Second, within/4)
}

// errVanished: the item is gone in the middle of a try, such as with a table
// that is being restored. Nothing is on disk, so nothing can be promised.
var errVanished = fmt.Errorf("%w: the signup is not in it any more", ErrUnavailable)

// soon is when a sender may ask again, or somebody else will be done. It is not
// the reconciler's back-off: a redelivery is a try at once.
const soon = 2 * time.Second

// theirs is the result where somebody else holds the signup, or has finished it.
func (t *try) theirs(record Record) Result {
	result := Result{Record: record, Outcome: OutcomeReplayed, Steps: t.steps}
	switch record.Status {
	case StatusPending:
		result.Outcome, result.RetryAfter = OutcomeInProgress, soon
	case StatusDeleting:
		result.Outcome, result.RetryAfter = OutcomeDeleting, soon
	case StatusActive, StatusIncomplete, StatusRejected, StatusDeleted, StatusDry:
	}
	return result
}

// release gives the signup back with the reason why the try did not finish it.
func (t *try) release(ctx context.Context, record Record, cause error) (Result, error) {
	now := t.engine.now()
	age := now.Sub(record.PendingSince())
	problem := Problem{Err: cause, Alarm: alarmOf(cause, record.Attempts, age)}
	wait, told := t.engine.wait(cause, now, age)
	dueAt := now.Add(wait).Truncate(time.Millisecond)
	if forSearch(cause) {
		dueAt = now // its turn is the next
	}
	released, holds, err := t.giveBack(ctx, Release{
		SignupID: record.SignupID, Owner: t.owner, Attempt: t.attempt, Now: now, Searching: forSearch(cause),
		DueAt: dueAt, LastError: truncate(cause.Error(), maxLastError), Steps: t.changed, Revision: record.Revision,
	})
	if err == nil && !holds {
		if released.SignupID == "" {
			return Result{Steps: t.steps}, errVanished
		}
		result := t.theirs(released)
		result.Problem = &problem
		return result, nil
	}
	result := Result{Record: record, Outcome: OutcomePending, RetryAfter: soon, Problem: &problem, Steps: t.steps}
	if record.Status == StatusDeleting {
		result.Outcome = OutcomeDeleting
		if waits(cause) {
			result.Problem = nil
		}
	}
	if err == nil {
		result.Record = released
	}
	if told {
		result.RetryAfter = wait // nobody gets through before
	}
	return result, nil
}

// giveBack is the release. Where a delivery has added to the signup meanwhile, that is
// due at once, and what it reopened stays open.
func (t *try) giveBack(ctx context.Context, w Release) (released Record, holds bool, err error) {
	for range claimRounds {
		done := t.begin(StepRelease)
		released, holds, err = t.engine.Ledger.Release(ctx, w)
		done(err)
		if err != nil || holds || !released.heldBy(t.owner, t.attempt) || released.Revision == w.Revision {
			break
		}
		w.Steps, w.Revision, w.DueAt = released.notReopened(w.Steps), released.Revision, w.Now
	}
	return released, holds, err
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

// hooks stand around each vendor call of the try: before it, its share of the
// budget is taken; after it, it is noted in the steps, and a 429 closes the budget
// for everyone. Last before the call comes the clock, which holds it back once the
// lease has run out: a worker that was frozen must not send what somebody else
// may be sending now.
func (t *try) hooks(whole context.Context) exotel.Hooks {
	return exotel.Hooks{
		Before: func(ctx context.Context, _ string) error {
			if err := t.prepay(ctx); err != nil {
				return err
			}
			t.prepaid = false
			now := t.engine.now()
			switch {
			case !now.Before(t.leaseUntil):
				return errLeaseOver
			case !t.sendBy.IsZero() && !now.Before(t.sendBy):
				return errMarkTooOld
			}
			return nil
		},
		After: func(call exotel.Call) {
			t.steps = append(t.steps, vendorStep(call))
			t.engine.heed(whole, call.Err)
		},
	}
}

func vendorStep(call exotel.Call) Step {
	return Step{
		Name: call.Op, Start: call.Start, Duration: call.Duration, Err: call.Err, Vendor: true, Changes: call.Changes(),
		Method: call.Method, Path: call.Path, HTTPStatus: call.HTTPStatus, RequestID: call.RequestID,
	}
}

// prepay takes the next call's share of the budget, unless it is taken already.
func (t *try) prepay(ctx context.Context) error {
	if t.prepaid {
		return nil
	}
	err := t.takeShare(ctx)
	t.prepaid = err == nil
	return err
}

// takeShare takes the next call's share of the budget. One that was taken before
// this try began is no step of it.
func (t *try) takeShare(ctx context.Context) error {
	if t.engine.Budget == nil || t.share != nil && t.share.taken {
		return t.engine.spend(ctx, t.share)
	}
	done := t.begin(StepBudget)
	err := t.engine.spend(ctx, t.share)
	done(err)
	return err
}
