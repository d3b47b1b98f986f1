package exotel_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// visits notes every request that a server gets.
type visits struct {
	mu   sync.Mutex
	seen []string
}

func (v *visits) note(r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen = append(v.seen, r.Method+" "+r.URL.Path)
}

func (v *visits) all() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.seen)
}

func clientOf(t *testing.T, base string, own *http.Client) *exotel.Client {
	t.Helper()
	client, err := exotel.New(exotel.Config{APIKey: "key-0123456789", APIToken: "token-0123456789", AccountSID: "acme1", BaseURL: base, HTTPClient: own})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

var trunkRequest = exotel.CreateTrunkRequest{TrunkName: "acme_42", NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("acme1")}

// A redirect would carry the credentials elsewhere, and a 307 the create too.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var elsewhere, here visits
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { elsewhere.note(r) }))
	t.Cleanup(thief.Close)
	var answer struct {
		sync.Mutex
		status   int
		location string
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		here.note(r)
		answer.Lock()
		defer answer.Unlock()
		w.Header().Set("Location", answer.location)
		w.Header().Set("Refresh", "0; url="+answer.location)
		w.WriteHeader(answer.status)
	}))
	t.Cleanup(api.Close)
	// A caller's own client has a policy of its own, which must not count.
	follower := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	clients := []*exotel.Client{clientOf(t, api.URL, nil), clientOf(t, api.URL, follower)}
	for status := 300; status <= 308; status++ {
		for _, location := range []string{thief.URL + "/v2/accounts/acme1/trunks", "/v2/accounts/acme1/elsewhere", "//" + strings.TrimPrefix(thief.URL, "http://"), "https://key:token@evil.example/%zz", ""} {
			answer.Lock()
			answer.status, answer.location = status, location
			answer.Unlock()
			for _, client := range clients {
				_, createErr := client.Trunks.Create(t.Context(), trunkRequest)
				_, deleteErr := client.Trunks.Delete(t.Context(), "trmum1a")
				for _, err := range []error{createErr, deleteErr} {
					var failed *exotel.Error
					if !errors.As(err, &failed) || failed.Kind != exotel.ErrOutcomeUnknown || failed.HTTPStatus != status || strings.Contains(err.Error(), "evil") {
						t.Errorf("%d to %q: %v", status, location, err)
					}
				}
			}
		}
	}
	for status := 300; status <= 308; status++ {
		answer.Lock()
		answer.status, answer.location = status, thief.URL
		answer.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Millisecond) // no time for another try
		if _, err := clients[0].Trunks.List(ctx, exotel.ListOptions{}); err == nil {
			t.Errorf("list after %d: no error", status)
		}
		cancel()
	}
	if seen := elsewhere.all(); len(seen) != 0 {
		t.Errorf("the other host was asked: %v", seen)
	}
	for _, request := range here.all() {
		if !strings.HasSuffix(request, "/v2/accounts/acme1/trunks") {
			t.Errorf("followed to %s", request)
		}
	}
}

func TestHostsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, subdomain := range []string{
		"", " ", "api.exotel.com/", "api.exotel.com@evil.example", "evil.example#", "evil.example?", "api.exotel.com:80", "api.exotel.com\\evil.example",
		"api.exotel.com\r\nX-Evil: 1", "api.exotel.com\x00", "api.exotel.com%2f", "[::1]", "äpi.exotel.com", "-", ".", strings.Repeat("a", 300),
	} {
		if _, err := exotel.New(exotel.Config{APIKey: "k", APIToken: "t", AccountSID: "a", Subdomain: subdomain}); err == nil {
			t.Errorf("the subdomain %q is taken", subdomain)
		}
	}
	for _, base := range []string{
		"http://api.exotel.com", "http://10.0.0.1", "http://192.168.1.1:8080", "http://169.254.169.254", "http://0.0.0.0", "http://[::]", "http://127.0.0.1.nip.example",
		"http://localhost.example", "http://127.1", "http://2130706433", "http://0x7f000001", "http://[fe80::1%25lo]", "HTTP://api.exotel.com", "ftp://127.0.0.1", "file:///etc/passwd",
		"//127.0.0.1", "http://", "https://", "https://:443", "https://a@b.example", "https://a:b@c.example", "https://b.example?x", "https://b.example#x", "https://b.example/\r\nX: 1",
	} {
		if _, err := exotel.New(exotel.Config{APIKey: "k", APIToken: "t", AccountSID: "a", BaseURL: base}); err == nil {
			t.Errorf("the base URL %q is taken", base)
		}
	}
	for _, base := range []string{"http://127.0.0.1", "http://127.8.8.8:1", "http://[::1]:1", "http://localhost:1", "https://10.0.0.1", "https://proxy.example/x"} {
		if _, err := exotel.New(exotel.Config{APIKey: "k", APIToken: "t", AccountSID: "a", BaseURL: base}); err != nil {
			t.Errorf("%q: %v", base, err)
		}
	}
}

// Whoever can't prove to be the API gets no credentials.
func TestNothingIsSentWithoutGoodTLS(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]*tls.Config{
		"an unknown authority": {},
		"TLS 1.1":              {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
	} {
		var got visits
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got.note(r) }))
		server.TLS, server.Config.ErrorLog = config, log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		transport := exotel.NewTransport()
		if config.MaxVersion != 0 {
			transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone() // knows the authority
		}
		_, err := clientOf(t, server.URL, &http.Client{Transport: transport}).Trunks.Create(t.Context(), trunkRequest)
		if !errors.Is(err, exotel.ErrNotSent) || len(got.all()) != 0 {
			t.Errorf("%s: %v, %v", name, err, got.all())
		}
	}
}

// What a server sends costs no more than a bounded part of the memory.
func TestHeadersOfAnAnswerAreBounded(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 20 {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 10_000))
		}
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(server.Close)
	if _, err := clientOf(t, server.URL, nil).Trunks.Create(t.Context(), trunkRequest); !errors.Is(err, exotel.ErrOutcomeUnknown) || !strings.Contains(err.Error(), "exceeded") {
		t.Errorf("got %v", err)
	}
}
