package handler_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/sender"
	"github.com/trunkhook/trunkhook/provision"
)

var update = flag.Bool("update", false, "write the golden answers anew")

// A goldenCase is an event, what it comes to, and the golden answer's file.
type goldenCase struct {
	name  string
	event string // its file in events/; the name where it is empty
	given func(*testing.T, *world, *events.APIGatewayV2HTTPRequest)
}

// goldenCases are all files in events/, each of which is an event that API Gateway
// could send (the same files go through sam local invoke), and what becomes of some
// of them where things are otherwise.
func goldenCases(t *testing.T) []goldenCase {
	t.Helper()
	var cases []goldenCase
	for _, name := range eventNames(t) {
		given := circumstances[name]
		switch {
		case strings.HasPrefix(name, "event-"): // see TestEveryEventWithoutHTTPHasItsGoldenAnswer
			continue
		case strings.HasPrefix(name, "webhook-"):
			given = asKnownToSenders
		}
		cases = append(cases, goldenCase{name: name, given: given})
	}
	return slices.Concat(cases, otherwise, webhooksOtherwise, usersOtherwise)
}

// eventNames are the files in events/, without their ends.
func eventNames(t testing.TB) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no events: %v", err)
	}
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".json"))
	}
	return names
}

// asKnownToSenders: all sources are open, at the URL that was signed.
func asKnownToSenders(_ *testing.T, w *world, _ *events.APIGatewayV2HTTPRequest) {
	w.secrets.cached = sender.Secrets()
	w.handler.PublicURL = "https://hooks.example.com"
}

// circumstances: what has to be so before an event comes.
var circumstances = map[string]func(*testing.T, *world, *events.APIGatewayV2HTTPRequest){
	"delete":              deletable(afterSignup),
	"signup-conflict":     afterSignup,
	"signup-line-more":    afterLine,
	"status":              afterSignup,
	"status-wrong-method": deletable(nil),
	"me-status": func(t *testing.T, w *world, _ *events.APIGatewayV2HTTPRequest) {
		w.send(t, readEvent(t, "../events/me-signup.json"))
	},
}

var otherwise = []goldenCase{
	{"signup-replayed", "signup", afterSignup},
	{"signup-pending", "signup", func(_ *testing.T, w *world, _ *events.APIGatewayV2HTTPRequest) {
		w.fake.Inject(exoteltest.Create, exoteltest.RateLimit("29"))
	}},
	{"signup-too-large", "signup", func(_ *testing.T, _ *world, event *events.APIGatewayV2HTTPRequest) {
		event.Body = strings.Repeat(" ", 256<<10) + event.Body
	}},
	{"signup-closed", "signup", func(_ *testing.T, w *world, _ *events.APIGatewayV2HTTPRequest) { w.secrets.cached = nil }},
	{"signup-unavailable", "signup", tableDown},
	{"signup-failed", "signup", bug},
	{"signup-line-pending", "signup-line", func(_ *testing.T, w *world, _ *events.APIGatewayV2HTTPRequest) {
		w.fake.Inject(exoteltest.WhitelistIP, exoteltest.RateLimit("29"))
	}},
	{"signup-line-incomplete", "signup-line", func(_ *testing.T, _ *world, event *events.APIGatewayV2HTTPRequest) {
		event.Body = strings.ReplaceAll(event.Body, "sip.acme.com", "sip.acme.invalid") // which has no address
	}},
	{"signup-line-conflict", "signup-line-more", func(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) {
		afterLine(t, w, event)
		event.Body = strings.ReplaceAll(event.Body, `"+912247788868"`, `{"phone_number": "+912247788868", "mode": "flow"}`)
	}},
	{"signup-dry", "signup", dry(nil)},
	{"signup-dry-replayed", "signup", dry(afterThis)},
	{"signup-dry-line", "signup-line", dry(nil)},
	{"status-dry", "signup", dry(func(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) {
		afterThis(t, w, event)
		event.RawPath, event.Body = event.RawPath+"/smoke:1", ""
		event.RequestContext.HTTP.Method, event.RequestContext.HTTP.Path = "GET", event.RawPath
	})},
	{"signup-deleting", "signup", deleting},
	{"signup-deleted", "signup", deleted},
	{"signup-generation", "signup", nextGeneration(deleted)},
	{"signup-generation-early", "signup", nextGeneration(afterSignup)},
	{"status-deleted", "status", deleted},
	{"delete-again", "delete", deleting},
	{"delete-done", "delete", deleted},
	{"delete-not-allowed", "delete", afterSignup},
	{"delete-unknown", "delete", deletable(nil)},
	{"delete-bad-token", "delete", deletable(func(_ *testing.T, _ *world, event *events.APIGatewayV2HTTPRequest) {
		event.Headers["authorization"] = "Bearer another"
	})},
	{"delete-bad-generation", "delete", deletable(func(_ *testing.T, _ *world, event *events.APIGatewayV2HTTPRequest) {
		event.RawQueryString = "generation=first"
	})},
	{"delete-another-generation", "delete", deletable(func(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) {
		afterSignup(t, w, event)
		event.RawQueryString = "generation=2"
	})},
	{"delete-unavailable", "delete", deletable(tableDown)},
	{"delete-failed", "delete", deletable(bug)},
	{"status-unavailable", "status", tableDown},
	{"status-failed", "status", bug},
}

// webhooksOtherwise are what webhooks and users come to.
var webhooksOtherwise = []goldenCase{
	{"webhook-pending", "webhook-generic", webhook(func(w *world, _ *events.APIGatewayV2HTTPRequest) {
		w.fake.Inject(exoteltest.Create, exoteltest.RateLimit("29"))
	})},
	{"webhook-replayed", "webhook-generic", func(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) {
		asKnownToSenders(t, w, event)
		w.send(t, *event)
	}},
	{"webhook-rejected", "webhook-zoho-raw", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) {
		event.Body = `{"signup_id":"a b","account":""}`
	})},
	{"webhook-unreadable", "webhook-zoho-raw", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) { event.Body = `{"signup_id":` })},
	{"webhook-bad-signature", "webhook-generic", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) { event.Body += " " })},
	{"webhook-closed", "webhook-generic", webhook(func(w *world, _ *events.APIGatewayV2HTTPRequest) { w.secrets.cached = nil })},
	{"webhook-unknown-source", "webhook-generic", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) { event.RawPath = "/webhooks/nobody" })},
	{"webhook-wrong-method", "webhook-generic", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) { event.RequestContext.HTTP.Method = "GET" })},
	{"webhook-wrong-type", "webhook-zoho-raw", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) { event.Headers["content-type"] = "image/png" })},
	{"webhook-too-large", "webhook-generic", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) {
		event.Body = strings.Repeat(" ", 256<<10) + event.Body
	})},
	{"webhook-unavailable", "webhook-generic", webhook(func(w *world, _ *events.APIGatewayV2HTTPRequest) { w.handler.Provisioner = &down{} })},
	{"webhook-failed", "webhook-generic", webhook(func(w *world, _ *events.APIGatewayV2HTTPRequest) { w.handler.Provisioner = &panicking{} })},
	{"webhook-handshake", "webhook-leadsquared", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) {
		event.RequestContext.HTTP.Method, event.Body = "HEAD", ""
	})},
	{"webhook-handshake-unknown-source", "webhook-leadsquared", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) {
		event.RequestContext.HTTP.Method, event.RawPath, event.Body = "HEAD", "/webhooks/nobody", ""
	})},
	{"webhook-cloudevents-unknown-source", "webhook-auth0", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) {
		event.RequestContext.HTTP.Method, event.RawPath, event.Body = "OPTIONS", "/webhooks/nobody", ""
	})},
	{"webhook-cloudevents-no-origin", "webhook-auth0", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) {
		event.RequestContext.HTTP.Method, event.Body = "OPTIONS", ""
	})},
	{"webhook-leadsquared-wrong-type", "webhook-leadsquared", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) {
		event.Headers["content-type"] = "image/png"
	})},
	{"webhook-cloudevents-handshake", "webhook-auth0", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) {
		event.RequestContext.HTTP.Method, event.Body = "OPTIONS", ""
		event.Headers["webhook-request-origin"] = "northwind.auth0app.com"
	})},
	{"webhook-leadsquared-unusable", "webhook-leadsquared", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) {
		event.Body = `{"ProspectStage":"Customer"}`
	})},
	{"webhook-leadsquared-broken", "webhook-leadsquared", webhook(func(_ *world, event *events.APIGatewayV2HTTPRequest) { event.Body = `{"ProspectStage":` })},
	{"webhook-leadsquared-unavailable", "webhook-leadsquared", webhook(func(w *world, _ *events.APIGatewayV2HTTPRequest) { w.handler.Provisioner = &down{} })},
	{"webhook-salesforce-unavailable", "webhook-salesforce-outbound", webhook(func(w *world, _ *events.APIGatewayV2HTTPRequest) { w.handler.Provisioner = &down{} })},
}

// usersOtherwise are what users come to.
var usersOtherwise = []goldenCase{
	{"me-replayed", "me-signup", func(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) { w.send(t, *event) }},
	{"me-pending", "me-signup", func(_ *testing.T, w *world, _ *events.APIGatewayV2HTTPRequest) {
		w.fake.Inject(exoteltest.Create, exoteltest.RateLimit("29"))
	}},
	{"me-without-authorizer", "me-signup", noToken},
	{"me-status-without-authorizer", "me-status", noToken},
	{"me-bad-fields", "me-signup", user(func(event *events.APIGatewayV2HTTPRequest) { event.Body = `{"company": 7}` })},
	{"me-line", "me-signup", user(func(event *events.APIGatewayV2HTTPRequest) {
		event.Body = `{"company": "Acme Telecom", "phone_numbers": ["+912247788868"], "caller_id": "+912247788868", "credentials": null}`
	})},
	{"me-broken-json", "me-signup", user(func(event *events.APIGatewayV2HTTPRequest) { event.Body = `{` })},
	{"me-too-large", "me-signup", user(func(event *events.APIGatewayV2HTTPRequest) { event.Body = strings.Repeat(" ", 256<<10+1) })},
	{"me-wrong-type", "me-signup", user(func(event *events.APIGatewayV2HTTPRequest) { event.Headers["content-type"] = "text/plain" })},
	{"me-wrong-method", "me-signup", user(func(event *events.APIGatewayV2HTTPRequest) { event.RequestContext.HTTP.Method = "DELETE" })},
	{"me-unusable-subject", "me-status", user(func(event *events.APIGatewayV2HTTPRequest) {
		event.RequestContext.Authorizer.JWT.Claims["sub"] = "a b"
	})},
	{"me-unavailable", "me-signup", tableDown},
	{"me-failed", "me-signup", bug},
	{"me-status-unavailable", "me-status", tableDown},
	{"me-status-failed", "me-status", bug},
}

func noToken(_ *testing.T, _ *world, event *events.APIGatewayV2HTTPRequest) {
	event.RequestContext.Authorizer = nil
}

func user(change func(*events.APIGatewayV2HTTPRequest)) func(*testing.T, *world, *events.APIGatewayV2HTTPRequest) {
	return func(_ *testing.T, _ *world, event *events.APIGatewayV2HTTPRequest) { change(event) }
}

func webhook(change func(*world, *events.APIGatewayV2HTTPRequest)) func(*testing.T, *world, *events.APIGatewayV2HTTPRequest) {
	return func(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) {
		t.Helper()
		asKnownToSenders(t, w, event)
		change(w, event)
	}
}

func afterSignup(t *testing.T, w *world, _ *events.APIGatewayV2HTTPRequest) {
	w.send(t, readEvent(t, "../events/signup.json"))
}

// dry gives the event's signup the id of a dry one.
func dry(also func(*testing.T, *world, *events.APIGatewayV2HTTPRequest)) func(*testing.T, *world, *events.APIGatewayV2HTTPRequest) {
	return func(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) {
		t.Helper()
		event.Body = strings.NewReplacer("acme-42", "smoke:1", "northwind-7", "smoke:1").Replace(event.Body)
		if also != nil {
			also(t, w, event)
		}
	}
}

// afterThis: the same came before.
func afterThis(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) {
	t.Helper()
	w.send(t, *event)
}

func afterLine(t *testing.T, w *world, _ *events.APIGatewayV2HTTPRequest) {
	t.Helper()
	w.send(t, readEvent(t, "../events/signup-line.json"))
}

// deletable: signups may be deleted, and what else is so.
func deletable(also func(*testing.T, *world, *events.APIGatewayV2HTTPRequest)) func(*testing.T, *world, *events.APIGatewayV2HTTPRequest) {
	return func(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) {
		t.Helper()
		w.handler.AllowDelete = true
		if also != nil {
			also(t, w, event)
		}
	}
}

// deleting: the signup is being deleted.
func deleting(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) {
	t.Helper()
	deletable(afterSignup)(t, w, event)
	if answer := w.send(t, readEvent(t, "../events/delete.json")); answer.StatusCode != 202 {
		t.Fatalf("%d %s", answer.StatusCode, answer.Body)
	}
}

// deleted: and the watch is over.
func deleted(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) {
	t.Helper()
	deleting(t, w, event)
	ledger := w.handler.Provisioner.(*provision.Engine).Ledger
	later := now.Add(time.Hour)
	if _, holds, err := ledger.TakeOver(t.Context(), provision.TakeOver{SignupID: "acme-42", Owner: "reconciler", Now: later, LeaseUntil: later}); err != nil || !holds {
		t.Fatal(holds, err)
	}
	if _, holds, err := ledger.Bury(t.Context(), provision.Bury{SignupID: "acme-42", Owner: "reconciler", Now: later}); err != nil || !holds {
		t.Fatal(holds, err)
	}
}

// nextGeneration asks for it.
func nextGeneration(given func(*testing.T, *world, *events.APIGatewayV2HTTPRequest)) func(*testing.T, *world, *events.APIGatewayV2HTTPRequest) {
	return func(t *testing.T, w *world, event *events.APIGatewayV2HTTPRequest) {
		t.Helper()
		given(t, w, event)
		event.Body = strings.Replace(event.Body, `"acme-42"`, `"acme-42", "generation": 2`, 1)
	}
}

func tableDown(_ *testing.T, w *world, _ *events.APIGatewayV2HTTPRequest) {
	w.handler.Provisioner = &down{}
}

func bug(_ *testing.T, w *world, _ *events.APIGatewayV2HTTPRequest) {
	w.handler.Provisioner = &panicking{}
}

// prepared is the event, and the world as it has to be before it.
func (c goldenCase) prepared(t *testing.T, w *world) events.APIGatewayV2HTTPRequest {
	t.Helper()
	event := readEvent(t, filepath.Join("..", "events", cmp.Or(c.event, c.name)+".json"))
	if c.given != nil {
		c.given(t, w, &event)
	}
	return event
}

// golden is the file of the answer.
func (c goldenCase) golden() string { return filepath.Join("testdata", "golden", c.name+".json") }

func TestEveryEventHasItsGoldenAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range goldenCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			event := c.prepared(t, w)
			got := golden(t, w.send(t, event))
			if *update {
				if err := os.WriteFile(c.golden(), got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(c.golden())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// readEvent fails on what the event type doesn't know, so that a file can't rot.
func readEvent(t testing.TB, file string) (event events.APIGatewayV2HTTPRequest) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&event); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return event
}

var trunkSID = regexp.MustCompile(`trmum1[0-9a-f]{18}1a1n`)

func golden(t *testing.T, answer events.APIGatewayV2HTTPResponse) []byte {
	t.Helper()
	var body any = answer.Body // text, such as XML or nothing at all
	if json.Valid([]byte(answer.Body)) {
		body = json.RawMessage(answer.Body)
	}
	if raw, ok := body.(json.RawMessage); ok && bytes.Contains(raw, []byte(`"signups"`)) {
		body = json.RawMessage(trunkSID.ReplaceAll(raw, []byte("trmum10000000000000000001a1n"))) // a batch's trunks are made in any order
	}
	content, err := json.MarshalIndent(map[string]any{
		"status": answer.StatusCode, "headers": answer.Headers, "body": body,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(content, '\n')
}
