package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// quietTime is how long a deleted signup's name is watched: for longer than a create
// that was sent before can be under way. A worker sends nothing once its lease has
// run out, which is at most longestLease and leaseMargin after it began; the rest is
// for clocks that differ, for a worker that stands still in the middle of the send, and
// for Exotel.
const quietTime = 30 * time.Minute

// errLastLook: the name has been quiet, and the search says whether the list is free
// of it.
var errLastLook = errors.New("the last look is through the whole list")

// ErrGeneration says that the signup is of another generation than the one that is
// meant. An earlier one is deleted.
var ErrGeneration = errors.New("the signup is of another generation")

// errUnreadable: what can't be read may be anybody's.
var errUnreadable = errors.New("trunks in the list can't be read, any of which may be the deleted signup's")

// errTrunkLeft: the last look found one more trunk.
var errTrunkLeft = errors.New("a trunk of the deleted signup is still to be deleted")

// watching is a deletion between two looks.
type watching struct{ until time.Time }

func (w *watching) Error() string {
	return "a create of before may still be under way: looked for again at " + w.until.Format(time.RFC3339)
}

// waits tells whether a deletion merely waits.
func waits(err error) bool {
	var watched *watching
	return errors.As(err, &watched) || errors.Is(err, errLastLook)
}

// Delete deletes the signup's trunk, with all that is mapped to it, and watches for
// a create of before that is processed late; the reconciler ends it. The reason is
// for people. Whatever comes later under this id, but for the next generation, finds
// the tombstone. Only that generation of the signup is deleted; zero and 1 are the
// first. The error is ErrNotFound or ErrGeneration, or wraps ErrUnavailable; in all
// other cases the deletion is on disk, and the result says how far it got.
func (e *Engine) Delete(ctx context.Context, signupID string, generation int, reason string, within time.Duration) (Result, error) {
	t := e.newTry(ctx, within)
	ctx, cancel := context.WithDeadline(ctx, t.doneBy)
	defer cancel()
	done := t.begin(StepDelete)
	record, holds, err := e.Ledger.Delete(ctx, Delete{
		SignupID: signupID, Generation: generation, Reason: truncate(reason, maxLastError), Now: t.claimedAt, QuietAt: t.claimedAt.Add(quietTime),
	})
	done(err)
	switch {
	case err != nil:
		return Result{Steps: t.steps}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case record.SignupID == "":
		return Result{Steps: t.steps}, ErrNotFound
	case !holds:
		return t.theirs(record), ErrGeneration
	case record.Status == StatusDeleted:
		return t.theirs(record), nil
	}
	held, ours, err := t.takeOver(ctx, signupID, true)
	if err != nil || !ours { // on disk, and the reconciler's or somebody else's
		return t.theirs(record), nil
	}
	return t.tearDown(ctx, held)
}

// tearDown deletes what there is of the signup's trunk now.
func (t *try) tearDown(ctx context.Context, record Record) (Result, error) {
	if err := t.removeTrunk(ctx, &record); err != nil {
		return t.release(ctx, record, err)
	}
	return t.release(ctx, record, record.nextLook(t.engine.now()))
}

// nextLook is what a deletion waits for where nothing is left to be deleted now.
func (r Record) nextLook(now time.Time) error {
	if now.Before(r.QuietAt) {
		return r.watch(now)
	}
	return errLastLook
}

// watch is until the next look: the pauses grow with the time since the deletion,
// from a minute on, and from a minute on again where something was found after the
// watch.
func (r Record) watch(now time.Time) error {
	if !now.Before(r.QuietAt) {
		return &watching{now.Add(max(time.Minute, now.Sub(r.QuietAt)))}
	}
	next := now.Add(max(time.Minute, now.Sub(r.PendingSince())))
	if next.After(r.QuietAt) {
		next = r.QuietAt
	}
	return &watching{next}
}

// removeTrunk deletes the trunk that is recorded, and during the watch what bears its
// name among the newest, where a create that was processed late would be. Where that
// look can't be paid for, the next one will do: none is the last.
func (t *try) removeTrunk(ctx context.Context, record *Record) error {
	ctx, cancel := context.WithDeadline(exotel.WithHooks(ctx, t.hooks(ctx)), t.vendorBy)
	defer cancel()
	account, err := t.engine.Accounts.Open(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	err = t.removeFrom(ctx, account, record)
	if renewed := t.engine.renew(ctx, account, err); renewed != nil {
		return t.removeFrom(ctx, renewed, record)
	}
	return err
}

func (t *try) removeFrom(ctx context.Context, account *Account, record *Record) error {
	if err := t.pin(ctx, account, record); err != nil {
		return err
	}
	if record.TrunkSID != "" {
		if err := remove(ctx, account.Trunks, record.TrunkSID); err != nil {
			return err
		}
	}
	if !t.engine.now().Before(record.QuietAt) {
		return nil // the last look is through the whole list
	}
	trunk, err := find(ctx, account.Trunks, record)
	var spent *SpentError
	switch {
	case errors.As(err, &spent):
		return nil
	case errors.Is(err, errNotListed), errors.Is(err, errFurtherBack), errors.Is(err, errForeignTrunk):
		return nil
	case err != nil:
		return err
	case trunk.SID == record.TrunkSID: // the list lags behind
		return nil
	}
	if err := t.note(ctx, record, trunk); err != nil {
		return err
	}
	return remove(ctx, account.Trunks, trunk.SID)
}

// remove deletes a trunk. One that is not there any more was deleted before; that
// an earlier answer was lost is the usual reason.
func remove(ctx context.Context, trunks Trunks, trunkSID string) error {
	if _, err := trunks.Delete(ctx, trunkSID); err != nil && !errors.Is(err, exotel.ErrNotFound) {
		return err
	}
	return nil
}

// lastLook ends a try with the trunk that the search found under the name of a
// deleted signup, or with none in the whole list. That is the last word only where
// the walk began after the name had been quiet (a signup can be deleted while the
// search is on its way for it), and where all of the list could be read.
func (t *try) lastLook(ctx context.Context, record Record, trunk *exotel.Trunk, walk Progress) (Result, error) {
	if trunk != nil {
		trunk, _ = ours(*trunk, &record) // what isn't ours stays
	}
	switch {
	case trunk != nil && trunk.SID == record.TrunkSID: // it is deleted, and the list lags behind
		return t.release(ctx, record, record.watch(t.engine.now()))
	case trunk != nil:
		if err := t.note(ctx, &record, trunk); err != nil {
			return t.release(ctx, record, err)
		}
		return t.release(ctx, record, errTrunkLeft)
	case walk.BeganAt.Before(record.QuietAt):
		return t.release(ctx, record, record.nextLook(t.engine.now()))
	case walk.Unreadable > 0:
		return t.release(ctx, record, fmt.Errorf("%w: %d", errUnreadable, walk.Unreadable))
	}
	return t.bury(ctx, record)
}

// note writes down the trunk that was found. Deleting it is one more call, which the
// next try begins with where there is no room for it now.
func (t *try) note(ctx context.Context, record *Record, trunk *exotel.Trunk) error {
	done := t.begin(StepAttach)
	noted, holds, err := t.engine.Ledger.Attach(ctx, Attach{
		SignupID: record.SignupID, Owner: t.owner, AccountSID: record.AccountSID, Trunk: *trunk, Replace: true, Now: t.engine.now(),
	})
	done(err)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errTableUnavailable, err)
	case !holds:
		return errLostLease
	}
	*record = noted
	return nil
}

func (t *try) bury(ctx context.Context, record Record) (Result, error) {
	done := t.begin(StepBury)
	buried, holds, err := t.engine.Ledger.Bury(ctx, Bury{SignupID: record.SignupID, Owner: t.owner, Now: t.engine.now()})
	done(err)
	switch {
	case err != nil:
		return t.release(ctx, record, fmt.Errorf("%w: %w", errTableUnavailable, err))
	case buried.SignupID == "":
		return Result{Steps: t.steps}, errVanished
	case !holds:
		return t.theirs(buried), nil
	}
	return Result{Record: buried, Outcome: OutcomeDeleted, Steps: t.steps}, nil
}
