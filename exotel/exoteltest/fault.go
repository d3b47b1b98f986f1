package exoteltest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is something that goes wrong with one call. What the API does (Work)
// and what the caller gets to see (Answer) are apart.
type Fault struct {
	Delay  time.Duration // before the work
	Work   Work
	Late   time.Duration // with WorkLate: how long after the call arrived
	Answer Answer

	Status     int    // with AnswerStatus and AnswerHTML
	RetryAfter string // header of the answer, as it stands
}

// Work is what the API does with a faulty call.
type Work int

// Kinds of work.
const (
	WorkDone    Work = iota // processed as usual
	WorkSkipped             // not processed, ever
	WorkLate                // processed after Late, whatever the caller was told
)

// Answer is what the caller of a faulty call gets to see.
type Answer int

// Kinds of answer.
const (
	AnswerNormal   Answer = iota // what the API said
	AnswerReset                  // none; the connection is reset
	AnswerHang                   // none; the connection stays open until the caller goes
	AnswerStatus                 // an envelope of failure with Status
	AnswerHTML                   // a page with Status, as from a proxy
	AnswerCutOff                 // the first half of what the API said, then a reset
	AnswerEmptySID               // what the API said, with an empty trunk_sid, id and name
	AnswerHuge                   // 2 MiB of JSON around what the API said
	AnswerSlow                   // what the API said, a byte every 50 ms
)

// The faults that have a name of their own.
var (
	LoseAnswer  = Fault{Answer: AnswerReset}
	LoseRequest = Fault{Work: WorkSkipped, Answer: AnswerReset}
	Hang        = Fault{Work: WorkSkipped, Answer: AnswerHang}
	HangAfter   = Fault{Answer: AnswerHang}
	HTML        = Fault{Work: WorkSkipped, Answer: AnswerHTML, Status: http.StatusBadGateway}
	HTMLAfter   = Fault{Answer: AnswerHTML, Status: http.StatusBadGateway}
	CutOff      = Fault{Answer: AnswerCutOff}
	EmptySID    = Fault{Answer: AnswerEmptySID}
	Huge        = Fault{Answer: AnswerHuge}
	Slow        = Fault{Answer: AnswerSlow}
)

// Fail answers with the status and does nothing.
func Fail(status int) Fault {
	return Fault{Work: WorkSkipped, Answer: AnswerStatus, Status: status}
}

// FailAfter processes the call and answers with the status all the same.
func FailAfter(status int) Fault { return Fault{Answer: AnswerStatus, Status: status} }

// RateLimit answers 429 and does nothing. The header is left out where empty.
func RateLimit(retryAfter string) Fault {
	return Fault{Work: WorkSkipped, Answer: AnswerStatus, Status: http.StatusTooManyRequests, RetryAfter: retryAfter}
}

// ProcessLate hangs, and processes the call so long after it arrived.
func ProcessLate(after time.Duration) Fault {
	return Fault{Work: WorkLate, Late: after, Answer: AnswerHang}
}

// Delay answers rightly, but so much later.
func Delay(d time.Duration) Fault { return Fault{Delay: d} }

// Inject queues faults for the next calls of a kind, one each.
func (s *Server) Inject(op Op, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[op] = append(s.faults[op], faults...)
}

// Waiting is how many faults are queued for calls of a kind.
func (s *Server) Waiting(op Op) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.faults[op])
}

// Calm drops the faults that are queued.
func (s *Server) Calm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
}

func (s *Server) nextFault(op Op) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue := s.faults[op]
	if len(queue) == 0 {
		return Fault{}
	}
	s.faults[op] = queue[1:]
	return queue[0]
}

// wire is what goes back to the caller.
type wire struct {
	status int // zero: no answer
	header http.Header
	body   []byte
	hang   bool // before the connection goes, the caller is kept waiting
	reset  bool // the connection goes after the body
	slow   bool // a byte every 50 ms
}

// wire is what the fault makes of what the API said.
func (f Fault) wire(r *http.Request, answer reply) wire {
	w := wire{status: answer.status, header: http.Header{"Content-Type": {"application/json"}}, body: answer.body()}
	if f.RetryAfter != "" {
		w.header.Set("Retry-After", f.RetryAfter)
	}
	switch f.Answer {
	case AnswerNormal:
	case AnswerReset:
		w = wire{reset: true}
	case AnswerHang:
		w = wire{hang: true, reset: true}
	case AnswerStatus:
		w.status, w.body = f.Status, statusReply(r, f.Status).body()
	case AnswerHTML:
		w.header.Set("Content-Type", "text/html")
		w.status, w.body = f.Status, fmt.Appendf(nil, "<html><body><h1>%d %s</h1></body></html>", f.Status, http.StatusText(f.Status))
	case AnswerCutOff:
		w.header.Set("Content-Length", strconv.Itoa(len(w.body)))
		w.body, w.reset = w.body[:len(w.body)/2], true
	case AnswerEmptySID:
		w.body = answer.withEmptySID().body()
	case AnswerHuge:
		w.body = fmt.Appendf(nil, `{"padding":%q,"answer":%s}`, strings.Repeat("x", 2<<20), w.body)
	case AnswerSlow:
		w.slow = true
	}
	return w
}

// write sends it over a connection.
func (s *Server) write(w http.ResponseWriter, r *http.Request, out wire) {
	if out.hang {
		s.wait(r.Context())
	}
	if out.status != 0 {
		for name, values := range out.header {
			w.Header()[name] = values
		}
		w.WriteHeader(out.status)
		s.writeBody(w, r.Context(), out)
	}
	if out.reset {
		reset(w)
	}
}

func (s *Server) writeBody(w http.ResponseWriter, ctx context.Context, out wire) { //nolint:revive // the writer first, as everywhere in net/http
	chunks := [][]byte{out.body}
	if out.slow {
		chunks = slices.Collect(slices.Chunk(out.body, 1))
	}
	for _, chunk := range chunks {
		if _, err := w.Write(chunk); err != nil {
			return
		}
		if out.slow || out.reset {
			_ = http.NewResponseController(w).Flush()
		}
		if out.slow && !s.pause(ctx, slowPause) {
			return
		}
	}
}

const slowPause = 50 * time.Millisecond

// reset drops the connection so that the caller sees a reset, not an end.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2: resets the stream
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// wait keeps a caller until it goes, or the fake stops.
func (s *Server) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.stopped:
	}
}

// pause tells whether it came to its end.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
	case <-s.stopped:
	}
	return false
}
