package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/trunkhook/trunkhook/provision"
)

var (
	errNotMended    = errors.New("this is for a person to decide")
	errStillPending = errors.New("it is still pending")
	errAlone        = errors.New("it isn't there twice any more")
	errNoRemoval    = errors.New("the account's destinations can't be removed")
)

// Mend mends a finding whose Mend isn't empty. What has changed since the audit is
// looked at again before anything is changed; the engine does so by itself.
func (a *Audit) Mend(ctx context.Context, f Finding) error {
	switch {
	case f.Mend == mendRemove:
		return a.removeDestination(ctx, f)
	case f.Mend == mendDelete:
		return a.deleteTrunk(ctx, f)
	case f.Mend == mendFinish:
		return mended(a.Engine.Retry(ctx, f.SignupID))
	case f.Kind == KindUnrecorded && f.Mend == mendAdopt:
		return mended(a.Engine.Adopt(ctx, f.SignupID, f.TrunkSID))
	case f.Kind == KindMissing && f.Mend != "":
		return mended(a.Engine.Replace(ctx, f.SignupID, f.adopt))
	}
	return errNotMended
}

// mended tells whether a signup is complete. An incomplete one has its alarm.
func mended(result provision.Result, err error) error {
	switch {
	case err != nil:
		return err
	case result.Record.Status != provision.StatusPending:
		return nil
	case result.Problem != nil:
		return fmt.Errorf("%w: %w", errStillPending, result.Problem.Err)
	}
	return errStillPending
}

// deleteTrunk deletes the trunk of a tombstone, which was made after it was watched for.
func (a *Audit) deleteTrunk(ctx context.Context, f Finding) error {
	record, err := a.Engine.Status(ctx, f.SignupID)
	switch {
	case err != nil:
		return err
	case record.Status != provision.StatusDeleted || record.TrunkName != f.TrunkName:
		return errNotMended
	}
	account, err := a.Engine.Accounts.Open(ctx)
	if err != nil {
		return err
	}
	_, err = account.Trunks.Delete(a.Engine.Metered(ctx), f.TrunkSID)
	return err
}

// remover is an *exotel.DestinationURIsService.
type remover interface {
	Remove(ctx context.Context, trunkSID, id string) error
}

// removeDestination removes an entry, unless it is the last of its kind by now.
func (a *Audit) removeDestination(ctx context.Context, f Finding) error {
	account, err := a.Engine.Accounts.Open(ctx)
	if err != nil {
		return err
	}
	service, ok := account.DestinationURIs.(remover)
	if !ok {
		return errNoRemoval
	}
	ctx = a.Engine.Metered(ctx)
	things, err := patiently(ctx, func() ([]listed, error) { return collect(destinations(ctx, account, f.TrunkSID)) })
	if err != nil {
		return err
	}
	same := func(id bool) bool {
		return slices.ContainsFunc(things, func(t listed) bool { return t.value == f.entry.value && (t.id == f.entry.id) == id })
	}
	if !same(true) || !same(false) {
		return errAlone
	}
	return service.Remove(ctx, f.TrunkSID, f.entry.id)
}
