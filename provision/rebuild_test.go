package provision_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/ledger/ledgertest"
	"github.com/trunkhook/trunkhook/provision"
)

// The table is lost, and every signup delivered again, at the vendor's limits: the
// same trunks, some found among the newest and the others by the search.
func TestEmptiedTableIsRebuiltWithTheSameTrunks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		signups int
		open    func(t *testing.T) ledgertest.Store
	}{
		"in memory": {500, func(*testing.T) ledgertest.Store { return newMemory() }},
		"in a file": {150, func(t *testing.T) ledgertest.Store { // each write of which is synced to disk
			t.Helper()
			table, err := embedded.Open(filepath.Join(t.TempDir(), "signups.db"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = table.Close() })
			return table
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signups, open := test.signups, test.open
			inBubble(t, func(t *testing.T, w *world) {
				w.engine.Ledger = open(t)
				w.deliverAll(t, signups, 0)
				before := w.recorded(t, signups)
				made := len(w.fake.Calls())

				table := open(t)
				w.engine.Ledger, w.engine.Budget = table, provision.NewBudget(table, 180, nil)
				w.fake.SetLimits(exoteltest.VendorLimits)
				w.fake.SetLatency(200 * time.Millisecond)
				start := time.Now()
				w.deliverAll(t, signups, 30*time.Second)
				for pending := signups; pending > 0 && time.Since(start) < time.Hour; time.Sleep(5 * time.Second) {
					w.reconcile(t, 55*time.Second)
					backlog, err := table.Backlog(t.Context(), time.Time{})
					if err != nil {
						t.Fatal(err)
					}
					pending = backlog.Pending
				}
				for id, sid := range w.recorded(t, signups) {
					if sid == "" || sid != before[id] {
						t.Errorf("%s has %q, had %s", id, sid, before[id])
					}
				}
				calls := w.fake.Calls()[made:]
				lists := len(calls) + signups - w.fake.Count(exoteltest.Create)
				t.Logf("%d signups rebuilt in %v by %d calls, of which %d are lists", signups, calls[len(calls)-1].At.Sub(start).Round(time.Second), len(calls), lists)
				if n := len(w.fake.Trunks()); n != signups || w.fake.Refused() != 0 {
					t.Errorf("%d trunks, %d times 429", n, w.fake.Refused())
				}
				if len(calls) > 3*signups {
					t.Errorf("%d calls", len(calls))
				}
			})
		})
	}
}

// deliverAll delivers so many signups, spread over that time.
func (w *world) deliverAll(t *testing.T, signups int, within time.Duration) {
	t.Helper()
	var all sync.WaitGroup
	for i := range signups {
		all.Go(func() {
			time.Sleep(within * time.Duration(i) / time.Duration(signups))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if _, err := w.engine.Provision(ctx, provision.Signup{ID: burstID(i), Company: "A"}, 4*time.Second); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// recorded is each signup's trunk, as the table has it.
func (w *world) recorded(t *testing.T, signups int) map[string]string {
	t.Helper()
	sids := map[string]string{}
	for i := range signups {
		record, err := w.engine.Ledger.Get(t.Context(), burstID(i))
		if err != nil {
			t.Fatal(err)
		}
		sids[record.SignupID] = record.TrunkSID
	}
	return sids
}
