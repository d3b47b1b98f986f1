package handler_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/metrics/metricstest"
	"github.com/trunkhook/trunkhook/provision"
)

// counted are the metrics of each line so far, without how long things took.
func (w *world) counted(t *testing.T) (all []map[string]float64) {
	t.Helper()
	for line := range bytes.Lines(w.log.Bytes()) {
		totals, err := metricstest.Totals(line)
		if err != nil {
			t.Fatal(err)
		}
		if took, timed := totals["VendorLatency"]; timed != (totals["VendorCalls"] > 0) || timed && took <= 0 {
			t.Errorf("%v ms for %v calls", took, totals["VendorCalls"])
		}
		delete(totals, "VendorLatency")
		all = append(all, totals)
	}
	return all
}

// last are those of the request that was answered last.
func (w *world) last(t *testing.T) map[string]float64 {
	t.Helper()
	all := w.counted(t)
	last := all[len(all)-1]
	if took := last["RequestDuration"]; took <= 0 || took > 10_000 {
		t.Errorf("the request took %v ms", took)
	}
	delete(last, "RequestDuration")
	return last
}

// warm is a world that has answered before.
func warm(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.send(t, get("/signups/nobody", "Bearer local"))
	return w
}

type totals = map[string]float64

func signup(outcome, source string, more totals) totals {
	all := totals{"Signups Outcome=" + outcome: 1, "Signups Source=" + source: 1}
	maps.Copy(all, more)
	return all
}

func TestRequestsLineCountsWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	create := func(faults ...exoteltest.Fault) func(*testing.T, *world) {
		return func(_ *testing.T, w *world) { w.fake.Inject(exoteltest.Create, faults...) }
	}
	before := func(faults ...exoteltest.Fault) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			w.fake.Inject(exoteltest.Create, faults...)
			w.send(t, signUp(acme))
		}
	}
	down := func(_ *testing.T, w *world) { w.handler.Provisioner = &down{} }
	for name, test := range map[string]struct {
		given func(*testing.T, *world)
		event events.APIGatewayV2HTTPRequest // signUp(acme) where it is empty
		want  totals
	}{
		"new":            {nil, signUp(acme), signup("created", "api", totals{"VendorCalls": 1})},
		"replay":         {before(), signUp(acme), signup("replayed", "api", nil)},
		"conflict":       {before(), signUp(strings.Replace(acme, "Telecom", "Tel", 1)), signup("conflict", "api", nil)},
		"answer lost":    {create(exoteltest.LoseAnswer), signUp(acme), signup("pending", "api", totals{"VendorCalls": 1, "VendorErrors": 1, "UnknownOutcomes": 1})},
		"then adopted":   {before(exoteltest.LoseAnswer), signUp(acme), signup("adopted", "api", totals{"VendorCalls": 2})},
		"500":            {create(exoteltest.Fail(500)), signUp(acme), signup("pending", "api", totals{"VendorCalls": 1, "VendorErrors": 1, "UnknownOutcomes": 1})},
		"401":            {create(exoteltest.Fail(401)), signUp(acme), signup("pending", "api", totals{"VendorCalls": 1, "VendorErrors": 1, "VendorUnauthorized": 1})},
		"429":            {create(exoteltest.RateLimit("7")), signUp(acme), signup("pending", "api", totals{"VendorCalls": 1, "VendorErrors": 1, "VendorThrottled": 1})},
		"refused":        {create(exoteltest.Fail(400)), signUp(acme), signup("pending", "api", totals{"VendorCalls": 1, "VendorErrors": 1, "CreatesRefused": 1})},
		"forbidden":      {create(exoteltest.Fail(403)), signUp(acme), signup("pending", "api", totals{"VendorCalls": 1, "VendorErrors": 1, "CreatesRefused": 1})},
		"bad token":      {nil, post("/signups", "application/json", "Bearer no", acme), totals{"BadSignatures": 1}},
		"a bad look":     {nil, get("/signups/acme-42", "Bearer no"), totals{"BadSignatures": 1}},
		"a look":         {before(), get("/signups/acme-42", "Bearer local"), totals{}},
		"unknown path":   {nil, post("/nowhere", "application/json", "Bearer local", acme), totals{}},
		"broken body":    {nil, signUp(`{`), totals{}},
		"table down":     {down, signUp(acme), totals{"NotTaken": 1}},
		"a look at none": {down, get("/signups/acme-42", "Bearer local"), totals{}},
		"secrets down":   {func(_ *testing.T, w *world) { w.secrets.down = errors.New("down") }, signUp(acme), totals{"NotTaken": 1}},
		"panic":          {func(_ *testing.T, w *world) { w.handler.Provisioner = &panicking{} }, signUp(acme), totals{"NotTaken": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := warm(t)
			if test.given != nil {
				test.given(t, w)
			}
			w.send(t, test.event)
			if got := w.last(t); !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestDeletionIsCounted(t *testing.T) {
	t.Parallel()
	w := warm(t)
	w.handler.AllowDelete = true
	w.send(t, signUp(acme))
	w.send(t, with(get("/signups/acme-42", "Bearer local"), func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "DELETE" }))
	if got, want := w.last(t), signup("deleting", "api", totals{"VendorCalls": 2}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOnlyTheFirstInvocationOfAProcessIsAColdStart(t *testing.T) {
	t.Parallel()
	for name, invoke := range map[string]func(w *world){
		"request": func(w *world) { w.send(t, get("/", "")) },
		"event":   func(w *world) { _, _ = w.invoke(t, readFile(t, "event-cognito")) },
	} {
		w := newWorld(t)
		for i := range 3 {
			invoke(w)
			if got, want := w.last(t)["ColdStarts"], []float64{1, 0, 0}[i]; got != want {
				t.Errorf("%s %d: %v cold starts", name, i, got)
			}
		}
	}
}

func TestWebhookThatCannotBeUsedIsCounted(t *testing.T) {
	t.Parallel()
	w := warm(t)
	w.send(t, delivery(t, w, "generic", "application/json", `{}`))
	if got, want := w.last(t), (totals{"UnusableEvents": 1}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Each event of a batch has its own line; the request's doesn't count them again.
func TestEventsOfABatchAreCountedOnce(t *testing.T) {
	t.Parallel()
	w := warm(t)
	w.handler.Provisioner = &partly{lost: "hubspot:1:2"}
	w.log.Reset()
	w.send(t, delivery(t, w, "hubspot-subscriptions", "application/json", `[
		{"portalId":1,"subscriptionType":"contact.creation","objectId":1},
		{"portalId":1,"subscriptionType":"contact.creation","objectId":2},
		{"portalId":1,"subscriptionType":"contact.deletion","objectId":3},
		{"portalId":1,"subscriptionType":"contact.creation","objectId":"a b"}]`))
	if last := w.last(t); len(last) > 0 {
		t.Errorf("the request's line counts %v", last)
	}
	got := w.counted(t)
	want := []totals{signup("created", "hubspot-subscriptions", nil), {"NotTaken": 1}, {"UnusableEvents": 1}}
	if !slices.EqualFunc(got[:len(got)-1], want, maps.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A batch whose events are all well, but for one that can't be kept for an operator, is
// sent again.
func TestBatchThatIsNotKeptIsNotTaken(t *testing.T) {
	t.Parallel()
	w := warm(t)
	w.handler.DeadLetters = noDeadLetters{}
	answer := w.send(t, delivery(t, w, "hubspot-subscriptions", "application/json", `[
		{"portalId":1,"subscriptionType":"contact.creation","objectId":1},
		{"portalId":1,"subscriptionType":"contact.creation","objectId":"a b"}]`))
	if got := w.last(t); answer.StatusCode != 503 || !maps.Equal(got, totals{"NotTaken": 1}) {
		t.Errorf("%d, got %v", answer.StatusCode, got)
	}
}

type noDeadLetters struct{}

func (noDeadLetters) KeepDeadLetter(context.Context, provision.DeadLetter) error {
	return errors.New("down")
}

// LeadSquared is answered 200 although nothing is on disk.
func TestWhatItsSenderThinksTakenIsCountedAsNotTaken(t *testing.T) {
	t.Parallel()
	w := warm(t)
	request := readEvent(t, "../events/webhook-leadsquared.json")
	asKnownToSenders(t, w, &request)
	w.handler.Provisioner = &down{}
	answer := w.send(t, request)
	if got := w.last(t); answer.StatusCode != 200 || !maps.Equal(got, totals{"NotTaken": 1}) {
		t.Errorf("%d, got %v", answer.StatusCode, got)
	}
}

func TestEventsWithoutHTTPAreCounted(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]totals{
		string(readFile(t, "event-cognito")):                  signup("pending", "cognito", nil),
		string(readFile(t, "event-eventbridge-stripe")):       signup("created", "eventbridge-stripe", totals{"VendorCalls": 1}),
		`{"source":"somebody","detail-type":"x","detail":{}}`: {"NotTaken": 1},
	} {
		w := warm(t)
		w.log.Reset()
		_, _ = w.invoke(t, []byte(payload))
		if got := w.last(t); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", payload, got, want)
		}
	}
}

// What a stranger sends makes no new metric, of which each is paid for: all the
// dimensions of all lines are the function's, an outcome of the engine's, or a source
// that is configured.
func TestStrangersMakeNoDimensions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secrets.cached["hubspot"] = []string{"s"}
	for _, path := range []string{"/webhooks/evil", "/webhooks/hubspot/evil", "/webhooks/", "/webhooks/hubspot%20", "/webhooks/api", "/signups/evil", "/evil", ""} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "EVIL"} {
			w.send(t, with(post(path, "application/json", "Bearer local", acme), func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = method }))
		}
	}
	w.send(t, signUp(`{"signup_id":"a","company":"b","source":"evil","Source":"evil","Outcome":"evil","FunctionName":"evil","_aws":{}}`))
	w.send(t, with(signUp(acme), func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.Stage = "evil" }))
	_, _ = w.invoke(t, []byte(`{"source":"evil","detail-type":"evil","detail":{}}`))
	points := w.points(t)
	for _, p := range points {
		allowed := map[string][]string{"FunctionName": {"trunkhook-webhook"}, "Outcome": {"created"}, "Source": {"api"}}
		for name, value := range p.Dimensions {
			if !slices.Contains(allowed[name], value) {
				t.Errorf("%s has the dimension %s=%s", p.Name, name, value)
			}
		}
	}
	if len(points) < 60 {
		t.Errorf("%d metrics", len(points))
	}
}

func (w *world) points(t *testing.T) (all []metricstest.Point) {
	t.Helper()
	for line := range bytes.Lines(w.log.Bytes()) {
		points, err := metricstest.Extract(line)
		if err != nil {
			t.Errorf("%v in %s", err, line)
		}
		all = append(all, points...)
	}
	return all
}

// All events that are in events/ leave lines that CloudWatch takes.
func TestEveryGoldenEventsLineKeepsTheFormat(t *testing.T) {
	t.Parallel()
	for _, name := range eventNames(t) {
		w := newWorld(t)
		asKnownToSenders(t, w, nil)
		_, _ = w.invoke(t, readFile(t, name))
		if points := w.points(t); len(points) < 2 { // how long it took, and that it was a cold start
			t.Errorf("%s: %+v in %s", name, points, w.log)
		}
	}
}

func TestLineWithMetricsPassesEveryLogLevel(t *testing.T) {
	t.Parallel()
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		w := warm(t)
		w.log.Reset()
		w.handler.Log = slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: level}))
		w.send(t, signUp(acme))
		if got := w.last(t)["Signups Outcome=created"]; got != 1 {
			t.Errorf("at %v: %s", level, w.log)
		}
		if got, want := lines(t, w.log.String())[0]["level"], max(level, slog.LevelInfo).String(); got != want {
			t.Errorf("at %v the line has the level %v", level, got)
		}
	}
}

func TestLinesOfNoFunctionHaveNoMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handler.Function = ""
	w.handler.Log = slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.send(t, signUp(acme))
	if w.log.Len() > 0 {
		t.Errorf("logged below its level: %s", w.log)
	}
	w.send(t, post("/signups", "application/json", "Bearer no", acme))
	for _, part := range []string{"_aws", "FunctionName", "RequestDuration", "Outcome", "BadSignatures"} {
		if log := w.log.String(); strings.Contains(log, part) || log == "" {
			t.Errorf("%s is in %s", part, log)
		}
	}
}

// More calls than a metric may have values in a line still make a line that counts.
func TestLineOfMoreCallsThanAMetricHasValues(t *testing.T) {
	t.Parallel()
	w := warm(t)
	steps := slices.Repeat([]provision.Step{{Name: "list trunks", Vendor: true, Duration: time.Millisecond}}, 150)
	w.handler.Provisioner = &instant{provision.Result{Outcome: provision.OutcomeCreated, Steps: steps}}
	w.send(t, signUp(acme))
	totals, err := metricstest.Totals(bytes.TrimSpace(w.log.Bytes()[bytes.LastIndexByte(bytes.TrimSpace(w.log.Bytes()), '\n')+1:]))
	if err != nil || totals["VendorCalls"] != 150 || totals["VendorLatency"] != 100 {
		t.Errorf("got %v, %v", totals, err)
	}
}

// vanishing is an engine whose table is lost in the middle of a try.
type vanishing struct{ instant }

var oneCall = provision.Result{Steps: []provision.Step{{Name: "create trunk", Vendor: true, Changes: true, Duration: time.Millisecond}}}

func (*vanishing) Provision(context.Context, provision.Signup, time.Duration) (provision.Result, error) {
	return oneCall, provision.ErrUnavailable
}

func (*vanishing) Delete(context.Context, string, int, string, time.Duration) (provision.Result, error) {
	return oneCall, provision.ErrUnavailable
}

func TestCallsOfATryThatFailsAreCounted(t *testing.T) {
	t.Parallel()
	deletion := with(get("/signups/acme-42", "Bearer local"), func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "DELETE" })
	for name, event := range map[string]events.APIGatewayV2HTTPRequest{
		"signup":   signUp(acme),
		"deletion": deletion,
		"webhook":  delivery(t, newWorld(t), "generic", "application/json", acme),
	} {
		w := warm(t)
		asKnownToSenders(t, w, nil)
		w.secrets.cached["api"] = []string{bearer}
		w.handler.AllowDelete, w.handler.Provisioner = true, &vanishing{}
		w.send(t, event)
		if got, want := w.last(t), (totals{"VendorCalls": 1, "NotTaken": 1}); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
