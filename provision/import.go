package provision

import (
	"context"
	"errors"
	"fmt"
)

// ErrOtherContent says that there is a signup of that id with other content.
var ErrOtherContent = errors.New("there is a signup of that id with other content")

// Import records a signup with a trunk that was made by hand, whatever its name, and
// does what else the signup asks for. Done twice it is done once. The error is an
// *InvalidError or ErrOtherContent, or as with Adopt. Nothing is written before the
// trunk was seen; between the claim and the record, the signup is pending for the
// length of one write, and whoever is killed in between leaves one that gets a trunk of
// its own.
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
	record, ended, err := t.claim(ctx, s)
	switch {
	case err != nil:
		return Result{Steps: t.steps}, err
	case ended != nil && ended.Outcome == OutcomeConflict:
		return *ended, ErrOtherContent
	case ended != nil && ended.Record.TrunkSID == trunkSID:
		return *ended, nil
	case ended != nil:
		return t.refused(ended.Record)
	case record.TrunkSID != "" && record.TrunkSID != trunkSID:
		err = fmt.Errorf("%w: it has the trunk %s", ErrSettled, record.TrunkSID)
	default:
		err = t.pin(ctx, account, &record)
	}
	if err != nil {
		result, releaseErr := t.release(ctx, record, err)
		return result, errors.Join(err, releaseErr)
	}
	return t.keep(ctx, record, trunk, OutcomeAdopted)
}
