package lambdatest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// Fault is what becomes of one call on its way through a Proxy. The zero value
// is nothing in particular.
type Fault struct {
	Delay  time.Duration // before anything else
	Answer Answer
	Lost   bool    // the service never gets the call; not with AnswerPassed
	Kill   *Victim // is killed once the service is done with it; not with AnswerPassed

	Status int    // with AnswerOwn and AnswerEcho
	Body   string // with AnswerOwn; with AnswerEcho around the call's body: %s as it is, %q as a text
}

// Answer is what comes back of a faulty call.
type Answer int

// Kinds of answer.
const (
	AnswerPassed Answer = iota // what the service said
	AnswerReset                // none; the connection is reset
	AnswerHang                 // none, until the caller goes
	AnswerOwn                  // Status and Body
	AnswerEcho                 // Status, and what was sent inside Body
)

// The faults that have a name of their own.
var (
	LoseRequest = Fault{Lost: true, Answer: AnswerReset}
	LoseAnswer  = Fault{Answer: AnswerReset}
	HangBefore  = Fault{Lost: true, Answer: AnswerHang}
	HangAfter   = Fault{Answer: AnswerHang}
)

// Respond answers so instead of the service.
func Respond(status int, body string) Fault {
	return Fault{Lost: true, Answer: AnswerOwn, Status: status, Body: body}
}

// KillBefore kills the process when it makes the call, and KillAfter when the
// service has done what was asked, before the process hears of it.
func KillBefore(v *Victim) Fault { return Fault{Lost: true, Kill: v, Answer: AnswerReset} }

// KillAfter is described with KillBefore.
func KillAfter(v *Victim) Fault { return Fault{Kill: v, Answer: AnswerReset} }

// Victim is a process to be killed, which may not have been started yet.
type Victim struct {
	process *Process
	started chan struct{}
}

// NewVictim returns one without its process.
func NewVictim() *Victim { return &Victim{started: make(chan struct{})} }

// Is says which process it is; once.
func (v *Victim) Is(p *Process) {
	v.process = p
	close(v.started)
}

func (v *Victim) kill() {
	<-v.started
	v.process.Kill()
}

func (f Fault) serve(w http.ResponseWriter, r *http.Request, service http.Handler, stopped <-chan struct{}) {
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-stopped:
		}
	}
	switch {
	case f.Answer == AnswerPassed:
		service.ServeHTTP(w, r)
		return
	case !f.Lost:
		service.ServeHTTP(httptest.NewRecorder(), r)
	}
	if f.Kill != nil {
		f.Kill.kill()
	}
	switch f.Answer {
	case AnswerPassed, AnswerReset:
		reset(w)
	case AnswerHang:
		select {
		case <-r.Context().Done():
		case <-stopped:
		}
		reset(w)
	case AnswerOwn, AnswerEcho:
		if f.Answer == AnswerEcho {
			sent, _ := io.ReadAll(r.Body)
			f.Body = strings.NewReplacer("%s", string(sent), "%q", strconv.Quote(string(sent))).Replace(f.Body)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body))
	}
}

// reset drops the connection so that the caller sees a reset, not an end.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	abort(conn)
}

func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
