package exotel

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestNewRefusesAndNamesTheField(t *testing.T) {
	t.Parallel()
	good := Config{APIKey: "key", APIToken: "t0ken-secret", AccountSID: "acme1", Subdomain: Singapore}
	for field, broken := range map[string]func(*Config){
		"APIKey is":               func(c *Config) { c.APIKey = "" },
		"APIKey holds":            func(c *Config) { c.APIKey = "a:b" },
		"APIToken":                func(c *Config) { c.APIToken = "" },
		"AccountSID":              func(c *Config) { c.AccountSID = "acme/../other" },
		"Subdomain":               func(c *Config) { c.Subdomain = "api.exotel.com/x" },
		"Subdomain must":          func(c *Config) { c.Subdomain = "" },
		"Timeout":                 func(c *Config) { c.Timeout = -time.Second },
		"BaseURL must be https":   func(c *Config) { c.BaseURL = "http://exotel.example" },
		"BaseURL must be https:/": func(c *Config) { c.BaseURL = "https://user:hunter2@exotel.example" },
		"BaseURL":                 func(c *Config) { c.BaseURL = "https://exotel.example/?a=b" },
		"BaseURL must":            func(c *Config) { c.BaseURL = "exotel.example" },
	} {
		config := good
		broken(&config)
		_, err := New(config)
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v", field, err)
		} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "t0ken") {
			t.Errorf("%s: the error holds a secret: %v", field, err)
		}
	}
}

func TestNewAccepts(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "https://proxy.example/exotel/", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost"} {
		if _, err := New(Config{APIKey: "k", APIToken: "t", AccountSID: "a", Subdomain: Mumbai, BaseURL: base}); err != nil {
			t.Errorf("%q: %v", base, err)
		}
	}
	if _, err := New(Config{APIKey: "k", APIToken: "t", AccountSID: "a", BaseURL: "http://10.88.0.1:1", AllowPlainHTTP: true}); err != nil {
		t.Error(err)
	}
}

func TestRequestIsWhatExotelDocuments(t *testing.T) {
	t.Parallel()
	client, tr := scripted(t, string(vendor(t, "create_success.json")))
	if _, err := client.Trunks.Create(t.Context(), goodRequest); err != nil {
		t.Fatal(err)
	}
	r := tr.sent[0]
	if got, want := r.Method+" "+r.URL.String(), "POST https://api.in.exotel.com/v2/accounts/exoteltest/trunks"; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	if key, token, ok := r.BasicAuth(); !ok || key != "key-0123456789" || token != "token-0123456789" {
		t.Errorf("credentials %q %q", key, token)
	}
	if r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("content type %q", r.Header.Get("Content-Type"))
	}
	for _, header := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if _, there := r.Header[header]; there {
			t.Errorf("%s is sent: Go's transport would replay the POST", header)
		}
	}
	body := make([]byte, 200)
	n, _ := r.Body.Read(body)
	if got, want := string(body[:n]), `{"trunk_name":"outbound_trunk","nso_code":"ANY-ANY","domain_name":"exoteltest.pstn.exotel.com"}`; got != want {
		t.Errorf("body %s, want %s", got, want)
	}
}

func TestBasePathIsKept(t *testing.T) {
	t.Parallel()
	tr := &transport{t: t, script: []any{string(vendor(t, "list_empty.json"))}}
	client, err := New(Config{APIKey: "k", APIToken: "t", AccountSID: "acme1", BaseURL: "https://proxy.example/exo tel/", HTTPClient: &http.Client{Transport: tr}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Trunks.List(t.Context(), ListOptions{PageSize: 10, Offset: 20, TrunkSID: "a&b"}); err != nil {
		t.Fatal(err)
	}
	if got, want := tr.sent[0].URL.String(), "https://proxy.example/exo%20tel/v2/accounts/acme1/trunks?offset=20&page_size=10&trunk_sid=a%26b"; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

func TestErrorNeverHoldsCredentials(t *testing.T) {
	t.Parallel()
	echo := `{"request_id":"token-0123456789","http_code":401,"response":{"code":401,"status":"failure","error_data":{"code":1010,"message":"bad key-0123456789","description":"token-0123456789\r\nX-Evil: 1"}}}`
	client, _ := scripted(t, echo)
	_, err := client.Trunks.Create(t.Context(), goodRequest)
	if !errors.Is(err, ErrUnauthorized) {
		t.Fatal(err)
	}
	if text := err.Error(); strings.Contains(text, "0123456789") || strings.ContainsAny(text, "\r\n") {
		t.Errorf("error says %q", text)
	}
}

func TestErrorSaysWhatAnOperatorNeeds(t *testing.T) {
	t.Parallel()
	client, _ := scripted(t, string(vendor(t, "duplicate_inner.json")))
	_, err := client.Trunks.Create(t.Context(), goodRequest)
	want := "exotel: create trunk: duplicate: HTTP 200, code 1008: Duplicate resource: Unable to create trunk with name py_121523 (request 524f5159c04b44508f846cba89aeb87e)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// A right key at the wrong region looks like a wrong key.
func TestRefusedKeySaysWhereItWasSent(t *testing.T) {
	t.Parallel()
	_, err := saying(t, 401, "unauthorized.json").Trunks.Create(t.Context(), goodRequest)
	if !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), "Authorization failed") || !strings.Contains(err.Error(), Mumbai) {
		t.Errorf("got %v", err)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                   "plain",
		" line\nbreak\x00\x1b[0m": "line break  [0m",
		"bad \xff utf8":           "bad   utf8",
		strings.Repeat("ä", 200):  strings.Repeat("ä", 148) + "…",
	} {
		if got := clean(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// Whatever account a client speaks for, it can make trunks in.
func TestEveryAccountHasADomain(t *testing.T) {
	t.Parallel()
	for sid, legal := range map[string]bool{"acme1": true, "acme_1": true, "acme-voice-1": true, "ACME": true, "a.b": false, "a/b": false, "a b": false, "": false, strings.Repeat("a", 65): false} {
		_, err := New(Config{APIKey: "k", APIToken: "t", AccountSID: sid, Subdomain: Mumbai})
		invalid := CreateTrunkRequest{TrunkName: "th_a", NSOCode: AnyNSO, DomainName: DomainName(sid)}.Validate()
		if (err == nil) != legal || (invalid == nil) != legal {
			t.Errorf("%q: the client says %v, the request %v", sid, err, invalid)
		}
	}
}
