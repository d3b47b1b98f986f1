package provision_test

import (
	"errors"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// lines are a bare trunk, and one that asks for more.
var lines = map[string]provision.Line{
	"bare":      {},
	"with line": {PhoneNumbers: []provision.PhoneNumber{{PhoneNumber: "+912247788868"}}, WhitelistedIPs: []string{"9.9.9.9"}},
}

// lost has the signup complete, and its trunk deleted by somebody else.
func lost(t *testing.T, w *world, line provision.Line) {
	t.Helper()
	signup := acme
	signup.Line = line
	w.deliver(t, signup)
	record := w.stored(t)
	account, err := w.accounts.Open(t.Context())
	if err != nil || record.Status != provision.StatusActive {
		t.Fatal(record.Status, err)
	}
	if _, err := account.Trunks.(*exotel.TrunksService).Delete(t.Context(), record.TrunkSID); err != nil {
		t.Fatal(err)
	}
}

func TestTrunkThatIsGoneIsReplaced(t *testing.T) {
	t.Parallel()
	for name, line := range lines {
		for _, byHandSID := range []string{"", byHand} {
			t.Run(name+" "+byHandSID, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, w *world) {
					lost(t, w, line)
					gone := w.stored(t).TrunkSID
					if byHandSID != "" {
						w.fake.Add(exotel.Trunk{SID: byHand, Name: "by_hand", DomainName: exotel.DomainName(exoteltest.DefaultAccountSID)})
					}
					result, err := w.engine.Replace(t.Context(), acme.ID, byHandSID)
					record := w.stored(t)
					if err != nil || record.Status != provision.StatusActive || record.TrunkSID == gone || len(w.fake.Trunks()) != 1 || w.fake.Trunks()[0].SID != record.TrunkSID {
						t.Fatalf("%v, %+v; record %+v", err, result.Problem, record)
					}
					if made := w.fake.Line(record.TrunkSID); len(made.PhoneNumbers) != len(line.PhoneNumbers) || len(made.WhitelistedIPs) != len(line.WhitelistedIPs) {
						t.Errorf("the new trunk has %+v", made)
					}
				})
			})
		}
	}
}

func TestTrunkThatIsThereIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.deliver(t, acme)
		before := w.stored(t)
		if _, err := w.engine.Replace(t.Context(), acme.ID, ""); !errors.Is(err, provision.ErrSettled) {
			t.Errorf("got %v", err)
		}
		if after := w.stored(t); after.Status != provision.StatusActive || !after.UpdatedAt.Equal(before.UpdatedAt) {
			t.Errorf("got %+v", after)
		}
		w.oneTrunk(t)
		if _, err := w.engine.Replace(t.Context(), "nobody", ""); !errors.Is(err, provision.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

// The answer of the new create is lost, and the reconciler takes the signup for
// complete with the trunk that is gone: a second Replace finds the new one.
func TestReplacementWhoseAnswerIsLostIsFoundAgain(t *testing.T) {
	t.Parallel()
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				lost(t, w, line)
				w.fake.Inject(exoteltest.Create, exoteltest.FailAfter(500))
				if result, err := w.engine.Replace(t.Context(), acme.ID, ""); err != nil || result.Outcome != provision.OutcomePending {
					t.Fatalf("%v, %+v", err, result)
				}
				time.Sleep(time.Hour)
				w.reconcile(t, 55*time.Second)
				if _, err := w.engine.Replace(t.Context(), acme.ID, ""); err != nil {
					t.Fatal(err)
				}
				w.oneTrunk(t)
			})
		})
	}
}

// A version that knew nothing of steps may have ended a signup that has open ones.
func TestRetryFinishesWhatIsOpenOfACompleteSignup(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		signup := acme
		signup.Line = lines["with line"]
		w.deliver(t, signup)
		record := w.stored(t)
		for key, step := range record.Steps {
			if step.Kind == provision.KindWhitelistedIP {
				step.Status = provision.StepPending
				record.Steps[key] = step
			}
		}
		w.ledger.records[acme.ID] = record
		if _, err := w.engine.Retry(t.Context(), acme.ID); err != nil {
			t.Fatal(err)
		}
		for _, step := range w.stored(t).LineSteps() {
			if step.Status != provision.StepDone {
				t.Errorf("left %+v", step)
			}
		}
	})
}
