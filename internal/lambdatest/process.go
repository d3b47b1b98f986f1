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
	api, err := newRuntimeAPI()
	if err != nil {
		t.Fatal(err)
	}
	addr := api.addr
	if proxy != nil {
		proxy.forwardTo(t, "http://"+addr)
		addr = strings.TrimPrefix(proxy.URL, "http://")
	}
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{runtime: api, command: exec.Command(bootstrap), output: output, exited: make(chan struct{})}
	p.command.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + addr, "AWS_LAMBDA_FUNCTION_NAME=test", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/test", "AWS_LAMBDA_LOG_STREAM_NAME=test",
	}
	for name, value := range env {
		p.command.Env = append(p.command.Env, name+"="+value)
	}
	p.command.Stdout, p.command.Stderr = p.output, p.output
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.command.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() { p.Kill(); api.close(); output.Close() })
	return p
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
// told that it has so much time.
func (p *Process) Invoke(ctx context.Context, event any, timeout time.Duration) (json.RawMessage, error) {
	payload, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	p.turn.Lock()
	defer p.turn.Unlock()
	call := &invocation{payload: payload, deadline: time.Now().Add(timeout), answered: make(chan answer, 1)}
	select {
	case p.runtime.next <- call:
	case <-p.exited:
		return nil, ErrExited
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-call.answered:
		return a.body, a.err
	case <-p.exited:
		return call.lastWord()
	case <-time.After(timeout): // as Lambda does with a function that is out of time
		p.Kill()
		return nil, fmt.Errorf("timed out after %v: %w", timeout, ErrExited)
	}
}

// lastWord is what was answered before the process ended, if anything was.
func (call *invocation) lastWord() (json.RawMessage, error) {
	select {
	case a := <-call.answered:
		return a.body, a.err
	default:
		return nil, ErrExited
	}
}
