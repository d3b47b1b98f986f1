package lambdatest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a running function: one process, one invocation at a time.
type Process struct {
	runtime *runtimeAPI
	command *exec.Cmd
	started time.Time
	output  *os.File // not a pipe: what is written before an answer can be read when it comes
	exited  chan struct{}
	err     error      // how it exited; after exited
	turn    sync.Mutex // one invocation at a time
}

// Start starts a function's process with nothing but these variables in its
// environment. It is killed at the end of the test.
func Start(t testing.TB, bootstrap string, env map[string]string) *Process {
	t.Helper()
	return StartThrough(t, nil, bootstrap, env)
}

// StartThrough is Start, with a proxy in front of the Runtime API; nil for none.
func StartThrough(t testing.TB, proxy *Proxy, bootstrap string, env map[string]string) *Process {
	t.Helper()
	c := Command{Program: bootstrap, Env: env, Output: filepath.Join(t.TempDir(), "output")}
	p, err := c.start(func(addr string) string {
		if proxy == nil {
			return addr
		}
		proxy.forwardTo(t, "http://"+addr)
		return strings.TrimPrefix(proxy.URL, "http://")
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// Command is how a function's process is started.
type Command struct {
	Program string
	Args    []string
	Dir     string            // where it runs; here where empty
	Env     map[string]string // all of its environment, beside what Lambda sets
	Output  string            // the file that it writes to, which is made
}

// Launch starts the process, until Close.
func (c Command) Launch() (*Process, error) {
	return c.start(func(addr string) string { return addr })
}

// start starts the process; it finds the Runtime API where the function says.
func (c Command) start(through func(addr string) string) (*Process, error) {
	api, err := newRuntimeAPI()
	if err != nil {
		return nil, err
	}
	output, err := os.Create(c.Output)
	if err != nil {
		api.close()
		return nil, err
	}
	p := &Process{runtime: api, command: exec.Command(c.Program, c.Args...), output: output, exited: make(chan struct{})}
	p.command.Dir = c.Dir
	p.command.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + through(api.addr), "AWS_LAMBDA_FUNCTION_NAME=test", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/test", "AWS_LAMBDA_LOG_STREAM_NAME=test",
	}
	for name, value := range c.Env {
		p.command.Env = append(p.command.Env, name+"="+value)
	}
	p.command.Stdout, p.command.Stderr = p.output, p.output
	p.started = time.Now()
	if err := p.command.Start(); err != nil {
		api.close()
		output.Close()
		return nil, err
	}
	go func() {
		p.err = p.command.Wait()
		close(p.exited)
	}()
	return p, nil
}

// Close kills the process and ends its Runtime API.
func (p *Process) Close() {
	p.Kill()
	p.runtime.close()
	p.output.Close()
}

// PID is the process's.
func (p *Process) PID() int { return p.command.Process.Pid }

// Initialised waits until the process asks for its first invocation, and returns
// how long after its start that was.
func (p *Process) Initialised(within time.Duration) (time.Duration, error) {
	select {
	case at := <-p.runtime.asked:
		return at.Sub(p.started), nil
	case <-p.exited:
		return 0, ErrExited
	case <-time.After(within):
		return 0, errors.New("it has not asked for an invocation")
	}
}

// Kill ends the process at once, as a machine that fails would.
func (p *Process) Kill() {
	_ = p.command.Process.Kill() // may be gone already
	<-p.exited
}

// Freeze stops the process where it is, as Lambda does between invocations.
func (p *Process) Freeze() error { return p.command.Process.Signal(syscall.SIGSTOP) }

// Thaw lets it go on.
func (p *Process) Thaw() error { return p.command.Process.Signal(syscall.SIGCONT) }

// Exited waits for the process to end by itself, and returns how.
func (p *Process) Exited(within time.Duration) error {
	select {
	case <-p.exited:
		return p.err
	case <-time.After(within):
		return errors.New("it still runs")
	}
}

// Output is what the process wrote so far.
func (p *Process) Output() string {
	text, err := os.ReadFile(p.output.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// LastLine is the last JSON line of the output so far, decoded.
func (p *Process) LastLine(t testing.TB) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(p.Output()), "\n")
	var fields map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &fields); err != nil {
		t.Fatalf("not a JSON line at the end of\n%s", p.Output())
	}
	return fields
}

// ErrExited says that the process ended before it answered.
var ErrExited = errors.New("the process ended before it answered")

// Invoke hands the process an event and returns what it answers. The process is
// told that it has so much time, from when it is given the event: as in Lambda, what
// initialisation takes is not a part of it.
func (p *Process) Invoke(ctx context.Context, event any, timeout time.Duration) (json.RawMessage, error) {
	ran, err := p.Run(ctx, event, timeout)
	return ran.Answer, err
}

// Invocation is one that ended.
type Invocation struct {
	Answer json.RawMessage
	Began  time.Time // when the process was given the event
	Ended  time.Time // when its answer was here
}

// Run is Invoke, and tells the times.
func (p *Process) Run(ctx context.Context, event any, timeout time.Duration) (Invocation, error) {
	payload, err := json.Marshal(event)
	if err != nil {
		return Invocation{}, err
	}
	p.turn.Lock()
	defer p.turn.Unlock()
	call := &invocation{payload: payload, takes: timeout, answered: make(chan answer, 1)}
	select {
	case p.runtime.next <- call:
	case <-p.exited:
		return Invocation{}, ErrExited
	case <-ctx.Done():
		return Invocation{}, ctx.Err()
	}
	select {
	case a := <-call.answered:
		return a.ran, a.err
	case <-p.exited:
		return call.lastWord()
	case <-time.After(timeout): // as Lambda does with a function that is out of time
		p.Kill()
		return Invocation{}, fmt.Errorf("timed out after %v: %w", timeout, ErrExited)
	}
}

// lastWord is what was answered before the process ended, if anything was.
func (call *invocation) lastWord() (Invocation, error) {
	select {
	case a := <-call.answered:
		return a.ran, a.err
	default:
		return Invocation{}, ErrExited
	}
}
