package handler

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/provision"
)

// Provisioner is what the handler needs of the engine.
type Provisioner interface {
	Provision(ctx context.Context, s provision.Signup, within time.Duration) (provision.Result, error)
	ProvisionAll(ctx context.Context, signups []provision.Signup, within time.Duration) []provision.Delivered
	Accept(ctx context.Context, s provision.Signup) (provision.Result, error)
	Status(ctx context.Context, signupID string) (provision.Record, error)
	Delete(ctx context.Context, signupID string, generation int, reason string, within time.Duration) (provision.Result, error)
}

// Secrets are the sources' secrets, several each so that one can be rotated in.
type Secrets interface {
	// Of returns those of a source; none means that it is closed. The error
	// says that they can't be had now.
	Of(ctx context.Context, source string) ([]string, error)
	// Renew is Of after fetching them again, because a request fits none of
	// them, or there are none. It need not fetch often.
	Renew(ctx context.Context, source string) ([]string, error)
}

// DeadLetters keep what authenticated senders sent and no signup could be made of.
type DeadLetters interface {
	KeepDeadLetter(ctx context.Context, d provision.DeadLetter) error
}

// Config is what a Handler is made of.
type Config struct {
	Provisioner Provisioner
	Secrets     Secrets
	Sources     sources.Set // what /webhooks/{source} and events are read with
	DeadLetters DeadLetters
	Log         *slog.Logger
	Function    string           // the Lambda function's name, whose metrics the lines of the log carry; none where it is empty
	ReplyWithin time.Duration    // answer by then, done or not
	AllowDelete bool             // signups may be deleted, through the API and by sources
	PublicURL   string           // for Location and for signatures that cover the URL; may be empty
	Now         func() time.Time // the wall clock; time.Now where nil
}

// Handler answers API Gateway events.
type Handler struct {
	Config
	ways map[string]way // by the source's name
	warm atomic.Bool    // something was answered before
}

// New returns a handler. The error names what is wrong with the sources.
func New(config Config) (*Handler, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	ways, err := newWays(config.Sources)
	return &Handler{Config: config, ways: ways}, err
}

// response is an answer, as API Gateway takes it.
type response = events.APIGatewayV2HTTPResponse

// Handle answers one event. The error is always nil: one would make API Gateway
// answer for us, with its own 500.
func (h *Handler) Handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	start := time.Now()
	r := newRequest(event, h.replyBy(ctx, start))
	answer := h.serve(ctx, r)
	h.write(ctx, r.entry, answer.StatusCode, time.Since(start))
	return answer, nil
}

const (
	// answerMargin is for the answer itself, on its way out.
	answerMargin = 50 * time.Millisecond
	// stopMargin is kept between the answer and the end of the process.
	stopMargin = 500 * time.Millisecond
)

// replyBy is when the answer is due: in time for the sender, and not in the
// last moment of the process.
func (h *Handler) replyBy(ctx context.Context, start time.Time) time.Time {
	due := start.Add(h.ReplyWithin - answerMargin)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-stopMargin).Before(due) {
		return deadline.Add(-stopMargin)
	}
	return due
}

// serve turns a panic into an answer: the process and what it has open stay.
func (h *Handler) serve(ctx context.Context, r *request) (answer response) {
	defer func() {
		if cause := recover(); cause != nil {
			h.logPanic(ctx, cause, r.header)
			answer = problem{Status: http.StatusInternalServerError}.response()
		}
	}()
	return h.route(ctx, r)
}

func (h *Handler) logPanic(ctx context.Context, cause any, header http.Header) {
	h.Log.ErrorContext(ctx, "panic", "cause", panicText(cause, header), "stack", string(debug.Stack()))
}
