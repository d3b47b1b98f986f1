package exoteltest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"syscall"
)

// Transport reaches the fake without a network: its faults look as they do over
// one, and the API works on when the caller has given up.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	ctx := r.Context()
	handled := make(chan wire, 1)
	go func() { handled <- t.server.handle(r, body) }()
	select {
	case out := <-handled:
		return t.answer(ctx, r, out)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (t transport) answer(ctx context.Context, r *http.Request, out wire) (*http.Response, error) {
	if out.hang {
		t.server.wait(ctx)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if out.status == 0 {
		return nil, syscall.ECONNRESET
	}
	return &http.Response{
		Status: http.StatusText(out.status), StatusCode: out.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.header, Request: r, ContentLength: -1,
		Body: io.NopCloser(&bodyReader{ctx: ctx, server: t.server, rest: bytes.NewReader(out.body), wire: out}),
	}, nil
}

// bodyReader gives the body as slowly, and as far, as it goes.
type bodyReader struct {
	ctx    context.Context
	server *Server
	rest   *bytes.Reader
	wire   wire
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.wire.slow {
		if !b.server.pause(b.ctx, slowPause) {
			return 0, b.ctx.Err()
		}
		p = p[:min(len(p), 1)]
	}
	n, err := b.rest.Read(p)
	if err == io.EOF && b.wire.reset {
		err = syscall.ECONNRESET
	}
	return n, err
}
