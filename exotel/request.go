package exotel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"
)

// request is one operation on the account, before it is HTTP.
type request struct {
	op      string // as in Error.Op
	method  string
	path    []string // elements below the account, escaped when they are joined
	query   url.Values
	body    any      // marshalled as JSON; nil for none
	read    reader   // takes what is wanted out of the answer
	fault   error    // why it must not be sent; nil where it may
	secrets []string // in the body, and in nothing that comes back
}

// do sends the request, again where retryable allows it, until there is a good
// answer, an error that stays, or no time.
func (c *Client) do(ctx context.Context, req request) error {
	if req.fault != nil {
		return &Error{Op: req.op, Kind: ErrInvalid, Message: clean(req.fault.Error())}
	}
	hooks := HooksOf(ctx)
	for try := 1; ; try++ {
		if err := hooks.Before(ctx, req.op); err != nil {
			return &Error{Op: req.op, Kind: ErrNotSent, Message: clean(err.Error()), cause: err}
		}
		call, err := c.exchange(ctx, req)
		hooks.After(call)
		if err == nil {
			return nil
		}
		if !retryable(req.method, try, err.Kind) || !pause(ctx, backoff(try)) {
			return err
		}
	}
}

// exchange is one HTTP exchange; the error is in the call as well.
func (c *Client) exchange(ctx context.Context, req request) (Call, *Error) {
	redactor := c.redactor.with(req.secrets...)
	call := Call{Op: req.op, Method: req.method, Path: clean(redactor.text(req.below())), Start: time.Now()}
	err := c.send(ctx, req, redactor, &call)
	call.Duration = time.Since(call.Start)
	call.RequestID = clean(redactor.text(call.RequestID))
	if err != nil {
		err.Op, err.HTTPStatus, err.RequestID = req.op, call.HTTPStatus, call.RequestID
		if err.Kind == ErrUnauthorized { // an account lives in one region
			err.Message = joined(err.Message, "asked "+c.base.Host+"; another region's key is refused so too")
		}
		err.Message = clean(redactor.text(err.Message))
		call.Err = err
	}
	return call, err
}

// send fills in what it learns about the call.
func (c *Client) send(ctx context.Context, req request, redactor redactor, call *Call) *Error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	var connected connection
	httpReq, err := c.newRequest(httptrace.WithClientTrace(ctx, connected.trace()), req)
	if err != nil {
		return &Error{Kind: ErrInvalid, Message: err.Error()}
	}
	if ctx.Err() != nil {
		return &Error{Kind: ErrNotSent, Message: "no time was left to send it", cause: ctx.Err()}
	}
	resp, err := c.http.Do(httpReq)
	if err != nil {
		return transportError(err, connected)
	}
	defer resp.Body.Close()
	call.HTTPStatus = resp.StatusCode
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return &Error{Kind: ErrOutcomeUnknown, Message: "the answer broke off: " + reason(err), cause: err}
	case len(body) > maxBody:
		return &Error{Kind: ErrOutcomeUnknown, Message: "the answer is larger than 1 MiB"}
	}
	requestID, failed := decode(resp.StatusCode, redactor.body(body), req.read)
	call.RequestID = requestID
	if failed != nil {
		failed.RetryAfter = parseRetryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	return failed
}

func (c *Client) newRequest(ctx context.Context, req request) (*http.Request, error) {
	var body io.Reader
	if req.body != nil {
		encoded, err := json.Marshal(req.body)
		if err != nil {
			return nil, errors.New("the request can't be written as JSON")
		}
		body = bytes.NewReader(encoded)
	}
	httpReq, err := http.NewRequestWithContext(ctx, req.method, c.url(req), body)
	if err != nil {
		return nil, errors.New("the request's URL is unusable")
	}
	httpReq.SetBasicAuth(c.config.APIKey, c.config.APIToken)
	httpReq.Header.Set("Accept", "application/json")
	httpReq.Header.Set("User-Agent", c.config.UserAgent)
	if body != nil {
		httpReq.Header.Set("Content-Type", "application/json")
	}
	return httpReq, nil
}

// below is the path below the account's.
func (r request) below() string {
	path := ""
	for _, element := range r.path {
		path += "/" + url.PathEscape(element)
	}
	return path
}

func (c *Client) url(req request) string {
	address := c.base.String() + c.account + req.below()
	if len(req.query) > 0 {
		address += "?" + req.query.Encode()
	}
	return address
}

// connection notes how far the transport got.
type connection struct{ asked, got bool }

func (c *connection) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { c.asked = true },
		GotConn: func(httptrace.GotConnInfo) { c.got = true },
	}
}

// transportError tells "not sent" from "unknown". Not sent needs evidence: the
// transport looked for a connection and never got one, or the error itself is
// one of dialling. Anything after that may have reached Exotel.
func transportError(err error, c connection) *Error {
	e := &Error{Kind: ErrOutcomeUnknown, Message: "no answer: " + reason(err), cause: err}
	var dial *net.OpError
	if c.asked && !c.got || errors.As(err, &dial) && dial.Op == "dial" {
		e.Kind, e.Message = ErrNotSent, "no connection: "+reason(err)
	}
	return e
}

// reason is the innermost text of a transport error, without the URL.
func reason(err error) string {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	return err.Error()
}
