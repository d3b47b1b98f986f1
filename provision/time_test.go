package provision_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// inBubble runs a test in virtual time, on a world without a network.
func inBubble(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fake := exoteltest.Offline(exoteltest.Options{})
		defer fake.Close()
		w := &world{fake: fake, ledger: newMemory(), accounts: &accounts{secret: fake.Config(), transport: fake.Transport()}}
		w.engine = &provision.Engine{Ledger: w.ledger, Accounts: w.accounts, Prefix: "th"}
		test(t, w)
	})
}

// provisionWithin delivers in a process that is stopped after ten seconds.
func (w *world) provisionWithin(t *testing.T, within time.Duration) provision.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	result, err := w.engine.Provision(ctx, acme, within)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestVendorCallsEndInTimeToRecord(t *testing.T) {
	t.Parallel()
	for within, vendor := range map[time.Duration]time.Duration{
		4 * time.Second:        3 * time.Second,
		2 * time.Second:        1500 * time.Millisecond,
		400 * time.Millisecond: 300 * time.Millisecond,
		time.Minute:            9 * time.Second, // the process has ten seconds
	} {
		t.Run(within.String(), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.fake.Inject(exoteltest.Create, exoteltest.HangAfter)
				start := time.Now()
				result := w.provisionWithin(t, within)
				if took := time.Since(start); took != vendor {
					t.Errorf("answered after %v, want %v", took, vendor)
				}
				if steps(result) != "claim, create trunk, give back" || !w.stored(t).LeaseUntil.IsZero() {
					t.Errorf("steps %s, record %+v", steps(result), w.stored(t))
				}
				if result.RetryAfter != 2*time.Second {
					t.Errorf("ask again in %v", result.RetryAfter)
				}
			})
		})
	}
}

func TestLeaseOutlivesTheProcessByTwoSeconds(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.fake.Inject(exoteltest.Create, exoteltest.Hang)
		w.ledger.failing["release"] = failBefore
		start := time.Now()
		result := w.provisionWithin(t, 4*time.Second)
		if want := start.Add(12 * time.Second); !result.Record.LeaseUntil.Equal(want) || !result.Record.DueAt.Equal(want) {
			t.Errorf("leased until %v, due at %v; want %v", result.Record.LeaseUntil, result.Record.DueAt, want)
		}
	})
}

func TestRedeliveriesDoNotSlowTheReconcilerDown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		for range 20 {
			w.fake.Inject(exoteltest.Create, exoteltest.Fail(503))
			result := w.provisionWithin(t, time.Second)
			if result.RetryAfter > 2*time.Second {
				t.Errorf("ask again in %v", result.RetryAfter)
			}
		}
		if r := w.stored(t); r.Attempts != 20 || r.DueAt.Sub(r.UpdatedAt) > 2*time.Second {
			t.Errorf("after 20 tries within a moment: %+v", r)
		}
	})
}

func TestPassBeginsNothingThatItCannotFinish(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.claimed(t, 100)
		w.fake.SetLatency(2500 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		start := time.Now()
		pass, err := w.engine.Reconcile(ctx)
		// Begun at 0, 2.5, 5 and 7.5 s; at 10 s less than 3 + 1 s are left.
		if err != nil || len(pass.Results) != 4*8 || time.Since(start) != 10*time.Second {
			t.Errorf("%d results after %v, %v", len(pass.Results), time.Since(start), err)
		}
		w.noneLeased(t, 100)
	})
}

func TestPassEndsBeforeItsDeadlineWhateverHangs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.claimed(t, 20)
		for range 20 {
			w.fake.Inject(exoteltest.Create, exoteltest.Hang)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 14*time.Second)
		defer cancel()
		start := time.Now()
		pass, err := w.engine.Reconcile(ctx)
		// The first eight hang for 9 s; then 5 s are left: enough to begin, and
		// 4 s to try in, 1 s of which is the record's.
		if err != nil || len(pass.Results) != 16 || time.Since(start) != 12*time.Second {
			t.Errorf("%d results after %v, %v", len(pass.Results), time.Since(start), err)
		}
		w.noneLeased(t, 20)
	})
}

func TestPassTakesSeveralAtATimeAndAThousandAtMost(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.claimed(t, 1100)
		w.fake.SetLatency(100 * time.Millisecond)
		start := time.Now()
		pass, err := w.engine.Reconcile(t.Context())
		if took := time.Since(start); err != nil || len(pass.Results) != 1000 || took != 1000/8*100*time.Millisecond {
			t.Errorf("%d results in %v, %v", len(pass.Results), took, err)
		}
	})
}

func TestPassEndsWhereExotelRefusesTheAccount(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(w *world){
		"wrong key": func(w *world) { w.fake.SetCredentials("new", "new") },
		"rate limit": func(w *world) {
			w.fake.Inject(exoteltest.Create, exoteltest.RateLimit("30"), exoteltest.RateLimit("30"))
		},
		"forbidden": func(w *world) { w.refuseAll(403) },
		"not found": func(w *world) { w.refuseAll(404) },
		"no secret": func(w *world) { w.accounts.down = errors.New("down") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.claimed(t, 100)
				w.fake.SetLatency(10 * time.Millisecond)
				refuse(w)
				pass, err := w.engine.Reconcile(t.Context())
				if err != nil || pass.Halted == nil || len(pass.Results) > 16 {
					t.Errorf("%d results, halted by %v, %v", len(pass.Results), pass.Halted, err)
				}
			})
		})
	}
}

// refuseAll has the next hundred creates refused so.
func (w *world) refuseAll(status int) {
	for range 100 {
		w.fake.Inject(exoteltest.Create, exoteltest.Fail(status))
	}
}

// claimed leaves so many signups claimed by processes that were killed a minute ago.
func (w *world) claimed(t *testing.T, count int) {
	t.Helper()
	past := time.Now().UTC().Add(-time.Minute)
	for i := range count {
		s := provision.Signup{ID: fmt.Sprintf("signup-%04d", i), Company: "A"}
		claim := provision.Claim{Signup: s, TrunkName: provision.TrunkName("th", s.ID), Owner: "killed", Now: past, LeaseUntil: past}
		if _, _, err := w.ledger.Claim(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) noneLeased(t *testing.T, count int) {
	t.Helper()
	for i := range count {
		record, err := w.ledger.Get(t.Context(), fmt.Sprintf("signup-%04d", i))
		if err != nil || record.LeaseUntil.After(time.Now()) {
			t.Errorf("%+v, %v", record, err)
		}
	}
}

// Between its claim and its next write a try can be overtaken by anybody.
func TestOvertakenTryTellsWhatStandsAndLosesNoTrunkSilently(t *testing.T) {
	t.Parallel()
	change := func(f func(r *provision.Record)) func(map[string]provision.Record) {
		return func(records map[string]provision.Record) {
			r := records[acme.ID]
			f(&r)
			records[acme.ID] = r
		}
	}
	taken := change(func(r *provision.Record) { r.Owner = "another" })
	rejected := change(func(r *provision.Record) { r.Status, r.Owner = provision.StatusRejected, "" })
	active := change(func(r *provision.Record) { r.Status, r.TrunkSID, r.Owner = provision.StatusActive, "trmum1other", "" })
	given := change(func(r *provision.Record) { r.TrunkSID, r.Owner = "trmum1other", "an import" })
	gone := func(records map[string]provision.Record) { delete(records, acme.ID) }
	for name, test := range map[string]struct {
		write   string
		happens func(map[string]provision.Record)
		fault   exoteltest.Fault
		outcome provision.Outcome // empty: ErrUnavailable
		alarm   provision.Alarm
		creates int
	}{
		"taken over before the record":    {"activate", taken, exoteltest.Fault{}, provision.OutcomeInProgress, "", 1},
		"rejected before the record":      {"activate", rejected, exoteltest.Fault{}, provision.OutcomeReplayed, provision.AlarmOrphan, 1},
		"another trunk before the record": {"activate", active, exoteltest.Fault{}, provision.OutcomeReplayed, provision.AlarmOrphan, 1},
		"imported before the record":      {"activate", given, exoteltest.Fault{}, provision.OutcomeInProgress, provision.AlarmOrphan, 1},
		"gone before the record":          {"activate", gone, exoteltest.Fault{}, "", "", 1},
		"taken over before the release":   {"release", taken, exoteltest.Fail(503), provision.OutcomeInProgress, "", 1},
		"active before the release":       {"release", active, exoteltest.Fail(503), provision.OutcomeReplayed, "", 1},
		"gone before the release":         {"release", gone, exoteltest.Fail(503), "", "", 1},
		"taken over before the pin":       {"pin", taken, exoteltest.Fault{}, provision.OutcomeInProgress, "", 0},
		"gone before the pin":             {"pin", gone, exoteltest.Fault{}, "", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.accounts.unready = test.write == "pin"
				w.ledger.before[test.write] = test.happens
				w.fake.Inject(exoteltest.Create, test.fault)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				result, err := w.engine.Provision(ctx, acme, 4*time.Second)
				if n := w.fake.Count(exoteltest.Create); n != test.creates {
					t.Errorf("%d creates", n)
				}
				if test.outcome == "" {
					if !errors.Is(err, provision.ErrUnavailable) {
						t.Errorf("got %+v, %v", result, err)
					}
					return
				}
				alarm := provision.Alarm("")
				if result.Problem != nil {
					alarm = result.Problem.Alarm
				}
				if err != nil || result.Outcome != test.outcome || alarm != test.alarm || result.Record.SignupID != acme.ID {
					t.Errorf("got %s, alarm %q, %+v, %v", result.Outcome, alarm, result.Record, err)
				}
			})
		})
	}
}

// The trunk is there and its record's answer lost, while an operator recorded
// another one: that is not this try's.
func TestLostRecordIsNotTakenForAnothersTrunk(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.ledger.failing["activate"] = failBefore
		w.ledger.before["release"] = func(records map[string]provision.Record) {
			r := records[acme.ID]
			r.Status, r.TrunkSID = provision.StatusActive, "trmum1other"
			records[acme.ID] = r
		}
		result := w.provisionWithin(t, 4*time.Second)
		if result.Outcome != provision.OutcomeReplayed || result.Record.TrunkSID != "trmum1other" || result.Problem == nil || result.Problem.Alarm != provision.AlarmOrphan {
			t.Errorf("got %s, %+v, %+v", result.Outcome, result.Problem, result.Record)
		}
	})
}

func TestRecordWhoseAnswerIsLostIsOfAnAdoptedTrunk(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
		w.provisionWithin(t, 4*time.Second)
		w.ledger.failing["activate"] = failAfter
		if result := w.provisionWithin(t, 4*time.Second); result.Outcome != provision.OutcomeAdopted || result.Problem != nil {
			t.Errorf("got %s, %+v", result.Outcome, result.Problem)
		}
		w.oneTrunk(t)
	})
}

func TestUnreadableTrunksInTheListAreNoProofOfAbsence(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		name := provision.TrunkName("th", acme.ID)
		w.fake.Add(exotel.Trunk{Name: name, DomainName: "ExotelTest.PSTN.exotel.com"})
		garble := true
		w.accounts.transport = transportFunc(func(r *http.Request) (*http.Response, error) {
			resp, err := w.fake.Transport().RoundTrip(r)
			if err == nil && garble && r.Method == http.MethodGet {
				resp.Body = garbled(resp.Body)
			}
			return resp, err
		})
		if result := w.provisionWithin(t, 4*time.Second); result.Outcome != provision.OutcomePending || result.Problem.Err == nil {
			t.Errorf("garbled: %s, %+v", result.Outcome, result.Problem)
		}
		garble = false
		if result := w.provisionWithin(t, 4*time.Second); result.Outcome != provision.OutcomeAdopted {
			t.Errorf("then: %s, %+v", result.Outcome, result.Problem)
		}
	})
}
