package provision_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// strict is a bubble whose engine has the default budget, and whose vendor keeps
// to its limits, and takes its time as the table does.
func strict(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	budgeted(t, 180, func(t *testing.T, w *world) {
		w.fake.SetLimits(exoteltest.VendorLimits)
		w.fake.SetLatency(200 * time.Millisecond)
		w.ledger.latency = 10 * time.Millisecond
		test(t, w)
		if n := w.fake.Refused(); n != 0 {
			t.Errorf("%d times 429", n)
		}
		if n := most(arrivals(w.fake.Calls()), time.Minute); n > 190 {
			t.Errorf("%d calls in a minute", n)
		}
	})
}

// queued leaves so many signups pending, each due a moment after the one before.
func (w *world) queued(t *testing.T, count int) {
	t.Helper()
	past := time.Now().UTC().Add(-10 * time.Minute)
	for i := range count {
		s := provision.Signup{ID: fmt.Sprintf("signup-%04d", count-i), Company: "A"} // not in the order of the ids
		dueAt := past.Add(time.Duration(i) * time.Millisecond)
		claim := provision.Claim{Signup: s, TrunkName: provision.TrunkName("th", s.ID), AccountSID: "exoteltest", Owner: "killed", Now: past, LeaseUntil: dueAt}
		if _, holds := w.ledger.put(claim); !holds {
			t.Fatal("claimed before")
		}
	}
}

// unsettled is how many signups are pending, and how many of those are leased.
func (m *memory) unsettled() (pending, leased int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.records {
		if r.Status == provision.StatusPending {
			pending++
			if r.LeaseUntil.After(time.Now()) {
				leased++
			}
		}
	}
	return pending, leased
}

func TestPassDrainsWhatIsDueAtTheRateOfTheBudget(t *testing.T) {
	t.Parallel()
	strict(t, func(t *testing.T, w *world) {
		w.queued(t, 400)
		start := time.Now()
		pass := w.reconcile(t, 55*time.Second)
		took := time.Since(start)
		// It may begin something for 51 s, and the bucket holds a burst besides.
		if n := len(pass.Results); n < 138 || n > 180 || took > 54*time.Second {
			t.Errorf("%d finished in %v", n, took)
		}
		if pending, leased := w.ledger.unsettled(); pending != 400-len(pass.Results) || leased != 0 || pass.Missed+pass.Failed != 0 {
			t.Errorf("%d pending, %d leased; %d missed, %d failed", pending, leased, pass.Missed, pass.Failed)
		}
	})
}

func TestPassTakesTheLongestDueFirst(t *testing.T) {
	t.Parallel()
	strict(t, func(t *testing.T, w *world) {
		w.queued(t, 60)
		w.reconcile(t, 55*time.Second)
		for i, call := range w.fake.Calls() {
			place := 0 // among what was due
			for call.TrunkName != provision.TrunkName("th", fmt.Sprintf("signup-%04d", 60-place)) {
				place++
			}
			if place-i > 8 || i-place > 8 { // eight are worked on at once
				t.Errorf("call %d was for the one that was due as number %d", i, place)
			}
		}
	})
}

// reconcilerTimeout is the one that is deployed: how long a pass may take.
func reconcilerTimeout(t *testing.T) time.Duration {
	t.Helper()
	content, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources struct {
			ReconcilerFunction struct {
				Properties struct {
					Timeout int `yaml:"Timeout"`
				} `yaml:"Properties"`
			} `yaml:"ReconcilerFunction"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(content, &template); err != nil {
		t.Fatal(err)
	}
	return time.Duration(template.Resources.ReconcilerFunction.Properties.Timeout) * time.Second
}

// everyMinute runs passes as they are scheduled, until nothing is pending or so
// many minutes are over.
func (w *world) everyMinute(t *testing.T, minutes int) {
	t.Helper()
	timeout := reconcilerTimeout(t)
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for range minutes {
		w.reconcile(t, timeout)
		if pending, _ := w.ledger.unsettled(); pending == 0 {
			return
		}
		<-ticker.C
	}
}

func TestPassesOneAMinuteUseNineTenthsOfTheBudget(t *testing.T) {
	t.Parallel()
	strict(t, func(t *testing.T, w *world) {
		w.queued(t, 2000)
		const minutes = 5
		w.everyMinute(t, minutes)
		if share := float64(len(w.fake.Trunks())) / (minutes * 180); share < 0.9 || share > 1 {
			t.Errorf("%.1f %% of the budget", 100*share)
		}
	})
}

func TestTwoPassesAtOnceKeepToTheBudget(t *testing.T) {
	t.Parallel()
	strict(t, func(t *testing.T, w *world) {
		w.queued(t, 300)
		start := time.Now()
		var both sync.WaitGroup
		results := make(chan int, 2)
		for _, one := range []*world{w, w.another(180)} {
			both.Go(func() { results <- len(one.reconcile(t, 55*time.Second).Results) })
		}
		both.Wait()
		if n := <-results + <-results; n != len(w.fake.Trunks()) || n < 138 || time.Since(start) > 54*time.Second {
			t.Errorf("%d finished, %d trunks, in %v", n, len(w.fake.Trunks()), time.Since(start))
		}
		if n := w.fake.Count(exoteltest.Create); n != len(w.fake.Trunks()) {
			t.Errorf("%d creates for %d trunks", n, len(w.fake.Trunks()))
		}
		if _, leased := w.ledger.unsettled(); leased != 0 {
			t.Errorf("%d leased", leased)
		}
	})
}

func TestPassWithNothingDueCostsNothing(t *testing.T) {
	t.Parallel()
	strict(t, func(t *testing.T, w *world) {
		w.ledger.latency = 0
		start := time.Now()
		w.reconcile(t, 55*time.Second)
		if w.ledger.asked() != 0 || w.ledger.writes != 0 || len(w.fake.Calls()) != 0 || time.Since(start) != 0 {
			t.Errorf("asked %d times, %d writes, %d calls, in %v", w.ledger.asked(), w.ledger.writes, len(w.fake.Calls()), time.Since(start))
		}
	})
}

// stale lists what was due a while ago.
type stale struct {
	*memory
	due []string
}

func (s stale) Due(context.Context, time.Time, int) ([]string, error) { return s.due, nil }

// The index lags: what was finished meanwhile is missed, and the share of the
// budget that was taken for it serves the next.
func TestShareOfWhatWasFinishedMeanwhileIsNotLost(t *testing.T) {
	t.Parallel()
	strict(t, func(t *testing.T, w *world) {
		w.queued(t, 40)
		w.reconcile(t, 55*time.Second)
		time.Sleep(time.Minute)
		ids := make([]string, 40)
		for i := range ids {
			ids[i] = fmt.Sprintf("signup-%04d", 40-i)
		}
		w.engine.Ledger = stale{w.ledger, ids}
		before := w.ledger.asked()
		if pass := w.reconcile(t, 55*time.Second); pass.Missed != 40 || len(pass.Results) != 0 {
			t.Errorf("got %+v", pass)
		}
		if n := w.ledger.asked() - before; n > 8 {
			t.Errorf("asked for %d shares, with eight workers", n)
		}
	})
}

// What refuses one refuses all: nobody waits for the budget any more, and nothing
// of it is taken.
func TestPassThatIsHaltedEndsAtOnceAndTakesNoMoreOfTheBudget(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(w *world){
		"rate limit":    func(w *world) { w.fake.Inject(exoteltest.Create, exoteltest.RateLimit("20")) },
		"wrong key":     func(w *world) { w.fake.SetCredentials("new", "new") },
		"no secret":     func(w *world) { w.accounts.down = errTable },
		"budget's gone": func(w *world) { w.ledger.fail("spend", failBefore) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			budgeted(t, 180, func(t *testing.T, w *world) {
				w.queued(t, 100)
				w.reconcile(t, 15*time.Second) // so that the burst is over
				refuse(w)
				asked, start := w.ledger.asked(), time.Now()
				pass := w.reconcile(t, 55*time.Second)
				if pass.Halted == nil || time.Since(start) > 5*time.Second {
					t.Errorf("halted by %v after %v", pass.Halted, time.Since(start))
				}
				if n := w.ledger.asked() - asked; n > 10 {
					t.Errorf("asked for %d shares", n)
				}
				if _, leased := w.ledger.unsettled(); leased != 0 {
					t.Errorf("%d leased", leased)
				}
			})
		})
	}
}

// In a small budget eight workers must not keep each other from the second call
// that an adoption needs.
func TestAdoptionsComeToAnEndInASmallBudget(t *testing.T) {
	t.Parallel()
	for _, budget := range []int{1, 6, 30} {
		t.Run(fmt.Sprint(budget, " a minute"), func(t *testing.T) {
			t.Parallel()
			budgeted(t, budget, func(t *testing.T, w *world) {
				w.queued(t, 20)
				for i := range 20 {
					w.addTrunk(fmt.Sprintf("signup-%04d", i+1))
				}
				w.everyMinute(t, 10+100/budget)
				if pending, _ := w.ledger.unsettled(); pending != 0 {
					t.Errorf("%d of 20 are still pending after %d calls, of which %d are creates", pending, len(w.fake.Calls()), w.fake.Count(exoteltest.Create))
				}
			})
		})
	}
}

func TestPassLosesNothingWhereTheTableFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		unavailable bool // the pass didn't even begin
		halted      bool
		active      int // of ten
	}{
		"due":       {unavailable: true},
		"searching": {unavailable: true},
		"spend":     {halted: true},
		"shut":      {active: 10},
		"take over": {active: 9},
		"pin":       {active: 10}, // not needed
		"activate":  {active: 9},
		"release":   {active: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			budgeted(t, 180, func(t *testing.T, w *world) {
				w.queued(t, 10)
				w.ledger.fail(name, failBefore)
				ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
				defer cancel()
				pass, err := w.engine.Reconcile(ctx)
				if errors.Is(err, provision.ErrUnavailable) != test.unavailable || (pass.Halted != nil) != test.halted || len(w.fake.Trunks()) < test.active {
					t.Errorf("%v, halted by %v, %d trunks", err, pass.Halted, len(w.fake.Trunks()))
				}
				if pending, _ := w.ledger.unsettled(); pending != 10-test.active {
					t.Errorf("%d pending", pending)
				}
				w.ledger.fail(name, 0)
				w.everyMinute(t, 30) // what failed is tried again within its age
				if pending, _ := w.ledger.unsettled(); pending != 0 || len(w.fake.Trunks()) != 10 {
					t.Errorf("then %d pending, %d trunks", pending, len(w.fake.Trunks()))
				}
			})
		})
	}
}
