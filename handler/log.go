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
	result       provision.Result // what is known of the signup, and what was done
	err          error            // why nothing could be done
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

// setSignupID notes the id, if it is one.
func (e *entry) setSignupID(id string) {
	if provision.ValidSignupID(id) {
		e.result.Record.SignupID = id
	}
}

func (e *entry) write(ctx context.Context, log *slog.Logger, status int, took time.Duration) {
	if e.result.Outcome == "" {
		e.result.Outcome = outcomeOf(status)
	}
	attrs := []slog.Attr{
		slog.String("method", e.method), slog.String("path", e.path), slog.Int("status", status),
		slog.Int64("duration_ms", took.Milliseconds()),
	}
	if e.source != "" {
		attrs = append(attrs, slog.String("source", e.source))
	}
	attrs = append(attrs, e.result.LogAttrs()...)
	if e.err != nil {
		attrs = append(attrs, slog.String("error", e.err.Error()))
	}
	if lambda, ok := lambdacontext.FromContext(ctx); ok {
		attrs = append(attrs, slog.String("requestId", lambda.AwsRequestID)) // as Lambda's own lines call it
	}
	log.LogAttrs(ctx, max(e.result.Level(), levelOf(status)), "request", attrs...)
}

// outcomeOf names what never came to the engine.
func outcomeOf(status int) provision.Outcome {
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
