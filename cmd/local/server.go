package main

import (
	"context"
	"net"
	"net/http"

	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/internal/gateway"
)

// server stands for API Gateway in front of the handler.
type server struct{ handler *handler.Handler }

func (s server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A page of another site that has its name point here would be let in by
	// the browser, and the bearer secret is no secret.
	if host, _, err := net.SplitHostPort(r.Host); err != nil || !isLoopback(host) {
		http.Error(w, "this server answers to its loopback address only", http.StatusMisdirectedRequest)
		return
	}
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
// Everybody knows them, which is why ADDR must be loopback.
const (
	bearer  = "local"
	signing = "whsec_a2V5IG9mIHRydW5raG9vayBvbiB0aGlzIG1hY2hpbmU="
)

// localSecrets are the sources' secrets here; they never change.
type localSecrets struct{}

func (localSecrets) Of(_ context.Context, source string) ([]string, error) {
	return map[string][]string{"api": {bearer, signing}}[source], nil
}

func (s localSecrets) Renew(ctx context.Context, source string) ([]string, error) {
	return s.Of(ctx, source)
}
