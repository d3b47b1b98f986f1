package provision_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// wanting is acme with a line.
func wanting(l provision.Line) provision.Signup {
	s := acme
	s.Line = l
	return s
}

// untilSettled has a pass in every minute until the signup is settled, for an hour.
func (w *world) untilSettled(t *testing.T) provision.Record {
	t.Helper()
	for range 60 {
		if _, err := w.engine.Reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
		if record := w.stored(t); record.Status != provision.StatusPending {
			return record
		}
		time.Sleep(time.Minute)
	}
	t.Fatalf("pending after an hour: %+v", w.stored(t))
	return provision.Record{}
}

// client is somebody else's, at the same account.
func (w *world) client(t *testing.T) *exotel.Client {
	t.Helper()
	config := w.fake.Config()
	config.HTTPClient = &http.Client{Transport: w.fake.Transport()}
	client, err := exotel.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// With twelve calls a minute a try has two: the look and one number. A number that
// another trunk has must neither take the others' turn nor stay open for ever.
func TestNumberOfAnotherTrunkKeepsNoOtherFromBeingMapped(t *testing.T) {
	t.Parallel()
	budgeted(t, 12, func(t *testing.T, w *world) {
		other := w.fake.Add(exotel.Trunk{Name: "other"})
		if _, err := w.client(t).PhoneNumbers.Map(t.Context(), other, exotel.MapPhoneNumberRequest{PhoneNumber: "+911111111111"}); err != nil {
			t.Fatal(err)
		}
		s := wanting(provision.Line{PhoneNumbers: []provision.PhoneNumber{{PhoneNumber: "+911111111111"}, {PhoneNumber: "+912222222222"}}})
		if _, err := w.engine.Accept(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		record := w.untilSettled(t)
		if record.Status != provision.StatusIncomplete || record.Steps["phone_number +911111111111"].Status != provision.StepRefused {
			t.Errorf("%+v", record)
		}
		if numbers := w.fake.Line(record.TrunkSID).PhoneNumbers; len(numbers) != 1 || numbers[0].PhoneNumber != "+912222222222" {
			t.Errorf("mapped: %+v", numbers)
		}
	})
}

// Two deliveries add to a signup at once, and contradict each other: the second one
// must not be told that it has what it asks for.
func TestDeliveryThatLosesToAContradictionIsToldSo(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		base := []string{"8.8.8.8"}
		if _, err := w.engine.Accept(t.Context(), wanting(provision.Line{WhitelistedIPs: base})); err != nil {
			t.Fatal(err)
		}
		mine := wanting(provision.Line{WhitelistedIPs: base, CallerID: "+911111111111"})
		theirs := wanting(provision.Line{CallerID: "+912222222222"})
		w.ledger.before["extend"] = func(records map[string]provision.Record) {
			old := records[acme.ID]
			records[acme.ID], _ = provision.Extend{SignupID: acme.ID, Steps: theirs.Line.Steps(), Seen: old.Seen(), Now: time.Now()}.Apply(&old)
		}
		if result := w.deliver(t, mine); result.Outcome != provision.OutcomeConflict || len(result.Faults) != 1 || result.Faults[0].Field != "caller_id" {
			t.Errorf("told %s, %+v", result.Outcome, result.Faults)
		}
		if record := w.untilSettled(t); record.Steps["caller_id"].Value != "+912222222222" || record.Status != provision.StatusActive {
			t.Errorf("%+v", record)
		}
	})
}

var routed = provision.Line{DestinationURIs: []string{"sip.acme.com:5060"}}

// slowList answers lists of destinations so much later than they were made.
type slowList struct {
	http.RoundTripper
	by time.Duration
}

func (s slowList) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.RoundTripper.RoundTrip(r)
	if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/destination-uris") {
		time.Sleep(s.by)
	}
	return answer, err
}

// The list was made before the settling time was over, and read after: what Exotel
// has done in between isn't on it.
func TestListThatIsOlderThanTheSettlingTimeProvesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.accounts.transport = slowList{w.fake.Transport(), 2 * time.Second}
		w.fake.Inject(exoteltest.AddDestinationURIs, exoteltest.Fault{Work: exoteltest.WorkLate, Late: 179 * time.Second, Answer: exoteltest.AnswerReset})
		w.deliver(t, wanting(routed))
		time.Sleep(178500 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := w.engine.Provision(ctx, wanting(routed), 8*time.Second); err != nil {
			t.Fatal(err)
		}
		record := w.untilSettled(t)
		if there := w.fake.Line(record.TrunkSID).DestinationURIs; len(there) != 1 || record.Status != provision.StatusActive {
			t.Errorf("there are %+v; record %+v", there, record)
		}
	})
}

// copying notes the writes of which copies may arrive late.
type copying struct {
	*memory
	claims   []provision.Claim
	marks    []provision.Mark
	releases []provision.Release
}

func (c *copying) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	c.claims = append(c.claims, w)
	return c.memory.Claim(ctx, w)
}

func (c *copying) Mark(ctx context.Context, w provision.Mark) (provision.Record, bool, error) {
	c.marks = append(c.marks, w)
	return c.memory.Mark(ctx, w)
}

func (c *copying) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	c.releases = append(c.releases, w)
	return c.memory.Release(ctx, w)
}

// A copy of the mark of a destination arrives after a credential was sent, and its try
// is over. It must not take back that the credential may be under way.
func TestLateCopyOfAMarkTakesNothingBack(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		s := wanting(provision.Line{DestinationURIs: routed.DestinationURIs, Credentials: []provision.Credential{{UserName: "acme"}}})
		ledger := &copying{memory: w.ledger}
		w.engine.Ledger = ledger
		w.fake.Inject(exoteltest.CreateCredential, exoteltest.Fault{Work: exoteltest.WorkLate, Late: 30 * time.Second, Answer: exoteltest.AnswerReset})
		w.order(t, s)
		if _, holds, err := ledger.memory.Mark(t.Context(), ledger.marks[0]); !holds || err != nil || len(ledger.marks) != 2 {
			t.Fatalf("the copy holds: %v, %v; %d marks", holds, err, len(ledger.marks))
		}
		w.order(t, s)
		time.Sleep(time.Minute)
		record := w.untilSettled(t)
		if there := w.fake.Line(record.TrunkSID).Credentials; len(there) != 1 || record.Status != provision.StatusActive {
			t.Errorf("there are %d; record %+v", len(there), record)
		}
	})
}

// Copies of a try's claim and of its release arrive after the next try was over. The
// claim gives the signup back to the first; its release must not take back that the
// destination may be under way since.
func TestLateCopiesOfAClaimAndAReleaseTakeNothingBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		ledger := &copying{memory: w.ledger}
		w.engine.Ledger = ledger
		w.fake.Inject(exoteltest.AddDestinationURIs,
			exoteltest.Fault{Work: exoteltest.WorkSkipped, Answer: exoteltest.AnswerStatus, Status: http.StatusTooManyRequests},
			exoteltest.Fault{Work: exoteltest.WorkLate, Late: time.Minute, Answer: exoteltest.AnswerReset})
		w.order(t, wanting(routed))
		w.order(t, wanting(routed))
		if _, holds, err := ledger.memory.Claim(t.Context(), ledger.claims[0]); !holds || err != nil {
			t.Fatalf("the claim holds: %v, %v", holds, err)
		}
		if _, holds, err := ledger.memory.Release(t.Context(), ledger.releases[0]); holds || err != nil {
			t.Errorf("the release holds: %v, %v", holds, err)
		}
		time.Sleep(30 * time.Second)
		w.order(t, wanting(routed))
		time.Sleep(time.Minute)
		record := w.untilSettled(t)
		if there := w.fake.Line(record.TrunkSID).DestinationURIs; len(there) != 1 || record.Status != provision.StatusActive {
			t.Errorf("there are %d; record %+v", len(there), record)
		}
	})
}

// What an operator ends may be under way, and be reopened before Exotel has done it.
func TestWhatIsReopenedMayBeUnderWay(t *testing.T) {
	t.Parallel()
	more := wanting(provision.Line{DestinationURIs: routed.DestinationURIs, CallerID: "+911111111111"})
	for name, again := range map[string]func(t *testing.T, w *world){
		"by an operator": func(t *testing.T, w *world) {
			if _, err := w.engine.Retry(t.Context(), acme.ID); err != nil {
				t.Error(err)
			}
		},
		"by a delivery that adds": func(t *testing.T, w *world) { w.order(t, more) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.fake.Inject(exoteltest.AddDestinationURIs, exoteltest.Fault{Work: exoteltest.WorkLate, Late: time.Minute, Answer: exoteltest.AnswerReset})
				w.order(t, wanting(routed))
				if result, err := w.engine.Reject(t.Context(), acme.ID, "no"); err != nil || result.Record.Status != provision.StatusIncomplete {
					t.Fatalf("%+v, %v", result, err)
				}
				again(t, w)
				time.Sleep(2 * time.Minute)
				record := w.untilSettled(t)
				if there := w.fake.Line(record.TrunkSID).DestinationURIs; len(there) != 1 || record.Status != provision.StatusActive {
					t.Errorf("there are %d; record %+v", len(there), record)
				}
			})
		})
	}
}

// The settling time runs from the mark. A machine that is suspended between its mark
// and its send still has its lease in a pass of a minute.
func TestNothingIsSentLongAfterItsMark(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var suspended time.Duration
		w.engine.Now = func() time.Time { return time.Now().Add(suspended) }
		w.ledger.before["mark"] = func(map[string]provision.Record) { suspended = 40 * time.Second }
		if _, err := w.engine.Accept(t.Context(), wanting(routed)); err != nil {
			t.Fatal(err)
		}
		pass := w.reconcile(t, time.Minute)
		if n := w.fake.Count(exoteltest.AddDestinationURIs); n != 0 || len(pass.Results) != 1 {
			t.Fatalf("sent %d times, %+v", n, pass)
		}
		if step := pass.Results[0].Record.Steps["destination_uri sip.acme.com:5060"]; !step.SentAt.IsZero() || step.Status != provision.StepPending {
			t.Errorf("nothing was sent, and the step is %+v", step)
		}
		if record := w.untilSettled(t); record.Status != provision.StatusActive || w.fake.Count(exoteltest.AddDestinationURIs) != 1 {
			t.Errorf("%+v", record)
		}
	})
}

// A copy of a claim may arrive long after it, and gives the signup back to its try. By
// then another delivery's claim may have brought a line, of which that try knows
// nothing.
func TestTryThatClaimsTwiceKnowsOfALineThatCameBetween(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.ledger.before["activate"] = func(records map[string]provision.Record) {
			first := records[acme.ID]
			lapsed := first
			lapsed.LeaseUntil = time.Time{}
			with := wanting(provision.Line{CallerID: "+911111111111"})
			claimed, _ := provision.Claim{Signup: with, Owner: "another", Now: time.Now(), LeaseUntil: time.Now()}.Apply(&lapsed)
			again := provision.Claim{Signup: acme, Owner: first.Owner, Now: time.Now(), LeaseUntil: first.LeaseUntil}
			records[acme.ID], _ = again.Apply(&claimed)
		}
		w.deliver(t, acme)
		if record := w.untilSettled(t); record.Status != provision.StatusActive || record.Steps["caller_id"].Status != provision.StepDone {
			t.Errorf("%+v", record)
		}
	})
}

// A number that is there in another mode is no number that is done, while it isn't
// known what came of its change: with it open the signup must not become active.
func TestNumberWhoseModeIsNotKnownToBeChangedStaysOpen(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]exoteltest.Fault{
		"lost": exoteltest.LoseRequest, "answer lost": exoteltest.LoseAnswer, "503": exoteltest.Fail(503), "302": exoteltest.Fail(302),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.order(t, acme)
				number := exotel.MapPhoneNumberRequest{PhoneNumber: "+911111111111", Mode: exotel.ModePSTN}
				if _, err := w.client(t).PhoneNumbers.Map(t.Context(), w.stored(t).TrunkSID, number); err != nil {
					t.Fatal(err)
				}
				s := wanting(provision.Line{PhoneNumbers: []provision.PhoneNumber{{PhoneNumber: "+911111111111", Mode: exotel.ModeFlow}, {PhoneNumber: "+912222222222"}}})
				w.fake.Inject(exoteltest.UpdatePhoneNumber, fault)
				result := w.order(t, s)
				if step := result.Record.Steps["phone_number +912222222222"]; result.Outcome != provision.OutcomePending || step.Status != provision.StepDone {
					t.Errorf("%s, and the other number is %s", result.Outcome, step.Status)
				}
				w.untilSettled(t)
				w.has(t, s)
			})
		})
	}
}
