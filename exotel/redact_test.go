package exotel

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/canary"
)

const (
	leakKey   = "kV3kZ8+1tQb/Yx0LmNcR7u"
	leakToken = `tJ9Qw/&7nXk2"vT5<wB8sJd`
)

var leaks = canary.For(map[string]string{"key": leakKey, "token": leakToken})

// echoes are what a proxy's error page, or an API that shows the request that it
// refuses, can make of the credentials.
func echoes() map[string]string {
	basic := base64.StdEncoding.EncodeToString([]byte(leakKey + ":" + leakToken))
	return map[string]string{
		"plain":            "no such key: " + leakKey + ", token " + leakToken,
		"header":           "Authorization: Basic " + basic,
		"header, cut off":  "Authorization: Basic " + basic[:40],
		"a short cut":      "Authorization: Basic " + basic[:20] + "...",
		"token, cut off":   "token " + leakToken[:13],
		"header alone":     basic,
		"URL":              "https://" + url.QueryEscape(leakKey) + ":" + url.QueryEscape(leakToken) + "@api.exotel.com/v2",
		"path":             "/v1/" + url.PathEscape(leakToken) + "/x",
		"HTML":             "<b>" + html.EscapeString(leakToken) + "</b>",
		"token in base64":  "x" + base64.StdEncoding.EncodeToString([]byte("token="+leakToken)),
		"JSON in a string": `{"token":` + quote(leakToken) + `}`,
	}
}

func quote(text string) string {
	quoted, _ := json.Marshal(text) // strings can always be written
	return string(quoted)
}

// leaking is a client whose vendor gives this one answer.
func leaking(t *testing.T, status int, header http.Header, body string) *Client {
	t.Helper()
	client, err := New(Config{
		APIKey: leakKey, APIToken: leakToken, AccountSID: "exoteltest", Subdomain: Mumbai,
		HTTPClient: &http.Client{Transport: answering{status, header, body}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// clientOf is an HTTP client over a transport.
func clientOf(transport http.RoundTripper) *http.Client { return &http.Client{Transport: transport} }

type answering struct {
	status int
	header http.Header
	body   string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	header := a.header
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func TestEchoedCredentialsAreInNoError(t *testing.T) {
	t.Parallel()
	for name, echo := range echoes() {
		text := quote(echo)
		for place, answer := range map[string]struct {
			status   int
			location string
			body     string
		}{
			"message":     {401, "", `{"request_id":"1","http_code":401,"response":{"code":401,"error_data":{"code":1010,"message":` + text + `,"description":` + text + `}}}`},
			"request_id":  {200, "", `{"request_id":` + text + `,"http_code":200,"response":null}`},
			"status":      {400, "", `{"http_code":400,"response":{"code":400,"status":` + text + `}}`},
			"page":        {502, "", "<html>" + echo + "</html>"},
			"Location":    {302, "https://other.example/?" + url.QueryEscape(echo), ""},
			"bad address": {302, "https://other.example/%zz" + echo, ""},
		} {
			header := http.Header{}
			if answer.location != "" {
				header.Set("Location", answer.location)
			}
			var calls []Call
			ctx := WithHooks(t.Context(), Hooks{After: func(c Call) { calls = append(calls, c) }})
			_, err := leaking(t, answer.status, header, answer.body).Trunks.Create(ctx, goodRequest)
			if err == nil {
				t.Fatalf("%s in %s: no error", name, place)
			}
			if found := leaks.In(err.Error()); len(found) > 0 {
				t.Errorf("%s in %s: the error holds the %v: %v", name, place, found, err)
			}
			if found := leaks.In(calls[0].RequestID + calls[0].Err.Error()); len(found) > 0 {
				t.Errorf("%s in %s: the call holds the %v: %+v", name, place, found, calls[0])
			}
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%s in %s: more than one line: %q", name, place, err)
			}
		}
	}
}

// What a trunk says of itself is stored and shown.
func TestEchoedCredentialsAreInNoTrunk(t *testing.T) {
	t.Parallel()
	for name, echo := range echoes() {
		text := quote(echo)
		escaped := strings.ReplaceAll(text, "/", `\/`) // as PHP writes it
		for _, text := range []string{text, escaped} {
			body := `{"request_id":"1","http_code":200,"response":{"code":200,"status":"success","data":{"trunk_sid":"trmum1a","trunk_name":"outbound_trunk",` +
				`"domain_name":"exoteltest.pstn.exotel.com","credentials":` + text + `,"nested":[{` + text + `:` + text + `}],"limit":12345678901234567890}}}`
			trunk, err := leaking(t, 200, nil, body).Trunks.Create(t.Context(), goodRequest)
			if err != nil {
				t.Fatal(err)
			}
			if found := leaks.In(string(trunk.Raw)); len(found) > 0 {
				t.Errorf("%s: the trunk holds the %v: %s", name, found, trunk.Raw)
			}
			if trunk.SID != "trmum1a" || trunk.DomainName != "exoteltest.pstn.exotel.com" || !strings.Contains(string(trunk.Raw), "12345678901234567890") {
				t.Errorf("%s: the rest is lost: %s", name, trunk.Raw)
			}
		}
	}
}

// Older accounts have their sid for a key: it stands in every address and domain.
func TestKeyThatIsTheAccountIsNoSecret(t *testing.T) {
	t.Parallel()
	body := string(vendor(t, "create_success.json"))
	client, err := New(Config{
		APIKey: "exoteltest", APIToken: leakToken, AccountSID: "exoteltest", Subdomain: Mumbai,
		HTTPClient: &http.Client{Transport: answering{200, nil, body}},
	})
	if err != nil {
		t.Fatal(err)
	}
	trunk, err := client.Trunks.Create(t.Context(), goodRequest)
	if err != nil || trunk.DomainName != "exoteltest.pstn.exotel.com" || strings.Contains(string(trunk.Raw), "redacted") {
		t.Errorf("%v, %+v", err, trunk)
	}
}
