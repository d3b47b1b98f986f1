package handler

import (
	"encoding/base64"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// maxBody is how large a body may be, in bytes, as it was sent.
const maxBody = 256 << 10

// request is an event as the rest of the package wants it.
type request struct {
	method  string
	path    string // still escaped, without the stage
	stage   string // in front of the path: empty, or such as "/prod"
	header  http.Header
	body    []byte // as it was sent; set by readBody
	replyBy time.Time
	entry   *entry

	location string // where its signup can be looked at; empty for /signups/{signup_id}

	event events.APIGatewayV2HTTPRequest
}

func newRequest(event events.APIGatewayV2HTTPRequest, replyBy time.Time) *request {
	r := &request{
		method: event.RequestContext.HTTP.Method, path: event.RawPath, header: make(http.Header, len(event.Headers)),
		replyBy: replyBy, entry: newEntry(event), event: event,
	}
	for name, value := range event.Headers {
		r.header.Set(name, value) // API Gateway has joined what came twice
	}
	// A function URL and an API without stages call theirs $default, and don't
	// put it into the path.
	if stage := event.RequestContext.Stage; stage != "" && stage != "$default" && strings.HasPrefix(r.path, "/"+stage+"/") {
		r.stage = "/" + stage
		r.path = strings.TrimPrefix(r.path, r.stage)
	}
	return r
}

// readBody gets the bytes that were sent, and that were signed.
func (r *request) readBody() *problem {
	r.body = []byte(r.event.Body)
	if r.event.IsBase64Encoded {
		var err error
		if r.body, err = base64.StdEncoding.DecodeString(r.event.Body); err != nil {
			return &problem{Status: http.StatusBadRequest, Detail: "The body is not base64, although the event says so."}
		}
	}
	if len(r.body) > maxBody {
		return &problem{Status: http.StatusRequestEntityTooLarge, Detail: "The body may have at most 262144 bytes."}
	}
	return nil
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
