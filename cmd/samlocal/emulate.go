package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/internal/gateway"
)

// emulate runs the bootstrap under AWS's Runtime Interface Emulator.
func (o options) emulate(ctx context.Context, p *parts, stdout, stderr io.Writer) error {
	e, err := o.startEmulator(ctx, p, stderr)
	if err != nil {
		return err
	}
	defer e.stop()
	if o.event == "" {
		return o.serve(ctx, e, stderr)
	}
	event, err := os.ReadFile(o.event)
	if err != nil {
		return err
	}
	answer, err := e.invoke(ctx, event)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, string(answer))
	return nil
}

// emulator is a running Runtime Interface Emulator, with one function in it.
type emulator struct {
	url     string
	command *exec.Cmd
}

// findRIE finds the emulator in the SAM CLI's own installation.
func findRIE(sam string) (string, error) {
	path, err := exec.LookPath(sam)
	if err != nil {
		return "", fmt.Errorf("there is no SAM CLI at %s", sam)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	name := "aws-lambda-rie-" + architecture()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "..", "lib", "python3*", "site-packages", "samcli", "local", "rapid", name))
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("the SAM CLI at %s has no %s beside it; make .tools/sam/bin/sam installs one that has", path, name)
	}
	return found[0], nil
}

func (o options) startEmulator(ctx context.Context, p *parts, stderr io.Writer) (*emulator, error) {
	rie, err := findRIE(o.sam)
	if err != nil {
		return nil, err
	}
	bootstrap, err := filepath.Abs(o.bootstrap())
	if err != nil {
		return nil, err
	}
	invoke, api, err := twoPorts()
	if err != nil {
		return nil, err
	}
	// Both addresses are given: by default it listens on all interfaces.
	command := exec.CommandContext(ctx, rie, "--runtime-interface-emulator-address", invoke, "--runtime-api-address", api, bootstrap)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	command.Env = append(list(p.env("127.0.0.1")), "PATH="+os.Getenv("PATH"), "AWS_LAMBDA_FUNCTION_NAME="+o.function, "AWS_LAMBDA_FUNCTION_TIMEOUT=10",
		"AWS_REGION="+region, "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_SAM_LOCAL=true")
	command.Stdout, command.Stderr = stderr, stderr
	if err := command.Start(); err != nil {
		return nil, err
	}
	e := &emulator{url: "http://" + invoke + "/2015-03-31/functions/function/invocations", command: command}
	if err := waitFor(ctx, invoke); err != nil {
		e.stop()
		return nil, err
	}
	return e, nil
}

func (e *emulator) stop() {
	_ = e.command.Process.Signal(syscall.SIGTERM)
	_ = e.command.Wait() // it was told to end
}

// invokeTime is more than a function may take.
const invokeTime = time.Minute

func (e *emulator) invoke(ctx context.Context, event []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, invokeTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(event))
	if err != nil {
		return nil, err
	}
	resp, err := new(http.Client).Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// serve is what sam local start-api would be: HTTP in front of the function.
func (o options) serve(ctx context.Context, e *emulator, stderr io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: e.front()}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	fmt.Fprintf(stderr, "Listening on http://%s; Ctrl-C stops it.\n  curl -sS http://%s/signups -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '{\"signup_id\": \"acme-42\", \"company\": \"Acme Telecom\"}'\n", listener.Addr(), listener.Addr(), bearer)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// front stands for API Gateway.
func (e *emulator) front() http.Handler {
	return gateway.LoopbackOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := e.answer(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}))
}

func (e *emulator) answer(w http.ResponseWriter, r *http.Request) error {
	event, err := gateway.Event(r)
	if err != nil {
		return err
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return err
	}
	raw, err := e.invoke(r.Context(), payload)
	if err != nil {
		return err
	}
	var answer events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(raw, &answer); err != nil || answer.StatusCode == 0 {
		return fmt.Errorf("the function answered %s", raw)
	}
	gateway.Write(w, answer)
	return nil
}

func twoPorts() (first, second string, err error) {
	var listeners [2]net.Listener
	for i := range listeners {
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil { //nolint:noctx // closed below
			return "", "", err
		}
		defer listeners[i].Close()
	}
	return listeners[0].Addr().String(), listeners[1].Addr().String(), nil
}

func waitFor(ctx context.Context, address string) error {
	var err error
	for range 600 { // half a minute
		var conn net.Conn
		if conn, err = new(net.Dialer).DialContext(ctx, "tcp", address); err == nil {
			return conn.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}
