package exotel

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryable(t *testing.T) {
	t.Parallel()
	// GET, POST, PUT and DELETE, by kind, on the first try.
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}
	for kind, want := range map[Kind][]bool{
		ErrNotSent:        {true, true, true, true},
		ErrOutcomeUnknown: {true, false, false, false},
		ErrRateLimited:    {false, false, false, false},
		ErrInvalid:        {false, false, false, false},
		ErrDuplicate:      {false, false, false, false},
		ErrUnauthorized:   {false, false, false, false},
		ErrForbidden:      {false, false, false, false},
		ErrNotFound:       {false, false, false, false},
	} {
		for i, method := range methods {
			if got := retryable(method, 1, kind); got != want[i] {
				t.Errorf("%s after %q: retried %v, want %v", method, kind, got, want[i])
			}
			if retryable(method, maxTries, kind) {
				t.Errorf("%s after %q: retried after the last try", method, kind)
			}
		}
	}
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 10, 15, 30, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"30":                            30 * time.Second,
		"0":                             0,
		"-5":                            0,
		"1.5":                           0,
		"999999":                        time.Hour,
		"99999999999999999999":          0,
		"soon":                          0,
		"Fri, 20 Nov 2026 10:16:30 GMT": time.Minute,
		"Fri, 20 Nov 2026 10:14:30 GMT": 0,
		"Sat, 21 Nov 2026 10:14:30 GMT": time.Hour,
	} {
		if got := parseRetryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

// transport answers from a script, in order, and fails the test beyond it.
type transport struct {
	t      *testing.T
	script []any // an error, or a body answered with 200
	sent   []*http.Request
}

func (tr *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	tr.sent = append(tr.sent, r)
	if len(tr.sent) > len(tr.script) {
		tr.t.Errorf("unexpected call %d: %s %s", len(tr.sent), r.Method, r.URL)
		return nil, io.ErrUnexpectedEOF
	}
	switch step := tr.script[len(tr.sent)-1].(type) {
	case error:
		return nil, step
	case *http.Response:
		return step, nil
	default:
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(step.(string)))}, nil
	}
}

func scripted(t *testing.T, script ...any) (*Client, *transport) {
	t.Helper()
	tr := &transport{t: t, script: script}
	client, err := New(Config{
		APIKey: "key-0123456789", APIToken: "token-0123456789", AccountSID: "exoteltest", Subdomain: Mumbai,
		HTTPClient: &http.Client{Transport: tr},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, tr
}

var goodRequest = CreateTrunkRequest{TrunkName: "outbound_trunk", NSOCode: AnyNSO, DomainName: DomainName("exoteltest")}

var refused = &net.OpError{Op: "dial", Err: errors.New("connection refused")}

func TestListIsRetriedWithPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, tr := scripted(t, io.ErrUnexpectedEOF, "<html>", string(vendor(t, "list_empty.json")))
		start := time.Now()
		if _, err := client.Trunks.List(t.Context(), ListOptions{}); err != nil {
			t.Fatal(err)
		}
		waited := time.Since(start)
		if len(tr.sent) != 3 || waited < 300*time.Millisecond || waited > 600*time.Millisecond {
			t.Errorf("%d calls in %v, want 3 with pauses of 100-200 and 200-400 ms", len(tr.sent), waited)
		}
	})
}

func TestListGivesUpAfterThreeTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, tr := scripted(t, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF)
		_, err := client.Trunks.List(t.Context(), ListOptions{})
		if !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, io.ErrUnexpectedEOF) || len(tr.sent) != 3 {
			t.Errorf("%d calls, error %v", len(tr.sent), err)
		}
	})
}

func TestListIsNotRetriedPastTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, tr := scripted(t, io.ErrUnexpectedEOF)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := client.Trunks.List(ctx, ListOptions{})
		if !errors.Is(err, ErrOutcomeUnknown) || len(tr.sent) != 1 || time.Since(start) != 0 {
			t.Errorf("%d calls in %v, error %v; want one, at once", len(tr.sent), time.Since(start), err)
		}
	})
}

func TestCreateIsSentAgainOnlyWhereNothingWasSent(t *testing.T) {
	made := string(vendor(t, "create_success.json"))
	for name, test := range map[string]struct {
		first error
		calls int
		kind  Kind
	}{
		"no connection":  {refused, 2, ""},
		"broken answer":  {io.ErrUnexpectedEOF, 1, ErrOutcomeUnknown},
		"write then EOF": {&net.OpError{Op: "read", Err: io.EOF}, 1, ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, tr := scripted(t, test.first, made)
				_, err := client.Trunks.Create(t.Context(), goodRequest)
				if len(tr.sent) != test.calls || (test.kind == "") != (err == nil) || test.kind != "" && !errors.Is(err, test.kind) {
					t.Errorf("%d calls, error %v; want %d, %q", len(tr.sent), err, test.calls, test.kind)
				}
			})
		})
	}
}

func TestNothingIsSentWithoutTime(t *testing.T) {
	t.Parallel()
	client, tr := scripted(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.Trunks.Create(ctx, goodRequest)
	if !errors.Is(err, ErrNotSent) || !errors.Is(err, context.Canceled) || len(tr.sent) != 0 {
		t.Errorf("%d calls, error %v", len(tr.sent), err)
	}
}
