package provision_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

func several(count int) (signups []provision.Signup) {
	for i := range count {
		signups = append(signups, provision.Signup{ID: fmt.Sprintf("signup-%03d", i), Company: "A", Source: "hubspot"})
	}
	return signups
}

// together delivers a batch in a process that is stopped after ten seconds.
func (w *world) together(t *testing.T, signups []provision.Signup) []provision.Delivered {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return w.engine.ProvisionAll(ctx, signups, 4*time.Second)
}

func outcomes(delivered []provision.Delivered) map[provision.Outcome]int {
	count := map[provision.Outcome]int{}
	for _, d := range delivered {
		count[d.Result.Outcome]++
	}
	return count
}

func TestBatchIsClaimedAsAWholeAndWorkedOnForAsLongAsItsTimeLasts(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.fake.SetLatency(900 * time.Millisecond)
		start := time.Now()
		delivered := w.together(t, several(100))
		// Three rounds of sixteen fit into the 3 s that the vendor has.
		if got := outcomes(delivered); got[provision.OutcomeCreated] != 48 || got[provision.OutcomePending] != 52 {
			t.Errorf("outcomes %v", got)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("it took %v", took)
		}
		for i, d := range delivered {
			record, err := w.ledger.Get(t.Context(), fmt.Sprintf("signup-%03d", i))
			if err != nil || d.Err != nil || d.Result.Record.SignupID != record.SignupID || !record.LeaseUntil.IsZero() {
				t.Errorf("%d: %v, %v, %+v", i, err, d.Err, record)
			}
		}
		w.fake.SetLatency(0)
		time.Sleep(5 * time.Second) // those that were begun and broke off are due a little later
		pass, err := w.engine.Reconcile(t.Context())
		if err != nil || len(w.fake.Trunks()) != 100 {
			t.Errorf("after a pass of %d: %d trunks, %v", len(pass.Results), len(w.fake.Trunks()), err)
		}
	})
}

func TestBatchTellsOfEachSignupWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.deliver(t, acme)
		other := acme
		other.Company = "Other"
		signups := []provision.Signup{acme, {ID: "new", Company: "A"}, {ID: "new", Company: "A"}, other, {ID: "a b"}}
		delivered := w.together(t, signups)
		var invalid *provision.InvalidError
		if delivered[0].Result.Outcome != provision.OutcomeReplayed || delivered[3].Result.Outcome != provision.OutcomeConflict || !errors.As(delivered[4].Err, &invalid) {
			t.Errorf("got %+v", delivered)
		}
		if got := outcomes(delivered[1:3]); got[provision.OutcomeCreated] != 1 || got[provision.OutcomeInProgress] != 1 {
			t.Errorf("twice in one batch: %v", got)
		}
		if n := w.fake.Count(exoteltest.Create); n != 2 {
			t.Errorf("%d creates", n)
		}
	})
}

func TestBatchWithoutATablePromisesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.ledger.failing["claim"] = failBefore
		delivered := w.together(t, several(3))
		failed := 0
		for _, d := range delivered {
			if errors.Is(d.Err, provision.ErrUnavailable) {
				failed++
			}
		}
		if got := outcomes(delivered); failed != 1 || got[provision.OutcomeCreated] != 2 {
			t.Errorf("%d failed, %v", failed, got)
		}
		if len(w.together(t, nil)) != 0 {
			t.Error("something came of nothing")
		}
	})
}

func TestAcceptedSignupIsTheReconcilersAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		result, err := w.engine.Accept(t.Context(), acme)
		if err != nil || result.Outcome != provision.OutcomePending || len(w.fake.Calls()) != 0 {
			t.Fatalf("%+v, %v", result, err)
		}
		if again, err := w.engine.Accept(t.Context(), acme); err != nil || again.Outcome != provision.OutcomePending {
			t.Errorf("again: %+v, %v", again, err)
		}
		if pass, err := w.engine.Reconcile(t.Context()); err != nil || len(pass.Results) != 1 {
			t.Errorf("%+v, %v", pass, err)
		}
		w.oneTrunk(t)
		if replay, err := w.engine.Accept(t.Context(), acme); err != nil || replay.Outcome != provision.OutcomeReplayed {
			t.Errorf("replay: %+v, %v", replay, err)
		}
		if _, err := w.engine.Accept(t.Context(), provision.Signup{ID: "a b"}); err == nil {
			t.Error("what is invalid is accepted")
		}
	})
}
