package provision_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

func TestTrunkThatWasMadeByHandIsImportedOnce(t *testing.T) {
	t.Parallel()
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				signup := acme
				signup.Line = line
				w.fake.Add(exotel.Trunk{SID: byHand, Name: "by_hand", DomainName: exotel.DomainName(exoteltest.DefaultAccountSID)})
				for range 2 {
					result, err := w.engine.Import(t.Context(), signup, byHand)
					if record := w.stored(t); err != nil || record.Status != provision.StatusActive || record.TrunkSID != byHand || result.Record.TrunkSID != byHand {
						t.Fatalf("%v, %+v", err, record)
					}
				}
				if n := w.fake.Count(exoteltest.Create); n != 0 || len(w.fake.Line(byHand).PhoneNumbers) != len(line.PhoneNumbers) {
					t.Errorf("%d creates, line %+v", n, w.fake.Line(byHand))
				}
				if w.deliver(t, signup); len(w.fake.Trunks()) != 1 {
					t.Error("a delivery made another one")
				}
			})
		})
	}
}

func TestImportLeavesAloneWhatIsSettled(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		if _, err := w.engine.Import(t.Context(), acme, "trmum1nothing"); !errors.Is(err, provision.ErrNoSuchTrunk) || len(w.ledger.records) != 0 {
			t.Errorf("no such trunk: %v, %d records", err, len(w.ledger.records))
		}
		w.fake.Add(exotel.Trunk{SID: byHand, Name: "by_hand"})
		var invalid *provision.InvalidError
		if _, err := w.engine.Import(t.Context(), provision.Signup{ID: "acme-42"}, byHand); !errors.As(err, &invalid) {
			t.Errorf("no company: %v", err)
		}
		w.deliver(t, acme)
		before := w.stored(t)
		if _, err := w.engine.Import(t.Context(), acme, byHand); !errors.Is(err, provision.ErrSettled) {
			t.Errorf("an active one: %v", err)
		}
		other := acme
		other.Company = "Other"
		if _, err := w.engine.Import(t.Context(), other, byHand); !errors.Is(err, provision.ErrOtherContent) {
			t.Errorf("other content: %v", err)
		}
		if after := w.stored(t); after.TrunkSID != before.TrunkSID {
			t.Errorf("got %+v", after)
		}
	})
}

// One that is pending with a trunk of its own keeps it.
func TestImportDoesNotReplaceATrunk(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		signup := acme
		signup.Line = lines["with line"]
		w.fake.Inject(exoteltest.MapPhoneNumber, exoteltest.RateLimit("60"))
		if result := w.deliver(t, signup); result.Outcome != provision.OutcomePending || result.Record.TrunkSID == "" {
			t.Fatal(result.Outcome)
		}
		own := w.stored(t).TrunkSID
		w.fake.Add(exotel.Trunk{SID: byHand, Name: "by_hand"})
		time.Sleep(time.Minute)
		if _, err := w.engine.Import(t.Context(), signup, byHand); !errors.Is(err, provision.ErrSettled) {
			t.Errorf("got %v", err)
		}
		if after := w.stored(t); after.TrunkSID != own {
			t.Errorf("got %+v", after)
		}
	})
}

// cuts are the ends of an import whose claim is on disk. A write's name is the one that
// claims: the first of a signup, or of its next generation.
var cuts = map[string]func(w *world, write string, end context.CancelFunc){
	"the process ends after it": func(w *world, write string, end context.CancelFunc) {
		w.ledger.before[write] = func(map[string]provision.Record) { end() }
	},
	"the table fails after it": func(w *world, _ string, _ context.CancelFunc) {
		for _, later := range []string{"attach", "activate", "release"} {
			w.ledger.failing[later] = failBefore
		}
	},
	"its answer is lost": func(w *world, write string, _ context.CancelFunc) { w.ledger.failing[write] = failAfter },
}

// What an import has claimed has its trunk: nobody makes it another.
func TestImportThatIsCutOffIsFinishedWithItsTrunk(t *testing.T) {
	t.Parallel()
	for how, cut := range cuts {
		for name, line := range lines {
			for write, generation := range map[string]int{"claim": 0, "restart": 2} {
				t.Run(how+", "+name+", by "+write, func(t *testing.T) {
					t.Parallel()
					inBubble(t, func(t *testing.T, w *world) {
						signup := acme
						signup.Line, signup.Generation = line, generation
						if generation > 0 {
							w.deliver(t, acme)
							w.remove(t)
							w.minutes(t, 60)
							w.isDeleted(t)
						}
						creates := w.fake.Count(exoteltest.Create)
						w.fake.Add(exotel.Trunk{SID: byHand, Name: "by_hand"})
						ctx, end := context.WithCancel(t.Context())
						defer end()
						cut(w, write, end)
						_, _ = w.engine.Import(ctx, signup, byHand) // nobody may be there to hear of it
						if record := w.stored(t); record.Status != provision.StatusPending || record.TrunkSID != byHand {
							t.Fatalf("after the cut: %+v", record)
						}
						if result, err := w.engine.Import(t.Context(), signup, byHand); err != nil || result.Record.TrunkSID != byHand {
							t.Errorf("once more: %v, %+v", err, result)
						}
						w.minutes(t, 3)
						record := w.stored(t)
						if record.Status != provision.StatusActive || record.TrunkSID != byHand || record.AccountSID != exoteltest.DefaultAccountSID || record.DomainName == "" || record.Generation != generation {
							t.Errorf("got %+v", record)
						}
						if n := w.fake.Count(exoteltest.Create) - creates; n != 0 || len(w.fake.Trunks()) != 1 || len(w.fake.Line(byHand).PhoneNumbers) != len(line.PhoneNumbers) {
							t.Errorf("%d creates, trunks %+v, line %+v", n, w.fake.Trunks(), w.fake.Line(byHand))
						}
					})
				})
			}
		}
	}
}
