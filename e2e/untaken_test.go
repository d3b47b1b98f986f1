//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/events"
	"github.com/trunkhook/trunkhook/provision"
)

// python runs stack.py.
func (s *stack) python(t *testing.T, command string, args ...string) string {
	t.Helper()
	out, err := s.tryPython(t, command, args...)
	if err != nil {
		t.Fatalf("stack.py %s %s: %v\n%s", command, strings.Join(args, " "), err, out)
	}
	return out
}

func (s *stack) tryPython(t *testing.T, command string, args ...string) (string, error) {
	t.Helper()
	return s.emulator.try(t, filepath.Join(s.emulator.bin, "python"), append([]string{"e2e/stack.py", command, s.name}, args...)...)
}

// untaken sends a stack that can write nothing an event of EventBridge. After two
// more tries it waits in the queue, and the stack that is able makes a trunk of
// it, as an operator would have it made.
func untaken(t *testing.T, s, able *stack) {
	const id = "stripe:cus_UNTAKEN01"
	event, err := events.Files.ReadFile("event-eventbridge-stripe.json")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "event.json")
	sent := strings.ReplaceAll(string(event), strings.TrimPrefix(signupsOf["stripe"], "stripe:"), strings.TrimPrefix(id, "stripe:"))
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(sent)
	s.python(t, "event", file)

	var record struct{ RequestPayload, ResponsePayload json.RawMessage }
	waitFor(t, 3*time.Minute, func() bool {
		body := s.python(t, "untaken")
		return body != "" && json.Unmarshal([]byte(body), &record) == nil
	})
	same(t, "the event in the queue", record.RequestPayload, json.RawMessage(sent))
	if !strings.Contains(string(record.ResponsePayload), "not on disk") {
		t.Errorf("the record says %s", record.ResponsePayload)
	}

	if _, err := able.ledger.Get(t.Context(), id); err == nil {
		t.Fatalf("%s is there already", id)
	}
	write(string(record.RequestPayload))
	waitFor(t, 2*time.Minute, func() bool { // it may be sent again as often as one likes
		able.python(t, "invoke", file)
		taken, err := able.ledger.Get(t.Context(), id)
		return err == nil && taken.Status == provision.StatusActive
	})
	active(t, able, id)
}
