package exoteltest

import (
	"cmp"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// The account that a fake serves unless told otherwise.
const (
	DefaultAccountSID = "exoteltest"
	DefaultAPIKey     = "exoteltest-key"
	DefaultAPIToken   = "exoteltest-token"
)

// Options are what must be known before a fake starts. The zero value is fine.
type Options struct {
	Addr       string // where to listen; "127.0.0.1:0" where empty
	AccountSID string
	APIKey     string
	APIToken   string
}

// Server is a running fake. All methods may be called while it serves.
type Server struct {
	// URL is its base, such as http://127.0.0.1:41234.
	URL string

	account string
	stopped chan struct{} // closed by Close, ends what hangs
	late    sync.WaitGroup
	hangUp  func() error
	close   func()

	mu        sync.Mutex
	key       string
	token     string
	trunks    []trunk // oldest first
	made      int     // trunks ever
	calls     []Call
	faults    map[Op][]Fault
	latency   time.Duration
	listLag   time.Duration
	dupStatus int

	limits   Limits
	arrivals []time.Time // the last so many as the limits look at
	underWay int
	refused  int // over the limits
}

// TB is what the fake needs of a *testing.T, *testing.B or *testing.F.
type TB interface {
	Helper()
	Cleanup(f func())
	Fatalf(format string, args ...any)
}

// Start runs a fake for the length of a test.
func Start(t TB) *Server {
	t.Helper()
	s, err := New(Options{})
	if err != nil {
		t.Fatalf("exoteltest: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// New runs a fake until Close.
func New(o Options) (*Server, error) {
	listener, err := net.Listen("tcp", cmp.Or(o.Addr, "127.0.0.1:0"))
	if err != nil {
		return nil, err
	}
	s := Offline(o)
	s.URL = "http://" + listener.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: 10 * time.Second}
	s.hangUp = server.Close
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic("exoteltest: " + err.Error()) // nobody is there to tell
		}
	}()
	return s, nil
}

// Offline is a fake without a network, for tests in a bubble of
// testing/synctest, where a server can't be: it is reached through
// [Server.Transport] only. Close it before the bubble ends.
func Offline(o Options) *Server {
	s := &Server{
		URL:       "http://localhost",
		account:   cmp.Or(o.AccountSID, DefaultAccountSID),
		key:       cmp.Or(o.APIKey, DefaultAPIKey),
		token:     cmp.Or(o.APIToken, DefaultAPIToken),
		stopped:   make(chan struct{}),
		hangUp:    func() error { return nil },
		faults:    make(map[Op][]Fault),
		dupStatus: http.StatusOK,
	}
	s.close = sync.OnceFunc(func() {
		close(s.stopped)
		_ = s.hangUp()
		s.late.Wait()
	})
	return s
}

// Close stops the fake, what hangs in it included. It may be called again.
func (s *Server) Close() { s.close() }

// Config is what a client of this fake is made with.
func (s *Server) Config() exotel.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return exotel.Config{APIKey: s.key, APIToken: s.token, AccountSID: s.account, BaseURL: s.URL}
}

// SetCredentials makes the API accept this pair and no other from now on.
func (s *Server) SetCredentials(key, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key, s.token = key, token
}

// SetLatency makes every call take at least so long before it is processed.
func (s *Server) SetLatency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = d
}

// SetListLag hides a trunk from lists for so long after it was made. Exotel
// documents no such lag; none is excluded either.
func (s *Server) SetListLag(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listLag = d
}

// SetDuplicateStatus chooses the HTTP status of a refused duplicate: 200 (with
// 409 inside, as recorded) or 409 (as newer pages show).
func (s *Server) SetDuplicateStatus(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dupStatus = status
}

// Op is a kind of call.
type Op string

// The kinds of call that the fake knows.
const (
	Create Op = "create trunk"
	List   Op = "list trunks"
	Delete Op = "delete trunk"
	Other  Op = "other" // anything else; answered with 404
)

// Call is one request as the fake saw it.
type Call struct {
	At        time.Time
	Op        Op
	TrunkName string // of a Create whose body could be read
	Status    int    // HTTP status that was answered; zero where the answer was lost
	Code      int    // the code inside the envelope; zero where it did not process the call
}

// Calls are the requests so far, in the order in which they were answered (or lost).
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Count is how many requests of that kind there were.
func (s *Server) Count(op Op) int {
	count := 0
	for _, call := range s.Calls() {
		if call.Op == op {
			count++
		}
	}
	return count
}

// serve answers a request that came over the network.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the caller is gone
	}
	s.write(w, r, s.handle(r, body))
}

// handle takes one request through fault, work and answer.
func (s *Server) handle(r *http.Request, body []byte) wire {
	at, within := s.arrive()
	defer s.leave()
	call := Call{At: at, Op: s.route(r), TrunkName: nameIn(body)}
	if !within {
		out := s.overLimit(r)
		call.Status = out.status
		s.note(call)
		return out
	}
	fault := s.nextFault(call.Op)
	s.sleep(s.currentLatency() + fault.Delay)
	var answer reply
	switch fault.Work {
	case WorkSkipped:
	case WorkLate:
		s.workLate(fault.Late, r, body)
	default:
		answer = s.process(call.Op, r, body)
	}
	out := fault.wire(r, answer)
	call.Code, call.Status = answer.code(), out.status
	s.note(call)
	return out
}

func (s *Server) workLate(after time.Duration, r *http.Request, body []byte) {
	op := s.route(r)
	s.late.Go(func() {
		select {
		case <-time.After(after):
			s.process(op, r, body)
		case <-s.stopped:
		}
	})
}

func (s *Server) route(r *http.Request) Op {
	rest, ok := strings.CutPrefix(r.URL.Path, "/v2/accounts/")
	_, resource, found := strings.Cut(rest, "/")
	if !ok || !found || resource != "trunks" {
		return Other
	}
	switch r.Method {
	case http.MethodPost:
		return Create
	case http.MethodGet:
		return List
	case http.MethodDelete:
		return Delete
	}
	return Other
}

// process does what the API would do. Who is asking comes first.
func (s *Server) process(op Op, r *http.Request, body []byte) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, token, _ := r.BasicAuth()
	if key != s.key || token != s.token {
		return refuse(r, http.StatusUnauthorized, 1010, "Authorization failed", "Authorization failed")
	}
	if !strings.HasPrefix(r.URL.Path, "/v2/accounts/"+s.account+"/") {
		return refuse(r, http.StatusForbidden, 1003, "Authorization failed", "Authorization failed")
	}
	switch op {
	case Create:
		return s.createTrunk(r, body)
	case List:
		return s.listTrunks(r)
	case Delete:
		return s.deleteTrunk(r)
	default:
		return refuse(r, http.StatusNotFound, 1000, "Not Found", "Not Found")
	}
}

func (s *Server) note(call Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
}

func (s *Server) currentLatency() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latency
}

// sleep goes on when the caller is gone: the API would work on all the same.
func (s *Server) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-s.stopped:
	}
}
