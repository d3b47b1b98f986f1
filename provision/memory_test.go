package provision_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/ledger/ledgertest"
	"github.com/trunkhook/trunkhook/provision"
)

// memory is a ledger whose writes can be made to fail, before they are done or
// after (their answer is lost), and before which something can be made to
// happen. Like a real one it does nothing for a context that has ended.
type memory struct {
	mu      sync.Mutex
	records map[string]provision.Record
	writes  int
	failing map[string]failure                           // by the name: a write's is used once, anything else's stays
	before  map[string]func(map[string]provision.Record) // the same

	emptyAt  time.Time // of the budget's bucket
	spends   int       // how often it was asked
	progress provision.Progress
	latency  time.Duration // of everything
}

type failure int

const (
	failBefore failure = iota + 1
	failAfter
)

var errTable = errors.New("table down")

func newMemory() *memory {
	return &memory{
		records: map[string]provision.Record{}, failing: map[string]failure{},
		before: map[string]func(map[string]provision.Record){},
	}
}

func TestMemoryIsALedger(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(*testing.T) ledgertest.Store { return newMemory() })
}

// arrive is the way to the table. What the name stands for may be failing.
func (m *memory) arrive(ctx context.Context, name string) error {
	m.mu.Lock()
	latency, fails := m.latency, m.failing[name] != 0
	m.mu.Unlock()
	if latency > 0 {
		select {
		case <-time.After(latency):
		case <-ctx.Done():
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case fails:
		return errTable
	}
	return nil
}

// fail makes a kind of call fail, or well again.
func (m *memory) fail(name string, how failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failing[name] = how
}

func (m *memory) write(ctx context.Context, name, id string, apply func(*provision.Record) (provision.Record, bool)) (provision.Record, bool, error) {
	if err := m.arrive(ctx, ""); err != nil {
		return provision.Record{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	if happens, ok := m.before[name]; ok {
		delete(m.before, name)
		happens(m.records)
	}
	fails := m.failing[name]
	delete(m.failing, name)
	if fails == failBefore {
		return provision.Record{}, false, errTable
	}
	var old *provision.Record
	if record, there := m.records[id]; there {
		old = &record
	}
	record, holds := apply(old)
	if holds {
		m.records[id] = record
	}
	if fails == failAfter {
		return provision.Record{}, false, errTable
	}
	return record, holds, nil
}

// put is a claim of long ago, which takes no time.
func (m *memory) put(w provision.Claim) (provision.Record, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	record, holds := w.Apply(nil)
	if _, there := m.records[w.Signup.ID]; there {
		return record, false
	}
	m.records[w.Signup.ID] = record
	return record, holds
}

func (m *memory) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	return m.write(ctx, "claim", w.Signup.ID, w.Apply)
}

func (m *memory) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	return m.write(ctx, "take over", w.SignupID, w.Apply)
}

func (m *memory) Pin(ctx context.Context, w provision.Pin) (provision.Record, bool, error) {
	return m.write(ctx, "pin", w.SignupID, w.Apply)
}

func (m *memory) Extend(ctx context.Context, w provision.Extend) (provision.Record, bool, error) {
	return m.write(ctx, "extend", w.SignupID, w.Apply)
}

func (m *memory) Attach(ctx context.Context, w provision.Attach) (provision.Record, bool, error) {
	return m.write(ctx, "attach", w.SignupID, w.Apply)
}

func (m *memory) Mark(ctx context.Context, w provision.Mark) (provision.Record, bool, error) {
	return m.write(ctx, "mark", w.SignupID, w.Apply)
}

func (m *memory) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	return m.write(ctx, "activate", w.SignupID, w.Apply)
}

func (m *memory) Delete(ctx context.Context, w provision.Delete) (provision.Record, bool, error) {
	return m.write(ctx, "delete", w.SignupID, w.Apply)
}

func (m *memory) Bury(ctx context.Context, w provision.Bury) (provision.Record, bool, error) {
	return m.write(ctx, "bury", w.SignupID, w.Apply)
}

func (m *memory) Restart(ctx context.Context, w provision.Restart) (provision.Record, bool, error) {
	return m.write(ctx, "restart", w.Signup.ID, w.Apply)
}

func (m *memory) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	return m.write(ctx, "release", w.SignupID, w.Apply)
}

func (m *memory) Reject(ctx context.Context, w provision.Reject) (provision.Record, bool, error) {
	return m.write(ctx, "reject", w.SignupID, w.Apply)
}

func (m *memory) Prove(ctx context.Context, w provision.Prove) (provision.Record, bool, error) {
	return m.write(ctx, "prove", w.SignupID, w.Apply)
}

func (m *memory) Spend(ctx context.Context, w provision.Spend) (emptyAt time.Time, holds bool, err error) {
	err = m.arrive(ctx, "spend")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spends++
	if err != nil {
		return time.Time{}, false, err
	}
	if emptyAt, holds = w.Apply(m.emptyAt); holds {
		m.emptyAt = emptyAt
	}
	return emptyAt, holds, nil
}

// asked is how often a share of the budget was asked for.
func (m *memory) asked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spends
}

func (m *memory) Shut(ctx context.Context, w provision.Shut) (time.Time, error) {
	if err := m.arrive(ctx, "shut"); err != nil {
		return time.Time{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.emptyAt = w.Apply(m.emptyAt)
	return m.emptyAt, nil
}

func (m *memory) Progress(ctx context.Context) (provision.Progress, error) {
	if err := m.arrive(ctx, "progress"); err != nil {
		return provision.Progress{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.progress, nil
}

func (m *memory) KeepProgress(ctx context.Context, p provision.Progress) error {
	if err := m.arrive(ctx, "keep progress"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.progress = p
	return nil
}

func (m *memory) Searching(ctx context.Context, limit int) (wanted []provision.Wanted, err error) {
	if err := m.arrive(ctx, "searching"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.inQueue(true) {
		wanted = append(wanted, provision.Wanted{SignupID: r.SignupID, TrunkName: r.TrunkName, Since: r.DueAt})
	}
	return wanted[:min(limit, len(wanted))], nil
}

// inQueue is what is pending, the longest due first.
func (m *memory) inQueue(searching bool) (queue []provision.Record) {
	for _, r := range m.records {
		if !r.DueAt.IsZero() && r.Searching == searching {
			queue = append(queue, r)
		}
	}
	slices.SortFunc(queue, func(a, b provision.Record) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.SignupID, b.SignupID))
	})
	return queue
}

func (m *memory) Get(ctx context.Context, id string) (provision.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	record, there := m.records[id]
	if !there {
		return provision.Record{}, cmp.Or(ctx.Err(), provision.ErrNotFound)
	}
	return record, ctx.Err()
}

func (m *memory) Due(ctx context.Context, until time.Time, limit int) (ids []string, err error) {
	if err := m.arrive(ctx, "due"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.inQueue(false) {
		if !r.DueAt.After(until) && len(ids) < limit {
			ids = append(ids, r.SignupID)
		}
	}
	return ids, nil
}

func (m *memory) Backlog(ctx context.Context, stuckBefore time.Time) (backlog provision.Backlog, err error) {
	if err := m.arrive(ctx, "backlog"); err != nil {
		return provision.Backlog{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.records {
		if !r.DueAt.IsZero() {
			backlog.Add(r.PendingSince(), stuckBefore)
		}
	}
	return backlog, nil
}
