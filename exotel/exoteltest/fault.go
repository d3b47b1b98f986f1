package exoteltest

import (
	"fmt"
	"net"
	"net/http"
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
	AnswerEmptySID               // what the API said, with an empty trunk_sid
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

// status is what the caller will see; zero for nothing, or nothing whole.
func (f Fault) status(answer reply) int {
	switch f.Answer {
	case AnswerReset, AnswerHang, AnswerCutOff:
		return 0
	case AnswerStatus, AnswerHTML:
		return f.Status
	default:
		return answer.status
	}
}

func (f Fault) write(s *Server, w http.ResponseWriter, r *http.Request, answer reply) {
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	switch f.Answer {
	case AnswerReset:
		reset(w)
	case AnswerHang:
		select {
		case <-r.Context().Done():
		case <-s.stopped:
		}
		reset(w)
	case AnswerStatus:
		statusReply(r, f.Status).write(w)
	case AnswerHTML:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Status)
		fmt.Fprintf(w, "<html><body><h1>%d %s</h1></body></html>", f.Status, http.StatusText(f.Status))
	case AnswerCutOff:
		cutOff(w, answer)
	case AnswerEmptySID:
		answer.withEmptySID().write(w)
	case AnswerHuge:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"padding":%q,"answer":%s}`, strings.Repeat("x", 2<<20), answer.body())
	case AnswerSlow:
		s.slow(w, r, answer)
	default:
		answer.write(w)
	}
}

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

func cutOff(w http.ResponseWriter, answer reply) {
	body := answer.body()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(answer.status)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	reset(w)
}

func (s *Server) slow(w http.ResponseWriter, r *http.Request, answer reply) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status)
	for _, b := range answer.body() {
		if _, err := w.Write([]byte{b}); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(50 * time.Millisecond):
		case <-r.Context().Done():
			return
		case <-s.stopped:
			return
		}
	}
}
