package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// What an operator can't do.
var (
	// ErrHeld says that a try is under way: ask again when its lease is over.
	ErrHeld = errors.New("a try holds the signup")
	// ErrSettled says that the signup is complete or rejected already.
	ErrSettled = errors.New("the signup is settled")
	// ErrNoSuchTrunk says that the account has no such trunk.
	ErrNoSuchTrunk = errors.New("there is no such trunk")
)

// operatorTime is what one of an operator's steps may take without a deadline.
const operatorTime = 30 * time.Second

// Retry tries a pending signup now, whenever it is due, waiting for its share of
// the budget; of a complete one it tries again what Exotel refused, and what is open
// all the same. The error is
// ErrNotFound, or wraps ErrHeld, ErrSettled or ErrUnavailable.
func (e *Engine) Retry(ctx context.Context, signupID string) (Result, error) {
	if err := e.reopen(ctx, signupID); err != nil {
		return Result{}, err
	}
	return e.operate(ctx, signupID, (*try).finish)
}

// reopen lets the refused and the open steps of a complete signup be tried again.
func (e *Engine) reopen(ctx context.Context, signupID string) error {
	record, err := e.Status(ctx, signupID)
	if err != nil || !record.Status.complete() {
		return err
	}
	again := make(map[string]LineStep)
	for key, step := range record.Steps {
		if step.Status != StepDone {
			again[key] = step.reopened()
		}
	}
	if len(again) == 0 {
		return nil
	}
	if _, _, err := e.Ledger.Extend(ctx, Extend{SignupID: signupID, Steps: again, Seen: record.Seen(), Now: e.now()}); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// Reject ends a pending signup for good, with a reason for people; of one that has its
// trunk, the steps that are still open, so that it is incomplete, or active where none
// is, as after an import that was interrupted. A create of an
// earlier try, whose outcome isn't known, may have made its trunk all the same:
// the record's LastError says so until then, and the name stays its own. Errors
// are as with Retry.
func (e *Engine) Reject(ctx context.Context, signupID, reason string) (Result, error) {
	return e.operate(ctx, signupID, unlessDeleting(func(t *try, ctx context.Context, record Record) (Result, error) {
		if record.TrunkSID != "" {
			return t.giveUp(ctx, record, reason)
		}
		done := t.begin(StepReject)
		rejected, holds, err := e.Ledger.Reject(ctx, Reject{SignupID: record.SignupID, Owner: t.owner, Attempt: t.attempt, Reason: truncate(reason, maxLastError), Now: e.now()})
		done(err)
		switch {
		case err != nil:
			return Result{Steps: t.steps}, fmt.Errorf("%w: %w", ErrUnavailable, err)
		case !holds:
			return t.refused(rejected)
		}
		return Result{Record: rejected, Outcome: OutcomeRejected, Steps: t.steps}, nil
	}))
}

// giveUp refuses the steps that are open, by an operator's word. Where none is, there is
// nothing to refuse, and the signup is complete.
func (t *try) giveUp(ctx context.Context, record Record, reason string) (Result, error) {
	w, how := lineWork{try: t, record: &record}, OutcomeCompleted
	for _, step := range record.LineSteps() {
		if step.open() {
			w.refuse(step, reason)
			how = OutcomeRejected
		}
	}
	trunk := exotel.Trunk{SID: record.TrunkSID, DomainName: record.DomainName, Raw: record.Trunk}
	return t.record(ctx, record, &trunk, how)
}

// Adopt makes a pending signup active with a trunk that exists, whatever its
// name, unless it has one that is there. Errors are as with Retry, or ErrNoSuchTrunk.
func (e *Engine) Adopt(ctx context.Context, signupID, trunkSID string) (Result, error) {
	if Dry(signupID) {
		return Result{}, errDry
	}
	return e.operate(ctx, signupID, unlessDeleting(func(t *try, ctx context.Context, record Record) (Result, error) {
		trunk, err := t.lookUp(ctx, &record, trunkSID)
		if err == nil && record.TrunkSID != "" && record.TrunkSID != trunkSID {
			err = t.isGone(ctx, &record)
		}
		if err != nil {
			result, releaseErr := t.release(ctx, record, err)
			return result, errors.Join(err, releaseErr)
		}
		if len(record.Steps) == 0 {
			return t.record(ctx, record, trunk, OutcomeAdopted)
		}
		attached, ended, err := t.attach(ctx, record, trunk, true)
		if ended != nil || err != nil {
			return t.ended(ended, err)
		}
		return t.complete(ctx, attached, OutcomeAdopted)
	}))
}

// isGone says no where the signup's own trunk is there: another one in its place would
// leave it to nobody.
func (t *try) isGone(ctx context.Context, record *Record) error {
	switch _, err := t.lookUp(ctx, record, record.TrunkSID); {
	case err == nil:
		return fmt.Errorf("%w: it has the trunk %s, which is there", ErrSettled, record.TrunkSID)
	case errors.Is(err, ErrNoSuchTrunk):
		return nil
	default:
		return err
	}
}

// lookUp finds a trunk of the signup's account by its sid.
func (t *try) lookUp(ctx context.Context, record *Record, trunkSID string) (*exotel.Trunk, error) {
	hooked, cancel := context.WithDeadline(exotel.WithHooks(ctx, t.hooks(ctx)), t.vendorBy)
	defer cancel()
	account, err := t.engine.Accounts.Open(hooked)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	if err := t.pin(ctx, account, record); err != nil {
		return nil, err
	}
	page, err := account.Trunks.List(hooked, exotel.ListOptions{TrunkSID: trunkSID})
	if err != nil && !errors.Is(err, exotel.ErrNotFound) && !errors.Is(err, exotel.ErrForbidden) {
		return nil, err
	}
	if page != nil {
		for _, trunk := range page.Trunks {
			if trunk.SID == trunkSID {
				return &trunk, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrNoSuchTrunk, trunkSID)
}

// operation is what an operator does with a signup that is taken.
type operation = func(*try, context.Context, Record) (Result, error)

// unlessDeleting gives back at once what is being deleted: nothing else can be
// decided of it.
func unlessDeleting(do operation) operation {
	return func(t *try, ctx context.Context, record Record) (Result, error) {
		if record.Status != StatusDeleting {
			return do(t, ctx, record)
		}
		result, err := t.release(ctx, record, record.nextLook(t.engine.now()))
		return result, errors.Join(fmt.Errorf("%w: it is being deleted", ErrSettled), err)
	}
}

// operate takes a pending signup, due or not, and does something with it.
func (e *Engine) operate(ctx context.Context, signupID string, do operation) (Result, error) {
	t := e.newTry(ctx, operatorTime)
	t.share = new(share)
	ctx, cancel := context.WithDeadline(ctx, t.doneBy)
	defer cancel()
	record, held, err := t.takeOver(ctx, signupID, true)
	switch {
	case err != nil:
		return Result{Steps: t.steps}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case !held:
		return t.refused(record)
	}
	return do(t, ctx, record)
}

// refused says why the signup is not the operator's to change.
func (t *try) refused(record Record) (Result, error) {
	switch {
	case record.SignupID == "":
		return Result{Steps: t.steps}, ErrNotFound
	case record.Status == StatusPending:
		return t.theirs(record), fmt.Errorf("%w until %s", ErrHeld, record.LeaseUntil.Format(time.RFC3339))
	}
	return t.theirs(record), fmt.Errorf("%w: it is %s", ErrSettled, record.Status)
}
