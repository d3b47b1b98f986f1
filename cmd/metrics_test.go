package cmd_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/internal/metrics/metricstest"
)

// totals are the metrics of a process's lines, by their names (see metricstest.Totals).
type totals = map[string]float64

// meter reads the metrics of what a process writes from one moment to the next.
type meter struct {
	process *lambdatest.Process
	read    int
}

// lines are the new ones, each as its message and its metrics without how long things took.
func (m *meter) lines(t *testing.T) (messages []string, all []totals) {
	t.Helper()
	output := m.process.Output()[m.read:]
	m.read += len(output)
	for line := range strings.Lines(output) {
		counted, err := metricstest.Totals([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		_, message, _ := strings.Cut(line, `"message":"`)
		message, _, _ = strings.Cut(message, `"`)
		if latency, timed := counted["VendorLatency"]; timed != (counted["VendorCalls"] > 0) || timed && latency <= 0 {
			t.Errorf("the calls took %v ms: %s", latency, line)
		}
		if took, timed := counted["RequestDuration"]; timed != (message == "request") || timed && took <= 0 {
			t.Errorf("the request took %v ms: %s", took, line)
		}
		delete(counted, "VendorLatency")
		delete(counted, "RequestDuration")
		messages, all = append(messages, message), append(all, counted)
	}
	return messages, all
}

// one checks that one line came, a request's, with these metrics.
func (m *meter) one(t *testing.T, name string, want totals) {
	t.Helper()
	messages, all := m.lines(t)
	if len(messages) != 1 || messages[0] != "request" || !maps.Equal(all[0], want) {
		t.Errorf("%s: %v %v, want %v", name, messages, all, want)
	}
}

// signup are the metrics of one that came to an outcome, and what else there is.
func signup(outcome, source string, more totals) totals {
	all := totals{"Signups Outcome=" + outcome: 1, "Signups Source=" + source: 1}
	maps.Copy(all, more)
	return all
}

func (c *cloud) metered(command string, change ...string) *meter {
	return &meter{process: c.start(command, change...)}
}

func TestEachRequestsLineHasItsMetrics(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.secrets.Set(sourcesSecret, fmt.Sprintf(`{"api":[%q],"generic":[%q]}`, bearer, bearer))
	m := c.metered("webhook", "AWS_LAMBDA_LOG_LEVEL=WARN") // which leaves out no metrics
	webhook := func(body string) events.APIGatewayV2HTTPRequest {
		event := post("")
		event.RawPath, event.Body = "/webhooks/generic", body
		return event
	}
	unauthenticated := post("acme-42")
	unauthenticated.Headers = map[string]string{"authorization": "Bearer canary-wrong"}
	for _, step := range []struct {
		name   string
		fault  *exoteltest.Fault // of the next create
		event  events.APIGatewayV2HTTPRequest
		status int
		want   totals
	}{
		{"a new signup, by a new process", nil, post("acme-42"), 201, signup("created", "api", totals{"VendorCalls": 1, "ColdStarts": 1})},
		{"its replay", nil, post("acme-42"), 200, signup("replayed", "api", nil)},
		{"a look at it", nil, get("acme-42"), 200, totals{}},
		{"a lost answer", &exoteltest.LoseAnswer, post("acme-43"), 202, signup("pending", "api", totals{"VendorCalls": 1, "VendorErrors": 1, "UnknownOutcomes": 1})},
		{"its redelivery", nil, post("acme-43"), 201, signup("adopted", "api", totals{"VendorCalls": 2})},
		{"a key that is refused", faulty(exoteltest.Fail(401)), post("acme-44"), 202, signup("pending", "api", totals{"VendorCalls": 1, "VendorErrors": 1, "VendorUnauthorized": 1})},
		{"a trunk that is refused", faulty(exoteltest.Fail(400)), post("acme-45"), 202, signup("pending", "api", totals{"VendorCalls": 1, "VendorErrors": 1, "CreatesRefused": 1})},
		{"a bad signature", nil, unauthenticated, 401, totals{"BadSignatures": 1}},
		{"a webhook's event", nil, webhook(`{"signup_id":"crm-7","company":"Acme"}`), 200, signup("created", "generic", totals{"VendorCalls": 1})},
		{"an event that is unusable", nil, webhook(`{"company":"Acme"}`), 200, totals{"UnusableEvents": 1}},
		{"too many calls", faulty(exoteltest.RateLimit("60")), post("acme-46"), 202, signup("pending", "api", totals{"VendorCalls": 1, "VendorErrors": 1, "VendorThrottled": 1})},
		{"and so none", nil, post("acme-47"), 202, signup("pending", "api", totals{"BudgetWaits": 1})},
	} {
		if step.fault != nil {
			c.fake.Inject(exoteltest.Create, *step.fault)
		}
		if status, s := invoke(t, m.process, step.event); status != step.status {
			t.Errorf("%s: %d %+v", step.name, status, s)
		}
		m.one(t, step.name, step.want)
	}
}

func faulty(f exoteltest.Fault) *exoteltest.Fault { return &f }

func TestEachLineOfAPassHasItsMetrics(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
	invoke(t, c.start("webhook"), post("acme-42"))
	m := c.metered("reconciler", "AWS_LAMBDA_LOG_LEVEL=ERROR")
	found := make(totals)
	for range 20 { // it isn't due at once
		if _, err := m.process.Invoke(t.Context(), map[string]any{}, 30*time.Second); err != nil {
			t.Fatal(err)
		}
		messages, all := m.lines(t)
		if n := len(messages); messages[n-1] != "metrics" {
			t.Fatalf("the last line is %q", messages[n-1])
		}
		if found = all[0]; messages[0] == "reconciled" {
			break
		}
		if want := (totals{"PendingSignups": 1, "StuckSignups": 0}); found["PendingSignups"] != 1 || found["OldestPendingSignup"] <= 0 {
			t.Fatalf("got %v, want %v", found, want)
		}
		time.Sleep(500 * time.Millisecond)
	}
	if want := signup("adopted", "api", totals{"VendorCalls": 2}); !maps.Equal(found, want) {
		t.Errorf("got %v, want %v", found, want)
	}
	c.oneTrunk("acme-42")
}
