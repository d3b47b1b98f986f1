package provision_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

var smoke = provision.Signup{ID: "smoke:20261125T220000Z-abcdef", Company: "Smoke test", Source: "api"}

// isDry checks that the signup came through, and that nothing was made or changed.
func (w *world) isDry(t *testing.T, trunks int) {
	t.Helper()
	record, err := w.engine.Status(t.Context(), smoke.ID)
	if err != nil || record.Status != provision.StatusDry || record.TrunkSID != "" || record.AccountSID != "exoteltest" || record.Owner != "" || !record.DueAt.IsZero() || record.LastError != "" {
		t.Errorf("record %+v, %v", record, err)
	}
	w.nothingSent(t, trunks)
}

// nothingSent: Exotel was asked for its list at most.
func (w *world) nothingSent(t *testing.T, trunks int) {
	t.Helper()
	if calls, lists := len(w.fake.Calls()), w.fake.Count(exoteltest.List); calls != lists || len(w.fake.Trunks()) != trunks {
		t.Errorf("%d calls, %d of them lists; %d trunks, want %d", calls, lists, len(w.fake.Trunks()), trunks)
	}
}

func TestDrySignupGoesTheWholeWayButForTheCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts.unready = true // so that the account is pinned, too
	result := w.deliver(t, smoke)
	if result.Outcome != provision.OutcomeDry || result.Problem != nil || steps(result) != "claim, pin account, list trunks, record as dry" {
		t.Errorf("got %s by %s, %+v", result.Outcome, steps(result), result.Problem)
	}
	w.isDry(t, 0)
	if again := w.deliver(t, smoke); again.Outcome != provision.OutcomeReplayed || again.Record.Status != provision.StatusDry || steps(again) != "claim" {
		t.Errorf("again: %s by %s", again.Outcome, steps(again))
	}
	other := smoke
	other.Company = "Another"
	if conflict := w.deliver(t, other); conflict.Outcome != provision.OutcomeConflict {
		t.Errorf("other content: %s", conflict.Outcome)
	}
	w.isDry(t, 0)
}

// Even a trunk of its name, which nobody can have made for it, is left alone.
func TestDrySignupTakesNoTrunkThatIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.Add(exotel.Trunk{SID: byHand, Name: provision.TrunkName("th", smoke.ID)})
	w.deliver(t, smoke)
	w.isDry(t, 1)
}

func TestDrySignupTakesItsShareOfTheBudget(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.engine.Budget = provision.NewBudget(w.ledger, 1, nil)
		if first := w.deliver(t, smoke); first.Outcome != provision.OutcomeDry || w.ledger.asked() != 1 {
			t.Errorf("%s, the budget was asked %d times", first.Outcome, w.ledger.asked())
		}
		second := smoke
		second.ID += "2"
		var spent *provision.SpentError
		if result := w.deliver(t, second); result.Outcome != provision.OutcomePending || !errors.As(result.Problem.Err, &spent) {
			t.Errorf("%s, %+v", result.Outcome, result.Problem)
		}
		w.nothingSent(t, 0)
	})
}

// What fails a signup fails a dry one, with the same alarm, and the reconciler ends it
// once that is mended.
func TestDrySignupThatFailsStaysPendingAndIsFinishedLater(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fail, mend func(w *world)
		alarm      provision.Alarm
	}{
		"credentials refused": {
			func(w *world) { w.fake.SetCredentials("another", "another") },
			func(w *world) { w.fake.SetCredentials(w.accounts.secret.APIKey, w.accounts.secret.APIToken) }, provision.AlarmCredentials,
		},
		"no credentials": {
			func(w *world) { w.accounts.down = errors.New("no secret") }, func(w *world) { w.accounts.down = nil }, provision.AlarmNoSecret,
		},
		"too many calls":              {func(w *world) { w.fake.Inject(exoteltest.List, exoteltest.RateLimit("5")) }, func(*world) {}, ""},
		"no answer":                   {func(w *world) { w.fake.SetLatency(time.Minute) }, func(w *world) { w.fake.SetLatency(0) }, ""},
		"pin lost":                    {func(w *world) { w.ledger.failing["pin"] = failBefore; w.accounts.unready = true }, func(*world) {}, ""},
		"not recorded":                {func(w *world) { w.ledger.failing["prove"] = failBefore }, func(*world) {}, ""},
		"not recorded nor given back": {func(w *world) { w.ledger.failing["prove"], w.ledger.failing["release"] = failBefore, failBefore }, func(*world) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				test.fail(w)
				result := w.deliver(t, smoke)
				if result.Outcome != provision.OutcomePending || result.Problem == nil || result.Problem.Alarm != test.alarm {
					t.Errorf("%s, %+v", result.Outcome, result.Problem)
				}
				test.mend(w)
				time.Sleep(2 * time.Minute) // beyond the lease and the pauses
				w.passOfAMinute(t)
				w.isDry(t, 0)
			})
		})
	}
}

// The record was written, and its answer lost: giving back finds out, and says so.
func TestDrySignupWhoseRecordIsLostIsDryAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.failing["prove"] = failAfter
	if result := w.deliver(t, smoke); result.Record.Status != provision.StatusDry || result.Outcome != provision.OutcomeReplayed {
		t.Errorf("%s, %+v", result.Outcome, result.Record)
	}
	w.isDry(t, 0)
}

// A worker stood still, and another one has been there since.
func TestLateWorkerOfADrySignupChangesNothing(t *testing.T) {
	t.Parallel()
	for status, want := range map[provision.Status]provision.Outcome{
		provision.StatusPending: provision.OutcomeInProgress, provision.StatusDeleting: provision.OutcomeDeleting, provision.StatusDry: provision.OutcomeDry,
	} {
		w := newWorld(t)
		w.ledger.before["prove"] = func(records map[string]provision.Record) {
			r := records[smoke.ID]
			r.Status, r.Owner, r.Attempts = status, "another", 2
			records[smoke.ID] = r
		}
		if result := w.deliver(t, smoke); result.Outcome != want || w.ledger.records[smoke.ID].Owner != "another" {
			t.Errorf("%s: %s, %+v", status, result.Outcome, w.ledger.records[smoke.ID])
		}
	}
}

func TestTableThatLosesADrySignupPromisesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.before["prove"] = func(records map[string]provision.Record) { delete(records, smoke.ID) }
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := w.engine.Provision(ctx, smoke, 500*time.Millisecond); !errors.Is(err, provision.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestOperatorGivesADrySignupNoTrunk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.Add(exotel.Trunk{SID: byHand})
	w.fake.Inject(exoteltest.List, exoteltest.RateLimit("1"))
	w.deliver(t, smoke)
	calls := len(w.fake.Calls())
	if _, err := w.engine.Adopt(t.Context(), smoke.ID, byHand); !errors.Is(err, provision.ErrSettled) {
		t.Errorf("adopt: %v", err)
	}
	if _, err := w.engine.Import(t.Context(), smoke, byHand); !errors.Is(err, provision.ErrSettled) {
		t.Errorf("import: %v", err)
	}
	for _, sid := range []string{"", byHand} {
		if _, err := w.engine.Replace(t.Context(), smoke.ID, sid); !errors.Is(err, provision.ErrSettled) {
			t.Errorf("replace by %q: %v", sid, err)
		}
	}
	if n := len(w.fake.Calls()) - calls; n != 0 {
		t.Errorf("%d calls", n)
	}
	if _, err := w.engine.Retry(t.Context(), smoke.ID); err != nil {
		t.Errorf("retry: %v", err)
	}
	if _, err := w.engine.Retry(t.Context(), smoke.ID); !errors.Is(err, provision.ErrSettled) {
		t.Errorf("retry of what is dry: %v", err)
	}
	w.isDry(t, 1)
}

// It is deleted as any other is, and its tombstone stays.
func TestDrySignupCanBeDeleted(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.deliver(t, smoke)
		result, err := w.engine.Delete(t.Context(), smoke.ID, 1, "it is over", 4*time.Second)
		if err != nil || result.Record.Status != provision.StatusDeleting {
			t.Errorf("%+v, %v", result.Record, err)
		}
		w.minutes(t, 35)
		if record, err := w.engine.Status(t.Context(), smoke.ID); err != nil || record.Status != provision.StatusDeleted {
			t.Errorf("%+v, %v", record, err)
		}
		w.nothingSent(t, 0)
	})
}

// Whatever fails, in whatever order, nothing but the list is ever asked for, no trunk is
// recorded, and in the end the signup is dry, or deleted where somebody wanted that.
func TestDrySignupNeverHasATrunkWhateverFails(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		kinds := rapid.SliceOfN(rapid.SampledFrom([]string{"deliver", "reconcile", "retry", "reject", "adopt", "replace", "delete", "wait"}), 1, 12).Draw(rt, "kinds")
		kinds = append([]string{"deliver"}, kinds...)
		writes := []string{"claim", "pin", "prove", "release", "take over", "delete", "bury", "", "", "", "", "", "", ""}
		var fails []string
		var hows []failure
		var limited []bool // Exotel has too many calls
		for range kinds {
			fails = append(fails, rapid.SampledFrom(writes).Draw(rt, "write"))
			hows = append(hows, rapid.SampledFrom([]failure{failBefore, failAfter}).Draw(rt, "how"))
			limited = append(limited, rapid.Bool().Draw(rt, "limited"))
		}
		inBubble(t, func(t *testing.T, w *world) {
			w.accounts.unready = true
			w.fake.Add(exotel.Trunk{SID: byHand})
			for i, kind := range kinds {
				if fails[i] != "" {
					w.ledger.failing[fails[i]] = hows[i]
				}
				if limited[i] {
					w.fake.Inject(exoteltest.List, exoteltest.RateLimit("2"))
				}
				w.disturb(t, kind)
				clear(w.ledger.failing)
			}
			w.deliver(t, smoke)
			w.minutes(t, 45)
			record, err := w.engine.Status(t.Context(), smoke.ID)
			if err != nil || record.TrunkSID != "" || record.Status != provision.StatusDry && record.Status != provision.StatusDeleted && record.Status != provision.StatusRejected {
				rt.Errorf("after %v: %+v, %v", kinds, record, err)
			}
			w.nothingSent(t, 1)
		})
	})
}

// disturb does one thing to the dry signup; that it may fail is the point.
func (w *world) disturb(t *testing.T, kind string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	switch kind {
	case "deliver":
		_, _ = w.engine.Provision(ctx, smoke, 500*time.Millisecond)
	case "reconcile":
		_, _ = w.engine.Reconcile(ctx)
	case "retry":
		_, _ = w.engine.Retry(ctx, smoke.ID)
	case "reject":
		_, _ = w.engine.Reject(ctx, smoke.ID, "a test")
	case "adopt":
		_, _ = w.engine.Adopt(ctx, smoke.ID, byHand)
	case "replace":
		_, _ = w.engine.Replace(ctx, smoke.ID, "")
	case "delete":
		_, _ = w.engine.Delete(ctx, smoke.ID, 1, "a test", time.Second)
	case "wait":
		time.Sleep(time.Minute)
	}
}
