package provision_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
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
