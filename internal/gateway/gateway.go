// Package gateway stands for API Gateway on one machine: it turns HTTP into
// events and back. The translation is here, and not in the function, so that in
// AWS nothing touches the bytes that were signed.
package gateway

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// maxBody is more than the handler takes, so that the handler says so.
const maxBody = 1 << 20

// Event is the request as API Gateway describes it (payload format 2.0): names
// of headers in lower case, what came twice joined by commas, bodies that are no
// text in base64. The error says that the body broke off.
func Event(r *http.Request) (events.APIGatewayV2HTTPRequest, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return events.APIGatewayV2HTTPRequest{}, err
	}
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
	return e, nil
}

// Write answers with what the function said.
func Write(w http.ResponseWriter, answer events.APIGatewayV2HTTPResponse) {
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.WriteString(w, answer.Body)
}
