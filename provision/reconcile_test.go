package provision_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// pending leaves so many signups claimed, by a process that was killed after
// the create of every second one.
func (w *world) pending(t *testing.T, count int) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Minute)
	account, _ := w.accounts.Open(t.Context())
	for i := range count {
		s := provision.Signup{ID: fmt.Sprintf("signup-%03d", i), Company: "A"}
		name := provision.TrunkName("th", s.ID)
		claim := provision.Claim{Signup: s, TrunkName: name, AccountSID: "exoteltest", Owner: "killed", Now: now, LeaseUntil: now.Add(time.Duration(i) * time.Millisecond)}
		if _, _, err := w.ledger.Claim(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if _, err := account.Trunks.Create(t.Context(), createRequest(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestReconcileFinishesWhatIsDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pending(t, 30)
	w.deliver(t, acme)
	pass, err := w.engine.Reconcile(t.Context())
	if err != nil || len(pass.Results) != 30 || pass.Missed+pass.Failed != 0 {
		t.Fatalf("%d results, %d missed, %d failed, %v", len(pass.Results), pass.Missed, pass.Failed, err)
	}
	for _, result := range pass.Results {
		if result.Outcome != provision.OutcomeCreated && result.Outcome != provision.OutcomeAdopted || result.Record.Attempts != 2 {
			t.Errorf("%s: %s, %+v", result.Record.SignupID, result.Outcome, result.Problem)
		}
	}
	if n := len(w.fake.Trunks()); n != 31 {
		t.Errorf("%d trunks, want 31", n)
	}
	if again, err := w.engine.Reconcile(t.Context()); err != nil || len(again.Results) != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func TestReconcileLeavesWhatIsNotDueOrHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.Inject(exoteltest.Create, exoteltest.RateLimit("30"))
	w.deliver(t, acme) // due in 30 s
	held := provision.Claim{Signup: provision.Signup{ID: "held", Company: "A"}, TrunkName: "th_a", Owner: "one", Now: time.Now(), LeaseUntil: time.Now().Add(time.Minute)}
	if _, _, err := w.ledger.Claim(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	if pass, err := w.engine.Reconcile(t.Context()); err != nil || len(pass.Results) != 0 {
		t.Errorf("got %+v, %v", pass, err)
	}
}

func TestReconcileGivesBackWhatFailsForLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pending(t, 1)
	w.fake.SetCredentials("new", "new")
	pass, err := w.engine.Reconcile(t.Context())
	if err != nil || len(pass.Results) != 1 {
		t.Fatalf("got %+v, %v", pass, err)
	}
	record := pass.Results[0].Record
	if record.Status != provision.StatusPending || !record.LeaseUntil.IsZero() || record.Attempts != 2 || pass.Results[0].Problem.Alarm != provision.AlarmCredentials {
		t.Errorf("got %+v, %+v", record, pass.Results[0].Problem)
	}
}

func TestTwoPassesAtOnceDoNoHarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pending(t, 40)
	var both sync.WaitGroup
	finished := make(chan int, 2)
	for range 2 {
		both.Go(func() {
			pass, err := w.engine.Reconcile(t.Context())
			if err != nil || pass.Failed != 0 {
				t.Errorf("%+v, %v", pass, err)
			}
			finished <- len(pass.Results)
		})
	}
	both.Wait()
	if n := <-finished + <-finished; n != 40 || len(w.fake.Trunks()) != 40 {
		t.Errorf("%d finished, %d trunks; want 40 of each", n, len(w.fake.Trunks()))
	}
}

func TestReconcileStopsBeforeItsDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pending(t, 200)
	w.fake.SetLatency(200 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	pass, err := w.engine.Reconcile(ctx)
	if err != nil || ctx.Err() != nil {
		t.Fatalf("%v, %v", err, ctx.Err())
	}
	if len(pass.Results) == 0 || len(pass.Results) == 200 {
		t.Errorf("%d results: want some, not all", len(pass.Results))
	}
	for id := range 200 {
		record, err := w.ledger.Get(t.Context(), fmt.Sprintf("signup-%03d", id))
		if err != nil {
			t.Fatal(err)
		}
		if record.LeaseUntil.After(time.Now()) {
			t.Errorf("%s is still leased: %+v", record.SignupID, record)
		}
	}
}

func TestCancelledReconcileFinishesWhatItBegan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pending(t, 100)
	w.fake.SetLatency(100 * time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(150*time.Millisecond, cancel)
	pass, err := w.engine.Reconcile(ctx)
	if err != nil || len(pass.Results) == 0 || len(pass.Results) == 100 || pass.Failed+pass.Missed != 0 {
		t.Errorf("%d results, %d failed, %d missed, %v", len(pass.Results), pass.Failed, pass.Missed, err)
	}
	for _, result := range pass.Results {
		if result.Record.Status != provision.StatusActive {
			t.Errorf("%s: %s, %+v", result.Record.SignupID, result.Outcome, result.Problem)
		}
	}
}

func TestReconcileWithoutATable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.failing["due"] = failBefore
	if _, err := w.engine.Reconcile(t.Context()); !errors.Is(err, provision.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestReconcileCountsWhatItCouldNotTake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pending(t, 3)
	w.ledger.failing["take over"] = failBefore
	if pass, err := w.engine.Reconcile(t.Context()); err != nil || pass.Failed != 1 || len(pass.Results) != 2 {
		t.Errorf("%d failed, %d results, %v", pass.Failed, len(pass.Results), err)
	}
}

func createRequest(name string) exotel.CreateTrunkRequest {
	return exotel.CreateTrunkRequest{TrunkName: name, NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("exoteltest")}
}
