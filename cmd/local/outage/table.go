// Package outage is what can go wrong on this machine, to be switched on by hand: a
// table that is down, and a worker that dies between Exotel's answer and its record.
package outage

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"

	"github.com/trunkhook/trunkhook/ledger/remote"
	"github.com/trunkhook/trunkhook/provision"
)

// ErrDown is what a table that is down answers.
var ErrDown = errors.New("the table is down: somebody switched it off on the console")

// Table is a store that can be switched off. It is safe for concurrent use.
type Table struct {
	store remote.Store
	down  atomic.Bool
	kill  atomic.Bool
}

var _ remote.Store = (*Table)(nil)

// NewTable stands before a store, and lets everything through.
func NewTable(store remote.Store) *Table { return &Table{store: store} }

// SetDown makes every read and write fail, or lets them through again.
func (t *Table) SetDown(down bool) { t.down.Store(down) }

// Down tells whether they fail.
func (t *Table) Down() bool { return t.down.Load() }

// KillNext has the next worker die that is about to write down a trunk.
func (t *Table) KillNext(kill bool) { t.kill.Store(kill) }

// KillsNext tells whether one is to die.
func (t *Table) KillsNext() bool { return t.kill.Load() }

// pass stands before every read and write. A worker that died never comes back from it.
func (t *Table) pass(ctx context.Context) error {
	if worker := workerOf(ctx); worker != nil && worker.isDead() {
		standStill()
	}
	if t.down.Load() {
		return ErrDown
	}
	return nil
}

// mayDie stands before the writes that put down a trunk.
func (t *Table) mayDie(ctx context.Context, signupID string, attempt int, trunkSID string) {
	if worker := workerOf(ctx); worker != nil && t.kill.CompareAndSwap(true, false) {
		worker.die(Death{SignupID: signupID, Attempt: attempt, TrunkSID: trunkSID})
	}
}

// standStill is for ever: the process of that worker is taken to be gone.
func standStill() { select {} }

func write[W any](ctx context.Context, t *Table, w W, do func(context.Context, W) (provision.Record, bool, error)) (provision.Record, bool, error) {
	if err := t.pass(ctx); err != nil {
		return provision.Record{}, false, err
	}
	return do(ctx, w)
}

// ask is a read, or a write that isn't about a signup.
func ask[A any](ctx context.Context, t *Table, do func() (A, error)) (answer A, err error) {
	if err := t.pass(ctx); err != nil {
		return answer, err
	}
	return do()
}

func walk[A any](ctx context.Context, t *Table, all iter.Seq2[A, error]) iter.Seq2[A, error] {
	return func(yield func(A, error) bool) {
		if err := t.pass(ctx); err != nil {
			var none A
			yield(none, err)
			return
		}
		all(yield)
	}
}

// Attach implements provision.Ledger.
func (t *Table) Attach(ctx context.Context, w provision.Attach) (provision.Record, bool, error) {
	t.mayDie(ctx, w.SignupID, w.Attempt, w.Trunk.SID)
	return write(ctx, t, w, t.store.Attach)
}

// Activate implements provision.Ledger.
func (t *Table) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	t.mayDie(ctx, w.SignupID, w.Attempt, w.Trunk.SID)
	return write(ctx, t, w, t.store.Activate)
}
