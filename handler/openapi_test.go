package handler_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// fineButRefused: what the document lets through and the handler does not, because
// the one can't say it. By the golden answer's name.
var fineButRefused = map[string]string{
	"me-unusable-subject":  "the subject is in the token, which the document does not see",
	"signup-conflict":      "that the first content stands is not in the request",
	"signup-line-conflict": "nor are the modes that stand",

	"signup-dry-line":           "that a dry signup has no line goes by its id",
	"signup-generation-early":   "nor is the generation that is there",
	"delete-another-generation": "nor is it here",
	"delete-not-allowed":        "whether a stack allows it is a setting",
	"signup-duplicate-key":      "JSON Schema sees an object when its keys are unique already",
}

// notShown are the documented answers that no golden one shows. An entry that is
// no longer needed fails the test.
var notShown = map[string]string{
	"POST /me/signup 401": "API Gateway's authorizer answers it",
	"GET /me/signup 401":  "API Gateway's authorizer answers it",
}

// exchange is a golden answer, and the event that it answers.
type exchange struct {
	name   string
	event  events.APIGatewayV2HTTPRequest
	answer answer
}

// answer is one as the golden files hold it.
type answer struct {
	Status  int
	Headers map[string]string
	Body    json.RawMessage // where it is no JSON, its text as a JSON string
}

func (a answer) text() string {
	var text string
	if !strings.Contains(a.Headers["Content-Type"], "json") && json.Unmarshal(a.Body, &text) == nil {
		return text
	}
	return string(a.Body)
}

// exchanges are all golden ones that go over HTTP.
func exchanges(t *testing.T) (all []exchange) {
	t.Helper()
	for _, c := range goldenCases(t) {
		event := c.prepared(t, newWorld(t))
		if event.RawPath == "" {
			continue // EventBridge and Cognito have no paths
		}
		content, err := os.ReadFile(c.golden())
		if err != nil {
			t.Fatal(err)
		}
		x := exchange{name: c.name, event: event}
		if err := json.Unmarshal(content, &x.answer); err != nil {
			t.Fatalf("%s: %v", c.golden(), err)
		}
		all = append(all, x)
	}
	return all
}

func TestEveryGoldenAnswerIsAsDocumented(t *testing.T) {
	t.Parallel()
	d := openDocument(t)
	shown := make(map[string]bool)
	for _, x := range exchanges(t) {
		where, err := d.check(t, x)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
		}
		shown[where], shown[operationOf(where)] = true, true
	}
	excused := make(map[string]bool)
	for _, where := range d.answers() {
		entry := where
		if _, of := notShown[operationOf(where)]; of {
			entry = operationOf(where)
		}
		switch _, there := notShown[entry]; {
		case there && !shown[entry]:
			excused[entry] = true
		case !there && !shown[where]:
			t.Errorf("%s is documented, and no golden answer shows it", where)
		}
	}
	for entry := range notShown {
		if !excused[entry] {
			t.Errorf("%q in notShown is out of date", entry)
		}
	}
}

// operationOf is "METHOD /path *" for "METHOD /path status".
func operationOf(where string) string { return where[:strings.LastIndex(where, " ")+1] + "*" }

// A document that anything fits would prove nothing.
func TestAnAnswerThatIsNotAsDocumentedIsSeen(t *testing.T) {
	t.Parallel()
	d := openDocument(t)
	golden := make(map[string]exchange)
	for _, x := range exchanges(t) {
		golden[x.name] = x
	}
	for name, change := range map[string]struct {
		of string
		do func(*exchange)
	}{
		"another status":          {"signup", func(x *exchange) { x.answer.Status = 204 }},
		"status of another":       {"signup", func(x *exchange) { x.answer.Status = 422 }},
		"an undocumented header":  {"signup", func(x *exchange) { x.answer.Headers["X-Trunk"] = "1" }},
		"no Location":             {"signup-pending", func(x *exchange) { delete(x.answer.Headers, "Location") }},
		"Location of another":     {"signup-pending", func(x *exchange) { x.answer.Headers["Location"] = "/trunks/acme-42" }},
		"no Retry-After":          {"signup-pending", func(x *exchange) { delete(x.answer.Headers, "Retry-After") }},
		"Retry-After as a date":   {"signup-unavailable", func(x *exchange) { x.answer.Headers["Retry-After"] = "Mon, 21 Sep 2026 14:14:20 GMT" }},
		"no mark of a replay":     {"me-replayed", func(x *exchange) { delete(x.answer.Headers, "Idempotent-Replayed") }},
		"another mark of it":      {"signup-replayed", func(x *exchange) { x.answer.Headers["Idempotent-Replayed"] = "false" }},
		"a step of another kind":  {"signup-line", func(x *exchange) { x.edit(`"caller_id"`, `"alias"`) }},
		"a step with a password":  {"signup-line", func(x *exchange) { x.edit(`"password_at"`, `"password"`) }},
		"a step that is lost":     {"signup-line", func(x *exchange) { x.edit(`"done"`, `"lost"`) }},
		"no challenge":            {"signup-bad-token", func(x *exchange) { delete(x.answer.Headers, "WWW-Authenticate") }},
		"other methods":           {"signup-wrong-method", func(x *exchange) { x.answer.Headers["Allow"] = "GET, POST" }},
		"may be cached":           {"status", func(x *exchange) { x.answer.Headers["Cache-Control"] = "public" }},
		"a problem as JSON":       {"signup-bad-fields", func(x *exchange) { x.answer.Headers["Content-Type"] = "application/json" }},
		"a problem of another":    {"status-unknown", func(x *exchange) { x.edit(`404`, `410`) }},
		"a problem with no title": {"status-unknown", func(x *exchange) { x.edit(`"title"`, `"name"`) }},
		"a fault with no field":   {"signup-bad-fields", func(x *exchange) { x.edit(`"field"`, `"name"`) }},
		"a field more":            {"signup", func(x *exchange) { x.edit(`"trunk_sid"`, `"gateway":"x","trunk_sid"`) }},
		"a field of another name": {"signup", func(x *exchange) { x.edit(`"company"`, `"customer"`) }},
		"active without a trunk":  {"status", func(x *exchange) { x.edit(`"trunk_sid": "trmum162a3ed53c2084081321a1n",`, ``) }},
		"a time of another form":  {"status", func(x *exchange) { x.edit(`2026-09-21T14:14:20Z`, `21/Sep/2026`) }},
		"a status of another":     {"status", func(x *exchange) { x.edit(`"active"`, `"done"`) }},
		"a request that is wrong": {"signup", func(x *exchange) { x.event.Body = `{"signup_id":"acme 42","company":"Acme"}` }},
		"a request that is right": {"signup-bad-fields", func(x *exchange) { x.event.Body = acme }},
		"a request of nobody":     {"signup", func(x *exchange) { delete(x.event.Headers, "authorization") }},
		"a path of no document":   {"signup", func(x *exchange) { x.event.RawPath = "/trunks" }},
	} {
		x, ok := golden[change.of]
		if !ok {
			t.Fatalf("%s: there is no golden %s", name, change.of)
		}
		x.event.Headers, x.answer.Headers = maps.Clone(x.event.Headers), maps.Clone(x.answer.Headers)
		before := fmt.Sprint(x)
		change.do(&x)
		if fmt.Sprint(x) == before {
			t.Errorf("%s: nothing was changed", name)
		}
		if _, err := d.check(t, x); err == nil {
			t.Errorf("%s: %d %s fits", name, x.answer.Status, x.answer.Body)
		}
	}
}

func (x *exchange) edit(from, to string) {
	x.answer.Body = bytes.ReplaceAll(x.answer.Body, []byte(from), []byte(to))
}

func TestDocumentedRequestsAreTakenAsTheHandlerTakesThem(t *testing.T) {
	t.Parallel()
	d, w := openDocument(t), newWorld(t)
	for _, body := range []string{
		`{"signup_id":"g","company":"A","generation":1}`, `{"signup_id":"g","company":"A","generation":null}`, `{"signup_id":"g","company":"A","generation":1.0}`,
		`{"signup_id":"g","company":"A","generation":0}`, `{"signup_id":"g","company":"A","generation":-1}`, `{"signup_id":"g","company":"A","generation":1.5}`,
		`{"signup_id":"h","company":"A","generation":10000}`, `{"signup_id":"g","company":"A","generation":10001}`, `{"signup_id":"g","company":"A","generation":"2"}`,
		acme, `{"type":"x","data":` + acme + `}`, `{"type":1,"data":[],"signup_id":"acme-42","company":"Acme Telecom"}`,
		`{"type":"x","data":[],"signup_id":"acme-42","company":"Acme Telecom"}`, `{"data":` + acme + `}`,
		`[]`, `null`, `{}`, `{"signup_id":42,"company":"A"}`, `{"signup_id":"a b","company":"A"}`, `{"signup_id":"","company":"A"}`,
		`{"signup_id":"a","company":" "}`, `{"signup_id":"a","company":"A\u0000"}`, `{"signup_id":"b","company":" \n A B \t"}`,
		`{"signup_id":"a","company":"A\tB"}`, `{"signup_id":"a","company":"A\u0085B"}`, `{"signup_id":"c","company":"é"}`,
		`{"signup_id":"d","company":" ` + strings.Repeat("🚀", 256) + ` "}`, `{"signup_id":"e","company":"` + strings.Repeat("é", 257) + `"}`,
		`{"signup_id":"` + strings.Repeat("f", 128) + `","company":"A"}`, `{"signup_id":"` + strings.Repeat("f", 129) + `","company":"A"}`,
	} {
		event := signUp(body)
		d.agrees(t, event, w.send(t, event).StatusCode)
	}
	for _, body := range []string{
		`{"company":"A"}`, `{"type":"x","data":{"company":"A"}}`, `{"company":"A","type":"x","data":[]}`, `{"company":"A","type":1,"data":null}`,
		`{"company":7,"type":"x","data":{"company":"A"}}`, `{"signup_id":"a","type":"x","data":{"company":"A"}}`, `{"type":"x","data":[]}`,
		`{"data":{"company":"A"}}`, `{"type":1,"data":{"company":"A"}}`, `{}`, `[]`, `{"company":" "}`,
		`{"company":"A","generation":2}`, `{"company":"A","phone_numbers":["+912247788868"]}`, `{"company":"A","caller_id":"+912247788868"}`, `{"company":"A","credentials":null}`,
	} {
		event := readEvent(t, "../events/me-signup.json")
		event.Body = body
		d.agrees(t, event, newWorld(t).send(t, event).StatusCode)
	}
}

// agrees checks that the document takes what was taken, and nothing else.
func (d document) agrees(t *testing.T, event events.APIGatewayV2HTTPRequest, status int) {
	t.Helper()
	operation, parameters, err := d.router.FindRoute(httpRequest(event))
	if err != nil {
		t.Fatal(err)
	}
	err = openapi3filter.ValidateRequest(t.Context(), requestInput(event, operation, parameters))
	if (err == nil) != (status < 300) {
		t.Errorf("%.80s: answered %d, and the document says %v", event.Body, status, err)
	}
}
