package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/internal/sender"
	"github.com/trunkhook/trunkhook/provision"
)

// delivery is a body as a source's sender sends it.
func delivery(t testing.TB, w *world, source, contentType, body string) events.APIGatewayV2HTTPRequest {
	t.Helper()
	event := post("/webhooks/"+source, contentType, "", body)
	asKnownToSenders(nil, w, nil)
	secret, err := sender.SecretOf(sender.Secrets(), source)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Sign(&event, w.handler.Sources, secret, now, w.handler.PublicURL); err != nil {
		t.Fatal(err)
	}
	return event
}

// partly is an engine that can't write the signups of one id.
type partly struct {
	instant
	lost string
}

func (e *partly) ProvisionAll(_ context.Context, signups []provision.Signup, _ time.Duration) []provision.Delivered {
	delivered := make([]provision.Delivered, len(signups))
	for i, s := range signups {
		delivered[i].Result = provision.Result{Outcome: provision.OutcomeCreated, Record: provision.Record{SignupID: s.ID}}
		if s.ID == e.lost {
			delivered[i] = provision.Delivered{Err: errors.Join(provision.ErrUnavailable, errors.New("throttled"))}
		}
	}
	return delivered
}

// Whoever looks for one signup of a batch finds what became of it in its own line.
func TestEverySignupOfABatchHasItsOwnLogLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handler.Provisioner = &partly{lost: "hubspot:1:2"}
	answer := w.send(t, delivery(t, w, "hubspot-subscriptions", "application/json", `[
		{"portalId":1,"subscriptionType":"contact.creation","objectId":1},
		{"portalId":1,"subscriptionType":"contact.creation","objectId":2},
		{"portalId":1,"subscriptionType":"contact.deletion","objectId":3},
		{"portalId":1,"subscriptionType":"contact.creation","objectId":"a b"}]`))
	if answer.StatusCode != 503 {
		t.Errorf("got %d", answer.StatusCode)
	}
	want := []struct{ level, id, outcome, err string }{
		{"INFO", "hubspot:1:1", "created", ""},
		{"ERROR", "hubspot:1:2", "unavailable", "throttled"},
		{"WARN", "", "unusable", "id (part 2 of 2) may hold only"},
	}
	logged := lines(t, w.log.String())
	if len(logged) != len(want)+1 {
		t.Fatalf("logged %s", w.log)
	}
	for i, line := range logged[:len(want)] {
		id, _ := line["signup_id"].(string)
		err, _ := line["error"].(string)
		if line["msg"] != "event" || line["level"] != want[i].level || id != want[i].id || line["outcome"] != want[i].outcome || !strings.Contains(err, want[i].err) || (err == "") != (want[i].err == "") {
			t.Errorf("line %d is %v, want %v", i, line, want[i])
		}
	}
	counts, _ := logged[len(want)]["outcomes"].(map[string]any)
	if len(counts) != 4 || counts["created"] != 1.0 || counts["unavailable"] != 1.0 || counts["ignored"] != 1.0 || counts["unusable"] != 1.0 {
		t.Errorf("the request's line counts %v", counts)
	}
}

// LeadSquared can't be told by the status that nothing is on disk, and may not
// send again: then a person has to hear of it.
func TestSignupThatItsSenderThinksTakenRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	for event, want := range map[string]struct{ outcome, alarm string }{
		"webhook-leadsquared": {"unavailable", "not_taken"},
		"webhook-pipedrive":   {"unavailable", ""}, // is answered 503
	} {
		w := newWorld(t)
		request := readEvent(t, "../events/"+event+".json")
		asKnownToSenders(t, w, &request)
		w.handler.Provisioner = &down{}
		w.send(t, request)
		var line struct{ Level, Outcome, Alarm, Error string }
		if err := json.Unmarshal(w.log.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Level != "ERROR" || line.Outcome != want.outcome || line.Alarm != want.alarm || line.Error == "" {
			t.Errorf("%s: logged %s", event, w.log)
		}
	}
}
