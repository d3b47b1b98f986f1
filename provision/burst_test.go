package provision_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// burstSignups is how many come within 30 s, each of them twice.
const burstSignups = 5000

// processes are engines that share a table and a vendor, each with a budget of its
// own and a clock that is up to two seconds ahead.
func (w *world) processes(count, callsPerMinute int) []*world {
	all := make([]*world, count)
	for i := range all {
		ahead := 2 * time.Second * time.Duration(i) / time.Duration(count)
		now := func() time.Time { return time.Now().Add(ahead) }
		process := *w
		process.engine = &provision.Engine{Ledger: w.ledger, Accounts: w.accounts, Prefix: "th", Now: now, Budget: provision.NewBudget(w.ledger, callsPerMinute, now)}
		all[i] = &process
	}
	return all
}

// A burst that is fifty times what the vendor takes, in virtual time: against its
// real limits, at its real pace.
func TestBurstIsDrainedAtTheRateOfTheBudget(t *testing.T) {
	t.Parallel()
	const signups = burstSignups
	inBubble(t, func(t *testing.T, w *world) {
		w.fake.SetLimits(exoteltest.VendorLimits)
		w.fake.SetLatency(200 * time.Millisecond)
		w.ledger.latency = 8 * time.Millisecond
		processes := w.processes(20, 180)
		start := time.Now()
		reconciler := processes[0]
		var drained sync.WaitGroup
		drained.Go(func() {
			time.Sleep(20 * time.Second) // somewhere in the burst
			reconciler.everyMinute(t, signups/100+2)
		})
		outcomes := burst(t, processes[1:], signups, 30*time.Second)
		drained.Wait()

		calls := w.fake.Calls()
		took := calls[len(calls)-1].At.Sub(start)
		rate := float64(len(calls)) / took.Minutes()
		t.Logf("| virtual time | %d in 30 s | %s | %d | %d | %d | %.1f %% of 180 a minute | %v |",
			2*signups, listed(outcomes), len(w.fake.Trunks()), len(calls), w.fake.Refused(), 100*rate/180, took.Round(time.Second))
		t.Logf("at most %d calls in a minute, and %d in a second", most(arrivals(calls), time.Minute), most(arrivals(calls), time.Second))
		if w.fake.Refused() != 0 || rate < 0.95*180 {
			t.Errorf("%d times 429, %.1f calls a minute", w.fake.Refused(), rate)
		}
		w.everyOneHasItsTrunk(t, signups)
	})
}

// burst delivers so many signups within so long, each twice, to processes at
// random, and returns how often each outcome was answered.
func burst(t *testing.T, processes []*world, signups int, within time.Duration) map[provision.Outcome]int {
	t.Helper()
	var mu sync.Mutex
	outcomes := map[provision.Outcome]int{}
	var all sync.WaitGroup
	for i := range 2 * signups {
		s := provision.Signup{ID: burstID(i % signups), Company: "A"}
		at, process := rand.N(within), processes[rand.N(len(processes))]
		all.Go(func() {
			time.Sleep(at)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			result, err := process.engine.Provision(ctx, s, 4*time.Second)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			outcomes[result.Outcome]++
		})
	}
	all.Wait()
	return outcomes
}

func burstID(i int) string { return fmt.Sprintf("burst-%05d", i) }

// everyOneHasItsTrunk: none is lost, and none has two.
func (w *world) everyOneHasItsTrunk(t *testing.T, signups int) {
	t.Helper()
	sids := map[string]string{} // by name
	for _, trunk := range w.fake.Trunks() {
		if sids[trunk.Name] != "" {
			t.Errorf("%s twice", trunk.Name)
		}
		sids[trunk.Name] = trunk.SID
	}
	if len(sids) != signups {
		t.Errorf("%d trunks for %d signups", len(sids), signups)
	}
	for i := range signups {
		id := burstID(i)
		if record := w.record(t, id); record.Status != provision.StatusActive || record.TrunkSID == "" || record.TrunkSID != sids[provision.TrunkName("th", id)] {
			t.Errorf("record %+v", record)
		}
	}
}

// listed is how often there was which outcome.
func listed(outcomes map[provision.Outcome]int) string {
	var parts []string
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		parts = append(parts, fmt.Sprintf("%s: %d", outcome, outcomes[outcome]))
	}
	return strings.Join(parts, ", ")
}
