package handler

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/provision"
)

// Provisioner is what the handler needs of the engine.
type Provisioner interface {
	Provision(ctx context.Context, s provision.Signup, within time.Duration) (provision.Result, error)
	Status(ctx context.Context, signupID string) (provision.Record, error)
}

// Secrets are the sources' secrets, several each so that one can be rotated in.
type Secrets interface {
	// Of returns those of a source; none means that it is closed. The error
	// says that they can't be had now.
	Of(ctx context.Context, source string) ([]string, error)
	// Renew fetches them again, because a request fits none of the given ones,
	// and tells whether they differ now. It need not fetch often.
	Renew(ctx context.Context, source string, refusing []string) (secrets []string, changed bool)
}

// Config is what a Handler is made of.
type Config struct {
	Provisioner Provisioner
	Secrets     Secrets
	Log         *slog.Logger
	ReplyWithin time.Duration    // answer by then, done or not
	PublicURL   string           // for Location; empty for relative ones
	Now         func() time.Time // the wall clock; time.Now where nil
}

// Handler answers API Gateway events.
type Handler struct{ Config }

// New returns a handler.
func New(config Config) *Handler {
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Handler{config}
}

// Handle answers one event. The error is always nil: one would make API Gateway
// answer a 500 of its own, without a body.
func (h *Handler) Handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	start := time.Now()
	entry := newEntry(event)
	answer := h.serve(ctx, event, start.Add(h.ReplyWithin), entry)
	entry.write(ctx, h.Log, answer.status, time.Since(start))
	return answer.event(), nil
}

// serve turns a panic into an answer: the process and what it has open stay.
func (h *Handler) serve(ctx context.Context, event events.APIGatewayV2HTTPRequest, replyBy time.Time, entry *entry) (answer response) {
	defer func() {
		if cause := recover(); cause != nil {
			h.Log.ErrorContext(ctx, "panic", "cause", cause, "stack", string(debug.Stack()))
			answer = problem{Status: http.StatusInternalServerError}.response()
		}
	}()
	r, refusal := newRequest(event)
	if refusal == nil {
		return h.route(ctx, r, replyBy, entry)
	}
	return refusal.response()
}
