package handler_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

var update = flag.Bool("update", false, "write the golden answers anew")

// sentBefore: what an event needs to have been sent before it.
var sentBefore = map[string]string{"signup-conflict": "signup", "status": "signup"}

// Every file in events/ is an event that API Gateway could send: the same files
// go through sam local invoke. Its answer is the golden one.
func TestEveryEventHasItsGoldenAnswer(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no events: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if before, ok := sentBefore[name]; ok {
				w.send(t, readEvent(t, "../events/"+before+".json"))
			}
			got := golden(t, w.send(t, readEvent(t, file)))
			path := filepath.Join("testdata", "golden", name+".json")
			if *update {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
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
	content, err := json.MarshalIndent(map[string]any{
		"status": answer.StatusCode, "headers": answer.Headers, "body": json.RawMessage(answer.Body),
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(content, '\n')
}
