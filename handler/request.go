package handler

import (
	"encoding/base64"
	"mime"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// maxBody is how large a body may be, in bytes, as it was sent.
const maxBody = 256 << 10

// request is an event as the rest of the package wants it: canonical headers,
// the body in the bytes that were sent, the path without the stage.
type request struct {
	method string
	path   string // still escaped
	prefix string // the stage in front of path: empty, or such as "/prod"
	header http.Header
	body   []byte
}

// newRequest reads an event. The problem is a body that is too big, or that API
// Gateway encoded in a way of its own.
func newRequest(event events.APIGatewayV2HTTPRequest) (*request, *problem) {
	r := &request{method: event.RequestContext.HTTP.Method, path: event.RawPath, header: make(http.Header, len(event.Headers))}
	for name, value := range event.Headers {
		r.header.Set(name, value) // API Gateway has joined what came twice
	}
	if stage := "/" + event.RequestContext.Stage; strings.HasPrefix(r.path, stage+"/") {
		r.prefix, r.path = stage, strings.TrimPrefix(r.path, stage)
	}
	body, err := []byte(event.Body), error(nil)
	if event.IsBase64Encoded {
		body, err = base64.StdEncoding.DecodeString(event.Body)
	}
	switch {
	case err != nil:
		return nil, &problem{Status: http.StatusBadRequest, Detail: "The body is not base64, although the event says so."}
	case len(body) > maxBody:
		return nil, &problem{Status: http.StatusRequestEntityTooLarge, Detail: "The body may have at most 262144 bytes."}
	}
	r.body = body
	return r, nil
}

// isJSON tells whether the body claims to be JSON. One that claims nothing is
// given the benefit of the doubt.
func (r *request) isJSON() bool {
	value := r.header.Get("Content-Type")
	if value == "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(value)
	return err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"))
}
