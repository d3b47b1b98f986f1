package provision_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// pages is which pages of the list were asked for, by their offsets.
type pages struct {
	mu      sync.Mutex
	offsets []int
}

// take returns those since the last time.
func (p *pages) take() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	offsets := p.offsets
	p.offsets = nil
	return offsets
}

// searched is a bubble with a budget, whose pages are noted.
func searched(t *testing.T, test func(t *testing.T, w *world, asked *pages)) {
	t.Helper()
	strict(t, func(t *testing.T, w *world) {
		asked := &pages{}
		transport := w.accounts.transport
		w.accounts.transport = transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				offset, _ := strconv.Atoi(r.URL.Query().Get("offset")) // absent on the first page
				asked.mu.Lock()
				asked.offsets = append(asked.offsets, offset)
				asked.mu.Unlock()
			}
			return transport.RoundTrip(r)
		})
		test(t, w, asked)
	})
}

// seek leaves a signup waiting for the search.
func (w *world) seek(t *testing.T, id string) {
	t.Helper()
	now := time.Now().UTC()
	w.ledger.put(provision.Claim{
		Signup: provision.Signup{ID: id, Company: "A"}, TrunkName: provision.TrunkName("th", id), AccountSID: "exoteltest", Owner: "first", Now: now, LeaseUntil: now,
	})
	if _, holds, err := w.ledger.Release(t.Context(), provision.Release{SignupID: id, Owner: "first", DueAt: now, Now: now, Searching: true}); err != nil || !holds {
		t.Fatal(err)
	}
}

func (w *world) record(t *testing.T, id string) provision.Record {
	t.Helper()
	record, err := w.ledger.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// found checks that the signup is active with that trunk.
func (w *world) found(t *testing.T, id, trunkSID string) {
	t.Helper()
	if record := w.record(t, id); record.Status != provision.StatusActive || record.TrunkSID != trunkSID {
		t.Errorf("want trunk %s, record %+v", trunkSID, record)
	}
}

func TestTrunkFarBackIsFoundInOneWalk(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, asked *pages) {
		sid := w.addTrunk(acme.ID)
		w.addOthers(9000)
		result := w.provisionWithin(t, 4*time.Second)
		if result.Outcome != provision.OutcomePending || !w.stored(t).Searching || !slices.Equal(asked.take(), []int{0, 50}) {
			t.Fatalf("%s, %+v", result.Outcome, w.stored(t))
		}
		w.everyMinute(t, 5)
		w.found(t, acme.ID, sid)
		offsets := asked.take()
		if len(offsets) > 200 || len(offsets) < 181 {
			t.Errorf("%d pages", len(offsets))
		}
		if len(w.fake.Trunks()) != 9001 || w.fake.Count(exoteltest.Create) != 1 {
			t.Errorf("%d trunks, %d creates", len(w.fake.Trunks()), w.fake.Count(exoteltest.Create))
		}
	})
}

func TestAllWhoWaitShareOneWalk(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, asked *pages) {
		sids := map[string]string{}
		for i := range 300 { // spread over 9,900
			id := fmt.Sprintf("signup-%04d", i)
			sids[id] = w.addTrunk(id)
			w.addOthers(32)
			w.seek(t, id)
		}
		w.everyMinute(t, 5)
		for id, sid := range sids {
			w.found(t, id, sid)
		}
		if n := len(asked.take()); n > 200 {
			t.Errorf("%d pages for 300 signups", n)
		}
	})
}

func TestWalkGoesOnWhereItWasInAnotherProcess(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, asked *pages) {
		sid := w.addTrunk(acme.ID)
		w.addOthers(4000)
		w.seek(t, acme.ID)
		w.reconcile(t, 20*time.Second)
		first := asked.take()
		if len(first) < 20 || first[0] != 0 || !slices.IsSorted(first) {
			t.Fatalf("pages %v", first)
		}
		time.Sleep(40 * time.Second)
		other := w.another(180)
		other.reconcile(t, 30*time.Second)
		second := asked.take()
		if second[0] != 0 || second[1] != first[len(first)-1]+50 {
			t.Errorf("the first process ended at %d; the second went on with %v", first[len(first)-1], second[:2])
		}
		w.everyMinute(t, 3)
		w.found(t, acme.ID, sid)
		if n := len(first) + len(second) + len(asked.take()); n > 90 {
			t.Errorf("%d pages", n)
		}
	})
}

// The process died between a page and the note that it was read.
func TestWalkGoesOnWhereTheProgressWasKeptLast(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, asked *pages) {
		sid := w.addTrunk(acme.ID)
		w.addOthers(4000)
		w.seek(t, acme.ID)
		w.reconcile(t, 20*time.Second)
		first := asked.take()
		w.ledger.fail("keep progress", failBefore)
		if pass := w.reconcile(t, 20*time.Second); pass.Err == nil {
			t.Error("no error")
		}
		next := first[len(first)-1] + 50
		if second := asked.take(); !slices.Equal(second, []int{0, next}) {
			t.Errorf("went on with %v", second)
		}
		w.ledger.fail("keep progress", 0)
		w.everyMinute(t, 4)
		if third := asked.take(); third[1] != next {
			t.Errorf("went on with %v", third)
		}
		w.found(t, acme.ID, sid)
	})
}

func TestTrunksMadeMeanwhileShiftThePagesWithoutHarm(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, asked *pages) {
		sids := map[string]string{}
		for i := range 20 {
			id := fmt.Sprintf("signup-%04d", i)
			sids[id] = w.addTrunk(id)
			w.addOthers(200)
			w.seek(t, id)
		}
		for range 20 { // seven new ones for each page that is read
			w.reconcile(t, 10*time.Second)
			w.addOthers(150)
		}
		for id, sid := range sids {
			w.found(t, id, sid)
		}
		if n := len(asked.take()); n > 200 {
			t.Errorf("%d pages", n)
		}
	})
}

func TestNewestAreLookedAtFirstWhenAWalkGoesOn(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, asked *pages) {
		w.addTrunk(acme.ID)
		w.addOthers(5000)
		w.seek(t, acme.ID)
		w.reconcile(t, 10*time.Second)
		asked.take()
		sid := w.addTrunk("late")
		w.addOthers(10)
		w.seek(t, "late")
		w.reconcile(t, 6*time.Second)
		w.found(t, "late", sid)
		if offsets := asked.take(); offsets[0] != 0 || offsets[1] < 100 {
			t.Errorf("pages %v", offsets)
		}
	})
}

func TestTrunkThatIsListedLateIsFoundLater(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		w.addOthers(300)
		time.Sleep(2 * time.Hour)
		w.fake.SetListLag(30 * time.Minute)
		w.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
		w.provisionWithin(t, 4*time.Second)
		if result := w.provisionWithin(t, 4*time.Second); result.Outcome != provision.OutcomePending || !w.stored(t).Searching {
			t.Fatalf("%s, %+v", result.Outcome, w.stored(t))
		}
		w.everyMinute(t, 180)
		w.found(t, acme.ID, w.fake.Trunks()[0].SID)
		if n := len(w.fake.Trunks()); n != 301 {
			t.Errorf("%d trunks", n)
		}
	})
}

func TestTrunkThatWasDeletedMeanwhileIsMadeAgain(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		w.addOthers(500)
		w.seek(t, acme.ID) // and there is none
		w.everyMinute(t, 10)
		w.found(t, acme.ID, w.fake.Trunks()[0].SID)
		if n := len(w.fake.Trunks()); n != 501 {
			t.Errorf("%d trunks", n)
		}
	})
}

// A duplicate, says the create, and the list never shows it.
func TestTrunkThatIsNeverListedIsReportedAfterFiveTries(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, asked *pages) {
		w.addOthers(300)
		time.Sleep(2 * time.Hour)
		w.fake.SetListLag(time.Hour)
		w.addTrunk(acme.ID)
		first := w.provisionWithin(t, 4*time.Second)
		results := []provision.Result{first}
		for range 60 {
			results = append(results, w.reconcile(t, time.Minute).Results...)
			time.Sleep(time.Minute)
		}
		if len(results) < 6 {
			t.Fatalf("%d tries in an hour", len(results))
		}
		for _, result := range results[:6] {
			alarmed := result.Problem != nil && result.Problem.Alarm == provision.AlarmNotListed
			if alarmed != (result.Record.Attempts >= 5) || result.Record.Status != provision.StatusPending {
				t.Errorf("try %d: %s, %+v", result.Record.Attempts, result.Outcome, result.Problem)
			}
		}
		walks := 0
		for _, offset := range asked.take() {
			if offset == 250 { // the last page
				walks++
			}
		}
		if tries := w.stored(t).Attempts; walks < 2 || walks > tries/2+1 {
			t.Errorf("%d walks in %d tries", walks, tries)
		}
		time.Sleep(time.Hour)
		w.everyMinute(t, 120)
		w.found(t, acme.ID, w.fake.Trunks()[0].SID)
	})
}

func TestAnotherAccountsListIsWalkedFromItsBeginning(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, asked *pages) {
		sid := w.addTrunk(acme.ID)
		w.addOthers(1000)
		w.ledger.progress = provision.Progress{AccountSID: "another", BeganAt: time.Now().Add(-time.Minute), Offset: 5000}
		w.seek(t, acme.ID)
		w.everyMinute(t, 3)
		w.found(t, acme.ID, sid)
		if offsets := asked.take(); !slices.Equal(offsets[:3], []int{0, 50, 100}) {
			t.Errorf("pages %v", offsets)
		}
	})
}

// The signup began with another account than the credentials are for now.
func TestSearchAdoptsNothingInAnotherAccount(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		w.seek(t, acme.ID)
		record := w.stored(t)
		record.AccountSID = "another"
		w.ledger.records[acme.ID] = record
		w.addTrunk(acme.ID)
		w.addOthers(120)
		pass := w.reconcile(t, time.Minute)
		if len(pass.Results) != 1 || pass.Results[0].Problem.Alarm != provision.AlarmMismatch || w.stored(t).Status != provision.StatusPending {
			t.Errorf("%+v, %+v", pass, w.stored(t))
		}
	})
}

func TestSearchDoesNotAdoptAForeignTrunk(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		w.fake.Add(exotel.Trunk{Name: provision.TrunkName("th", acme.ID), DomainName: "somebody.pstn.exotel.com"})
		w.addOthers(500)
		w.seek(t, acme.ID)
		pass := w.reconcile(t, time.Minute)
		if len(pass.Results) != 1 || pass.Results[0].Problem.Alarm != provision.AlarmForeign || w.stored(t).TrunkSID != "" {
			t.Errorf("%+v, %+v", pass, w.stored(t))
		}
	})
}

func TestWalkThatIsRefusedHaltsThePassAndLosesNothing(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]exoteltest.Fault{"401": exoteltest.Fail(401), "429": exoteltest.RateLimit("20")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			searched(t, func(t *testing.T, w *world, asked *pages) {
				sid := w.addTrunk(acme.ID)
				w.addOthers(3000)
				w.seek(t, acme.ID)
				w.reconcile(t, 15*time.Second)
				offset := w.ledger.progress.Offset
				w.fake.Inject(exoteltest.List, exoteltest.Fault{}, fault) // page 0 is well, and the next isn't
				asked.take()
				start := time.Now()
				pass := w.reconcile(t, time.Minute)
				if pass.Halted == nil || time.Since(start) > 10*time.Second || w.ledger.progress.Offset != offset || !slices.Equal(asked.take(), []int{0, offset}) {
					t.Errorf("halted by %v after %v, at %d, was at %d", pass.Halted, time.Since(start), w.ledger.progress.Offset, offset)
				}
				if record := w.stored(t); record.Status != provision.StatusPending || !record.Searching {
					t.Errorf("record %+v", record)
				}
				w.everyMinute(t, 5)
				w.found(t, acme.ID, sid)
			})
		})
	}
}

func TestKeyThatWasRotatedInTheMiddleOfAWalkIsFetchedAgain(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		sid := w.addTrunk(acme.ID)
		w.addOthers(3000)
		w.seek(t, acme.ID)
		w.reconcile(t, 15*time.Second)
		w.fake.SetCredentials("new-key", "new-token")
		w.accounts.secret = w.fake.Config()
		pass := w.reconcile(t, time.Minute)
		w.found(t, acme.ID, sid)
		if w.accounts.reopened != 1 || pass.Halted != nil || pass.Err != nil {
			t.Errorf("fetched %d times; %+v", w.accounts.reopened, pass)
		}
	})
}

func TestSearchEndsBeforeThePassWhateverHangs(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		sid := w.addTrunk(acme.ID)
		w.addOthers(3000)
		w.seek(t, acme.ID)
		for range 3 {
			w.fake.Inject(exoteltest.List, exoteltest.Fault{}, exoteltest.Hang)
		}
		start := time.Now()
		w.reconcile(t, 9*time.Second)
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("it took %v", took)
		}
		w.everyMinute(t, 3)
		w.found(t, acme.ID, sid)
	})
}

// A thousand have waited in vain, and the table is slow: those that are left are
// told in the next pass.
func TestEndOfAWalkInVainKeepsToTheTimeOfThePass(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		w.addOthers(60)
		for i := range 1000 {
			w.seek(t, fmt.Sprintf("signup-%04d", i))
		}
		w.ledger.latency = 100 * time.Millisecond
		start := time.Now()
		pass := w.reconcile(t, 30*time.Second)
		if took := time.Since(start); took > 29*time.Second || pass.Failed != 0 || pass.Err != nil {
			t.Errorf("%d failed, %v, in %v", pass.Failed, pass.Err, took)
		}
		if _, leased := w.ledger.unsettled(); leased != 0 || len(pass.Results) < 50 {
			t.Errorf("%d told, %d leased", len(pass.Results), leased)
		}
	})
}

// What found all it looked for is over: whoever comes later begins a walk of
// their own, at the fresh end.
func TestWalkThatFoundAllIsOver(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, asked *pages) {
		late := w.addTrunk("late")
		w.addOthers(500)
		first := w.addTrunk(acme.ID)
		w.addOthers(2000)
		w.seek(t, acme.ID)
		w.everyMinute(t, 3)
		w.found(t, acme.ID, first)
		asked.take()
		time.Sleep(time.Hour)
		w.seek(t, "late")
		w.everyMinute(t, 5)
		w.found(t, "late", late)
		if offsets := asked.take(); !slices.Equal(offsets[:3], []int{0, 50, 100}) || len(offsets) > 55 {
			t.Errorf("%d pages, beginning with %v", len(offsets), offsets[:3])
		}
	})
}

// Exotel said 429 for a quarter of an hour. That is no failure of the search.
func TestSearchWaitsForAClosedBudget(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, asked *pages) {
		sid := w.addTrunk(acme.ID)
		w.addOthers(3000)
		w.seek(t, acme.ID)
		w.reconcile(t, 10*time.Second)
		asked.take()
		if err := w.engine.Budget.Close(t.Context(), time.Now().Add(15*time.Minute)); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if pass := w.reconcile(t, time.Minute); pass.Err != nil || pass.Halted != nil {
				t.Errorf("got %+v", pass)
			}
			time.Sleep(time.Minute)
		}
		if n := len(asked.take()); n != 0 {
			t.Errorf("%d pages", n)
		}
		w.everyMinute(t, 10)
		w.found(t, acme.ID, sid)
	})
}

func TestSearchHasItsTurnsWhileMuchIsDue(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		sid := w.addTrunk(acme.ID)
		w.addOthers(3000)
		w.seek(t, acme.ID)
		w.queued(t, 1500)
		for range 5 { // every ninth call is a page, of some 75 since trunks are made meanwhile
			w.reconcile(t, time.Minute)
			time.Sleep(time.Second)
		}
		w.found(t, acme.ID, sid)
		if pending, _ := w.ledger.unsettled(); pending == 0 {
			t.Error("nothing was due any more")
		}
	})
}

func TestTwoSearchesAtOnceDoNoHarm(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, asked *pages) {
		sids := map[string]string{}
		for i := range 30 {
			id := fmt.Sprintf("signup-%04d", i)
			sids[id] = w.addTrunk(id)
			w.addOthers(100)
			w.seek(t, id)
		}
		w.seek(t, "gone") // deleted by somebody
		for range 10 {
			var both sync.WaitGroup
			for _, one := range []*world{w, w.another(180)} {
				both.Go(func() { one.reconcile(t, 30*time.Second) })
			}
			both.Wait()
		}
		for id, sid := range sids {
			w.found(t, id, sid)
		}
		w.everyMinute(t, 10)
		w.found(t, "gone", w.fake.Trunks()[0].SID)
		if n := len(asked.take()); n > 4*62 {
			t.Errorf("%d pages", n)
		}
	})
}

// What is taken by somebody else while the search finds it isn't lost.
func TestSignupThatIsHeldWhenItsTrunkIsFoundIsFinishedByItsHolder(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		sid := w.addTrunk(acme.ID)
		w.addOthers(150)
		w.ledger.put(provision.Claim{Signup: acme, TrunkName: provision.TrunkName("th", acme.ID), AccountSID: "exoteltest", Owner: "first", Now: time.Now(), LeaseUntil: time.Now()})
		if _, holds, err := w.ledger.Release(t.Context(), provision.Release{SignupID: acme.ID, Owner: "first", DueAt: time.Now(), Now: time.Now(), Searching: true}); err != nil || !holds {
			t.Fatal(err)
		}
		w.ledger.before["take over"] = func(records map[string]provision.Record) {
			r := records[acme.ID]
			r.Owner, r.LeaseUntil, r.DueAt, r.Searching = "another", time.Now().Add(12*time.Second), time.Now().Add(12*time.Second), false
			records[acme.ID] = r
		}
		if pass := w.reconcile(t, time.Minute); pass.Missed != 1 {
			t.Errorf("got %+v", pass)
		}
		w.everyMinute(t, 5) // the holder was killed: its lease ends, and it all begins again
		w.found(t, acme.ID, sid)
	})
}

// The signup was given another trunk since the pass began, by an import that ended
// before it was done. Where that trunk is gone, the one that is found takes its place.
func TestSearchTakesNoSignupsTrunkAway(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ isThere, spent bool }{
		"it is there": {isThere: true}, "it is gone": {}, "it is there, and the budget is spent": {true, true}, "it is gone, and the budget is spent": {spent: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			searched(t, func(t *testing.T, w *world, _ *pages) {
				sid := w.addTrunk(acme.ID)
				w.addOthers(150)
				if test.isThere {
					sid = w.fake.Add(exotel.Trunk{SID: byHand, Name: "by_hand"})
				}
				w.seek(t, acme.ID)
				w.ledger.before["take over"] = func(records map[string]provision.Record) {
					r := records[acme.ID]
					r.Owner, r.TrunkSID, r.Searching = "an import", byHand, false
					records[acme.ID] = r
				}
				if test.spent {
					w.spendWithPage(t, "150")
				}
				w.everyMinute(t, 5)
				w.found(t, acme.ID, sid)
			})
		})
	}
}

// spendWithPage has the budget spent for 90 s once that page has been read.
func (w *world) spendWithPage(t *testing.T, offset string) {
	t.Helper()
	transport, once := w.accounts.transport, sync.Once{}
	w.accounts.transport = transportFunc(func(r *http.Request) (*http.Response, error) {
		resp, err := transport.RoundTrip(r)
		if r.URL.Query().Get("offset") == offset {
			once.Do(func() {
				if err := w.engine.Budget.Close(t.Context(), time.Now().Add(90*time.Second)); err != nil {
					t.Error(err)
				}
			})
		}
		return resp, err
	})
}

// More wait than one pass looks at: nobody is lost, and nobody is told in vain.
func TestMoreThanOnePassLooksForAreAllFound(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		sids := map[string]string{}
		for i := range 1200 {
			id := fmt.Sprintf("signup-%04d", i)
			sids[id] = w.addTrunk(id)
			w.seek(t, id)
		}
		w.addOthers(2000)
		start := time.Now()
		w.everyMinute(t, 10)
		for id, sid := range sids {
			w.found(t, id, sid)
		}
		if n := w.fake.Count(exoteltest.Create); n != 0 || time.Since(start) > 4*time.Minute {
			t.Errorf("%d creates in %v", n, time.Since(start))
		}
	})
}

func TestSearchWithoutCredentialsHaltsThePass(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		w.seek(t, acme.ID)
		w.accounts.down = errTable
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if pass, err := w.engine.Reconcile(ctx); err != nil || pass.Halted == nil || !w.stored(t).Searching {
			t.Errorf("%+v, %v", pass, err)
		}
		w.ledger.fail("progress", failBefore)
		w.accounts.down = nil
		if pass, err := w.engine.Reconcile(ctx); err != nil || pass.Err == nil || !w.stored(t).Searching {
			t.Errorf("%+v, %v", pass, err)
		}
	})
}
