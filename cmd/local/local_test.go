package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// screen is what a person sees; it may be read while it is written.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// system is a running one.
type system struct {
	screen *screen
	url    string
	stop   func() error // and what it ended with
}

func env(dir string, pairs ...string) func(string) string {
	values := map[string]string{"ADDR": "127.0.0.1:0", "DATA_DIR": dir}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

func start(t *testing.T, getenv func(string) string) system {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	s := system{screen: new(screen)}
	go func() { ended <- run(ctx, getenv, s.screen) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = s.stop() })
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if strings.Contains(s.screen.String(), "Ctrl-C stops it.") {
			s.url = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(s.screen.String())
			return s
		}
		select {
		case err := <-ended:
			t.Fatalf("ended with %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("never ready:\n%s", s.screen)
	return system{}
}

// curl does what the curl line on the screen would.
func (s system) curl(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer local")
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func TestFirstStartTellsTheSamplesStory(t *testing.T) {
	t.Parallel()
	s := start(t, env(t.TempDir()))
	story := s.screen.String()
	for _, part := range []string{
		`(?s)The sample signup.*claimed +\d+\.\d ms.*created +\d+\.\d ms +HTTP 200, Exotel's request [0-9a-f]{32}.*recorded +\d.*acme-42: created, trunk_sid trmum1.*HTTP 201`,
		`(?s)The same once more:.*looked up.*acme-42: replayed, trunk_sid trmum1.*HTTP 200`,
		`(?s)events/signup-line\.json:.*trunk recorded.*number mapped.*ip whitelisted.*marked as sent.*destinations set.*password kept.*credential made.*caller id set.*recorded.*northwind-7: created.*HTTP 201`,
		`curl -sS http://127\.0\.0\.1:\d+/signups -H 'Authorization: Bearer local'`,
	} {
		if !regexp.MustCompile(part).MatchString(story) {
			t.Errorf("the story lacks %s:\n%s", part, story)
		}
	}
	if err := s.stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestSignupsAreKeptAcrossRestarts(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "when", "needed")
	first := start(t, env(dir))
	if status, body := first.curl(t, "POST", "/signups", `{"signup_id":"acme-43","company":"Acme Telecom"}`); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	_, before := first.curl(t, "GET", "/signups/acme-43", "")
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, env(dir))
	config := exotel.Config{
		APIKey: exoteltest.DefaultAPIKey, APIToken: exoteltest.DefaultAPIToken, AccountSID: exoteltest.DefaultAccountSID,
		BaseURL: strings.TrimSpace(regexp.MustCompile(`a fake of it on (http://\S+)`).FindStringSubmatch(second.screen.String())[1]),
	}
	client, err := exotel.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if page, err := client.Trunks.List(t.Context(), exotel.ListOptions{}); err != nil || len(page.Trunks) != 3 {
		t.Errorf("the fake knows %+v, %v; want the three of the table", page, err)
	}
	if strings.Contains(second.screen.String(), "sample") {
		t.Error("the sample was sent again")
	}
	if status, after := second.curl(t, "GET", "/signups/acme-43", ""); status != 200 || after != before {
		t.Errorf("%d %s, want %s", status, after, before)
	}
	if status, body := second.curl(t, "POST", "/signups", `{"signup_id":"acme-43","company":"Acme Telecom"}`); status != 200 {
		t.Errorf("replay: %d %s", status, body)
	}
}

// A process was killed after its claim: the loop finishes it.
func TestReconcilerRunsInALoop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	table, err := embedded.Open(filepath.Join(dir, "signups.db"))
	if err != nil {
		t.Fatal(err)
	}
	past := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Minute)
	claim := provision.Claim{Signup: provision.Signup{ID: "acme-44", Company: "A"}, TrunkName: "dev_a", Owner: "killed", Now: past, LeaseUntil: past}
	if _, _, err := table.Claim(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	s := start(t, env(dir))
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		_, body := s.curl(t, "GET", "/signups/acme-44", "")
		if strings.Contains(body, `"active"`) && strings.Contains(s.screen.String(), "acme-44: created") {
			return
		}
	}
	t.Errorf("never finished, or the story lacks it:\n%s", s.screen)
}

func TestRealAccountFromAFile(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t) // stands for the real one
	config := fake.Config()
	secret, err := json.Marshal(map[string]string{"api_key": config.APIKey, "api_token": config.APIToken, "account_sid": config.AccountSID, "subdomain": exotel.Mumbai})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(path, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, env(t.TempDir(), "EXOTEL_SECRET_FILE="+path, "EXOTEL_BASE_URL="+fake.URL))
	if screen := s.screen.String(); !strings.Contains(screen, "the real account exoteltest") || strings.Contains(screen, "WARNING") || strings.Contains(screen, "sample") || len(fake.Calls()) != 0 {
		t.Errorf("%d calls:\n%s", len(fake.Calls()), screen)
	}
	if status, body := s.curl(t, "POST", "/signups", `{"signup_id":"acme-43","company":"Acme Telecom"}`); status != 201 || len(fake.Trunks()) != 1 {
		t.Errorf("%d %s, %d trunks", status, body, len(fake.Trunks()))
	}
	if name := fake.Trunks()[0].Name; !strings.HasPrefix(name, "dev_") {
		t.Errorf("the trunk is called %s", name)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if screen := start(t, env(t.TempDir(), "EXOTEL_SECRET_FILE="+path)).screen.String(); !strings.Contains(screen, "WARNING") || strings.Contains(screen, config.APIToken) {
		t.Errorf("readable by others:\n%s", screen)
	}
}

func TestWhatCannotWorkIsOneClearLine(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	broken := filepath.Dir(file("broken/signups.db", strings.Repeat("no table ", 2000)))
	plain := file("plain", "")
	locked := filepath.Join(dir, "locked")
	file("locked/x", "")
	held, err := embedded.Open(filepath.Join(locked, "signups.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	for name, test := range map[string]struct {
		set  string
		want string
	}{
		"base URL":          {"EXOTEL_BASE_URL=nonsense", "EXOTEL_BASE_URL must be"},
		"port in use":       {"ADDR=" + taken.Addr().String(), "is in use by another program"},
		"all interfaces":    {"ADDR=0.0.0.0:8080", "must be a loopback address"},
		"no host":           {"ADDR=:8080", "must be a loopback address"},
		"no port":           {"ADDR=127.0.0.1", "must be host:port"},
		"prefix":            {"TRUNK_PREFIX=Long!", "TRUNK_PREFIX must be"},
		"directory":         {"DATA_DIR=" + filepath.Join(plain, "below"), "can't be made"},
		"broken file":       {"DATA_DIR=" + broken, "is not a usable table file"},
		"locked file":       {"DATA_DIR=" + locked, "is in use by another process"},
		"no secret file":    {"EXOTEL_SECRET_FILE=" + filepath.Join(dir, "none"), "can't be read"},
		"bad secret file":   {"EXOTEL_SECRET_FILE=" + file("secret1", "hunter2"), "can't be used"},
		"incomplete secret": {"EXOTEL_SECRET_FILE=" + file("secret2", `{"api_key":"hunter2"}`), "lacks api_token, account_sid, subdomain"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := run(ctx, env(t.TempDir(), test.set), io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestOversizedBodyIsRefusedByTheHandler(t *testing.T) {
	t.Parallel()
	s := start(t, env(t.TempDir()))
	if status, body := s.curl(t, "POST", "/signups", fmt.Sprintf(`{"x":%q}`, strings.Repeat("x", 3<<20))); status != 413 {
		t.Errorf("%d %s", status, body)
	}
}

func TestSeveralFaultsAreOneLine(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), env(t.TempDir(), "ADDR=nowhere", "TRUNK_PREFIX=Long!", "EXOTEL_BASE_URL=nonsense"), io.Discard)
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "ADDR") || !strings.Contains(err.Error(), "TRUNK_PREFIX") || !strings.Contains(err.Error(), "EXOTEL_BASE_URL") {
		t.Errorf("got %v", err)
	}
}

func TestRealAccountDoesNotInheritTheFakesTrunks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, env(dir)) // sends acme-42
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	vendor := exoteltest.Start(t)
	path := filepath.Join(t.TempDir(), "secret.json")
	secret := fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":"api.exotel.com"}`, exoteltest.DefaultAPIKey, exoteltest.DefaultAPIToken, exoteltest.DefaultAccountSID)
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	s = start(t, env(dir, "EXOTEL_SECRET_FILE="+path, "EXOTEL_BASE_URL="+vendor.URL))
	if status, body := s.curl(t, "POST", "/signups", `{"signup_id":"acme-42","company":"Acme Telecom"}`); status != 201 || len(vendor.Trunks()) != 1 {
		t.Errorf("%d %s, %d trunks", status, body, len(vendor.Trunks()))
	}
}

// Everybody knows the secrets, and a form of any page may be sent here: Zoho's token is
// a field of it.
func TestPagesOfOtherSitesMakeNoSignup(t *testing.T) {
	t.Parallel()
	s := start(t, env(t.TempDir()))
	for origin, want := range map[string]int{"https://evil.example": 403, "null": 403, "http://127.0.0.1:3000": 403, "": 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/webhooks/zoho", strings.NewReader("signup_id=42&account=Acme&token=zoho-example-token"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("from a page of %q: HTTP %d, want %d", origin, resp.StatusCode, want)
		}
		isProblem(t, resp)
	}
}

func TestOnlyLoopbackNamesAreAnswered(t *testing.T) {
	t.Parallel()
	s := start(t, env(t.TempDir()))
	for host, want := range map[string]int{
		"evil.example": 421, "evil.example:8080": 421, "127.0.0.1.evil.example": 421, "evil.example@127.0.0.1": 421, "127.0.0.1:evil": 421,
		"localhost:8080": 404, "[::1]:8080": 404,
		"127.0.0.1": 404, "localhost": 404, "[::1]": 404, // as clients name port 80
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/signups/nobody", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("Authorization", "Bearer local")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", host, resp.StatusCode, want)
		}
		isProblem(t, resp)
	}
}

func isProblem(t *testing.T, resp *http.Response) {
	t.Helper()
	if got := resp.Header.Get("Content-Type"); resp.StatusCode >= 400 && got != "application/problem+json" {
		t.Errorf("HTTP %d is %s", resp.StatusCode, got)
	}
}
