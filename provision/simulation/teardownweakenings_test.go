package simulation_test

import (
	"context"

	"github.com/trunkhook/trunkhook/provision"
)

// finalAtOnce takes a deletion for done when it is asked for.
type finalAtOnce struct{ *table }

func (t finalAtOnce) Delete(ctx context.Context, w provision.Delete) (provision.Record, bool, error) {
	if record, holds, err := t.table.Delete(ctx, w); err != nil || !holds || record.Status != provision.StatusDeleting {
		return record, holds, err
	}
	return t.write(ctx, "bury", w.SignupID, func(old *provision.Record) (provision.Record, bool) {
		return provision.Bury{SignupID: w.SignupID, Owner: old.Owner, Now: w.Now}.Apply(old)
	})
}

// noWatch deletes what is there, and then takes the deletion for done.
type noWatch struct{ *table }

func (t noWatch) Delete(ctx context.Context, w provision.Delete) (provision.Record, bool, error) {
	w.QuietAt = w.Now
	return t.table.Delete(ctx, w)
}

// ignoresTombstones lets a delivery claim what is deleted.
type ignoresTombstones struct{ *table }

func (t ignoresTombstones) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	return t.write(ctx, "claim", w.Signup.ID, func(old *provision.Record) (provision.Record, bool) {
		if old != nil && old.Status == provision.StatusDeleted {
			return w.Apply(nil)
		}
		return w.Apply(old)
	})
}

// oneName gives all generations of a signup the same name.
type oneName struct{ *table }

func (t oneName) Restart(ctx context.Context, w provision.Restart) (provision.Record, bool, error) {
	w.TrunkName = provision.TrunkName(t.process.prefix, w.Signup.ID)
	return t.table.Restart(ctx, w)
}

// anyGeneration deletes whichever generation there is.
type anyGeneration struct{ *table }

func (t anyGeneration) Delete(ctx context.Context, w provision.Delete) (provision.Record, bool, error) {
	return t.write(ctx, "delete", w.SignupID, func(old *provision.Record) (provision.Record, bool) {
		if old != nil {
			w.Generation = old.Generation
		}
		return w.Apply(old)
	})
}

// resurrects records the trunk of a late worker, although the signup is deleted.
type resurrects struct{ *table }

func (t resurrects) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	return t.write(ctx, "activate", w.SignupID, func(old *provision.Record) (provision.Record, bool) {
		if old == nil || !gone(old.Status) {
			return w.Apply(old)
		}
		pending := *old
		pending.Status, pending.Owner = provision.StatusPending, w.Owner
		return w.Apply(&pending)
	})
}
