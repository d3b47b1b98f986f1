package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/trunkhook/trunkhook/exotel"
)

// ErrOtherContent says that there is a signup of that id with other content.
var ErrOtherContent = errors.New("there is a signup of that id with other content")

// byHand is a trunk that an import records, and whose it is.
type byHand struct {
	trunk      exotel.Trunk
	accountSID string
}

// Import records a signup with a trunk that was made by hand, whatever its name, and
// does what else the signup asks for. Done twice it is done once. The error is an
// *InvalidError or ErrOtherContent, or as with Adopt; the signup has been given neither
// the trunk then nor what its line asks for, unless the error wraps ErrUnavailable, or a
// delivery that contradicts, or a deletion, came in between.
//
// Nothing is written before the trunk was seen. The first write of a new signup has the
// trunk in it, so that whoever is killed after it leaves one that the reconciler
// finishes with this trunk. One that was pending already gets the trunk in a write of
// its own, before anything is added to its line; until then it is as it was.
func (e *Engine) Import(ctx context.Context, s Signup, trunkSID string) (Result, error) {
	if Dry(s.ID) {
		return Result{}, errDry
	}
	account, err := e.Accounts.Open(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	t := e.newTry(ctx, operatorTime)
	t.share = new(share)
	ctx, cancel := context.WithDeadline(ctx, t.doneBy)
	defer cancel()
	trunk, err := t.lookUp(ctx, &Record{AccountSID: account.SID}, trunkSID)
	if err != nil {
		return Result{Steps: t.steps}, err
	}
	t.byHand = &byHand{*trunk, account.SID}
	record, ended, err := t.claim(ctx, s)
	if ended == nil && err == nil && record.TrunkSID != trunkSID {
		if err := t.recordByHand(ctx, account, record); err != nil {
			result, releaseErr := t.release(ctx, record, err)
			return result, errors.Join(err, releaseErr)
		}
		record, ended, err = t.claim(ctx, s) // again, for its line
	}
	switch {
	case err != nil:
		return Result{Steps: t.steps}, err
	case ended == nil:
		return t.complete(ctx, record, OutcomeAdopted)
	case ended.Outcome == OutcomeConflict:
		return *ended, ErrOtherContent
	case ended.Record.TrunkSID == trunkSID && !ended.Record.Status.gone():
		return *ended, nil
	}
	return t.refused(ended.Record)
}

// recordByHand gives the trunk to a signup that was pending before.
func (t *try) recordByHand(ctx context.Context, account *Account, record Record) error {
	if record.TrunkSID != "" {
		return fmt.Errorf("%w: it has the trunk %s", ErrSettled, record.TrunkSID)
	}
	if err := t.pin(ctx, account, &record); err != nil {
		return err
	}
	done := t.begin(StepAttach)
	_, holds, err := t.engine.Ledger.Attach(ctx, Attach{
		SignupID: record.SignupID, Owner: t.owner, Attempt: t.attempt, AccountSID: record.AccountSID, Trunk: t.byHand.trunk, Now: t.engine.now(),
	})
	done(err)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case !holds:
		return errLostLease
	}
	return nil
}

// mayExtend tells whether a delivery's wishes are added to the signup: an import's only
// where that has its trunk.
func (t *try) mayExtend(record Record) bool {
	return t.byHand == nil || record.TrunkSID == t.byHand.trunk.SID
}
