package verify

import (
	"net/http"
	"time"
)

// Request is what came, and what it is checked against.
type Request struct {
	Now     time.Time
	Secrets []string
	Method  string
	URL     string      // what the sender called: the public URL, path and query; empty if not known
	Header  http.Header // canonical names
	Body    []byte      // the bytes as they were sent
}

// Kind tells whether somebody who has one of the secrets made the request. It is
// pure, and never panics.
type Kind func(Request) bool

const (
	maxHeader     = 4 << 10 // bytes of a header that are looked at
	maxSignatures = 16      // in one header
)

// header returns a header that came once and has a sane length, or nothing.
func (r Request) header(name string) string {
	values := r.Header.Values(name)
	if len(values) != 1 || len(values[0]) > maxHeader {
		return ""
	}
	return values[0]
}
