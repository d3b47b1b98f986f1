//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/internal/awsconfig"
	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

// emulator is a running MiniStack.
type emulator struct {
	url     string
	bin     string // of the virtual environment that it is installed in
	log     string
	clients awsconfig.Clients
}

// variable is what make e2e sets.
func variable(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: run make e2e", name)
	}
	return value
}

func startEmulator(t *testing.T) *emulator {
	t.Helper()
	dir := t.TempDir()
	e := &emulator{url: "http://127.0.0.1:" + freePort(t), bin: variable(t, "E2E_MINISTACK"), log: filepath.Join(dir, "ministack.log")}
	log, err := os.Create(e.log)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(filepath.Join(e.bin, "ministack"))
	// Its whole environment goes into every function, so it gets no more than it
	// needs. AUTH enforces the roles' policies.
	command.Env = append(e.env(), "PATH=/usr/bin:/bin", "HOME="+dir, "TMPDIR="+dir,
		"BIND_HOST=127.0.0.1", "GATEWAY_PORT="+e.url[strings.LastIndex(e.url, ":")+1:], "IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0",
		"AUTH=true", "MINISTACK_REGION="+region)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { _ = command.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = command.Process.Kill()
			<-done
		}
		if t.Failed() {
			text, _ := os.ReadFile(e.log)
			t.Logf("the end of MiniStack's log:\n%s", tail(string(text), 60))
		}
	})
	waitFor(t, 3*time.Minute, func() bool {
		resp, err := http.Get(e.url + "/_ministack/health")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	vars := map[string]string{}
	for _, pair := range e.env() {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	if e.clients, err = awsconfig.FromEnv(func(name string) string { return vars[name] }); err != nil {
		t.Fatal(err)
	}
	return e
}

const region = "eu-west-1"

// env points any AWS client at the emulator.
func (e *emulator) env() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + e.url, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_EC2_METADATA_DISABLED=true", "SAM_CLI_TELEMETRY=0",
	}
}

// run runs a program of the repository's root against the emulator, and returns
// what it prints.
func (e *emulator) run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := e.try(t, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return out
}

func (e *emulator) try(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = dynamotest.Root()
	command.Env = append(os.Environ(), e.env()...)
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return string(out) + stderr.String(), err
	}
	return string(out), nil
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func waitFor(t *testing.T, limit time.Duration, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("it did not happen within %v", limit)
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// lap prints how long a step took.
func lap(t *testing.T, what string) func() {
	t.Helper()
	start := time.Now()
	return func() { t.Logf("%5.1f s  %s", time.Since(start).Seconds(), what) }
}

var errNoOutput = errors.New("the stack has no such output")

func (o outputs) must(t *testing.T, name string) string {
	t.Helper()
	value, ok := o[name]
	if !ok {
		t.Fatal(fmt.Errorf("%w: %s", errNoOutput, name))
	}
	return value
}
