package timeline

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Kind is what a line tells of.
type Kind string

// The kinds.
const (
	Delivery   Kind = "delivery"   // a request, or one event of a batch
	Deletion   Kind = "deletion"   // a request to delete the signup
	Reconciler Kind = "reconciler" // a try of the reconciler's
	Killed     Kind = "killed"     // the process of a try ended, and somebody else says so
)

// Entry is a line that tells of a signup.
type Entry struct {
	At       time.Time     `json:"at"` // when it was written, which is when what it tells of had ended
	Kind     Kind          `json:"kind"`
	SignupID string        `json:"signup_id"`
	Source   string        `json:"source,omitempty"`
	Outcome  string        `json:"outcome"`
	TrunkSID string        `json:"trunk_sid,omitempty"`
	Attempt  int           `json:"attempt,omitempty"`     // the signup's tries so far
	Status   int           `json:"status,omitempty"`      // HTTP's, of the answer; zero where the line isn't a request's own
	Duration time.Duration `json:"duration_ns,omitempty"` // of the request
	Alarm    string        `json:"alarm,omitempty"`
	Error    string        `json:"error,omitempty"`
	Steps    []Step        `json:"steps,omitempty"`
}

// Step is one write to the table, or one call to Exotel.
type Step struct {
	Name       string        `json:"name"`
	At         time.Time     `json:"at"`
	Duration   time.Duration `json:"duration_ns"`
	Method     string        `json:"method,omitempty"`      // of a call
	Path       string        `json:"path,omitempty"`        // of a call; below the account's
	HTTPStatus int           `json:"http_status,omitempty"` // of a call; zero where no answer came
	RequestID  string        `json:"request_id,omitempty"`  // of a call; Exotel's
	Error      string        `json:"error,omitempty"`
}

// IsCall tells whether the step is a call to Exotel. Lines of before 2026-11 don't say
// the method.
func (s Step) IsCall() bool { return s.Method != "" || s.HTTPStatus != 0 }

// Refused tells whether Exotel said that it is there already, which is no failure: it
// is how a trunk is found again whose answer was lost.
func (s Step) Refused() bool { return s.HTTPStatus != 0 && strings.Contains(s.Error, ": duplicate:") }

// OwnRequestID is the request's id where the error doesn't say it.
func (s Step) OwnRequestID() string {
	if strings.Contains(s.Error, s.RequestID) {
		return ""
	}
	return s.RequestID
}

// OwnError is the entry's error where no step says it.
func (e Entry) OwnError() string {
	for _, s := range e.Steps {
		if s.Error == e.Error {
			return ""
		}
	}
	return e.Error
}

// kinds are the lines that tell of a signup, by their messages.
var kinds = map[string]Kind{"request": Delivery, "event": Delivery, "reconciled": Reconciler, "killed": Killed}

// line has the keys of both forms: of make run's, and of Lambda's.
type line struct {
	Time      string `json:"time"`
	Timestamp any    `json:"timestamp"` // of an event of CloudWatch's it is a number
	Msg       string `json:"msg"`
	Message   string `json:"message"`

	SignupID   string  `json:"signup_id"`
	Source     string  `json:"source"`
	Outcome    string  `json:"outcome"`
	TrunkSID   string  `json:"trunk_sid"`
	Attempt    int     `json:"attempt"`
	Method     string  `json:"method"`
	Status     int     `json:"status"`
	DurationMS float64 `json:"duration_ms"`
	Alarm      string  `json:"alarm"`
	Error      string  `json:"error"`

	Steps []struct {
		Name       string  `json:"name"`
		At         string  `json:"at"`
		DurationMS float64 `json:"duration_ms"`
		Method     string  `json:"method"`
		Path       string  `json:"path"`
		HTTPStatus int     `json:"http_status"`
		RequestID  string  `json:"request_id"`
		Error      string  `json:"error"`
	} `json:"steps"`
}

// maxDepth is how often a line may be packed into another one.
const maxDepth = 3

// Parse reads one line. It is false where the line tells of no signup. What stands
// before the JSON, as the tools of AWS put it there, is passed over, and a line that is
// the message of an event of CloudWatch's is unpacked.
func Parse(text []byte) (Entry, bool) { return parse(string(text), maxDepth) }

func parse(text string, depth int) (Entry, bool) {
	start := strings.IndexByte(text, '{')
	if start < 0 || depth == 0 {
		return Entry{}, false
	}
	var l line
	if err := json.NewDecoder(strings.NewReader(text[start:])).Decode(&l); err != nil {
		return Entry{}, false
	}
	message := l.Msg
	if message == "" {
		message = l.Message
	}
	if strings.Contains(message, "{") {
		return parse(message, depth-1)
	}
	kind, ok := kinds[message]
	if !ok || l.SignupID == "" || l.Outcome == "shown" {
		return Entry{}, false
	}
	if kind == Delivery && l.Method == http.MethodDelete {
		kind = Deletion
	}
	return l.entry(kind), true
}

func (l line) entry(kind Kind) Entry {
	at := l.Time
	if stamp, ok := l.Timestamp.(string); ok && at == "" {
		at = stamp
	}
	e := Entry{
		At: moment(at), Kind: kind, SignupID: l.SignupID, Source: l.Source, Outcome: l.Outcome, TrunkSID: l.TrunkSID, Attempt: l.Attempt,
		Status: l.Status, Duration: milliseconds(l.DurationMS), Alarm: l.Alarm, Error: l.Error,
	}
	for _, s := range l.Steps {
		e.Steps = append(e.Steps, Step{
			Name: s.Name, At: moment(s.At), Duration: milliseconds(s.DurationMS), Method: s.Method, Path: s.Path,
			HTTPStatus: s.HTTPStatus, RequestID: s.RequestID, Error: s.Error,
		})
	}
	return e
}

// moment is zero where the text is none, or one that no log is of.
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 2000 || t.Year() > 9000 {
		return time.Time{}
	}
	return t.UTC()
}

// longest bounds what a line may say that something took.
const longest = 24 * time.Hour

func milliseconds(ms float64) time.Duration {
	if !(ms > 0) { // and what is not a number
		return 0
	}
	return time.Duration(min(ms, float64(longest/time.Millisecond)) * float64(time.Millisecond))
}
