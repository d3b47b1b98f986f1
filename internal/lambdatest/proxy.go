package lambdatest

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// Proxy stands between a process and a service that it calls. It notes each
// call by its kind, and does to single calls what a Fault says.
type Proxy struct {
	// URL is where the process finds the service.
	URL string

	kindOf  func(r *http.Request, body []byte) string
	stopped chan struct{}

	mu     sync.Mutex
	target *url.URL
	calls  []ProxyCall
	queues map[string][]Fault
	from   string // the kind from whose first call on always counts
	always *Fault
	idle   map[net.Conn]bool
	opened int
}

// ProxyCall is one call as the proxy saw it.
type ProxyCall struct {
	At   time.Time
	Kind string
}

// StartProxy runs one for the length of the test. The kind of a call is what the
// function makes of it.
func StartProxy(t testing.TB, target string, kindOf func(r *http.Request, body []byte) string) *Proxy {
	t.Helper()
	p := &Proxy{kindOf: kindOf, stopped: make(chan struct{}), queues: map[string][]Fault{}, idle: map[net.Conn]bool{}}
	p.forwardTo(t, target)
	server := httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	server.Config.ConnState = p.track
	server.Start()
	t.Cleanup(func() { close(p.stopped); server.CloseClientConnections(); server.Close() })
	p.URL = server.URL
	return p
}

// forwardTo changes the service.
func (p *Proxy) forwardTo(t testing.TB, target string) {
	t.Helper()
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = parsed
}

// Inject queues faults for the next calls of a kind, one each.
func (p *Proxy) Inject(kind string, faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queues[kind] = append(p.queues[kind], faults...)
}

// Always does this to every call from now on, whatever its kind.
func (p *Proxy) Always(fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from, p.always = "", &fault
}

// From does this to every call from the first one of a kind on.
func (p *Proxy) From(kind string, fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from, p.always = kind, &fault
}

// Waiting is how many faults no call has met yet.
func (p *Proxy) Waiting() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.from != "" {
		n++
	}
	for _, queue := range p.queues {
		n += len(queue)
	}
	return n
}

// Calls are those so far, in the order in which they came.
func (p *Proxy) Calls() []ProxyCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

// Take returns how many calls of each kind came since the last time, and forgets them.
func (p *Proxy) Take() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := map[string]int{}
	for _, call := range p.calls {
		counts[call.Kind]++
	}
	p.calls = nil
	return counts
}

// ResetIdle resets the connections on which no call is under way.
func (p *Proxy) ResetIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.idle {
		abort(conn)
	}
	clear(p.idle)
}

// Connections is how many were opened so far.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opened
}

func (p *Proxy) track(conn net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if state == http.StateNew {
		p.opened++
	}
	if state == http.StateIdle {
		p.idle[conn] = true
	} else {
		delete(p.idle, conn)
	}
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		reset(w)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	service, fault := p.note(p.kindOf(r, body))
	if fault == (Fault{}) {
		service.ServeHTTP(w, r)
		return
	}
	fault.serve(w, r, service, p.stopped)
}

// note writes the call down and returns what is to become of it.
func (p *Proxy) note(kind string) (http.Handler, Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, ProxyCall{time.Now(), kind})
	service := forward(p.target)
	if queue := p.queues[kind]; len(queue) > 0 {
		p.queues[kind] = queue[1:]
		return service, queue[0]
	}
	if kind == p.from {
		p.from = ""
	}
	if p.always != nil && p.from == "" {
		return service, *p.always
	}
	return service, Fault{}
}

// upstream keeps more connections than the default transport does: all proxies
// of a test process may share one engine.
var upstream = &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 10 * time.Second, DisableCompression: true}

// forward passes answers on as they come, and failures as what they are: a
// connection that ends.
func forward(target *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     upstream,
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { reset(w) },
	}
}
