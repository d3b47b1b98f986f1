package exoteltest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
)

// The recorded refusals, asked for in plain HTTP: the client would refuse to
// send most of these.
func TestRefusalsAreThoseOfTheVendor(t *testing.T) {
	t.Parallel()
	const trunks = "/v2/accounts/exoteltest/trunks"
	tests := map[string]struct {
		method, path, contentType, body, key, token string
		status, inner, code                         int
		text                                        string
	}{
		"wrong key":          {key: "other", body: `{}`, status: 401, inner: 401, code: 1010, text: "Authorization failed"},
		"wrong token":        {token: "other", body: `{}`, status: 401, inner: 401, code: 1010, text: "Authorization failed"},
		"another account":    {path: "/v2/accounts/other/trunks", body: `{}`, status: 403, inner: 403, code: 1003},
		"unknown path":       {path: "/v2/accounts/exoteltest/nothing", status: 404, inner: 404, code: 1000},
		"content type":       {contentType: "text/plain", body: `{}`, status: 415, inner: 415, code: 1011, text: "text/plain"},
		"broken JSON":        {body: `{"trunk_name":"test"`, status: 400, inner: 400, code: 1007, text: "unexpected end"},
		"no name":            {body: `{"nso_code":"ANY-ANY","domain_name":"x.pstn.exotel.com"}`, status: 400, inner: 400, code: 1001, text: "TrunkName is mandatory"},
		"long name":          {body: create("seventeen_letters"), status: 400, inner: 400, code: 1002, text: "Maximum allowed length for TrunkName is 16"},
		"illegal name":       {body: create("trunk-name"), status: 400, inner: 400, code: 1002, text: "Allowed characters for TrunkName is alphanumeric and _"},
		"wrong domain":       {body: strings.Replace(create("a"), ".pstn.exotel.com", ".example", 1), status: 400, inner: 400, code: 1002, text: "Domain name should end with .pstn.exotel.com"},
		"wrong nso":          {body: strings.Replace(create("a"), "ANY-ANY", "any any", 1), status: 400, inner: 400, code: 1002, text: "Nso code is invalid"},
		"empty name is made": {body: create(""), status: 200, inner: 200},
		"there already":      {body: create("taken"), status: 200, inner: 409, code: 1008, text: "Unable to create trunk with name taken"},
		"delete unknown":     {method: http.MethodDelete, path: trunks + "?trunk_sid=x", status: 404, inner: 404, code: 1000},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := exoteltest.Start(t)
			fake.Add(exotel.Trunk{Name: "taken"})
			status, answer := ask(t, fake, or(test.method, http.MethodPost), or(test.path, trunks), or(test.contentType, "application/json"), or(test.key, exoteltest.DefaultAPIKey), or(test.token, exoteltest.DefaultAPIToken), test.body)
			got := answer.Response
			if status != test.status || got.Code != test.inner || got.ErrorData.Code != test.code || !strings.Contains(got.ErrorData.Description, test.text) {
				t.Errorf("got HTTP %d, %+v; want %d, %d, %d, %q", status, got, test.status, test.inner, test.code, test.text)
			}
			if answer.RequestID == "" || answer.HTTPCode != status || (answer.Response.Status == "success") != (test.inner == 200) {
				t.Errorf("envelope %+v", answer)
			}
		})
	}
}

func create(name string) string {
	return `{"trunk_name":"` + name + `","nso_code":"ANY-ANY","domain_name":"exoteltest.pstn.exotel.com"}`
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

type envelope struct {
	RequestID string `json:"request_id"`
	HTTPCode  int    `json:"http_code"`
	Response  struct {
		Code      int
		Status    string
		ErrorData struct {
			Code        int
			Description string
		} `json:"error_data"`
	}
}

func ask(t *testing.T, fake *exoteltest.Server, method, path, contentType, key, token, body string) (int, envelope) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, fake.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.SetBasicAuth(key, token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer envelope
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

func TestListLagHidesWhatIsNew(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	fake.SetListLag(time.Hour)
	client, err := exotel.New(fake.Config())
	if err != nil {
		t.Fatal(err)
	}
	request := exotel.CreateTrunkRequest{TrunkName: "a", NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("x")}
	if _, err := client.Trunks.Create(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if page, err := client.Trunks.List(t.Context(), exotel.ListOptions{}); err != nil || len(page.Trunks) != 0 {
		t.Errorf("during the lag: %+v, %v", page, err)
	}
	fake.SetListLag(0)
	if page, err := client.Trunks.List(t.Context(), exotel.ListOptions{}); err != nil || len(page.Trunks) != 1 {
		t.Errorf("after it: %+v, %v", page, err)
	}
}

func TestFaultsThatWaitAreCountedAndDropped(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	client, err := exotel.New(fake.Config())
	if err != nil {
		t.Fatal(err)
	}
	request := exotel.CreateTrunkRequest{TrunkName: "a", NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("x")}
	fake.Inject(exoteltest.Create, exoteltest.Fail(503), exoteltest.Fail(503))
	if _, err := client.Trunks.Create(t.Context(), request); err == nil || fake.Waiting(exoteltest.Create) != 1 || fake.TrunkCount() != 0 {
		t.Errorf("%v, %d wait", err, fake.Waiting(exoteltest.Create))
	}
	fake.Calm()
	if _, err := client.Trunks.Create(t.Context(), request); err != nil || fake.Waiting(exoteltest.Create) != 0 || fake.TrunkCount() != 1 {
		t.Errorf("%v, %d wait, %d trunks", err, fake.Waiting(exoteltest.Create), fake.TrunkCount())
	}
}
