package handler

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/trunkhook/trunkhook/provision"
)

// entry is the one log line of a request, filled in on its way.
type entry struct {
	method, path string
	source       string
	signupID     string
	outcome      string
	trunkSID     string
	attempt      int
	alarm        provision.Alarm
	err          error
	steps        []provision.Step
}

// maxLogged is how much of a text that a stranger chose gets into a line.
const maxLogged = 200

func newEntry(event events.APIGatewayV2HTTPRequest) *entry {
	path := event.RawPath
	if len(path) > maxLogged {
		path = path[:maxLogged]
	}
	return &entry{method: event.RequestContext.HTTP.Method, path: path}
}

// name notes the signup id, if it is one.
func (e *entry) name(signupID string) {
	if provision.ValidSignupID(signupID) {
		e.signupID = signupID
	}
}

func (e *entry) record(record provision.Record) {
	e.trunkSID, e.attempt = record.TrunkSID, record.Attempts
}

func (e *entry) note(result provision.Result, err error) {
	e.record(result.Record)
	e.outcome, e.steps, e.err = string(result.Outcome), result.Steps, err
	if result.Problem != nil {
		e.alarm, e.err = result.Problem.Alarm, result.Problem.Err
	}
}

func (e *entry) write(ctx context.Context, log *slog.Logger, status int, took time.Duration) {
	if e.outcome == "" {
		e.outcome = outcomeOf(status)
	}
	attrs := []slog.Attr{
		slog.String("method", e.method), slog.String("path", e.path), slog.Int("status", status),
		slog.String("outcome", e.outcome), slog.Int64("duration_ms", took.Milliseconds()),
	}
	text := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	text("source", e.source)
	text("signup_id", e.signupID)
	text("trunk_sid", e.trunkSID)
	text("alarm", string(e.alarm))
	if e.attempt > 0 {
		attrs = append(attrs, slog.Int("attempt", e.attempt))
	}
	if e.err != nil {
		text("error", e.err.Error())
	}
	if len(e.steps) > 0 {
		attrs = append(attrs, slog.Any("steps", e.steps))
	}
	if lambda, ok := lambdacontext.FromContext(ctx); ok {
		text("requestId", lambda.AwsRequestID)
	}
	log.LogAttrs(ctx, e.level(status), "request", attrs...)
}

// outcomeOf names what never came to the engine.
func outcomeOf(status int) string {
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
		return "unavailable"
	case http.StatusInternalServerError:
		return "failed"
	}
	return "refused"
}

// level: an alarm, or an answer that is our fault, is an error.
func (e *entry) level(status int) slog.Level {
	switch {
	case e.alarm != "" || status >= http.StatusInternalServerError:
		return slog.LevelError
	case e.err != nil || status >= http.StatusBadRequest:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
