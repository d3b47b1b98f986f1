package exotel

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
)

//go:embed testdata/*.json
var testdata embed.FS

func vendor(t testing.TB, name string) []byte {
	t.Helper()
	body, err := testdata.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// oneTrunk reads the one trunk of an answer, whichever it is.
func oneTrunk(trunk *Trunk) reader { return readOne(trunk, func(Trunk) bool { return true }) }

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status  int
		body    string // a name in testdata, or the body itself
		kind    Kind   // empty: a trunk comes out
		code    int
		message string
	}{
		"made":                            {status: 200, body: "create_success.json"},
		"made with 201":                   {status: 201, body: "create_success.json"},
		"duplicate inside HTTP 200":       {status: 200, body: "duplicate_inner.json", kind: ErrDuplicate, code: 1008, message: "Unable to create trunk with name py_121523"},
		"duplicate with HTTP 409":         {status: 409, body: "duplicate_outer.json", kind: ErrDuplicate, code: 1002},
		"duplicate by its code alone":     {status: 200, body: `{"http_code":200,"response":{"status":"failure","error_data":{"code":1008}}}`, kind: ErrDuplicate, code: 1008},
		"duplicate in the envelope alone": {status: 200, body: `{"http_code":409,"response":null}`, kind: ErrDuplicate},
		"unauthorized":                    {status: 401, body: "unauthorized.json", kind: ErrUnauthorized, code: 1010, message: "Authorization failed"},
		"unauthorized, bare":              {status: 401, body: "", kind: ErrUnauthorized},
		"forbidden":                       {status: 403, body: "forbidden.json", kind: ErrForbidden, code: 1003},
		"not found":                       {status: 404, body: "not_found.json", kind: ErrNotFound, code: 1000},
		"not found, page":                 {status: 404, body: "<html>404</html>", kind: ErrOutcomeUnknown},
		"invalid parameter":               {status: 400, body: "invalid_parameter.json", kind: ErrInvalid, code: 1002, message: "Invalid parameter: Maximum allowed length for TrunkName is 16"},
		"invalid body":                    {status: 400, body: "invalid_body.json", kind: ErrInvalid, code: 1007},
		"content type":                    {status: 415, body: "content_type.json", kind: ErrInvalid, code: 1011},
		"rate limited":                    {status: 429, body: "rate_limited.json", kind: ErrRateLimited, code: 1030},
		"rate limited, bare":              {status: 429, body: "slow down", kind: ErrRateLimited},
		"HTML with 502":                   {status: 502, body: "<html><body>Bad gateway</body></html>", kind: ErrOutcomeUnknown, message: "not Exotel's envelope"},
		"HTML with 200":                   {status: 200, body: "<html></html>", kind: ErrOutcomeUnknown},
		"500 in an envelope":              {status: 500, body: `{"http_code":500,"response":{"code":500,"status":"failure"}}`, kind: ErrOutcomeUnknown},
		"500 inside 200":                  {status: 200, body: `{"http_code":200,"response":{"code":500,"status":"failure","data":null}}`, kind: ErrOutcomeUnknown},
		"500 with no inner code":          {status: 500, body: `{"http_code":200,"response":{"data":{"trunk_sid":"x"}}}`, kind: ErrOutcomeUnknown},
		"408":                             {status: 408, body: `{"http_code":408,"response":{"code":408}}`, kind: ErrOutcomeUnknown},
		"redirect":                        {status: 302, body: "", kind: ErrOutcomeUnknown},
		"empty":                           {status: 200, body: "", kind: ErrOutcomeUnknown},
		"cut off":                         {status: 200, body: `{"request_id":"10a67da3","http_code":200,"response":{"code":200,"sta`, kind: ErrOutcomeUnknown},
		"no data":                         {status: 200, body: `{"http_code":200,"response":{"code":200,"status":"success","data":null}}`, kind: ErrOutcomeUnknown, message: "no trunk_sid"},
		"empty trunk_sid":                 {status: 200, body: `{"http_code":200,"response":{"code":200,"status":"success","data":{"trunk_sid":""}}}`, kind: ErrOutcomeUnknown, message: "no trunk_sid"},
		"trunk_sid is a number":           {status: 200, body: `{"http_code":200,"response":{"code":200,"data":{"trunk_sid":7}}}`, kind: ErrOutcomeUnknown},
		"failure without a code":          {status: 200, body: `{"http_code":200,"response":{"code":200,"status":"failure","data":{"trunk_sid":"x"}}}`, kind: ErrOutcomeUnknown},
		"response of another type":        {status: 200, body: `{"http_code":200,"response":"ok"}`, kind: ErrOutcomeUnknown, message: "unreadable"},
		"inner 409 without a code":        {status: 200, body: `{"http_code":200,"response":{"code":409,"status":"failure","data":null}}`, kind: ErrDuplicate},
		"inner 409 with a code as text":   {status: 200, body: `{"http_code":200,"response":{"code":409,"error_data":{"code":"1008"},"status":"failure","data":null}}`, kind: ErrDuplicate, code: 1008},
		"inner 409 in a 500":              {status: 500, body: `{"http_code":500,"response":{"code":409,"status":"failure"}}`, kind: ErrDuplicate},
		"a success in a 409":              {status: 409, body: "create_success.json", kind: ErrDuplicate, message: "success inside"},
		"409 in the envelope of a 500":    {status: 500, body: `{"http_code":409,"response":{"data":null}}`, kind: ErrDuplicate},
		"500 in the envelope of a 409":    {status: 409, body: `{"http_code":500,"response":{"code":500}}`, kind: ErrDuplicate},
		"inner 409 in a list of one":      {status: 200, body: `{"http_code":200,"response":[{"code":409,"status":"failure","data":{"trunk_sid":"x"}}]}`, kind: ErrDuplicate},
		"inner 400 in a list of one":      {status: 200, body: `{"http_code":200,"response":[{"code":400,"status":"failure","data":{"trunk_sid":"x"}}]}`, kind: ErrOutcomeUnknown},
		"inner 400 in a 200":              {status: 200, body: `{"http_code":200,"response":{"code":400,"data":{"trunk_sid":"x"}}}`, kind: ErrInvalid},
		"inner 401 in a 200":              {status: 200, body: `{"http_code":200,"response":{"code":401,"data":{"trunk_sid":"x"}}}`, kind: ErrUnauthorized},
		"inner 403 in a 200":              {status: 200, body: `{"http_code":200,"response":{"code":403}}`, kind: ErrForbidden},
		"inner 404 in a 200":              {status: 200, body: `{"http_code":200,"response":{"code":404}}`, kind: ErrNotFound},
		"inner 429 in a 200":              {status: 200, body: `{"http_code":200,"response":{"code":429}}`, kind: ErrRateLimited},
		"1010 in a 200":                   {status: 200, body: `{"http_code":200,"response":{"status":"failure","error_data":{"code":1010}}}`, kind: ErrUnauthorized, code: 1010},
		"1010 in a 500":                   {status: 500, body: `{"http_code":500,"response":{"code":401,"error_data":{"code":1010}}}`, kind: ErrOutcomeUnknown, code: 1010},
		"a code beside success":           {status: 200, body: `{"http_code":200,"response":{"code":200,"status":"success","error_data":{"code":1002},"data":{"trunk_sid":"x"}}}`, kind: ErrOutcomeUnknown, code: 1002},
		"success in a 502":                {status: 502, body: "create_success.json", kind: ErrOutcomeUnknown, message: "server error outside"},
		"409 with a text for a response":  {status: 409, body: `{"http_code":409,"response":"exists"}`, kind: ErrDuplicate},
		"401 with a text for a response":  {status: 401, body: `{"response":"no"}`, kind: ErrUnauthorized},
		"fields of unexpected types":      {status: 200, body: `{"request_id":7,"http_code":"200","metadata":[],"response":{"code":"200","status":true,"error_data":[],"data":{"trunk_sid":"x"}}}`},
		"two results for one trunk":       {status: 200, body: `{"http_code":200,"response":[{"code":200,"data":{"trunk_sid":"x"}},{"code":200,"data":{"trunk_sid":"y"}}]}`, kind: ErrOutcomeUnknown},
		"another vendor's JSON":           {status: 403, body: `{"message":"Forbidden"}`, kind: ErrOutcomeUnknown},
		"a field of an unexpected type":   {status: 200, body: `{"http_code":200,"response":{"code":200,"data":{"trunk_sid":"x","registration_enabled":false,"date_created":17}}}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := []byte(test.body)
			if strings.HasSuffix(test.body, ".json") {
				body = vendor(t, test.body)
			}
			var trunk Trunk
			_, err := decode(test.status, body, oneTrunk(&trunk))
			if test.kind == "" {
				if err != nil || trunk.SID == "" {
					t.Fatalf("got trunk %q, error %v; want a trunk", trunk.SID, err)
				}
				return
			}
			if err == nil {
				t.Fatalf("got a trunk, want %q", test.kind)
			}
			if !errors.Is(err, test.kind) || err.Code != test.code || !strings.Contains(err.Message, test.message) {
				t.Errorf("got kind %q code %d message %q; want %q, %d, %q", err.Kind, err.Code, err.Message, test.kind, test.code, test.message)
			}
		})
	}
}

func TestDecodeKeepsTheRequestID(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"create_success.json": "10a67da360d446378d5c2b66407b7f18", "unauthorized.json": "c6084ac2e9a44812824b42577f01937b"} {
		if id, _ := decode(200, vendor(t, file), oneTrunk(new(Trunk))); id != want {
			t.Errorf("%s: request id %q, want %q", file, id, want)
		}
	}
}

func TestTrunkHoldsWhatTheVendorSent(t *testing.T) {
	t.Parallel()
	var trunk Trunk
	if _, err := decode(200, vendor(t, "create_success.json"), oneTrunk(&trunk)); err != nil {
		t.Fatal(err)
	}
	raw := string(trunk.Raw)
	trunk.Raw = nil
	want := Trunk{
		SID: "trmum1f708622631150902801a1n", Name: "outbound_trunk", DomainName: "exoteltest.pstn.exotel.com", Status: "active",
		AuthType: "IP-WHITELIST", RegistrationEnabled: "disabled", EdgePreference: "auto", NSOCode: "ANY-ANY", SecureTrunking: "disabled",
		DateCreated: "2026-01-23T09:24:59Z", DateUpdated: "2026-01-23T09:24:59Z",
	}
	if got, want := describe(trunk), describe(want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !strings.Contains(raw, `"whitelisted_ips"`) {
		t.Errorf("Raw lacks what the struct doesn't know: %s", raw)
	}
}

func describe(trunk Trunk) string {
	return strings.Join([]string{
		trunk.SID, trunk.Name, trunk.DomainName, trunk.Status, trunk.AuthType, trunk.RegistrationEnabled,
		trunk.EdgePreference, trunk.NSOCode, trunk.SecureTrunking, trunk.DateCreated, trunk.DateUpdated,
	}, "|")
}

// FuzzDecode: whatever the bytes, decode returns a trunk with a sid, or an
// error with a kind, and never both or neither.
func FuzzDecode(f *testing.F) {
	names, err := fs.Glob(testdata, "testdata/*.json")
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range names {
		body, err := testdata.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(200, body)
		f.Add(409, body)
		f.Add(503, body[:len(body)/2])
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		var trunk Trunk
		_, err := decode(status, body, oneTrunk(&trunk))
		switch {
		case err == nil && trunk.SID == "":
			t.Fatal("neither a trunk nor an error")
		case err != nil && err.Kind == "":
			t.Fatalf("an error without a kind: %v", err)
		case err == nil && !isEnvelope(body):
			t.Fatal("a trunk out of something that is no envelope")
		}
		var got page[Trunk]
		if _, err := decode(status, body, func(a answer) error { got = readPage[Trunk](a.results); return nil }); err == nil {
			for _, trunk := range got.entries {
				if trunk.SID == "" {
					t.Fatal("a trunk without a sid in a list")
				}
			}
		}
	})
}

func isEnvelope(body []byte) bool {
	_, ok := parseEnvelope(body)
	return ok
}

// A text is read without json.Unmarshal where that makes no difference.
func TestTextIsWhatUnmarshalMakesOfIt(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		`"trmum1a"`, `""`, `"a b/c"`, `"é 😀 <&>"`, `"\u00e9\n\"\\"`, `"\\"`, "\"\xff\"", "\"a\xc3\"", `"\ud800"`, `"\/"`,
	} {
		var want string
		if err := json.Unmarshal([]byte(raw), &want); err != nil {
			t.Fatal(err)
		}
		if got := text(json.RawMessage(raw)); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
	for raw, want := range map[string]string{"": "", "null": "", "200": "200", "-1.5e3": "-1.5e3", "true": "true", `{"a":"b"}`: `{"a":"b"}`, `["a"]`: `["a"]`} {
		if got := text(json.RawMessage(raw)); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}
