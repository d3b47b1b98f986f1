package exotel

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Kind is what an error means for the caller. Each is itself an error, so that
// errors.Is(err, ErrDuplicate) tells it.
type Kind string //nolint:errname // it is a kind of errors first, and reads so in Error.Kind

// The kinds. All but ErrOutcomeUnknown say for certain that this call made
// nothing; ErrDuplicate also says that another one did.
const (
	// ErrInvalid: the request was refused, by Validate or by Exotel (400, 415
	// and the rest of 4xx; codes 1001, 1002, 1007, 1011).
	ErrInvalid Kind = "invalid request"
	// ErrDuplicate: the resource exists already (409, outside or inside; code 1008).
	ErrDuplicate Kind = "duplicate"
	// ErrUnauthorized: the credentials were refused (401; code 1010). A wrong
	// region answers the same.
	ErrUnauthorized Kind = "unauthorized"
	// ErrForbidden: not this account's resource (403; code 1003). Exotel also
	// answers so for an unknown trunk_sid.
	ErrForbidden Kind = "forbidden"
	// ErrNotFound: 404; code 1000.
	ErrNotFound Kind = "not found"
	// ErrRateLimited: 429. RetryAfter is zero where Exotel didn't say.
	ErrRateLimited Kind = "rate limited"
	// ErrOutcomeUnknown: the request was sent, or may have been, and no answer
	// that can be trusted came back. It may have been processed.
	ErrOutcomeUnknown Kind = "outcome unknown"
	// ErrNotSent: no connection was made, so nothing can have been processed.
	ErrNotSent Kind = "not sent"
)

// Error makes a Kind an error of its own.
func (k Kind) Error() string { return "exotel: " + string(k) }

// Vendor codes that all of Exotel's tables agree on and that recorded answers
// show (TRUNK_ERRORS_README in the vendor's repository, live tests of August 2025).
const (
	CodeDuplicate    = 1008
	CodeUnauthorized = 1010
)

// Error is a call that did not succeed. It never holds a request or answer
// body, nor a credential.
type Error struct {
	Op         string        // what was tried, such as "create trunk"
	Kind       Kind          // what it means
	HTTPStatus int           // zero where no answer came
	Code       int           // error_data.code; zero where there was none
	Message    string        // error_data, or why the answer is unusable; at most 300 bytes
	RequestID  string        // Exotel's request_id, for its support
	RetryAfter time.Duration // from Retry-After; zero where there was none

	cause error // transport error, if that was it
}

// Error is one line: operation, kind, status, code, message and request id.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "exotel: %s: %s", e.Op, string(e.Kind))
	if e.HTTPStatus != 0 {
		fmt.Fprintf(&b, ": HTTP %d", e.HTTPStatus)
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, ", code %d", e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	return b.String()
}

// Unwrap gives the kind and, where there is one, the transport's error, so that
// errors.Is(err, context.DeadlineExceeded) works too.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// kindOf decides by the code that Exotel's answer carries (an HTTP status, from
// inside the envelope or outside), with the two stable vendor codes as extra
// evidence. Exotel's tables contradict each other on all the others.
func kindOf(status, code int) Kind {
	switch {
	case status == http.StatusConflict || code == CodeDuplicate:
		return ErrDuplicate
	case status == http.StatusUnauthorized || code == CodeUnauthorized:
		return ErrUnauthorized
	case status == http.StatusForbidden:
		return ErrForbidden
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status == http.StatusRequestTimeout:
		return ErrOutcomeUnknown // the server gave up waiting; for what, it doesn't say
	case status >= 400 && status < 500:
		return ErrInvalid
	}
	return ErrOutcomeUnknown
}

// clean makes a stranger's text fit for one line of a log.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	const limit = 300
	if len(text) <= limit {
		return text
	}
	cut := limit - len("…")
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
