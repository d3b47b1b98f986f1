package outage

import (
	"context"
	"iter"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// Claim implements provision.Ledger.
func (t *Table) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	return write(ctx, t, w, t.store.Claim)
}

// TakeOver implements provision.Ledger.
func (t *Table) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	return write(ctx, t, w, t.store.TakeOver)
}

// Pin implements provision.Ledger.
func (t *Table) Pin(ctx context.Context, w provision.Pin) (provision.Record, bool, error) {
	return write(ctx, t, w, t.store.Pin)
}

// Extend implements provision.Ledger.
func (t *Table) Extend(ctx context.Context, w provision.Extend) (provision.Record, bool, error) {
	return write(ctx, t, w, t.store.Extend)
}

// Mark implements provision.Ledger.
func (t *Table) Mark(ctx context.Context, w provision.Mark) (provision.Record, bool, error) {
	return write(ctx, t, w, t.store.Mark)
}

// Release implements provision.Ledger.
func (t *Table) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	return write(ctx, t, w, t.store.Release)
}

// Reject implements provision.Ledger.
func (t *Table) Reject(ctx context.Context, w provision.Reject) (provision.Record, bool, error) {
	return write(ctx, t, w, t.store.Reject)
}

// Delete implements provision.Ledger.
func (t *Table) Delete(ctx context.Context, w provision.Delete) (provision.Record, bool, error) {
	return write(ctx, t, w, t.store.Delete)
}

// Bury implements provision.Ledger.
func (t *Table) Bury(ctx context.Context, w provision.Bury) (provision.Record, bool, error) {
	return write(ctx, t, w, t.store.Bury)
}

// Restart implements provision.Ledger.
func (t *Table) Restart(ctx context.Context, w provision.Restart) (provision.Record, bool, error) {
	return write(ctx, t, w, t.store.Restart)
}

// Prove implements provision.Ledger.
func (t *Table) Prove(ctx context.Context, w provision.Prove) (provision.Record, bool, error) {
	return write(ctx, t, w, t.store.Prove)
}

// Get implements provision.Ledger.
func (t *Table) Get(ctx context.Context, signupID string) (provision.Record, error) {
	return ask(ctx, t, func() (provision.Record, error) { return t.store.Get(ctx, signupID) })
}

// Due implements provision.Ledger.
func (t *Table) Due(ctx context.Context, until time.Time, limit int) ([]string, error) {
	return ask(ctx, t, func() ([]string, error) { return t.store.Due(ctx, until, limit) })
}

// Searching implements provision.Ledger.
func (t *Table) Searching(ctx context.Context, limit int) ([]provision.Wanted, error) {
	return ask(ctx, t, func() ([]provision.Wanted, error) { return t.store.Searching(ctx, limit) })
}

// Backlog implements provision.Ledger.
func (t *Table) Backlog(ctx context.Context, stuckBefore time.Time) (provision.Backlog, error) {
	return ask(ctx, t, func() (provision.Backlog, error) { return t.store.Backlog(ctx, stuckBefore) })
}

// Progress implements provision.Ledger.
func (t *Table) Progress(ctx context.Context) (provision.Progress, error) {
	return ask(ctx, t, func() (provision.Progress, error) { return t.store.Progress(ctx) })
}

// KeepProgress implements provision.Ledger.
func (t *Table) KeepProgress(ctx context.Context, p provision.Progress) error {
	if err := t.pass(ctx); err != nil {
		return err
	}
	return t.store.KeepProgress(ctx, p)
}

// Spend implements provision.Meter.
func (t *Table) Spend(ctx context.Context, w provision.Spend) (time.Time, bool, error) {
	if err := t.pass(ctx); err != nil {
		return time.Time{}, false, err
	}
	return t.store.Spend(ctx, w)
}

// Shut implements provision.Meter.
func (t *Table) Shut(ctx context.Context, w provision.Shut) (time.Time, error) {
	return ask(ctx, t, func() (time.Time, error) { return t.store.Shut(ctx, w) })
}

// KeepDeadLetter implements handler.DeadLetters.
func (t *Table) KeepDeadLetter(ctx context.Context, d provision.DeadLetter) error {
	if err := t.pass(ctx); err != nil {
		return err
	}
	return t.store.KeepDeadLetter(ctx, d)
}

// DropDeadLetter implements remote.Store.
func (t *Table) DropDeadLetter(ctx context.Context, id string) error {
	if err := t.pass(ctx); err != nil {
		return err
	}
	return t.store.DropDeadLetter(ctx, id)
}

// All implements remote.Store.
func (t *Table) All(ctx context.Context) iter.Seq2[provision.Record, error] {
	return walk(ctx, t, t.store.All(ctx))
}

// DeadLetters implements remote.Store.
func (t *Table) DeadLetters(ctx context.Context) iter.Seq2[provision.KeptDeadLetter, error] {
	return walk(ctx, t, t.store.DeadLetters(ctx))
}
