package main

import (
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/handler"
)

// gateway stands for API Gateway: it turns HTTP into events and back. The
// translation is here, and not in the function, so that in AWS nothing touches
// the bytes that were signed.
type gateway struct{ handler *handler.Handler }

// maxGatewayBody is more than the handler takes, so that the handler says so.
const maxGatewayBody = 1 << 20

func (g gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A page of another site that has its name point here would be let in by
	// the browser, and the bearer secret is no secret.
	if host, _, err := net.SplitHostPort(r.Host); err != nil || !isLoopback(host) {
		http.Error(w, "this server answers to its loopback address only", http.StatusMisdirectedRequest)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxGatewayBody))
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	// As in Lambda, a sender that goes away stops nothing.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), functionTimeout)
	defer cancel()
	answer, _ := g.handler.Handle(ctx, event(r, body)) // its error is always nil
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.WriteString(w, answer.Body)
}

// event is the request as API Gateway describes it (payload format 2.0): names
// of headers in lower case, what came twice joined by commas, bodies that are no
// text in base64.
func event(r *http.Request, body []byte) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "$default", RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{"host": r.Host},
		Body:    string(body),
	}
	for name, values := range r.Header {
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	if !utf8.Valid(body) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	e.RequestContext.Stage = "$default"
	e.RequestContext.TimeEpoch = time.Now().UnixMilli()
	e.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{
		Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: r.RemoteAddr, UserAgent: r.UserAgent(),
	}
	return e
}

// bearer is the secret of source api on this machine.
const bearer = "local"

// localSecrets are the sources' secrets here; they never change.
type localSecrets struct{}

func (localSecrets) Of(_ context.Context, source string) ([]string, error) {
	return map[string][]string{"api": {bearer}}[source], nil
}

func (s localSecrets) Renew(ctx context.Context, source string) ([]string, error) {
	return s.Of(ctx, source)
}
