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
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"
)

// engine is a container engine, spoken to by Docker's API, which podman serves
// too (docs.docker.com, Engine API v1.40).
type engine struct {
	http  *http.Client
	name  string // for people
	bind  string // address of this machine that the parts listen on
	reach string // host under which a container reaches them

	holder string // id of a container that keeps the bridge up; may be empty
}

// findEngine is the one at DOCKER_HOST, or Docker's own, if it answers.
func findEngine(ctx context.Context) (*engine, error) {
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		host = "unix:///var/run/docker.sock"
	}
	address, err := url.Parse(host)
	if err != nil || address.Scheme != "unix" {
		return nil, errors.New("DOCKER_HOST is not a unix socket")
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", address.Path)
	}
	e := &engine{http: &http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: time.Minute}}
	var info struct{ OperatingSystem, ServerVersion string }
	if err := e.call(ctx, http.MethodGet, "/info", nil, &info); err != nil {
		return nil, errors.New("no container engine answers at " + host)
	}
	e.name = strings.TrimSpace(info.OperatingSystem + " " + info.ServerVersion)
	if info.OperatingSystem == "Docker Desktop" {
		e.bind, e.reach = "127.0.0.1", "host.docker.internal"
		return e, nil
	}
	return e, e.findBridge(ctx)
}

// findBridge asks for the address that this machine has on the containers'
// default network. podman's bridge is there only while a container runs.
func (e *engine) findBridge(ctx context.Context) error {
	var network struct {
		IPAM struct{ Config []struct{ Gateway string } }
	}
	if err := e.call(ctx, http.MethodGet, "/networks/bridge", nil, &network); err != nil || len(network.IPAM.Config) == 0 {
		return errors.New("the container engine has no bridge")
	}
	e.bind = network.IPAM.Config[0].Gateway
	e.reach = e.bind
	if canBind(e.bind) {
		return nil
	}
	if err := e.hold(ctx); err != nil {
		e.close()
		return fmt.Errorf("the containers' bridge %s is not up: %w", e.bind, err)
	}
	for range 300 { // half a minute
		if canBind(e.bind) {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	e.close()
	return fmt.Errorf("the containers' bridge %s does not come up", e.bind)
}

func canBind(host string) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0")) //nolint:noctx // closed at once
	if err != nil {
		return false
	}
	return listener.Close() == nil
}

// hold keeps the bridge up with a container that does nothing.
func (e *engine) hold(ctx context.Context) error {
	var made struct {
		ID string `json:"Id"`
	}
	sleep := map[string]any{"Image": image(), "Entrypoint": []string{"sleep"}, "Cmd": []string{"3600"}}
	if err := e.call(ctx, http.MethodPost, "/containers/create", sleep, &made); err != nil {
		return err
	}
	e.holder = made.ID
	return e.call(ctx, http.MethodPost, "/containers/"+e.holder+"/start", nil, nil)
}

func (e *engine) close() {
	if e.holder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_ = e.call(ctx, http.MethodDelete, "/containers/"+e.holder+"?force=true", nil, nil) // it ends by itself within the hour
	e.holder = ""
}

// image is what SAM runs functions of this architecture in.
func image() string { return "public.ecr.aws/lambda/provided:al2023-" + architecture() }

// architecture is this machine's, as Lambda calls it.
func architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// hasImage tells whether SAM need not pull.
func (e *engine) hasImage(ctx context.Context) bool {
	return e.call(ctx, http.MethodGet, "/images/"+image()+"/json", nil, nil) == nil
}

func (e *engine) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(encoded)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://engine/v1.40"+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := e.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, text)
	case out == nil:
		return nil
	}
	return json.Unmarshal(text, out)
}
