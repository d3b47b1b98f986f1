package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/provision"
)

// invoke hands the function a payload as Lambda does, and returns what goes back.
func (w *world) invoke(t testing.TB, payload []byte) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return w.handler.Invoke(ctx, payload)
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// Cognito gets its event back at once, and its user's signup is the reconciler's;
// a partner's events are worked on, and nobody reads the answer.
func TestEventsWithoutHTTPBecomeSignups(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		id     string
		status provision.Status
	}{
		"event-cognito":                {"cognito:ap-south-1_AbCdEf123:6f9619ff-8b86-4011-b42d-00c04fc964ff", provision.StatusPending},
		"event-eventbridge-salesforce": {"salesforce:00D5g000004AbCdEAK:0015g00000XyZ12AAF", provision.StatusActive},
		"event-eventbridge-stripe":     {"stripe:cus_SIGNUP0001", provision.StatusActive},
		"event-eventbridge-auth0":      {"auth0:northwind:auth0|507f1f77bcf86cd799439020", provision.StatusActive},
		"event-eventbridge-shopify":    {"", provision.StatusActive},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			payload := readFile(t, name)
			answer, err := w.invoke(t, payload)
			if err != nil {
				t.Fatal(err)
			}
			line := lastLine(t, w)
			if want.id == "" {
				want.id, _ = line["signup_id"].(string)
			}
			record, err := w.handler.Provisioner.Status(t.Context(), want.id)
			if err != nil || record.Status != want.status || record.Source != strings.TrimPrefix(name, "event-") {
				t.Errorf("%s: %+v, %v; logged %v", want.id, record, err, line)
			}
			wantAnswer := []byte("null")
			if name == "event-cognito" {
				var compact bytes.Buffer
				if err := json.Compact(&compact, payload); err != nil {
					t.Fatal(err)
				}
				wantAnswer = compact.Bytes()
			}
			if !bytes.Equal(answer, wantAnswer) {
				t.Errorf("answered %s", answer)
			}
		})
	}
}

func lastLine(t *testing.T, w *world) (line map[string]any) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(w.log.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
		t.Fatal(err)
	}
	return line
}

func TestInvokeTellsRequestsFromEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer, err := w.invoke(t, readFile(t, "signup"))
	var response events.APIGatewayV2HTTPResponse
	if err != nil || json.Unmarshal(answer, &response) != nil || response.StatusCode != 201 {
		t.Errorf("a request: %s, %v", answer, err)
	}
	for name, payload := range map[string]string{
		"no JSON": `{`, "a list": `[]`, "a text": `"x"`, "nobody's": `{}`, "a schedule": `{"source":"aws.scheduler","detail-type":"Scheduled Event"}`,
	} {
		if answer, err := w.invoke(t, []byte(payload)); err == nil {
			t.Errorf("%s: %s", name, answer)
		}
	}
	for payload, status := range map[string]string{
		`{"rawPath":"/signups","headers":{"a":1}}`:               `"statusCode":400`,
		`{"requestContext":"v1","source":"aws.partner/a"}`:       `"statusCode":400`,
		`{"rawPath":"","source":"aws.partner/a"}`:                `"statusCode":404`,
		`{"requestContext":{"http":{"method":"GET"}}}`:           `"statusCode":404`,
		`{"rawPath":"/nowhere","requestContext":{"stage":"$d"}}`: `"statusCode":404`,
	} {
		if answer, err := w.invoke(t, []byte(payload)); err != nil || !bytes.Contains(answer, []byte(status)) {
			t.Errorf("%s: %s, %v", payload, answer, err)
		}
	}
	// A request can't pass itself off as an event, whatever its body says.
	event := signUp(string(readFile(t, "event-cognito")))
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := w.invoke(t, payload); err != nil || !bytes.Contains(answer, []byte(`"statusCode":422`)) {
		t.Errorf("a request with an event in it: %s, %v", answer, err)
	}
}

// An event that is not on disk is an error, so that its invoker tries again; one
// that can't be used is kept, and Cognito's user isn't bothered with it.
func TestEventsThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handler.Provisioner = &down{}
	for _, name := range []string{"event-cognito", "event-eventbridge-stripe"} {
		if answer, err := w.invoke(t, readFile(t, name)); err == nil || strings.Contains(err.Error(), "secret detail") {
			t.Errorf("%s without a table: %s, %v", name, answer, err)
		}
		if cause, _ := lastLine(t, w)["error"].(string); !strings.Contains(cause, "secret detail") {
			t.Errorf("%s: the log does not say why, but %q", name, cause)
		}
	}
	w = newWorld(t)
	payload := bytes.Replace(readFile(t, "event-cognito"), []byte("Northwind Telecom"), []byte("\\u0000"), 1)
	if answer, err := w.invoke(t, payload); err != nil || !bytes.Contains(answer, []byte("PostConfirmation_ConfirmSignUp")) {
		t.Errorf("unusable: %s, %v", answer, err)
	}
	if line := lastLine(t, w); line["alarm"] != "unusable_event" || line["outcome"] != "unusable" {
		t.Errorf("logged %v", line)
	}
}
