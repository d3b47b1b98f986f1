package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/handler/sources"
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

// newBareWorld is one without a network or files, for time that is not real.
func newBareWorld(t *testing.T) *world {
	t.Helper()
	w := &world{secrets: &secrets{}, log: new(bytes.Buffer)}
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	w.handler, err = handler.New(handler.Config{
		Sources: set, Secrets: w.secrets, Provisioner: &instant{}, Log: slog.New(slog.NewJSONHandler(w.log, nil)),
		Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// slow is a store of dead letters that takes its time, and can't write some.
type slow struct {
	takes time.Duration
	lose  string // what those hold that can't be written

	mu           sync.Mutex
	now, most    int // writes under way, and the most that were
	kept, failed []provision.DeadLetter
}

func (s *slow) KeepDeadLetter(ctx context.Context, d provision.DeadLetter) error {
	s.mu.Lock()
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	var err error
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now--
	if s.lose != "" && strings.Contains(d.Payload, s.lose) {
		err = errors.New("throttled")
	}
	if err != nil {
		s.failed = append(s.failed, d)
		return err
	}
	s.kept = append(s.kept, d)
	return nil
}

// unusables is a body of so many events without what a signup needs.
func unusables(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"subscriptionType":"contact.creation","objectId":%d}`, i+1))
	}
	return "[" + strings.Join(all, ",") + "]"
}

// The table may take 100 ms for a write: what can't be used is on disk in time all
// the same, a few at once, and else the sender has to send it again.
func TestManyUnusableEventsAreKeptInTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		events       int
		takes        time.Duration
		lose         string
		status, kept int
	}{
		"a full batch":         {100, 100 * time.Millisecond, "", 200, 100},
		"beyond it":            {4000, 100 * time.Millisecond, "", 200, 104},
		"one can't be kept":    {100, time.Millisecond, `"objectId":42,`, 503, 99},
		"what is beyond can't": {120, time.Millisecond, `"objectId":111,`, 503, 100},
		"too slow a table":     {100, time.Second, "", 503, 32},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newBareWorld(t)
				letters := &slow{takes: test.takes, lose: test.lose}
				w.handler.DeadLetters, w.handler.ReplyWithin = letters, 2900*time.Millisecond
				start := time.Now()
				answer := w.send(t, delivery(t, w, "hubspot-subscriptions", "application/json", unusables(test.events)))
				took := time.Since(start)
				if answer.StatusCode != test.status || len(letters.kept) != test.kept || letters.now != 0 {
					t.Errorf("%d, %d kept, %d not", answer.StatusCode, len(letters.kept), len(letters.failed))
				}
				if took > w.handler.ReplyWithin || letters.most > 16 || letters.most < 2 {
					t.Errorf("after %v, with %d writes at once", took, letters.most)
				}
			})
		})
	}
}

// Nothing is lost or refused of a delivery that holds more than it may: the first
// ones are signups, the others are kept for an operator, who hears of them.
func TestEventsBeyondTheMostThatADeliveryMayHoldAreKept(t *testing.T) {
	t.Parallel()
	w, letters := newWorld(t), &slow{}
	w.handler.DeadLetters, w.handler.Provisioner = letters, &partly{}
	body := strings.ReplaceAll(unusables(103), `{"s`, `{"portalId":1,"s`)
	answer := w.send(t, delivery(t, w, "hubspot-subscriptions", "application/json", body))
	var got struct {
		Status            string
		Signups, Rejected []json.RawMessage
	}
	if err := json.Unmarshal([]byte(answer.Body), &got); err != nil || answer.StatusCode != 200 || got.Status != "accepted" || len(got.Signups) != 100 || len(got.Rejected) != 1 {
		t.Errorf("%d %s", answer.StatusCode, answer.Body)
	}
	if len(letters.kept) != 1 || letters.kept[0].Source != "hubspot-subscriptions" || !strings.Contains(letters.kept[0].Payload, `"objectId":101,`) || !strings.Contains(letters.kept[0].Payload, `"objectId":103,`) {
		t.Errorf("kept %+v", letters.kept)
	}
	if line := lastLine(t, w); line["alarm"] != "unusable_event" || line["error"] == "" {
		t.Errorf("logged %v", line)
	}
}
