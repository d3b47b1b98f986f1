package awsconfig

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/trunkhook/trunkhook/internal/ahead"
)

const dialTimeout = time.Second

// patience is how long the first tries of a call wait for an answer; the last one
// takes what the caller's deadline leaves. Both services answer within tens of
// milliseconds. What takes longer than the first has most likely met a connection
// that died while the function was frozen, and is better tried again: every write
// recognises itself. It is less than the second that a try keeps back for its
// record, so that the record can be tried again too. A service that is slow for
// all is waited for: giving up would undo nothing of what it is doing.
var patience = []time.Duration{700 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second}

// idleTime is after how much silence a connection isn't used any more. net/http counts
// it by the wall clock, so that time in which the function was frozen counts, in which the
// other end may have hung up, and nobody was there to hear of it. Not shorter, because
// a new connection costs a function of 256 MB some 20 ms.
const idleTime = 30 * time.Second

// patient has connections of their own for each try, so that the second doesn't
// meet another one that died.
type patient struct {
	tries []*awshttp.BuildableClient
	first *ahead.Dialer // of the first try's connections
}

func newPatient() patient {
	var p patient
	for _, limit := range append(patience, 0) { // 0 is no limit
		p.tries = append(p.tries, awshttp.NewBuildableClient().
			WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
			WithTransportOptions(func(t *http.Transport) {
				t.TLSHandshakeTimeout = dialTimeout
				t.ResponseHeaderTimeout = limit
				t.MaxIdleConnsPerHost = 16
				t.IdleConnTimeout = idleTime
				if p.first == nil {
					p.first = ahead.Apply(t)
				}
			}))
	}
	return p
}

// Do is the SDK's way to send.
func (p patient) Do(r *http.Request) (*http.Response, error) {
	return p.tries[min(attempt(r), len(p.tries))-1].Do(r)
}

// attempt counts the tries of a call from 1. The SDK writes it into each request,
// for the services' statistics.
func attempt(r *http.Request) int {
	_, text, _ := strings.Cut(r.Header.Get("Amz-Sdk-Request"), "attempt=")
	text, _, _ = strings.Cut(text, ";")
	n, err := strconv.Atoi(text)
	if err != nil {
		return 1
	}
	return max(n, 1)
}
