package secrets

import (
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/exotel"
)

// saidOfCredentials are all the texts that an error about them may be.
var saidOfCredentials = regexp.MustCompile(`^(it is not \{"api_key": "\.\.\.", "api_token": "\.\.\.", "account_sid": "\.\.\.", "subdomain": "\.\.\."\}` +
	`|it lacks (api_key|api_token|account_sid|subdomain)(, (api_token|account_sid|subdomain))*` +
	`|its subdomain must be api\.exotel\.com or api\.in\.exotel\.com)$`)

// FuzzParseCredentials: usable credentials for one of Exotel's two hosts, or an
// error that holds nothing of the secret.
func FuzzParseCredentials(f *testing.F) {
	for _, seed := range []string{
		`{"api_key":"first","api_token":"first-token","account_sid":"acme1","subdomain":"api.exotel.com"}`,
		`{"API_KEY":" k\n","api_token":"t\u0000","account_sid":"a","subdomain":"api.in.exotel.com","more":1}`,
		`{"api_key":1234567}`, `["hunter2"]`, `hunter2`, `null`, `{}`, "\ufeff{}", `{"api_key":"a","api_key":"b"}`, `{"api_key":"k","api_token":"t","account_sid":"a","subdomain":"evil.example"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		config, err := parseCredentials(text)
		if err != nil {
			if config != (exotel.Config{}) || !saidOfCredentials.MatchString(err.Error()) {
				t.Fatalf("%+v and %v", config, err)
			}
			return
		}
		if config.Subdomain != exotel.Singapore && config.Subdomain != exotel.Mumbai {
			t.Fatalf("the host is %q", config.Subdomain)
		}
		for _, value := range []string{config.APIKey, config.APIToken, config.AccountSID} {
			if value == "" || strings.TrimSpace(value) != value {
				t.Fatalf("%q is taken", value)
			}
		}
		// What the client refuses it refuses without repeating it.
		const saidOfConfig = "exotel: AccountSID must be 1 to 64 letters, digits, _ or -|exotel: APIKey holds a colon, which Basic authentication can't carry"
		if _, err := exotel.New(config); err != nil && !slices.Contains(strings.Split(saidOfConfig, "|"), err.Error()) {
			t.Fatalf("the client says %v", err)
		}
	})
}

// saidOfSecret are the texts that the log may hold about one, or about a source.
var saidOfSecret = regexp.MustCompile(`^level=WARN msg=("a secret of a source can't be used"|"a source is closed") source=([a-z][a-z0-9-]{0,31}|"\(not a source's name\)") (index=\d+ error="(it is empty|a signing secret is whsec_ and base64)"|error="the secrets of a source are not \[\\"secret\\", \.\.\.\]")$`)

// FuzzParseSources: secrets that can match a request, or none, and nothing of
// them in the error or in the log.
func FuzzParseSources(f *testing.F) {
	for _, seed := range []string{
		`{"api":["local","whsec_c2lnbnVwdHJ1bmstdGVzdC1zZWNyZXQtMDE="],"hubspot":[]}`, `{"api":["", "whsec_###hunter2", " good\n"]}`, `{"hunter2hunter2":[""]}`, "{\"a\\nb\":[\"\"]}",
		`{"api":"hunter2"}`, `["hunter2"]`, "null", "", `{"api":null}`, `{"api":["a"],"api":["b"]}`, `{"api":[1]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var log strings.Builder
		plain := func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
		sources, err := usable(text, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: plain})))
		if (sources == nil) == (err == nil) || err != nil && err.Error() != `it is not {"source": ["secret", ...], ...}` {
			t.Fatalf("%v and %v", sources, err)
		}
		for line := range strings.Lines(log.String()) {
			if !saidOfSecret.MatchString(strings.TrimSuffix(line, "\n")) {
				t.Fatalf("logged %s", line)
			}
		}
		if err != nil {
			return
		}
		for source, secrets := range *sources {
			for _, secret := range secrets {
				if Check(source, secret) != nil || strings.TrimSpace(secret) != secret {
					t.Fatalf("%s: %q is taken", source, secret)
				}
			}
		}
	})
}
