package main

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// call is one call as a front saw it.
type call struct {
	service, operation string
	received           time.Time // all of it
	answered           time.Time
}

// record is what the fronts of a contender saw since it was last taken.
type record struct {
	calls       []call
	connections map[string]int // new ones, by service
}

// recorder is what fronts write into.
type recorder struct {
	mu  sync.Mutex
	now record
}

func (r *recorder) call(c call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.calls = append(r.now.calls, c)
}

func (r *recorder) connection(service string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now.connections == nil {
		r.now.connections = map[string]int{}
	}
	r.now.connections[service]++
}

func (r *recorder) take() record {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.now
	r.now = record{}
	return taken
}

// waited is how much of a span some call was under way: the union of the times from
// when a call was received to when it was answered.
func (r record) waited(from, to time.Time) (sum time.Duration) {
	calls := slices.Clone(r.calls)
	slices.SortFunc(calls, func(a, b call) int { return a.received.Compare(b.received) })
	covered := from
	for _, c := range calls {
		begin, end := c.received, c.answered
		if begin.Before(covered) {
			begin = covered
		}
		if end.After(to) {
			end = to
		}
		if end.After(begin) {
			sum += end.Sub(begin)
			covered = end
		}
	}
	return sum
}

// front stands before a service. Connections speak HTTP/1.1, as those to AWS do.
type front struct {
	service   string
	latency   time.Duration // what a call takes at least
	operation func(r *http.Request, body []byte) string
	backend   http.Handler
	recorder  *recorder
}

// serve returns the front's URL and how to end it; certificate is nil for plain HTTP.
func (f front) serve(certificate *tls.Certificate) (string, func(), error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{
		Handler: f, ReadHeaderTimeout: 10 * time.Second, TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		ErrorLog: log.New(io.Discard, "", 0), // of contenders that are killed
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				f.recorder.connection(f.service)
			}
		},
	}
	scheme := "http://"
	if certificate != nil {
		scheme = "https://"
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12})
	}
	go func() { _ = server.Serve(listener) }()
	return scheme + listener.Addr().String(), func() { _ = server.Close() }, nil
}

// ServeHTTP passes the call on at once, and keeps its answer for as long as the
// latency says: what the service itself needs is part of it.
func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone
	}
	c := call{service: f.service, operation: f.operation(r, body), received: time.Now()}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	f.backend.ServeHTTP(answer, r)
	time.Sleep(time.Until(c.received.Add(f.latency)))
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
	w.WriteHeader(answer.Code)
	c.answered = time.Now() // before the last byte can be read
	f.recorder.call(c)
	_, _ = w.Write(answer.Body.Bytes())
}

// forward passes calls on to a server, or to what the transport leads to.
func forward(target string, transport http.RoundTripper) (http.Handler, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, Transport: transport,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // no answer, as the service gave none
	}, nil
}
