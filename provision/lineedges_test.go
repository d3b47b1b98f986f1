package provision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// largeLine asks for as much as one may.
func largeLine(i int) provision.Signup {
	s := provision.Signup{ID: fmt.Sprintf("acme-%d", i), Company: "Acme", Source: "api", Line: provision.Line{CallerID: "+912247788868"}}
	for j := range 50 {
		s.Line.PhoneNumbers = append(s.Line.PhoneNumbers, provision.PhoneNumber{PhoneNumber: fmt.Sprintf("+9122%04d%04d", i, j)})
		s.Line.WhitelistedIPs = append(s.Line.WhitelistedIPs, fmt.Sprintf("8.8.8.%d", j))
		if j < 20 {
			s.Line.DestinationURIs = append(s.Line.DestinationURIs, fmt.Sprintf("sip%d.acme.com:5060", j))
		}
		if j < 10 {
			s.Line.Credentials = append(s.Line.Credentials, provision.Credential{UserName: fmt.Sprintf("user%d", j)})
		}
	}
	return s
}

// always makes a kind of call fail so, for longer than any test.
func (w *world) always(op exoteltest.Op, fault exoteltest.Fault) {
	w.fake.Inject(op, slices.Repeat([]exoteltest.Fault{fault}, 2000)...)
}

// hours has a pass of the reconciler in each minute.
func (w *world) hours(t *testing.T, n int) {
	t.Helper()
	for range 60 * n {
		began := time.Now()
		w.passOfAMinute(t)
		time.Sleep(time.Minute - time.Since(began))
	}
}

func (w *world) open() (signups int) {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	for _, r := range w.ledger.records {
		if r.Status == provision.StatusPending {
			signups++
		}
	}
	return signups
}

func TestLargestLineIsTaken(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		s := largeLine(42)
		if result := w.order(t, s); len(result.Record.Steps) != provision.MaxSteps {
			t.Fatalf("%s, %+v", result.Outcome, result.Faults)
		}
		w.hours(t, 1)
		w.has(t, s)
		more := s
		more.Line.WhitelistedIPs = []string{"9.9.9.9"}
		if result := w.order(t, more); result.Outcome != provision.OutcomeConflict || len(result.Faults) != 1 {
			t.Errorf("one more: %s, %+v", result.Outcome, result.Faults)
		}
	})
}

func TestDestinationsThatAreRefusedTogetherAreSentAlone(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 404} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
				w.fake.Inject(exoteltest.AddDestinationURIs, exoteltest.Fail(status), exoteltest.Fail(status))
				result := w.order(t, wholeLine)
				line := w.fake.Line(result.Record.TrunkSID)
				if result.Record.Status != provision.StatusIncomplete || len(line.DestinationURIs) != 1 || len(line.Credentials) != 1 || len(line.Settings) != 1 {
					t.Errorf("%s by %s: %+v", result.Record.Status, steps(result), result.Problem)
				}
			})
		})
	}
}

func TestCredentialThatIsThereForEverIsRefusedInTheEnd(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.always(exoteltest.CreateCredential, exoteltest.Fail(http.StatusConflict))
		w.order(t, wholeLine)
		w.hours(t, 1)
		record := w.stored(t)
		if record.Status != provision.StatusIncomplete || record.Steps["credential acme"].Status != provision.StepRefused || len(w.fake.Line(record.TrunkSID).Settings) != 1 {
			t.Errorf("record %+v", record.Steps)
		}
	})
}

func TestBrokenTransferIsNoRefusal(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.Inject(exoteltest.MapPhoneNumber, exoteltest.Fail(http.StatusUnsupportedMediaType))
		if result := w.order(t, wholeLine); result.Outcome != provision.OutcomePending {
			t.Errorf("%s", result.Outcome)
		}
		w.order(t, wholeLine)
		w.has(t, wholeLine)
	})
}

// The whole account may be refused, for a secret that is wrong: then it is fetched again.
func TestAccountThatIsRefusedInTheMiddleOfALine(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.Inject(exoteltest.MapPhoneNumber, exoteltest.Fail(503), exoteltest.Fail(503))
		w.order(t, wholeLine)
		for _, op := range []exoteltest.Op{exoteltest.List, exoteltest.MapPhoneNumber} {
			w.fake.Inject(op, slices.Repeat([]exoteltest.Fault{exoteltest.Fail(http.StatusForbidden)}, 10)...)
		}
		for range 5 {
			time.Sleep(time.Minute)
			w.order(t, wholeLine)
		}
		if w.accounts.reopened == 0 {
			t.Error("the credentials were not fetched again")
		}
		w.hours(t, 3)
		w.has(t, wholeLine)
	})
}

func TestListOfOneTrunkThatIsRefusedConcernsNoOther(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.Inject(exoteltest.AddDestinationURIs, exoteltest.Fail(503))
		w.order(t, wholeLine)
		time.Sleep(time.Minute)
		w.fake.Inject(exoteltest.ListDestinationURIs, exoteltest.Fail(http.StatusNotFound))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		pass, err := w.engine.Reconcile(ctx)
		if err != nil || pass.Halted != nil || len(pass.Results) == 0 || pass.Results[0].Problem.Alarm != "" {
			t.Errorf("halted by %v, %v: %+v", pass.Halted, err, pass.Results)
		}
	})
}

// A version that knows of no steps ended it. What is open is found by the next
// delivery.
func TestActiveSignupWithOpenStepsIsCompleted(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.Inject(exoteltest.MapPhoneNumber, exoteltest.Fail(503), exoteltest.Fail(503))
		w.order(t, wholeLine)
		w.ledger.mu.Lock()
		record := w.ledger.records["acme-42"]
		record.Status, record.Owner, record.LeaseUntil, record.DueAt = provision.StatusActive, "", time.Time{}, time.Time{}
		w.ledger.records["acme-42"] = record
		w.ledger.mu.Unlock()
		if result := w.order(t, wholeLine); result.Outcome != provision.OutcomeCompleted {
			t.Errorf("%s by %s", result.Outcome, steps(result))
		}
		w.has(t, wholeLine)
	})
}

// The way out of trunk_gone: an operator names another trunk, and the line is
// completed there.
func TestAdoptedTrunkGetsTheWholeLine(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		first := w.order(t, onlyDestinations)
		account, _ := w.accounts.Open(t.Context())
		if _, err := account.Trunks.(*exotel.TrunksService).Delete(t.Context(), first.Record.TrunkSID); err != nil {
			t.Fatal(err)
		}
		w.order(t, wholeLine)
		trunkSID := w.fake.Add(exotel.Trunk{Name: "by_hand", DomainName: "exoteltest.pstn.exotel.com"})
		result, err := w.engine.Adopt(t.Context(), "acme-42", trunkSID)
		line := w.fake.Line(trunkSID)
		if err != nil || result.Record.Status != provision.StatusActive || result.Record.TrunkSID != trunkSID || len(line.DestinationURIs) != 2 || len(line.PhoneNumbers) != 2 {
			t.Errorf("%s by %s, %v: %+v", result.Outcome, steps(result), err, line)
		}
	})
}

func TestTrunkThatIsThereIsNotReplaced(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.Inject(exoteltest.SetSettings, exoteltest.Fail(503))
		first := w.order(t, wholeLine)
		trunkSID := w.fake.Add(exotel.Trunk{Name: "by_hand", DomainName: "exoteltest.pstn.exotel.com"})
		if result, err := w.engine.Adopt(t.Context(), "acme-42", trunkSID); !errors.Is(err, provision.ErrSettled) {
			t.Errorf("%s, %v", result.Outcome, err)
		}
		if record := w.stored(t); record.TrunkSID != first.Record.TrunkSID || !record.LeaseUntil.IsZero() {
			t.Errorf("record %+v", record)
		}
	})
}

func TestRejectionOfALineLeavesItsTrunk(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.fake.Inject(exoteltest.SetSettings, exoteltest.Fail(503))
		w.order(t, wholeLine)
		result, err := w.engine.Reject(t.Context(), "acme-42", "the number is not theirs")
		step := w.stored(t).Steps["caller_id"]
		if err != nil || result.Record.Status != provision.StatusIncomplete || step.Status != provision.StepRefused || step.Reason != "the number is not theirs" {
			t.Errorf("%+v, %v; %+v", result, err, step)
		}
	})
}

// spoiled adds an entry that can't be read to each list of what a trunk has.
type spoiled struct{ http.RoundTripper }

func (s spoiled) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.RoundTripper.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet && strings.Count(r.URL.Path, "/") == 6 {
		body, _ := io.ReadAll(answer.Body)
		body = bytes.Replace(body, []byte(`"response":[`), []byte(`"response":[{"code":200,"status":"success","error_data":null,"data":null},`), 1)
		body = bytes.Replace(body, []byte(`},]`), []byte(`}]`), 1)
		answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), -1
		answer.Header.Del("Content-Length")
	}
	return answer, err
}

func TestUnreadableEntryKeepsNoNumberOut(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.accounts.transport = spoiled{w.accounts.transport}
		s := wholeLine
		s.Line.DestinationURIs, s.Line.Credentials = nil, nil
		w.fake.Inject(exoteltest.MapPhoneNumber, exoteltest.LoseAnswer)
		w.order(t, s)
		w.hours(t, 1)
		w.has(t, s)
	})
}

// What a delivery has reopened stays open, whatever a try that began before writes.
func TestReopenedStepStaysOpen(t *testing.T) {
	t.Parallel()
	s := wholeLine
	s.Line.DestinationURIs = []string{"sip.acme.com:5061;transport=tls", "1.1.1.1:5060"} // not whitelisted
	more := s
	more.Line.WhitelistedIPs = append([]string{"1.1.1.1"}, s.Line.WhitelistedIPs...)
	for _, write := range []string{"mark", "release", "activate"} {
		t.Run("before "+write, func(t *testing.T) {
			t.Parallel()
			inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
				w.fake.Inject(exoteltest.CreateCredential, exoteltest.Fail(503))
				w.order(t, s) // its destination is refused, and that is on disk
				if step := w.stored(t).Steps["destination_uri 1.1.1.1:5060"]; step.Status != provision.StepRefused {
					t.Fatalf("%+v", step)
				}
				if write == "release" {
					w.fake.Inject(exoteltest.SetSettings, exoteltest.Fail(503))
				}
				time.Sleep(4 * time.Minute)
				w.ledger.before[write] = func(records map[string]provision.Record) {
					held, wanted := records["acme-42"], more.Normalised().Line.Steps()
					maps.DeleteFunc(wanted, func(key string, _ provision.LineStep) bool {
						return !strings.HasSuffix(key, "1.1.1.1") && !strings.HasSuffix(key, ":5060")
					})
					var holds bool
					if records["acme-42"], holds = (provision.Extend{SignupID: "acme-42", Steps: wanted, Seen: held.Seen(), Now: time.Now()}).Apply(&held); !holds {
						t.Error("not extended")
					}
				}
				w.order(t, s)
				w.hours(t, 1)
				w.has(t, more)
			})
		})
	}
}

// However few calls there are, each try comes a step further.
func TestLinesAreCompletedAtAnyBudget(t *testing.T) {
	t.Parallel()
	for _, calls := range []int{2, 6, 20, 180} {
		t.Run(fmt.Sprint(calls), func(t *testing.T) {
			t.Parallel()
			inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
				w.engine.Budget = provision.NewBudget(w.ledger, calls, nil)
				for i := range 2 {
					s := wholeLine
					s.ID, s.Line.PhoneNumbers = fmt.Sprintf("acme-%d", i), []provision.PhoneNumber{{PhoneNumber: fmt.Sprintf("+91224778886%d", i)}}
					w.order(t, s)
				}
				w.hours(t, 2)
				if open := w.open(); open != 0 {
					t.Errorf("%d are pending: %+v", open, w.ledger.records)
				}
			})
		})
	}
}

// Twenty signups of as many steps as there may be take little more than their calls
// take at the budget's rate.
func TestLargeLinesUseTheBudget(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.engine.Budget = provision.NewBudget(w.ledger, 180, nil)
		w.fake.SetLatency(300 * time.Millisecond)
		start := time.Now()
		for i := range 20 {
			w.order(t, largeLine(i))
		}
		for w.open() > 0 && time.Since(start) < 5*time.Hour {
			began := time.Now()
			w.passOfAMinute(t)
			time.Sleep(time.Minute - time.Since(began))
		}
		took, calls := time.Since(start), len(w.fake.Calls())
		t.Logf("%d calls in %v: %.0f a minute", calls, took, float64(calls)/took.Minutes())
		if w.open() > 0 || float64(calls)/took.Minutes() < 60 {
			t.Errorf("%d are open after %v", w.open(), took)
		}
	})
}
