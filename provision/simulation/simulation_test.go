package simulation_test

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

var (
	seeds = flag.Int("seeds", 2000, "how many schedules to run")
	first = flag.Uint64("first", 0, "the seed of the first")
	one   = flag.Int64("seed", -1, "run this one only, and print all that happens in it")
)

// run is a schedule that has been played.
type run struct {
	violations []violation
	trace      string // where it was asked for
}

// simulate plays the schedule of a seed.
func simulate(t *testing.T, seed uint64, weak weakening, tracing bool, s *stats) (played run) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w := newWorld(seed, weak, s)
		w.tracing = tracing
		w.run()
		played.violations = w.violations
		if tracing {
			played.trace = w.trace.String()
		}
	})
	return played
}

// report is all that is known of a violation.
func report(t *testing.T, seed uint64) string {
	t.Helper()
	played := simulate(t, seed, weakening{}, true, newStats())
	if len(played.violations) == 0 {
		return fmt.Sprintf("schedule %d does not fail again: it doesn't replay", seed)
	}
	return fmt.Sprintf("schedule %d:\n%s\n%s\nreplay it with: make sim SEED=%d", seed, played.trace, played.found(), seed)
}

// broke tells whether that invariant did not hold, and how.
func (r run) broke(invariant string) (detail string, broken bool) {
	for _, v := range r.violations {
		if v.invariant == invariant {
			return v.detail, true
		}
	}
	return "", false
}

// found has a line for each invariant that did not hold.
func (r run) found() string {
	var b strings.Builder
	for _, v := range r.violations {
		fmt.Fprintf(&b, "after %v: %s: %s\n", v.at, v.invariant, v.detail)
	}
	return b.String()
}

func TestSimulation(t *testing.T) {
	t.Parallel()
	if *one >= 0 {
		played := simulate(t, uint64(*one), weakening{}, true, newStats())
		t.Logf("schedule %d:\n%s", *one, played.trace)
		if len(played.violations) > 0 {
			t.Error(played.found())
		}
		return
	}
	total := simulateAll(t, *first, *seeds)
	t.Log(total)
	if *seeds >= 2000 {
		total.checkCoverage(t)
	}
}

// simulateAll plays so many schedules on all processors.
func simulateAll(t *testing.T, first uint64, count int) *stats {
	t.Helper()
	var (
		next, failures atomic.Int64
		all            sync.WaitGroup
		mu             sync.Mutex
		total          = newStats()
	)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			own := newStats()
			for failures.Load() < 3 {
				i := next.Add(1) - 1
				if i >= int64(count) {
					break
				}
				seed := first + uint64(i)
				if simulate(t, seed, weakening{}, false, own).violations != nil {
					failures.Add(1)
					t.Error(report(t, seed))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(own)
		})
	}
	all.Wait()
	return total
}

func TestSeedReplaysExactly(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		once, again := simulate(t, seed, weakening{}, true, newStats()), simulate(t, seed, weakening{}, true, newStats())
		if once.trace != again.trace {
			t.Fatalf("schedule %d went\n%s\nand then\n%s", seed, once.trace, again.trace)
		}
	}
}
