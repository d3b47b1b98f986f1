package handler

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/figures"
	"github.com/trunkhook/trunkhook/provision"
)

// entry is the one log line of a request, filled in on its way.
type entry struct {
	method, path string
	source       string
	result       provision.Result          // what is known of the signup, and what was done
	err          error                     // why nothing could be done
	counts       map[provision.Outcome]int // of the events of a batch; nil where there was one
	unusable     bool                      // an operator must look at what was kept
	notTaken     bool                      // nothing is on disk, and the answer's status doesn't say so
}

// maxLogged is how much of a text that a stranger chose gets into a line.
const maxLogged = 200

func newEntry(event events.APIGatewayV2HTTPRequest) *entry {
	return &entry{method: shortened(event.RequestContext.HTTP.Method), path: shortened(event.RawPath)}
}

func shortened(text string) string {
	if len(text) <= maxLogged {
		return text
	}
	return strings.ToValidUTF8(text[:maxLogged], "")
}

// minHeader: shorter parts of headers are no secrets, and would eat ordinary words.
const minHeader = 8

// panicText is what the log says of a panic in the middle of a request: nothing of
// a value that isn't a text, because that may be the request itself, and nothing
// of a header, because that may be a secret.
func panicText(cause any, header http.Header) string {
	var text string
	switch cause := cause.(type) {
	case error:
		text = cause.Error()
	case string:
		text = cause
	default:
		return fmt.Sprintf("a value of type %T", cause)
	}
	var parts []string
	for _, values := range header {
		parts = append(parts, strings.FieldsFunc(strings.Join(values, " "), isHeaderSeparator)...)
	}
	// The longest first: one may be a part of another.
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) })
	for _, part := range parts {
		if len(part) >= minHeader {
			text = strings.ReplaceAll(text, part, "[header]")
		}
	}
	return shortened(text)
}

func isHeaderSeparator(r rune) bool { return r == ' ' || r == ',' || r == ';' }

// setSignupID notes the id, if it is one.
func (e *entry) setSignupID(id string) {
	if provision.ValidSignupID(id) {
		e.result.Record.SignupID = id
	}
}

// write writes the line of a request that was answered.
func (h *Handler) write(ctx context.Context, e *entry, status int, took time.Duration) {
	if e.result.Outcome == "" {
		e.result.Outcome = e.outcomeOf(status)
	}
	attrs := append(make([]slog.Attr, 0, 24),
		slog.String("method", e.method), slog.String("path", e.path), slog.Int("status", status), slog.Int64("duration_ms", took.Milliseconds()))
	if e.source != "" {
		attrs = append(attrs, slog.String("source", e.source))
	}
	attrs = append(attrs, e.result.LogAttrs()...)
	if len(e.counts) > 0 {
		attrs = append(attrs, slog.Any("outcomes", e.counts))
	}
	level := max(e.result.Level(), levelOf(status))
	if alarm := e.alarm(); alarm != "" {
		attrs, level = append(attrs, slog.String("alarm", alarm)), slog.LevelError
	}
	if e.err != nil {
		attrs = append(attrs, slog.String("error", e.err.Error()))
	}
	if lambda, ok := lambdacontext.FromContext(ctx); ok {
		attrs = append(attrs, slog.String("requestId", lambda.AwsRequestID)) // as Lambda's own lines call it
	}
	counts := e.measured(status, took)
	if !h.warm.Swap(true) {
		counts.ColdStarts = 1
	}
	h.log().Write(ctx, level, "request", attrs, counts)
}

func (h *Handler) log() figures.Log { return figures.Log{Logger: h.Log, Function: h.Function} }

// measured is what the metrics have of the request. Where it had several events, each
// has a line, and the line's metrics.
func (e *entry) measured(status int, took time.Duration) figures.Counts {
	c := figures.Counts{Outcome: e.result.Outcome, Source: e.source, Vendor: e.result.Figures(), RequestDuration: took}
	if status == http.StatusUnauthorized {
		c.BadSignatures = 1
	}
	if e.unusable && e.counts == nil {
		c.UnusableEvents = 1
	}
	if e.promisedNothing(status) && e.counts[outcomeUnavailable] == 0 {
		c.NotTaken = 1
	}
	return c
}

// methodEvent stands for a method where an event came without HTTP.
const methodEvent = "event"

// promisedNothing tells whether something was sent that may be on disk or not, so
// that it must be sent again.
func (e *entry) promisedNothing(status int) bool {
	switch e.method {
	case http.MethodPost, http.MethodDelete, methodEvent:
		return e.notTaken || status >= http.StatusInternalServerError
	}
	return false
}

// The outcomes of a webhook's events that the engine has no word for.
const (
	outcomeBatch       provision.Outcome = "batch"
	outcomeIgnored     provision.Outcome = "ignored"
	outcomeUnusable    provision.Outcome = "unusable"
	outcomeUnavailable provision.Outcome = "unavailable" // it is not on disk
)

const (
	// alarmUnusable: a source's mapping doesn't fit what its sender sends.
	alarmUnusable = "unusable_event"
	// alarmNotTaken: a signup is not on disk, and its sender may not send it again.
	alarmNotTaken = "not_taken"
)

func (e *entry) alarm() string {
	switch {
	case e.notTaken:
		return alarmNotTaken
	case e.unusable:
		return alarmUnusable
	}
	return ""
}

// tell notes what became of a delivery's events: in the request's own line where
// there was one, else in a line for each.
func (e *entry) tell(ctx context.Context, log figures.Log, source string, t taken) {
	if len(t.events) != 1 {
		e.result.Outcome, e.counts = outcomeBatch, map[provision.Outcome]int{}
	}
	for i, event := range t.events {
		result, err := t.became(i)
		e.unusable, e.err = e.unusable || event.Fault != nil, cmp.Or(e.err, err)
		if e.counts == nil {
			e.result = result
			return
		}
		if e.counts[result.Outcome]++; event.Ignored {
			continue
		}
		attrs, level := append(result.LogAttrs(), slog.String("source", source)), result.Level()
		if err != nil {
			attrs, level = append(attrs, slog.String("error", err.Error())), levelOfEvent(result.Outcome)
		}
		log.Write(ctx, level, "event", attrs, countsOf(event, result, source))
	}
}

// countsOf are those of one event of several.
func countsOf(event sources.Event, result provision.Result, source string) figures.Counts {
	c := figures.Counts{Outcome: result.Outcome, Source: source, Vendor: result.Figures()}
	switch {
	case event.Fault != nil:
		c.UnusableEvents = 1
	case result.Outcome == outcomeUnavailable:
		c.NotTaken = 1
	}
	return c
}

// became is what an event came to, and why where it came to nothing.
func (t taken) became(i int) (provision.Result, error) {
	event, result, err := t.events[i], t.delivered[i].Result, t.delivered[i].Err
	switch {
	case event.Ignored:
		result.Outcome = outcomeIgnored
	case event.Fault != nil:
		result.Outcome, err = outcomeUnusable, event.Fault
	case err != nil:
		result.Outcome = outcomeUnavailable
	}
	if result.Record.SignupID == "" {
		result.Record.SignupID = event.Signup.ID
	}
	return result, err
}

// outcomeOf names what never came to the engine.
func (e *entry) outcomeOf(status int) provision.Outcome {
	if e.notTaken {
		status = http.StatusServiceUnavailable // what it would have been
	}
	switch status {
	case http.StatusOK:
		return "shown"
	case http.StatusUnauthorized:
		return "unauthenticated"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "invalid"
	case http.StatusNotFound:
		return "not_found"
	case http.StatusServiceUnavailable:
		return outcomeUnavailable
	case http.StatusInternalServerError:
		return "failed"
	}
	return "refused"
}

// levelOf: what is our fault is an error, what is the sender's a warning.
func levelOf(status int) slog.Level {
	switch {
	case status >= http.StatusInternalServerError:
		return slog.LevelError
	case status >= http.StatusBadRequest:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// levelOfEvent is that of an event's line that no signup came of, as levelOf has it.
func levelOfEvent(outcome provision.Outcome) slog.Level {
	if outcome == outcomeUnavailable {
		return slog.LevelError
	}
	return slog.LevelWarn
}
