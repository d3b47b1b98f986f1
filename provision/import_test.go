package provision_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
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

// A refused import leaves the signup as it was: what it asks for is for its trunk.
func TestRefusedImportAddsNothing(t *testing.T) {
	t.Parallel()
	ofOtherMode := provision.Line{PhoneNumbers: []provision.PhoneNumber{{PhoneNumber: "+912247788868", Mode: exotel.ModeFlow}}}
	for name, test := range map[string]struct {
		before func(t *testing.T, w *world)
		line   provision.Line // of the import
		want   error          // nil for any
	}{
		"active with another trunk": {func(t *testing.T, w *world) { t.Helper(); w.deliver(t, acme) }, lines["with line"], provision.ErrSettled},
		"pending with another trunk": {func(t *testing.T, w *world) {
			t.Helper()
			signup := acme
			signup.Line.WhitelistedIPs = []string{"8.8.8.8"}
			w.fake.Inject(exoteltest.WhitelistIP, exoteltest.Fail(503))
			w.deliver(t, signup)
		}, lines["with line"], provision.ErrSettled},
		"held by a delivery": {func(_ *testing.T, w *world) { w.put("a delivery", time.Minute, "", provision.Line{}) }, lines["with line"], provision.ErrHeld},
		"of another account": {func(_ *testing.T, w *world) { w.put("a delivery", 0, "another", provision.Line{}) }, lines["with line"], nil},
		"contradicted by the first delivery": {
			func(_ *testing.T, w *world) { w.put("a delivery", 0, "", lines["with line"]) }, ofOtherMode, provision.ErrOtherContent,
		},
		"being deleted with that trunk": {func(t *testing.T, w *world) {
			t.Helper()
			if _, err := w.engine.Import(t.Context(), acme, byHand); err != nil {
				t.Fatal(err)
			}
			w.fake.Inject(exoteltest.Delete, exoteltest.Fail(503))
			w.remove(t)
		}, provision.Line{}, provision.ErrSettled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.fake.Add(exotel.Trunk{SID: byHand, Name: "by_hand"})
				test.before(t, w)
				before := w.stored(t)
				signup := acme
				signup.Line = test.line
				if _, err := w.engine.Import(t.Context(), signup, byHand); err == nil || test.want != nil && !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				after := w.stored(t)
				if after.Status != before.Status || after.TrunkSID != before.TrunkSID || after.AccountSID != cmp.Or(before.AccountSID, after.AccountSID) ||
					!maps.Equal(after.Steps, before.Steps) || after.Revision != before.Revision || after.LeaseUntil.After(time.Now()) != before.LeaseUntil.After(time.Now()) {
					t.Errorf("was\n%+v\nand is\n%+v", before, after)
				}
			})
		})
	}
}

// put has a try hold the signup for that long.
func (w *world) put(owner string, lease time.Duration, accountSID string, line provision.Line) {
	signup := acme
	signup.Line = line
	now := time.Now().UTC()
	w.ledger.put(provision.Claim{
		Signup: signup.Normalised(), TrunkName: provision.TrunkName("th", acme.ID), AccountSID: accountSID, Owner: owner, Now: now, LeaseUntil: now.Add(lease),
	})
}

// One that was pending without a trunk gets this one before its line gets what the
// import asks for; whoever is killed before has imported nothing.
func TestPendingSignupIsImported(t *testing.T) {
	t.Parallel()
	for name, line := range lines {
		for cut, write := range map[string]string{"in one go": "nothing", "cut off before the trunk": "attach", "cut off before the line": "extend"} {
			t.Run(name+", "+cut, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, w *world) {
					w.fake.Add(exotel.Trunk{SID: byHand, Name: "by_hand"})
					w.put("a delivery", 0, "", provision.Line{})
					w.ledger.failing[write] = failBefore
					signup := acme
					signup.Line = line
					_, err := w.engine.Import(t.Context(), signup, byHand)
					record := w.stored(t)
					switch {
					case write == "attach" && (!errors.Is(err, provision.ErrUnavailable) || record.TrunkSID != "" || len(record.Steps) != 0 || !record.LeaseUntil.IsZero()):
						t.Errorf("cut off: %v, %+v", err, record)
					case write == "extend" && (record.TrunkSID != byHand || len(line.PhoneNumbers) > 0 && !errors.Is(err, provision.ErrUnavailable)):
						t.Errorf("cut off: %v, %+v", err, record)
					}
					for range 2 {
						time.Sleep(time.Minute)
						if _, err := w.engine.Import(t.Context(), signup, byHand); err != nil {
							t.Error(err)
						}
					}
					record = w.stored(t)
					if n := w.fake.Count(exoteltest.Create); n != 0 || record.Status != provision.StatusActive || record.TrunkSID != byHand || len(w.fake.Line(byHand).PhoneNumbers) != len(line.PhoneNumbers) {
						t.Errorf("%d creates, %+v", n, record)
					}
				})
			})
		}
	}
}

// There is nothing of it to refuse: it has its trunk.
func TestRejectedImportThatWasCutOffIsActive(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.fake.Add(exotel.Trunk{SID: byHand, Name: "by_hand"})
		ctx, end := context.WithCancel(t.Context())
		defer end()
		cuts["the process ends after it"](w, "claim", end)
		_, _ = w.engine.Import(ctx, acme, byHand) // nobody is there to hear of it
		time.Sleep(time.Minute)                   // its lease
		result, err := w.engine.Reject(t.Context(), acme.ID, "a mistake")
		if record := w.stored(t); err != nil || result.Outcome != provision.OutcomeCompleted || record.Status != provision.StatusActive || record.TrunkSID != byHand {
			t.Errorf("%v, %s, %+v", err, result.Outcome, record)
		}
	})
}
