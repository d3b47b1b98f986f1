package exoteltest

import (
	"cmp"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
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
	trunks    []*trunk // oldest first
	made      int      // trunks ever
	lastID    map[string]int
	calls     []Call
	faults    map[Op][]Fault
	latency   time.Duration
	lags      map[Op]time.Duration
	dupStatus int

	unknownStatus int  // of a call about a trunk that isn't there
	uniqueUsers   bool // a trunk has no two credentials of one user name

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
		lags:      make(map[Op]time.Duration),
		dupStatus: http.StatusOK,
		lastID:    map[string]int{phoneNumbers: 41511, whitelistedIPs: 1152, destinationURIs: 2542, credentials: 1233},

		unknownStatus: http.StatusNotFound,
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

// SetListLag hides a trunk from lists of trunks for so long after it was made.
// Exotel documents no such lag; none is excluded either.
func (s *Server) SetListLag(d time.Duration) { s.SetLag(List, d) }

// SetLag hides what one kind of list shows, such as ListCredentials, for so long
// after it was made.
func (s *Server) SetLag(op Op, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lags[op] = d
}

// SetDuplicateStatus chooses the HTTP status of a refused duplicate: 200 (with
// 409 inside, as recorded) or 409 (as newer pages show).
func (s *Server) SetDuplicateStatus(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dupStatus = status
}

// SetUnknownTrunkStatus chooses how the API answers a call about what a trunk has
// where there is no such trunk: 404 with code 1000 (recorded in 2026, the
// default) or 403 with code 1003 (recorded in 2025).
func (s *Server) SetUnknownTrunkStatus(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unknownStatus = status
}

// SetUniqueUserNames makes a trunk refuse a second credential of the same user
// name as a duplicate. Exotel documents neither; the default is the worse case,
// in which a repeated call makes a second one.
func (s *Server) SetUniqueUserNames(unique bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uniqueUsers = unique
}

// Call is one request as the fake saw it.
type Call struct {
	At        time.Time
	Op        Op
	TrunkSID  string // of a call about what a trunk has
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
	to := routeOf(r)
	call := Call{At: at, Op: to.op, TrunkSID: to.trunk, TrunkName: nameIn(to.op, body)}
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
		s.workLate(fault.Late, to, r, body)
	default:
		answer = s.process(to, r, body)
	}
	out := fault.wire(r, answer)
	call.Code, call.Status = answer.code(), out.status
	s.note(call)
	return out
}

func (s *Server) workLate(after time.Duration, to route, r *http.Request, body []byte) {
	s.late.Go(func() {
		select {
		case <-time.After(after):
			s.process(to, r, body)
		case <-s.stopped:
		}
	})
}

// process does what the API would do. Who is asking comes first.
func (s *Server) process(to route, r *http.Request, body []byte) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, token, _ := r.BasicAuth()
	if key != s.key || token != s.token {
		return refuse(r, http.StatusUnauthorized, 1010, "Authorization failed", "Authorization failed")
	}
	if to.account != s.account {
		return refuse(r, http.StatusForbidden, 1003, "Authorization failed", "Authorization failed")
	}
	q := query{Request: r, route: to, body: body}
	if to.resource == "" {
		return s.aboutTrunks(q)
	}
	if q.line = s.trunk(to.trunk); q.line == nil {
		return s.unknownTrunk(r)
	}
	return s.aboutLine(q)
}

// query is a request that may be answered.
type query struct {
	*http.Request
	route
	body []byte
	line *trunk // whose resource it is about
}

func (s *Server) aboutTrunks(q query) reply {
	switch q.op {
	case Create:
		return s.createTrunk(q)
	case List:
		return s.listTrunks(q)
	case Update:
		return s.updateTrunk(q)
	case Delete:
		return s.deleteTrunk(q.Request)
	case ListTrunkMaps:
		return s.listTrunkMaps(q)
	default:
		return notFound(q.Request)
	}
}

func (s *Server) aboutLine(q query) reply {
	switch q.resource {
	case phoneNumbers:
		return s.aboutPhoneNumbers(q)
	case whitelistedIPs:
		return s.aboutWhitelistedIPs(q)
	case destinationURIs:
		return s.aboutDestinationURIs(q)
	case credentials:
		return s.aboutCredentials(q)
	default:
		return s.aboutSettings(q)
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
