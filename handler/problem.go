package handler

import (
	"net/http"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// problem is an answer that is no success (RFC 9457). It never holds what the
// sender sent, nor the text of an error of ours.
type problem struct {
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Detail string            `json:"detail,omitempty"`
	Errors []provision.Fault `json:"errors,omitempty"`

	allow      string        // Allow, with 405
	challenge  string        // WWW-Authenticate, with 401
	retryAfter time.Duration // Retry-After
}

func (p problem) response() response {
	p.Title = http.StatusText(p.Status)
	answer := jsonResponse(p.Status, "application/problem+json", p)
	if p.allow != "" {
		with(answer, "Allow", p.allow)
	}
	if p.challenge != "" {
		with(answer, "WWW-Authenticate", p.challenge)
	}
	if p.retryAfter > 0 {
		with(answer, "Retry-After", seconds(p.retryAfter))
	}
	return answer
}

// retryAfterOutage is how soon a sender may try again where a part of ours is down.
const retryAfterOutage = 5 * time.Second

func notFound() response { return problem{Status: http.StatusNotFound}.response() }

func notAllowed(allow string) response {
	return problem{Status: http.StatusMethodNotAllowed, allow: allow}.response()
}

func notJSON() *problem {
	return &problem{Status: http.StatusUnsupportedMediaType, Detail: "The body must be application/json."}
}

// unavailable: a part of ours is down, and nothing is promised.
func unavailable() *problem {
	return &problem{Status: http.StatusServiceUnavailable, Detail: "Nothing is promised. Please try again.", retryAfter: retryAfterOutage}
}
