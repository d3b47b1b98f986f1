package main

import (
	"context"
	"net/http"

	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/internal/gateway"
	"github.com/trunkhook/trunkhook/internal/sender"
)

// server stands for API Gateway in front of the handler.
type server struct{ handler *handler.Handler }

func (s server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	event, err := gateway.Event(r)
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	// As in Lambda, a sender that goes away stops nothing.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), functionTimeout)
	defer cancel()
	answer, _ := s.handler.Handle(ctx, event) // its error is always nil
	gateway.Write(w, answer)
}

// The secrets of source api on this machine: a token, and a key that signs.
// Everybody knows them, as those of all sources here, which is why ADDR must be
// loopback. They are made once: sender.Secrets reads and compiles every source.
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
