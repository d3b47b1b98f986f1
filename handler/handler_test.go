package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/passwords"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// now is the moment of all events in events/, and a bit.
var now = time.Unix(1790000060, 0).UTC()

const (
	bearer  = "local"
	signing = "whsec_c2lnbnVwdHJ1bmstdGVzdC1zZWNyZXQtMDE="
)

// secrets is a store of the sources' secrets.
type secrets struct {
	mu      sync.Mutex
	cached  map[string][]string
	stored  map[string][]string // what Renew finds
	down    error
	renewed int

	noRenewal error // Renew fails, and Of goes on
}

func (s *secrets) Of(_ context.Context, source string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cached[source], s.down
}

func (s *secrets) Renew(_ context.Context, source string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewed++
	if s.noRenewal != nil {
		return nil, s.noRenewal
	}
	if s.stored != nil {
		s.cached = s.stored
	}
	return s.cached[source], s.down
}

// account is one set of credentials that never changes.
type account struct{ provision.Account }

func (a *account) Ready() *provision.Account                        { return &a.Account }
func (a *account) Open(context.Context) (*provision.Account, error) { return &a.Account, nil }
func (a *account) Reopen(context.Context, *provision.Account) (*provision.Account, error) {
	return &a.Account, nil
}

// world is a handler over a real engine, with a table file and a fake Exotel.
type world struct {
	handler *handler.Handler
	fake    *exoteltest.Server
	secrets *secrets
	log     *bytes.Buffer
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{fake: exoteltest.Start(t), secrets: &secrets{cached: map[string][]string{"api": {bearer, signing}}}, log: new(bytes.Buffer)}
	client, err := exotel.New(w.fake.Config())
	if err != nil {
		t.Fatal(err)
	}
	table, err := embedded.Open(filepath.Join(t.TempDir(), "signups.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	w.handler, err = handler.New(handler.Config{
		Sources: set, DeadLetters: table,
		Provisioner: &provision.Engine{
			Ledger: table, Prefix: "th", Now: func() time.Time { return now },
			Accounts: &account{*provision.OpenAccount(client)}, Passwords: passwords.NewParameterStore(&parameters{}, "/trunkhook"),
		},
		Secrets:     w.secrets,
		Log:         slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Function:    "trunkhook-webhook",
		ReplyWithin: 10 * time.Second,
		Now:         func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) send(t testing.TB, event events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	answer, err := w.handler.Handle(ctx, event)
	if err != nil {
		t.Fatalf("Handle returned an error: API Gateway would answer a bare 500: %v", err)
	}
	return answer
}

func post(path, contentType, authorization, body string) events.APIGatewayV2HTTPRequest {
	event := events.APIGatewayV2HTTPRequest{RawPath: path, Body: body, Headers: map[string]string{"content-type": contentType, "authorization": authorization}}
	event.RequestContext.HTTP.Method = "POST"
	event.RequestContext.Stage = "$default"
	return event
}

func signUp(body string) events.APIGatewayV2HTTPRequest {
	return post("/signups", "application/json", "Bearer local", body)
}

const acme = `{"signup_id":"acme-42","company":"Acme Telecom"}`

func get(path, authorization string) events.APIGatewayV2HTTPRequest {
	event := post(path, "", authorization, "")
	event.RequestContext.HTTP.Method = "GET"
	return event
}

func TestCreatedThenReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.send(t, signUp(acme)), w.send(t, signUp(acme))
	if first.StatusCode != 201 || second.StatusCode != 200 || first.Body != second.Body {
		t.Errorf("first %d %s\nthen  %d %s", first.StatusCode, first.Body, second.StatusCode, second.Body)
	}
	if first.Headers["Idempotent-Replayed"] != "" || second.Headers["Idempotent-Replayed"] != "true" {
		t.Errorf("Idempotent-Replayed is %q, then %q", first.Headers["Idempotent-Replayed"], second.Headers["Idempotent-Replayed"])
	}
	if n := len(w.fake.Trunks()); n != 1 {
		t.Errorf("%d trunks", n)
	}
}

func TestPendingSaysWhereAndWhenToAsk(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		public, stage, path, want string
	}{
		"relative":      {"", "$default", "/signups", "/signups/a:b%7Cc@d"},
		"named stage":   {"", "prod", "/prod/signups", "/prod/signups/a:b%7Cc@d"},
		"public":        {"https://hooks.example.com/v1", "prod", "/prod/signups", "https://hooks.example.com/v1/signups/a:b%7Cc@d"},
		"stage not in":  {"", "prod", "/signups", "/signups/a:b%7Cc@d"},
		"default stage": {"", "$default", "/$default/signups", ""},
		"no such stage": {"", "", "/signups", "/signups/a:b%7Cc@d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.handler.PublicURL = test.public
			w.fake.Inject(exoteltest.Create, exoteltest.RateLimit("29"))
			event := signUp(`{"signup_id":"a:b|c@d","company":"A"}`)
			event.RawPath, event.RequestContext.Stage = test.path, test.stage
			answer := w.send(t, event)
			if test.want == "" {
				if answer.StatusCode != 404 {
					t.Errorf("got %d", answer.StatusCode)
				}
				return
			}
			if answer.StatusCode != 202 || answer.Headers["Location"] != test.want || answer.Headers["Retry-After"] != "29" {
				t.Errorf("got %d %v", answer.StatusCode, answer.Headers)
			}
			if !strings.Contains(answer.Body, `"status":"pending"`) || strings.Contains(answer.Body, "trunk_sid") || strings.Contains(answer.Body, "domain_name") {
				t.Errorf("body %s", answer.Body)
			}
		})
	}
}

func TestStatusIsPercentDecoded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(t, signUp(`{"signup_id":"a:b|c@d","company":"A"}`))
	for path, want := range map[string]int{
		"/signups/a:b%7Cc@d":       200,
		"/signups/a%3Ab%7cc%40d":   200,
		"/signups/a:b|c@d":         200, // API Gateway may have decoded it
		"/signups/a:b%7Cc@d/":      404,
		"/signups/":                404,
		"/signups/%zz":             404,
		"/signups/%23budget":       404,
		"/signups/..%2Fsignups":    404,
		"/signups/a%253Ab%257Cc@d": 404, // decoded once, not until it fits
	} {
		if answer := w.send(t, get(path, "Bearer local")); answer.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", path, answer.StatusCode, answer.Body, want)
		}
	}
}

func TestWrongMethodSaysWhichIsRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct{ method, path, allow string }{
		{"GET", "/signups", "POST"},
		{"DELETE", "/signups", "POST"},
		{"HEAD", "/signups", "POST"},
		{"POST", "/signups/acme-42", "GET"},
		{"DELETE", "/signups/acme-42", "GET"},
	} {
		event := get(test.path, "Bearer local")
		event.RequestContext.HTTP.Method = test.method
		if answer := w.send(t, event); answer.StatusCode != 405 || answer.Headers["Allow"] != test.allow {
			t.Errorf("%s %s: %d, Allow %q", test.method, test.path, answer.StatusCode, answer.Headers["Allow"])
		}
	}
}

func TestBodyIsCapped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	padded := func(size int) string {
		return acme[:len(acme)-1] + `,"x":"` + strings.Repeat("x", size-len(acme)-len(`,"x":""`)) + `"}`
	}
	for name, test := range map[string]struct {
		size   int
		base64 bool
		want   int
	}{
		"at the limit": {262144, false, 201}, "over it": {262145, false, 413},
		"at the limit, in base64": {262144, true, 201}, "over it, in base64": {262145, true, 413},
	} {
		event := signUp(padded(test.size))
		if len(event.Body) != test.size {
			t.Fatalf("%d bytes", len(event.Body))
		}
		if test.base64 {
			event.Body, event.IsBase64Encoded = base64Of(event.Body), true
		}
		event.Headers["authorization"] = "Bearer local"
		answer := w.send(t, event)
		if answer.StatusCode != test.want && (test.want != 201 || answer.StatusCode != 200) {
			t.Errorf("%s: %d", name, answer.StatusCode)
		}
	}
	event := signUp("%%%")
	event.IsBase64Encoded = true
	if answer := w.send(t, event); answer.StatusCode != 400 {
		t.Errorf("broken base64: %d", answer.StatusCode)
	}
}

func TestContentType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for contentType, want := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "Application/JSON": true, "application/cloudevents+json": true, "": true,
		"text/plain": false, "application/x-www-form-urlencoded": false, "text/json+json": false, "application/json;;": false, "json": false,
	} {
		answer := w.send(t, post("/signups", contentType, "Bearer local", acme))
		if (answer.StatusCode != 415) != want {
			t.Errorf("%q: %d", contentType, answer.StatusCode)
		}
	}
}

// fault is one entry of a problem's errors.
type fault struct{ Field, Detail string }

func TestBadInputNamesEveryField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for name, test := range map[string]struct {
		body   string
		status int
		fields string
		detail string
	}{
		"not JSON":                {`signup_id=acme`, 400, "", "broken at byte"},
		"empty":                   {``, 400, "", "broken at byte 0"},
		"cut off":                 {`{"signup_id":"acme-42","company":`, 400, "", "broken at byte"},
		"wrong bracket":           {`{"signup_id":"acme-42","company":"A"]`, 400, "", "broken at byte"},
		"trailing data":           {acme + `{}`, 400, "", "something behind"},
		"trailing bracket":        {acme + `}`, 400, "", "something behind"},
		"key twice":               {`{"signup_id":"acme-42","company":"A","signup_id":"acme-43"}`, 400, "signup_id", "twice"},
		"key twice, escaped":      {`{"signup_id":"acme-42","company":"A","signup\u005fid":"acme-43"}`, 400, "signup_id", "twice"},
		"key twice, inside":       {`{"signup_id":"acme-42","company":"A","x":{"a":1,"a":2}}`, 400, "", "twice"},
		"invalid UTF-8":           {"{\"signup_id\":\"acme-42\",\"company\":\"A\xff\"}", 400, "", "UTF-8"},
		"too deep":                {`{"signup_id":"a","company":"A","x":` + nested(64) + `}`, 400, "", "nests deeper"},
		"a megabyte of brackets":  {strings.Repeat("[", 200_000), 400, "", "nests deeper"},
		"a list":                  {`[]`, 422, "body", ""},
		"a string":                {`"acme-42"`, 422, "body", ""},
		"nothing in it":           {`{}`, 422, "signup_id company", ""},
		"null":                    {`{"signup_id":null,"company":null}`, 422, "signup_id company", ""},
		"wrong types":             {`{"signup_id":42,"company":["A"]}`, 422, "signup_id company", ""},
		"one missing, one bad":    {`{"company":"` + strings.Repeat("x", 257) + `"}`, 422, "signup_id company", ""},
		"another case":            {`{"Signup_ID":"acme-42","company":"A"}`, 422, "signup_id", ""},
		"illegal id":              {`{"signup_id":"acme 42","company":"A"}`, 422, "signup_id", ""},
		"control character":       {`{"signup_id":"acme-42","company":"A\u0000"}`, 422, "company", ""},
		"wrapped in nothing":      {`{"type":"signup","data":null}`, 422, "data", ""},
		"wrapped, with bad field": {`{"type":"signup","data":{"signup_id":"acme-42"}}`, 422, "company", ""},
		"untyped wrapping":        {`{"data":{"signup_id":"acme-42","company":"A"}}`, 422, "signup_id company", ""},
	} {
		answer := w.send(t, signUp(test.body))
		var problem struct {
			Title, Detail string
			Status        int
			Errors        []fault
		}
		if err := json.Unmarshal([]byte(answer.Body), &problem); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var fields []string
		for _, f := range problem.Errors {
			fields = append(fields, f.Field)
			if f.Detail == "" {
				t.Errorf("%s: %s has no detail", name, f.Field)
			}
		}
		if answer.StatusCode != test.status || problem.Status != test.status || problem.Title == "" || strings.Join(fields, " ") != test.fields || !strings.Contains(problem.Detail, test.detail) {
			t.Errorf("%s: got %d %s", name, answer.StatusCode, answer.Body)
		}
		if answer.Headers["Content-Type"] != "application/problem+json" {
			t.Errorf("%s: content type %q", name, answer.Headers["Content-Type"])
		}
	}
	if n := len(w.fake.Calls()); n != 0 {
		t.Errorf("%d calls to Exotel", n)
	}
	if answer := w.send(t, get("/signups/acme-42", "Bearer local")); answer.StatusCode != 404 {
		t.Errorf("an item was left: %s", answer.Body)
	}
}

func TestUnknownFieldsAreIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if answer := w.send(t, signUp(`{"signup_id":"acme-42","company":" Acme ","plan":{"a":[1,2.5,null,true]},"big":9007199254740993}`)); answer.StatusCode != 201 || !strings.Contains(answer.Body, `"company":"Acme"`) {
		t.Errorf("got %d %s", answer.StatusCode, answer.Body)
	}
}

// down is an engine whose table can't be reached.
type down struct{ provision.Engine }

func (*down) Provision(context.Context, provision.Signup, time.Duration) (provision.Result, error) {
	return provision.Result{}, errors.Join(provision.ErrUnavailable, errors.New("dial tcp 10.0.0.1: secret detail"))
}

func (*down) Accept(context.Context, provision.Signup) (provision.Result, error) {
	return provision.Result{}, errors.Join(provision.ErrUnavailable, errors.New("secret detail"))
}

func (*down) ProvisionAll(_ context.Context, signups []provision.Signup, _ time.Duration) []provision.Delivered {
	return slices.Repeat([]provision.Delivered{{Err: provision.ErrUnavailable}}, len(signups))
}

func (*down) Delete(context.Context, string, int, string, time.Duration) (provision.Result, error) {
	return provision.Result{}, errors.Join(provision.ErrUnavailable, errors.New("secret detail"))
}

func (*down) Status(context.Context, string) (provision.Record, error) {
	return provision.Record{}, errors.Join(provision.ErrUnavailable, errors.New("secret detail"))
}

// timed is an engine that notes how long it may take.
type timed struct {
	instant
	within time.Duration
	until  time.Duration // of the context of Status
}

func (e *timed) Provision(_ context.Context, _ provision.Signup, within time.Duration) (provision.Result, error) {
	e.within = within
	return e.result, nil
}

func (e *timed) Status(ctx context.Context, _ string) (provision.Record, error) {
	deadline, _ := ctx.Deadline()
	e.until = time.Until(deadline)
	return e.result.Record, nil
}

// The answer is due after ReplyWithin, and half a second before the process
// may be stopped.
func TestEngineIsGivenTheTimeThatThereIs(t *testing.T) {
	t.Parallel()
	for process, want := range map[time.Duration]time.Duration{10 * time.Second: 3950 * time.Millisecond, 3 * time.Second: 2500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			engine := &timed{instant: instant{provision.Result{Outcome: provision.OutcomeReplayed}}}
			h, err := handler.New(handler.Config{
				Provisioner: engine, Secrets: &secrets{cached: map[string][]string{"api": {bearer}}}, Log: slog.New(slog.DiscardHandler), ReplyWithin: 4 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), process)
			defer cancel()
			_, _ = h.Handle(ctx, signUp(acme))
			_, _ = h.Handle(ctx, get("/signups/acme-42", "Bearer local"))
			if engine.within != want || engine.until != want {
				t.Errorf("in a process of %v: %v and %v, want %v", process, engine.within, engine.until, want)
			}
		})
	}
}

func TestTableDownPromisesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handler.Provisioner = &down{}
	for _, event := range []events.APIGatewayV2HTTPRequest{signUp(acme), get("/signups/acme-42", "Bearer local")} {
		answer := w.send(t, event)
		if answer.StatusCode != 503 || answer.Headers["Retry-After"] == "" || strings.Contains(answer.Body, "secret detail") {
			t.Errorf("got %d %v %s", answer.StatusCode, answer.Headers, answer.Body)
		}
	}
}

func TestSecretsDownIsNotARefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secrets.down = errors.New("secrets store down")
	answer := w.send(t, signUp(acme))
	if answer.StatusCode != 503 || answer.Headers["Retry-After"] == "" || strings.Contains(answer.Body, "store down") {
		t.Errorf("got %d %v %s", answer.StatusCode, answer.Headers, answer.Body)
	}
}

// panicking stands for a bug of ours.
type panicking struct{ provision.Engine }

func (*panicking) Provision(context.Context, provision.Signup, time.Duration) (provision.Result, error) {
	panic("a bug")
}

func TestPanicIsAnAnswerWithoutDetail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handler.Provisioner = &panicking{}
	answer := w.send(t, signUp(acme))
	if answer.StatusCode != 500 || strings.Contains(answer.Body, "a bug") || !strings.Contains(w.log.String(), "a bug") {
		t.Errorf("got %d %s; log %s", answer.StatusCode, answer.Body, w.log)
	}
}

func TestOneLogLineTellsTheStory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(t, signUp(acme))
	var line struct {
		Level, Msg, Source, Outcome string
		SignupID                    string `json:"signup_id"`
		TrunkSID                    string `json:"trunk_sid"`
		Attempt, Status             int
		DurationMS                  *int `json:"duration_ms"`
		Steps                       []struct {
			Name, Method, Path string
			RequestID          string `json:"request_id"`
		}
	}
	decoder := json.NewDecoder(w.log)
	if err := decoder.Decode(&line); err != nil {
		t.Fatal(err)
	}
	if line.Level != "INFO" || line.Msg != "request" || line.Source != "api" || line.Outcome != "created" || line.SignupID != "acme-42" ||
		line.TrunkSID != w.fake.Trunks()[0].SID || line.Attempt != 1 || line.Status != 201 || line.DurationMS == nil {
		t.Errorf("got %+v", line)
	}
	if len(line.Steps) != 3 || line.Steps[1].Name != "create trunk" || line.Steps[1].Method != "POST" || line.Steps[1].Path != "/trunks" || line.Steps[0].Method != "" || len(line.Steps[1].RequestID) != 32 {
		t.Errorf("steps %+v", line.Steps)
	}
	if err := decoder.Decode(&line); !errors.Is(err, io.EOF) {
		t.Errorf("a second line: %+v, %v", line, err)
	}
}

func TestLogLineOfWhatIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		event   events.APIGatewayV2HTTPRequest
		outcome string
	}{
		"bad token":    {post("/signups", "", "Bearer no", acme), "unauthenticated"},
		"bad body":     {signUp(`{"signup_id":"` + strings.Repeat("x", 1000) + `"}`), "invalid"},
		"unknown path": {get("/"+strings.Repeat("y", 1000), ""), "not_found"},
		"method":       {get("/signups", ""), "refused"},
	} {
		w := newWorld(t)
		w.send(t, test.event)
		if log := w.log.String(); !strings.Contains(log, `"outcome":"`+test.outcome+`"`) || len(log) > 800 || strings.Count(log, "\n") != 1 {
			t.Errorf("%s: %s", name, log)
		}
	}
}
