package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	gatewayevents "github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/cmd/local/outage"
	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/internal/gateway"
	"github.com/trunkhook/trunkhook/internal/sender"
)

// server stands for API Gateway in front of the handler.
type server struct {
	handler *handler.Handler
	log     *slog.Logger
}

func (s server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	event, err := gateway.Event(r)
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	// As in Lambda, a sender that goes away stops nothing.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), functionTimeout)
	defer cancel()
	ctx, worker := outage.WithWorker(ctx)
	start := time.Now()
	answers := make(chan gatewayevents.APIGatewayV2HTTPResponse, 1)
	go func() {
		answer, _ := s.handler.Handle(ctx, event) // its error is always nil
		answers <- answer
	}()
	select {
	case answer := <-answers:
		gateway.Write(w, answer)
	case <-worker.Died():
		death := worker.Death()
		// A process that is killed writes nothing: this is what the machine saw of it.
		s.log.WarnContext(ctx, "killed", "signup_id", death.SignupID, "attempt", death.Attempt, "outcome", "killed", "duration_ms", time.Since(start).Milliseconds(),
			"error", "the console's switch ended the worker: Exotel had made "+death.TrunkSID+", and nothing was written down")
		panic(http.ErrAbortHandler) // drops the connection
	}
}

// The secrets of source api on this machine: a token, and a key that signs.
// Everybody knows them, as those of all sources here, which is why ADDR must be
// loopback.
var (
	everybodys = sender.Secrets()

	bearer  = everybodys["api"][0]
	signing = everybodys["api"][1]
)

// localSecrets are the sources' secrets here; they never change.
type localSecrets struct{}

func (localSecrets) Of(_ context.Context, source string) ([]string, error) {
	return everybodys[source], nil
}

func (s localSecrets) Renew(ctx context.Context, source string) ([]string, error) {
	return s.Of(ctx, source)
}
