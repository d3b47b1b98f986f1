package provision_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// operations are an operator's, on the signup of these tests. The trunk that is
// adopted exists, if the signup can be taken at all.
var operations = map[string]func(w *world, ctx context.Context) (provision.Result, error){
	"retry": func(w *world, ctx context.Context) (provision.Result, error) { return w.engine.Retry(ctx, acme.ID) },
	"reject": func(w *world, ctx context.Context) (provision.Result, error) {
		return w.engine.Reject(ctx, acme.ID, "a test")
	},
	"adopt": func(w *world, ctx context.Context) (provision.Result, error) {
		return w.engine.Adopt(ctx, acme.ID, byHand)
	},
}

const byHand = "trmum1byhand"

// pendingFor leaves the signup pending, and due in so long.
func (w *world) pendingFor(t *testing.T, dueIn time.Duration) {
	t.Helper()
	w.fake.Inject(exoteltest.Create, exoteltest.RateLimit(fmt.Sprint(int(dueIn.Seconds()))))
	if result := w.deliver(t, acme); result.Outcome != provision.OutcomePending {
		t.Fatal(result.Outcome)
	}
}

func TestOperatorIsRefusedWhatIsNotHis(t *testing.T) {
	t.Parallel()
	for state, test := range map[string]struct {
		prepare func(t *testing.T, w *world)
		want    error
	}{
		"unknown":  {func(*testing.T, *world) {}, provision.ErrNotFound},
		"active":   {func(t *testing.T, w *world) { w.deliver(t, acme) }, provision.ErrSettled},
		"rejected": {rejected, provision.ErrSettled},
		"held":     {held, provision.ErrHeld},
		"no table": {func(t *testing.T, w *world) {
			w.pendingFor(t, time.Minute)
			w.ledger.failing["take over"] = failBefore
		}, provision.ErrUnavailable},
	} {
		for name, operate := range operations {
			t.Run(name+" "+state, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, w *world) {
					test.prepare(t, w)
					w.fake.Add(exotel.Trunk{SID: byHand})
					before, calls := w.ledger.records[acme.ID], len(w.fake.Calls())
					result, err := operate(w, t.Context())
					if !errors.Is(err, test.want) || len(w.fake.Calls()) != calls {
						t.Errorf("%v, %d calls; want %v", err, len(w.fake.Calls())-calls, test.want)
					}
					if after := w.ledger.records[acme.ID]; fmt.Sprint(before) != fmt.Sprint(after) {
						t.Errorf("was %+v, is %+v", before, after)
					}
					known := errors.Is(test.want, provision.ErrSettled) || errors.Is(test.want, provision.ErrHeld)
					if known != (result.Record.SignupID == acme.ID) {
						t.Errorf("result %+v", result)
					}
				})
			})
		}
	}
}

func rejected(t *testing.T, w *world) {
	w.pendingFor(t, time.Minute)
	if _, err := w.engine.Reject(t.Context(), acme.ID, "no"); err != nil {
		t.Fatal(err)
	}
}

func held(t *testing.T, w *world) {
	claim := provision.Claim{Signup: acme, TrunkName: provision.TrunkName("th", acme.ID), Owner: "a worker", Now: time.Now().UTC(), LeaseUntil: time.Now().UTC().Add(time.Minute)}
	if _, holds, err := w.ledger.Claim(t.Context(), claim); err != nil || !holds {
		t.Fatal(err)
	}
}

func TestOperatorMayOnceTheLeaseHasRunOut(t *testing.T) {
	t.Parallel()
	for name, operate := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				held(t, w)
				w.fake.Add(exotel.Trunk{SID: byHand})
				time.Sleep(time.Minute)
				if result, err := operate(w, t.Context()); err != nil || result.Record.Status == provision.StatusPending {
					t.Errorf("%+v, %v", result, err)
				}
			})
		})
	}
}

func TestRetryIsAtOnceHoweverLateItIsDue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.pendingFor(t, time.Hour)
		result, err := w.engine.Retry(t.Context(), acme.ID)
		if err != nil || result.Outcome != provision.OutcomeCreated || result.Record.Attempts != 2 || steps(result) != "claim, create trunk, record" {
			t.Errorf("%s by %s, %v", result.Outcome, steps(result), err)
		}
		w.oneTrunk(t)
	})
}

func TestRetryThatFailsGivesTheSignupBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.pendingFor(t, time.Minute)
		w.fake.Inject(exoteltest.Create, exoteltest.Fail(400))
		result, err := w.engine.Retry(t.Context(), acme.ID)
		if err != nil || result.Outcome != provision.OutcomePending || result.Problem.Alarm != provision.AlarmRefused || !w.stored(t).LeaseUntil.IsZero() {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

func TestRetryWaitsForTheBudget(t *testing.T) {
	t.Parallel()
	budgeted(t, 6, func(t *testing.T, w *world) {
		w.deliver(t, provision.Signup{ID: "first", Company: "A"})
		w.deliver(t, acme)
		start := time.Now()
		result, err := w.engine.Retry(t.Context(), acme.ID)
		if took := time.Since(start).Round(time.Second); err != nil || result.Outcome != provision.OutcomeCreated || took != 10*time.Second {
			t.Errorf("%s after %v, %v", result.Outcome, took, err)
		}
	})
}

func TestRetryIsToldWhenThereIsRoomInAClosedBudget(t *testing.T) {
	t.Parallel()
	budgeted(t, 180, func(t *testing.T, w *world) {
		w.pendingFor(t, 10*time.Minute) // which closes the budget
		start := time.Now()
		result, err := w.engine.Retry(t.Context(), acme.ID)
		if err != nil || result.Outcome != provision.OutcomePending || result.RetryAfter != 10*time.Minute || time.Since(start) != 0 {
			t.Errorf("%s, ask again in %v, after %v, %v", result.Outcome, result.RetryAfter, time.Since(start), err)
		}
		if record := w.stored(t); !record.LeaseUntil.IsZero() || record.DueAt.Sub(start) != 10*time.Minute {
			t.Errorf("record %+v", record)
		}
	})
}

func TestRejectionIsFinal(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.pendingFor(t, time.Minute)
		reason := strings.Repeat("é", 400) // 800 bytes
		result, err := w.engine.Reject(t.Context(), acme.ID, reason)
		if err != nil || result.Outcome != provision.OutcomeRejected || result.Record.Status != provision.StatusRejected {
			t.Fatalf("%+v, %v", result, err)
		}
		if record := w.stored(t); !strings.HasPrefix(record.LastError, "éé") || len(record.LastError) > 510 || record.Owner != "" || !record.DueAt.IsZero() {
			t.Errorf("record %+v", record)
		}
		calls := len(w.fake.Calls())
		if again := w.deliver(t, acme); again.Outcome != provision.OutcomeReplayed || again.Record.Status != provision.StatusRejected {
			t.Errorf("delivered again: %+v", again)
		}
		time.Sleep(time.Hour)
		if pass := w.reconcile(t, time.Minute); len(pass.Results)+pass.Missed+pass.Failed != 0 || len(w.fake.Calls()) != calls {
			t.Errorf("got %+v, %d calls", pass, len(w.fake.Calls())-calls)
		}
	})
}

func TestSignupThatWaitsForTheSearchCanBeRejected(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		w.addTrunk(acme.ID)
		w.addOthers(200)
		w.seek(t, acme.ID)
		if _, err := w.engine.Reject(t.Context(), acme.ID, "no"); err != nil {
			t.Fatal(err)
		}
		w.reconcile(t, time.Minute)
		if record := w.stored(t); record.Status != provision.StatusRejected || len(w.fake.Calls()) != 0 {
			t.Errorf("record %+v, %d calls", record, len(w.fake.Calls()))
		}
	})
}

// A worker is in the middle of its create when somebody whose clock is ahead by
// more than its lease rejects the signup.
func TestLateWorkerChangesNothingOfARejectionAndReportsItsTrunk(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.fake.SetLatency(2 * time.Second)
		operator := w.ahead(time.Minute)
		late := make(chan provision.Result, 1)
		go func() { late <- w.provisionWithin(t, 4*time.Second) }()
		time.Sleep(time.Second)
		if _, err := operator.Reject(t.Context(), acme.ID, "a test"); err != nil {
			t.Fatal(err)
		}
		result := <-late
		if result.Outcome != provision.OutcomeReplayed || result.Problem == nil || result.Problem.Alarm != provision.AlarmOrphan || !strings.Contains(result.Problem.Err.Error(), w.fake.Trunks()[0].SID) {
			t.Errorf("%s, %+v", result.Outcome, result.Problem)
		}
		if record := w.stored(t); record.Status != provision.StatusRejected || record.TrunkSID != "" || record.LastError != "a test" {
			t.Errorf("record %+v", record)
		}
	})
}

// One that fails late changes nothing either, and has no trunk to report.
func TestLateWorkerThatFailsChangesNothingOfARejection(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.fake.SetLatency(2 * time.Second)
		w.fake.Inject(exoteltest.Create, exoteltest.Fail(503))
		operator := w.ahead(time.Minute)
		late := make(chan provision.Result, 1)
		go func() { late <- w.provisionWithin(t, 4*time.Second) }()
		time.Sleep(time.Second)
		if _, err := operator.Reject(t.Context(), acme.ID, "a test"); err != nil {
			t.Fatal(err)
		}
		if result := <-late; result.Outcome != provision.OutcomeReplayed || result.Record.Status != provision.StatusRejected {
			t.Errorf("got %+v", result)
		}
		if record := w.stored(t); record.Status != provision.StatusRejected || record.LastError != "a test" {
			t.Errorf("record %+v", record)
		}
	})
}

// ahead is the engine of another process, with a clock that is wrong.
func (w *world) ahead(by time.Duration) *provision.Engine {
	return &provision.Engine{Ledger: w.ledger, Accounts: w.accounts, Prefix: "th", Now: func() time.Time { return time.Now().Add(by) }}
}

func TestAdoptionByHandTakesATrunkOfAnyName(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.pendingFor(t, time.Hour)
		w.addOthers(200)
		w.fake.Add(exotel.Trunk{SID: byHand, Name: "made_by_hand", DomainName: "exoteltest.pstn.exotel.com"})
		w.addOthers(200)
		result, err := w.engine.Adopt(t.Context(), acme.ID, byHand)
		if err != nil || result.Outcome != provision.OutcomeAdopted || steps(result) != "claim, list trunks, record" {
			t.Fatalf("%s by %s, %v", result.Outcome, steps(result), err)
		}
		if record := w.stored(t); record.Status != provision.StatusActive || record.TrunkSID != byHand || !strings.Contains(string(record.Trunk), "made_by_hand") {
			t.Errorf("record %+v", record)
		}
		if again := w.deliver(t, acme); again.Outcome != provision.OutcomeReplayed || again.Record.TrunkSID != byHand {
			t.Errorf("delivered again: %+v", again)
		}
	})
}

func TestAdoptionByHandPinsTheAccountFirst(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.accounts.down = errTable
		w.deliver(t, acme) // without an account
		w.accounts.down, w.accounts.unready = nil, true
		w.fake.Add(exotel.Trunk{SID: byHand, Name: "made_by_hand"})
		result, err := w.engine.Adopt(t.Context(), acme.ID, byHand)
		if err != nil || steps(result) != "claim, pin account, list trunks, record" || result.Record.AccountSID != "exoteltest" || result.Record.DomainName != "exoteltest.pstn.exotel.com" {
			t.Errorf("%s, %+v, %v", steps(result), result.Record, err)
		}
	})
}

// What can't be adopted leaves the signup as it was: pending, and nobody's.
func TestAdoptionByHandOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(w *world)
		want    error // nil: another one
		alarm   provision.Alarm
	}{
		"no such trunk":               {func(*world) {}, provision.ErrNoSuchTrunk, ""},
		"another account's, says 403": {func(w *world) { w.fake.Inject(exoteltest.List, exoteltest.Fail(403)) }, provision.ErrNoSuchTrunk, ""},
		"another account's, says 404": {func(w *world) { w.fake.Inject(exoteltest.List, exoteltest.Fail(404)) }, provision.ErrNoSuchTrunk, ""},
		"the list shows others": {func(w *world) {
			transport := w.accounts.transport
			w.accounts.open, w.accounts.transport = nil, transportFunc(func(r *http.Request) (*http.Response, error) {
				r.URL.RawQuery = ""
				return transport.RoundTrip(r)
			})
		}, provision.ErrNoSuchTrunk, ""},
		"another's signup": {func(w *world) {
			record := w.ledger.records[acme.ID]
			record.AccountSID = "another"
			w.ledger.records[acme.ID] = record
			w.fake.Add(exotel.Trunk{SID: byHand})
		}, nil, provision.AlarmMismatch},
		"wrong key": {func(w *world) { w.fake.SetCredentials("new", "new") }, exotel.ErrUnauthorized, provision.AlarmCredentials},
		"no secret": {func(w *world) { w.accounts.down = errTable }, errTable, provision.AlarmNoSecret},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.pendingFor(t, time.Hour)
				w.fake.Add(exotel.Trunk{SID: "trmum1another"})
				test.prepare(w)
				result, err := w.engine.Adopt(t.Context(), acme.ID, byHand)
				if err == nil || test.want != nil && !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if result.Outcome != provision.OutcomePending || result.Problem == nil || result.Problem.Alarm != test.alarm {
					t.Errorf("%s, %+v", result.Outcome, result.Problem)
				}
				if record := w.stored(t); record.Status != provision.StatusPending || !record.LeaseUntil.IsZero() || record.TrunkSID != "" || record.DueAt.IsZero() {
					t.Errorf("record %+v", record)
				}
			})
		})
	}
}

// The table goes down between the takeover and the operator's own write.
func TestOperationWhoseWriteFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		write string
		fails failure
		want  error
		then  provision.Status
	}{
		"reject, not done":          {"reject", failBefore, provision.ErrUnavailable, provision.StatusPending},
		"reject, done, answer lost": {"reject", failAfter, provision.ErrUnavailable, provision.StatusRejected},
		"adopt, not done":           {"activate", failBefore, nil, provision.StatusPending},
		"adopt, done, answer lost":  {"activate", failAfter, nil, provision.StatusActive},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.pendingFor(t, time.Minute)
				w.fake.Add(exotel.Trunk{SID: byHand})
				w.ledger.failing[test.write] = test.fails
				operation, _, _ := strings.Cut(name, ",")
				result, err := operations[operation](w, t.Context())
				if !errors.Is(err, test.want) || w.stored(t).Status != test.then {
					t.Errorf("%v, record %+v", err, w.stored(t))
				}
				if err == nil && result.Record.Status != test.then {
					t.Errorf("told %+v", result)
				}
				time.Sleep(time.Minute)
				if _, err := operations[operation](w, t.Context()); test.then == provision.StatusPending && err != nil || test.then != provision.StatusPending && !errors.Is(err, provision.ErrSettled) {
					t.Errorf("again: %v", err)
				}
			})
		})
	}
}

// Between the takeover and the rejection somebody whose clock is ahead was faster.
func TestOvertakenRejectionSaysWhatStands(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		happens func(r *provision.Record)
		want    error
	}{
		"held":     {func(r *provision.Record) { r.Owner = "another" }, provision.ErrHeld},
		"active":   {func(r *provision.Record) { r.Status, r.TrunkSID, r.Owner = provision.StatusActive, "trmum1a", "" }, provision.ErrSettled},
		"rejected": {func(r *provision.Record) { r.Status, r.Owner = provision.StatusRejected, "" }, nil},
		"gone":     {nil, provision.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.pendingFor(t, time.Minute)
				w.ledger.before["reject"] = func(records map[string]provision.Record) {
					r := records[acme.ID]
					delete(records, acme.ID)
					if test.happens != nil {
						test.happens(&r)
						records[acme.ID] = r
					}
				}
				if _, err := w.engine.Reject(t.Context(), acme.ID, "a test"); !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
			})
		})
	}
}
