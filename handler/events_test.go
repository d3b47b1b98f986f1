package handler_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
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
	files, err := filepath.Glob("../events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no events: %v", err)
	}
	var cases []goldenCase
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		cases = append(cases, goldenCase{name: name, given: circumstances[name]})
	}
	return append(cases, otherwise...)
}

// circumstances: what has to be so before an event comes.
var circumstances = map[string]func(*testing.T, *world, *events.APIGatewayV2HTTPRequest){
	"signup-conflict": afterSignup,
	"status":          afterSignup,
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
	{"status-unavailable", "status", tableDown},
	{"status-failed", "status", bug},
}

func afterSignup(t *testing.T, w *world, _ *events.APIGatewayV2HTTPRequest) {
	w.send(t, readEvent(t, "../events/signup.json"))
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

func golden(t *testing.T, answer events.APIGatewayV2HTTPResponse) []byte {
	t.Helper()
	var body any = answer.Body // text, such as XML or nothing at all
	if json.Valid([]byte(answer.Body)) {
		body = json.RawMessage(answer.Body)
	}
	content, err := json.MarshalIndent(map[string]any{
		"status": answer.StatusCode, "headers": answer.Headers, "body": body,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(content, '\n')
}
