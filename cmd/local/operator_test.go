package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/door"
	"github.com/trunkhook/trunkhook/ledger/remote"
)

func TestOperatorComesInWithTheKeyOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, env(dir))
	info, err := os.Stat(door.Path(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	key, err := door.Find(dir)
	if err != nil || !strings.HasPrefix(key.URL, s.url) || len(key.Token) < 26 {
		t.Fatalf("%+v, %v", key.URL, err)
	}
	about, err := key.Ask(t.Context())
	if err != nil || about.TrunkPrefix != "dev" || about.CallsPerMinute != 180 || !strings.HasPrefix(about.ExotelURL, "http://127.0.0.1:") || !filepath.IsAbs(about.Passwords) {
		t.Errorf("%+v, %v", about, err)
	}
	record, err := remote.New(key.URL, key.Token).Get(t.Context(), "acme-42")
	if err != nil || record.TrunkSID == "" {
		t.Errorf("%+v, %v", record, err)
	}
	for name, change := range map[string]func(r *http.Request){
		"another token": func(r *http.Request) { r.Header.Set("Authorization", "Bearer local") },
		"a page":        func(r *http.Request) { r.Header.Set("Origin", s.url) },
		"another host":  func(r *http.Request) { r.Host = "evil.example:80" },
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, key.URL+"/about", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key.Token)
		change(r)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("%s: HTTP %d", name, resp.StatusCode)
		}
	}
	if strings.Contains(s.screen.String(), key.Token) {
		t.Error("the token is on the screen")
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := door.Find(dir); err == nil || !strings.Contains(err.Error(), "no system runs") {
		t.Errorf("after the end: %v", err)
	}
}

// A system that was killed leaves its key; another one with the same folder may have
// replaced it.
func TestKeyOfAnotherSystemIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := door.Key{URL: "http://127.0.0.1:1/operator", Token: "one"}, door.Key{URL: "http://127.0.0.1:1/operator", Token: "two"}
	for _, key := range []door.Key{first, second} {
		if err := key.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if found, err := door.Find(dir); err != nil || found != second {
		t.Errorf("%v", err)
	}
	if _, err := second.Ask(t.Context()); err == nil || !strings.Contains(err.Error(), "make run") {
		t.Errorf("nobody is there: %v", err)
	}
	if err := os.WriteFile(door.Path(dir), []byte(`{"token":"SECRET"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := door.Find(dir); err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("a broken key: %v", err)
	}
}
