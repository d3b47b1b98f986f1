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
// after (their answer is lost).
type memory struct {
	mu      sync.Mutex
	records map[string]provision.Record
	writes  int
	failing map[string]failure // by the name of the write; used once
}

type failure int

const (
	failBefore failure = iota + 1
	failAfter
)

var errTable = errors.New("table down")

func newMemory() *memory {
	return &memory{records: map[string]provision.Record{}, failing: map[string]failure{}}
}

func TestMemoryIsALedger(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(*testing.T) provision.Ledger { return newMemory() })
}

func (m *memory) write(name, id string, apply func(*provision.Record) (provision.Record, bool)) (provision.Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
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

func (m *memory) Claim(_ context.Context, w provision.Claim) (provision.Record, bool, error) {
	return m.write("claim", w.Signup.ID, w.Apply)
}

func (m *memory) TakeOver(_ context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	return m.write("take over", w.SignupID, w.Apply)
}

func (m *memory) Pin(_ context.Context, w provision.Pin) (provision.Record, bool, error) {
	return m.write("pin", w.SignupID, w.Apply)
}

func (m *memory) Activate(_ context.Context, w provision.Activate) (provision.Record, bool, error) {
	return m.write("activate", w.SignupID, w.Apply)
}

func (m *memory) Release(_ context.Context, w provision.Release) (provision.Record, bool, error) {
	return m.write("release", w.SignupID, w.Apply)
}

func (m *memory) Get(_ context.Context, id string) (provision.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	record, there := m.records[id]
	if !there {
		return provision.Record{}, provision.ErrNotFound
	}
	return record, nil
}

func (m *memory) Due(_ context.Context, until time.Time, limit int) ([]provision.Due, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing["due"] != 0 {
		return nil, errTable
	}
	var due []provision.Due
	for _, r := range m.records {
		if !r.DueAt.IsZero() && !r.DueAt.After(until) {
			due = append(due, provision.Due{SignupID: r.SignupID, DueAt: r.DueAt, CreatedAt: r.CreatedAt})
		}
	}
	slices.SortFunc(due, func(a, b provision.Due) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.SignupID, b.SignupID))
	})
	return due[:min(limit, len(due))], nil
}
