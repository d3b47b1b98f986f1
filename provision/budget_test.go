package provision_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// instances are processes that share a meter, each with a budget and a clock of
// its own.
type instances struct {
	now     time.Time // the true time
	meter   *memory
	ahead   []time.Duration // how wrong each clock is
	budgets []*provision.Budget
	granted []time.Time // by the true time
}

// newInstances makes one for each clock, which is ahead of the true time by so much.
func newInstances(callsPerMinute int, ahead ...time.Duration) *instances {
	s := &instances{now: time.Date(2026, 11, 20, 10, 15, 30, 0, time.UTC), meter: newMemory(), ahead: ahead}
	for _, a := range ahead {
		s.budgets = append(s.budgets, provision.NewBudget(s.meter, callsPerMinute, func() time.Time { return s.now.Add(a) }))
	}
	return s
}

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Context() context.Context
	Fatalf(format string, args ...any)
}

// take asks one of them, and returns how long it must wait.
func (s *instances) take(t fataler, instance int) (wait time.Duration) {
	err := s.budgets[instance].Take(t.Context())
	var spent *provision.SpentError
	switch {
	case err == nil:
		s.granted = append(s.granted, s.now)
	case errors.As(err, &spent):
		if wait = spent.Until.Sub(s.now.Add(s.ahead[instance])); wait <= 0 {
			t.Fatalf("refused, with room %v ago", -wait)
		}
	default:
		t.Fatalf("%v", err)
	}
	return wait
}

// arrivals draws what comes: crowds at one moment, traffic that is spread, and
// somebody who takes each call as soon as there is one; with pauses between.
func (s *instances) arrivals(t *rapid.T) {
	pauses := []time.Duration{0, time.Microsecond, 100 * time.Millisecond, time.Second, 5 * time.Second, 20 * time.Second, 59 * time.Second, time.Minute, 2 * time.Minute}
	for range rapid.IntRange(1, 12).Draw(t, "phases") {
		s.now = s.now.Add(rapid.SampledFrom(pauses).Draw(t, "pause"))
		instance := rapid.IntRange(0, len(s.budgets)-1)
		switch rapid.SampledFrom([]string{"crowd", "spread", "greedy"}).Draw(t, "phase") {
		case "crowd":
			for range rapid.IntRange(1, 50).Draw(t, "calls") {
				s.take(t, instance.Draw(t, "instance"))
			}
		case "spread":
			gap := time.Duration(rapid.IntRange(1, 1_000_000).Draw(t, "gap")) * time.Microsecond
			for range rapid.IntRange(1, 100).Draw(t, "calls") {
				s.now = s.now.Add(gap)
				s.take(t, instance.Draw(t, "instance"))
			}
		case "greedy":
			greedy := instance.Draw(t, "instance")
			for range rapid.IntRange(1, 1500).Draw(t, "calls") {
				s.now = s.now.Add(s.take(t, greedy))
			}
		}
	}
}

// most is the largest number of moments that a span holds, wherever it begins;
// its end is no part of it.
func most(moments []time.Time, span time.Duration) (count int) {
	first := 0
	for i, moment := range moments {
		for moment.Sub(moments[first]) >= span {
			first++
		}
		count = max(count, i-first+1)
	}
	return count
}

func TestNoMinuteHoldsMoreThanTheBudget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		budget := rapid.OneOf(rapid.IntRange(1, 40), rapid.IntRange(1, 1000), rapid.Just(180)).Draw(t, "budget")
		s := newInstances(budget, make([]time.Duration, rapid.IntRange(1, 4).Draw(t, "instances"))...)
		s.arrivals(t)
		if n := most(s.granted, time.Minute); n > budget {
			t.Fatalf("%d calls in a minute, of %d", n, budget)
		}
		if n := most(s.granted, time.Second); n > 10+(budget+59)/60 {
			t.Fatalf("%d calls in a second, of %d a minute", n, budget)
		}
	})
}

// What 180 of 200 is for: clocks that are two seconds apart.
func TestClocksApartKeepToTheVendorsLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var ahead []time.Duration
		for range rapid.IntRange(1, 4).Draw(t, "instances") {
			ahead = append(ahead, time.Duration(rapid.IntRange(0, 2000).Draw(t, "ahead"))*time.Millisecond)
		}
		s := newInstances(180, ahead...)
		s.arrivals(t)
		minute, second := most(s.granted, time.Minute), most(s.granted, time.Second)
		if minute > exoteltest.VendorLimits.Calls || second > exoteltest.VendorLimits.Burst {
			t.Fatalf("%d calls in a minute, %d in a second", minute, second)
		}
	})
}

func TestSteadyUseComesToNearlyTheWholeBudget(t *testing.T) {
	t.Parallel()
	for budget, want := range map[int]float64{1: 0.99, 10: 0.99, 60: 0.94, 180: 0.94, 1000: 0.98} {
		s := newInstances(budget, 0)
		const minutes = 20
		for start := s.now; s.now.Sub(start) < minutes*time.Minute; {
			s.now = s.now.Add(s.take(t, 0))
		}
		if share := float64(len(s.granted)) / float64(minutes*budget); share < want || share > 1+10.0/float64(minutes*budget) {
			t.Errorf("%.1f %% of %d a minute", 100*share, budget)
		}
	}
}

func TestSpentBudgetIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	s := newInstances(180, 0, 0)
	for range 100 {
		s.take(t, 0)
	}
	if len(s.granted) != 9 || s.meter.spends != 9 {
		t.Errorf("%d granted, asked %d times", len(s.granted), s.meter.spends)
	}
	for range 100 { // another process knows nothing of it yet
		s.take(t, 1)
	}
	if len(s.granted) != 9 || s.meter.spends != 10 {
		t.Errorf("%d granted, asked %d times", len(s.granted), s.meter.spends)
	}
	s.now = s.now.Add(s.take(t, 1))
	if s.take(t, 1); len(s.granted) != 10 {
		t.Errorf("%d granted once there was room", len(s.granted))
	}
}

func TestWaitGivesCallsInTurnAndAsksOnceForEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		meter := newMemory()
		budget := provision.NewBudget(meter, 180, nil)
		const waiters = 60
		var order []int // each appends after the one before
		var all sync.WaitGroup
		start := time.Now()
		for i := range waiters {
			all.Go(func() {
				if err := budget.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				meter.mu.Lock()
				defer meter.mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait() // each is in the queue before the next comes
		}
		all.Wait()
		for i, waiter := range order {
			if i != waiter {
				t.Fatalf("in the order %v", order)
			}
		}
		if took := time.Since(start).Round(time.Second); took != 18*time.Second { // 51 after a burst of 9, at 172 a minute
			t.Errorf("it took %v", took)
		}
		if meter.spends != waiters {
			t.Errorf("%d waiters asked %d times", waiters, meter.spends)
		}
	})
}

// Two processes that wait learn of each other's calls by asking: once more each.
func TestProcessesThatWaitAskLittleMoreThanOnceForEachCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		meter := newMemory()
		var all sync.WaitGroup
		for range 2 {
			budget := provision.NewBudget(meter, 180, nil)
			for range 100 {
				all.Go(func() { _ = budget.Wait(t.Context()) })
			}
		}
		all.Wait()
		if meter.spends > 400 {
			t.Errorf("200 calls, asked for %d times", meter.spends)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		budget := provision.NewBudget(newMemory(), 1, nil)
		if err := budget.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := budget.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 0 {
			t.Errorf("there can't be a call before the deadline: %v after %v", err, time.Since(start))
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		var all sync.WaitGroup
		for range 5 { // the one whose turn it is, and those behind it
			all.Go(func() {
				if err := budget.Wait(ctx); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if time.Since(start) != 10*time.Second {
			t.Errorf("ended after %v", time.Since(start))
		}
		if err := budget.Wait(t.Context()); err != nil || time.Since(start).Round(time.Second) != time.Minute {
			t.Errorf("the next: %v after %v", err, time.Since(start))
		}
	})
}

// Whoever has no time left must not take what somebody else could use.
func TestNoCallIsTakenForAContextThatHasEnded(t *testing.T) {
	t.Parallel()
	meter := newMemory()
	budget := provision.NewBudget(meter, 180, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if err := budget.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if meter.spends != 0 {
		t.Errorf("the meter was asked %d times", meter.spends)
	}
}

func TestClosedBudgetHoldsEveryoneBackAndOpensGently(t *testing.T) {
	t.Parallel()
	s := newInstances(180, 0, 0)
	until := s.now.Add(30 * time.Second)
	if err := s.budgets[0].Close(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	for instance := range s.budgets {
		if wait := s.take(t, instance); wait != 30*time.Second {
			t.Errorf("instance %d waits for %v", instance, wait)
		}
	}
	s.now = until.Add(-time.Microsecond)
	if s.take(t, 1); len(s.granted) != 0 {
		t.Error("a call before it opened")
	}
	for s.now = until; s.now.Before(until.Add(time.Minute)); s.now = s.now.Add(10 * time.Millisecond) {
		s.take(t, 0)
		s.take(t, 1)
	}
	if !s.granted[0].Equal(until) || most(s.granted, time.Second) > 3 {
		t.Errorf("the first call at %v, %d in a second", s.granted[0], most(s.granted, time.Second))
	}
	if len(s.granted) < 165 {
		t.Errorf("%d calls in the minute after", len(s.granted))
	}
}

func TestBudgetIsNeverOpenedByClosingIt(t *testing.T) {
	t.Parallel()
	s := newInstances(180, 0, 0, 0)
	for instance, in := range []time.Duration{30 * time.Second, time.Second, -time.Hour} {
		if err := s.budgets[instance].Close(t.Context(), s.now.Add(in)); err != nil {
			t.Fatal(err)
		}
	}
	for instance := range s.budgets { // what the first said holds for those who said less
		if wait := s.take(t, instance); wait != 30*time.Second {
			t.Errorf("instance %d waits for %v", instance, wait)
		}
	}
}

// --- the engine's use of it -----------------------------------------------------

// budgeted is a bubble whose engine has a budget.
func budgeted(t *testing.T, callsPerMinute int, test func(t *testing.T, w *world)) {
	t.Helper()
	inBubble(t, func(t *testing.T, w *world) {
		w.engine.Budget = provision.NewBudget(w.ledger, callsPerMinute, nil)
		test(t, w)
	})
}

// another is an engine of another process.
func (w *world) another(callsPerMinute int) *world {
	other := *w
	other.engine = &provision.Engine{Ledger: w.ledger, Accounts: w.accounts, Prefix: "th", Budget: provision.NewBudget(w.ledger, callsPerMinute, nil)}
	return &other
}

func (w *world) reconcile(t *testing.T, within time.Duration) provision.Pass {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	pass, err := w.engine.Reconcile(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Errorf("the pass ended after its deadline")
	}
	return pass
}

func TestNewSignupTakesOneShareAndAReplayNone(t *testing.T) {
	t.Parallel()
	budgeted(t, 180, func(t *testing.T, w *world) {
		result := w.deliver(t, acme)
		if steps(result) != "claim, take budget, create trunk, record" || w.ledger.asked() != 1 {
			t.Errorf("%s, asked %d times", steps(result), w.ledger.asked())
		}
		for range 20 {
			if result := w.deliver(t, acme); result.Outcome != provision.OutcomeReplayed || steps(result) != "claim" {
				t.Errorf("%s by %s", result.Outcome, steps(result))
			}
		}
		other := acme
		other.Company = "Somebody else"
		if result := w.deliver(t, other); result.Outcome != provision.OutcomeConflict || w.ledger.asked() != 1 {
			t.Errorf("%s, asked %d times", result.Outcome, w.ledger.asked())
		}
	})
}

func TestSignupWaitsForRoomWhereTheBudgetIsSpent(t *testing.T) {
	t.Parallel()
	budgeted(t, 1, func(t *testing.T, w *world) {
		w.deliver(t, provision.Signup{ID: "first", Company: "A"})
		result := w.deliver(t, acme)
		if result.Outcome != provision.OutcomePending || w.fake.Count(exoteltest.Create) != 1 {
			t.Fatalf("%s, %d creates", result.Outcome, w.fake.Count(exoteltest.Create))
		}
		var spent *provision.SpentError
		if !errors.As(result.Problem.Err, &spent) || result.Problem.Alarm != "" {
			t.Errorf("problem %+v", result.Problem)
		}
		room := time.Until(spent.Until)
		if room < 59*time.Second || room > 61*time.Second || result.RetryAfter > room || room-result.RetryAfter > time.Millisecond {
			t.Errorf("room in %v, ask again in %v", room, result.RetryAfter)
		}
		record := w.stored(t)
		if record.DueAt.Sub(spent.Until).Abs() > time.Millisecond || !record.LeaseUntil.IsZero() {
			t.Errorf("room at %v, record %+v", spent.Until, record)
		}
		if pass := w.reconcile(t, 55*time.Second); len(pass.Results) != 0 {
			t.Errorf("before it was due: %+v", pass)
		}
		time.Sleep(room)
		if pass := w.reconcile(t, 55*time.Second); len(pass.Results) != 1 {
			t.Errorf("once it was due: %+v", pass)
		}
		if w.stored(t).Status != provision.StatusActive {
			t.Errorf("record %+v", w.stored(t))
		}
	})
}

// A redelivery of what waits for room costs no call, and no question either.
func TestRedeliveryDoesNotAskAgainForASpentBudget(t *testing.T) {
	t.Parallel()
	budgeted(t, 1, func(t *testing.T, w *world) {
		w.deliver(t, provision.Signup{ID: "first", Company: "A"})
		for range 20 {
			if result := w.deliver(t, acme); result.Outcome != provision.OutcomePending {
				t.Errorf("got %s", result.Outcome)
			}
		}
		if w.ledger.asked() != 1 || len(w.fake.Calls()) != 1 {
			t.Errorf("asked %d times, %d calls", w.ledger.asked(), len(w.fake.Calls()))
		}
	})
}

func TestAdoptionTakesAShareForEachCall(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		newer int // trunks made since
		fault []exoteltest.Fault
		steps string
	}{
		"on the first page":  {0, nil, "claim, take budget, create trunk, take budget, list trunks, record"},
		"on the second page": {60, nil, "claim, take budget, create trunk, take budget, list trunks, take budget, list trunks, record"},
		"a list that fails is tried again": {
			0,
			[]exoteltest.Fault{exoteltest.Fail(503)},
			"claim, take budget, create trunk, take budget, list trunks, take budget, list trunks, record",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			budgeted(t, 180, func(t *testing.T, w *world) {
				w.addTrunk(acme.ID)
				w.addOthers(test.newer)
				w.fake.Inject(exoteltest.List, test.fault...)
				result := w.provisionWithin(t, 4*time.Second)
				if result.Outcome != provision.OutcomeAdopted || steps(result) != test.steps {
					t.Errorf("%s by %s, %+v", result.Outcome, steps(result), result.Problem)
				}
				if calls := len(w.fake.Calls()); w.ledger.asked() != calls {
					t.Errorf("%d calls, asked %d times", calls, w.ledger.asked())
				}
			})
		})
	}
}

func TestNothingIsSentWhereTheBudgetCannotBeAsked(t *testing.T) {
	t.Parallel()
	budgeted(t, 180, func(t *testing.T, w *world) {
		w.ledger.fail("spend", failBefore)
		result := w.deliver(t, acme)
		if result.Outcome != provision.OutcomePending || len(w.fake.Calls()) != 0 || !w.stored(t).LeaseUntil.IsZero() {
			t.Errorf("%s, %d calls, record %+v", result.Outcome, len(w.fake.Calls()), w.stored(t))
		}
		time.Sleep(time.Minute)
		pass := w.reconcile(t, 55*time.Second)
		if len(pass.Results) != 0 || !errors.Is(pass.Halted, errTable) || len(w.fake.Calls()) != 0 {
			t.Errorf("%+v, %d calls", pass, len(w.fake.Calls()))
		}
		w.ledger.fail("spend", 0)
		w.reconcile(t, 55*time.Second)
		w.oneTrunk(t)
	})
}

func TestRateLimitClosesTheBudgetForEveryProcess(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{"30": 30 * time.Second, "": time.Minute} {
		t.Run("Retry-After "+header, func(t *testing.T) {
			t.Parallel()
			budgeted(t, 180, func(t *testing.T, w *world) {
				w.fake.Inject(exoteltest.Create, exoteltest.RateLimit(header))
				w.deliver(t, acme)
				other := w.another(180)
				for i := range 5 {
					result := other.deliver(t, provision.Signup{ID: fmt.Sprint("other-", i), Company: "A"})
					if result.Outcome != provision.OutcomePending || result.RetryAfter != want {
						t.Errorf("%s, ask again in %v; want %v", result.Outcome, result.RetryAfter, want)
					}
				}
				if n := len(w.fake.Calls()); n != 1 {
					t.Errorf("%d calls while it was closed", n)
				}
				time.Sleep(want)
				w.reconcile(t, 55*time.Second)
				if calls := w.fake.Calls(); len(calls) != 7 || len(w.fake.Trunks()) != 6 || most(arrivals(calls), time.Second) > 3 {
					t.Errorf("%d calls, %d trunks, %d calls in a second", len(calls), len(w.fake.Trunks()), most(arrivals(calls), time.Second))
				}
			})
		})
	}
}

// The 429 came in a list, and the table can't be told: the next call meets
// another one, and nothing is lost.
func TestRateLimitThatCannotBeSharedLosesNothing(t *testing.T) {
	t.Parallel()
	budgeted(t, 180, func(t *testing.T, w *world) {
		w.addTrunk(acme.ID)
		w.fake.Inject(exoteltest.List, exoteltest.RateLimit("5"))
		w.ledger.fail("shut", failBefore)
		if result := w.deliver(t, acme); result.Outcome != provision.OutcomePending || result.RetryAfter != 5*time.Second {
			t.Errorf("%s, ask again in %v", result.Outcome, result.RetryAfter)
		}
		if result := w.deliver(t, acme); result.Outcome != provision.OutcomeAdopted {
			t.Errorf("then %s, %+v", result.Outcome, result.Problem)
		}
	})
}

func arrivals(calls []exoteltest.Call) (at []time.Time) {
	for _, call := range calls {
		at = append(at, call.At)
	}
	return at
}

// addTrunk puts a signup's trunk there, as if made long ago.
func (w *world) addTrunk(id string) string {
	return w.fake.Add(exotel.Trunk{Name: provision.TrunkName("th", id), DomainName: exotel.DomainName("exoteltest")})
}

var others atomic.Int64

// addOthers puts trunks there that are nobody's.
func (w *world) addOthers(count int) {
	for range count {
		w.fake.Add(exotel.Trunk{Name: fmt.Sprintf("other_%d", others.Add(1))})
	}
}
