package exotel

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// FuzzRetryAfter: a wait from zero to an hour, whatever a header says, and none
// that the header doesn't say.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"", "30", "0", "-5", "1.5", "3601", "99999999999999999999", "2147483648", "+30", " 30", "30s", "1e3", "soon",
		"Fri, 20 Nov 2026 10:16:30 GMT", "Friday, 20-Nov-26 10:16:30 GMT", "Fri Nov 20 10:16:30 2026", "Sat, 21 Nov 2026 10:14:30 GMT",
	} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 20, 10, 15, 30, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		wait := parseRetryAfter(value, now)
		if wait < 0 || wait > time.Hour {
			t.Fatalf("%v", wait)
		}
		if wait == 0 {
			return
		}
		_, notADate := http.ParseTime(value)
		if strings.Trim(value, "0123456789") != "" && notADate != nil {
			t.Fatalf("%v out of %q", wait, value)
		}
	})
}

// FuzzNextPage: what follows a page is nothing, a page further on, or an error;
// and nothing of the address but two numbers.
func FuzzNextPage(f *testing.F) {
	for _, file := range []string{"list_page.json", "list_empty.json"} {
		env, ok := parseEnvelope(vendor(f, file))
		if !ok {
			f.Fatalf("%s is no envelope", file)
		}
		f.Add(0, env.nextPage)
	}
	for _, seed := range []string{"/v2/accounts/acme1/trunks?offset=50&page_size=50", "https://evil.example/?offset=1", "?offset=-1", "?offset=99999999999999999999", "?offset=1&offset=2", "?offset=1;page_size=2", "%zz", "\x00"} {
		f.Add(10, seed)
		f.Add(-57, seed) // a caller's mistake, which a page before the first must not follow
	}
	client, err := New(Config{APIKey: "k", APIToken: "t", AccountSID: "acme1", Subdomain: Mumbai})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, offset int, uri string) {
		asked := ListOptions{Offset: offset, TrunkSID: "trmum1a"}
		page, err := asked.page().next(uri)
		next := asked.at(page)
		switch {
		case uri == "":
			if next != nil || err != nil {
				t.Fatalf("%+v, %v out of nothing", next, err)
			}
			return
		case (next == nil) == (err == nil):
			t.Fatalf("%+v and %v", next, err)
		case err != nil:
			return
		case next.Offset <= offset || next.PageSize < 0 || next.TrunkSID != "trmum1a":
			t.Fatalf("%+v", next)
		}
		address := client.url(request{path: []string{"trunks"}, query: next.page().query()})
		if !strings.HasPrefix(address, "https://api.in.exotel.com/v2/accounts/acme1/trunks?") || strings.Trim(address[len("https://api.in.exotel.com/v2/accounts/acme1/trunks?"):], "abcdefghijklmnopqrstuvwxyz_=&0123456789") != "" {
			t.Fatalf("asks %s", address)
		}
	})
}

// FuzzEntries: whatever the bytes, what is read of a list has what it is known
// by, is counted or is an error; and no credential shows a password's field.
func FuzzEntries(f *testing.F) {
	for _, file := range []string{
		"phone_numbers_list.json", "whitelisted_ips_list.json", "list_in_data.json", "destinations_list.json", "destination_not_whitelisted.json",
		"credentials_list.json", "credentials_with_password.json", "settings_set.json", "phone_number_mapped.json",
	} {
		f.Add(200, vendor(f, file))
	}
	f.Add(207, []byte(`{"response":[{"data":{"id":7,"ip":"8.8.8.0/24","mask":"/24","password":"x"}},{"data":[1]},7,null]}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		_, _ = decode(status, body, func(ans answer) error {
			fuzzPage[PhoneNumber](t, ans)
			fuzzPage[DestinationURI](t, ans)
			fuzzPage[StoredSetting](t, ans)
			fuzzPage[TrunkMap](t, ans)
			for _, w := range fuzzPage[WhitelistedIP](t, ans) {
				if p, ok := w.Prefix(); ok && (!p.IsValid() || !p.Addr().Is4() || p != p.Masked()) {
					t.Fatalf("%+v is in %v", w, p)
				}
			}
			for _, c := range fuzzPage[Credential](t, ans) {
				if !json.Valid(c.Raw) || passwordField.Match(c.Raw) {
					t.Fatalf("Raw is %s", c.Raw)
				}
			}
			return nil
		})
	})
}

// passwordField is one in JSON as Go writes it.
var passwordField = regexp.MustCompile(`(?i)"[a-z_]*(password|secret)[a-z_]*":`)

func fuzzPage[T entry](t *testing.T, ans answer) []T {
	t.Helper()
	got := readPage[T](ans.results)
	for _, e := range got.entries {
		if e.key() == "" {
			t.Fatalf("%+v is known by nothing", e)
		}
	}
	if len(ans.results) != len(got.entries)+got.unreadable && (len(ans.results) != 1 || !isList(ans.results[0].data)) {
		t.Fatalf("%d of %d results are told", len(got.entries)+got.unreadable, len(ans.results))
	}
	return got.entries
}

// FuzzRedact: no form of a credential comes through, and other answers stay to the byte.
func FuzzRedact(f *testing.F) {
	for _, echo := range echoes() {
		f.Add([]byte(quote(echo)))
		f.Add([]byte(`{"http_code":200,"response":{"data":{"trunk_sid":"x","a":[` + quote(echo) + `]}}}`))
	}
	for _, file := range []string{"create_success.json", "list_page.json", "unauthorized.json"} {
		f.Add(vendor(f, file))
	}
	r := newRedactor(Config{APIKey: leakKey, APIToken: leakToken, AccountSID: "exoteltest"})
	f.Fuzz(func(t *testing.T, body []byte) {
		redacted := r.body(body)
		if again := r.body(redacted); string(again) != string(redacted) {
			t.Fatalf("%q became %q, and then %q", body, redacted, again)
		}
		text := r.text(string(body))
		for _, form := range r.forms {
			if strings.Contains(text, form) {
				t.Fatalf("%q became %q", body, text)
			}
		}
	})
}
