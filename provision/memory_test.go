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
	failing map[string]failure                           // by the name of the write; used once
	before  map[string]func(map[string]provision.Record) // the same
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
	ledgertest.Run(t, func(*testing.T) provision.Ledger { return newMemory() })
}

func (m *memory) write(ctx context.Context, name, id string, apply func(*provision.Record) (provision.Record, bool)) (provision.Record, bool, error) {
	if err := ctx.Err(); err != nil {
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

func (m *memory) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	return m.write(ctx, "claim", w.Signup.ID, w.Apply)
}

func (m *memory) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	return m.write(ctx, "take over", w.SignupID, w.Apply)
}

func (m *memory) Pin(ctx context.Context, w provision.Pin) (provision.Record, bool, error) {
	return m.write(ctx, "pin", w.SignupID, w.Apply)
}

func (m *memory) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	return m.write(ctx, "activate", w.SignupID, w.Apply)
}

func (m *memory) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	return m.write(ctx, "release", w.SignupID, w.Apply)
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
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing["due"] != 0 {
		return nil, errTable
	}
	var due []provision.Record
	for _, r := range m.records {
		if !r.DueAt.IsZero() && !r.DueAt.After(until) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b provision.Record) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.SignupID, b.SignupID))
	})
	for _, r := range due[:min(limit, len(due))] {
		ids = append(ids, r.SignupID)
	}
	return ids, ctx.Err()
}

func (m *memory) Backlog(context.Context) (backlog provision.Backlog, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.records {
		if r.Status == provision.StatusPending {
			backlog.Add(r.CreatedAt)
		}
	}
	return backlog, nil
}
