package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/internal/canary"
)

// written is all that is in a directory's files.
func written(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	var all strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}

// A vendor that repeats the credentials, and one that refuses them: nothing of
// them is on the screen, in an answer, on the console, in the log or in the table.
func TestCredentialsOfARealAccountStayInTheirFile(t *testing.T) {
	t.Parallel()
	key, token := rand.Text(), rand.Text()
	watch := canary.For(map[string]string{"key": key, "token": token})
	said := func(r *http.Request) string { return fmt.Sprint(r.Header, key, " ", token) }
	for name, vendor := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, `{"request_id":%q,"http_code":401,"response":{"code":401,"error_data":{"code":1010,"message":%q}}}`, said(r), said(r))
		},
		"a page": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, said(r))
		},
		"a trunk": func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, `{"request_id":%q,"http_code":200,"response":{"code":200,"data":{"trunk_sid":"trmum1a","friendly_name":%q}}}`, said(r), said(r))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(vendor)
			t.Cleanup(server.Close)
			secret, err := json.Marshal(map[string]string{"api_key": key, "api_token": token, "account_sid": "acme1", "subdomain": exotel.Mumbai})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "secret.json")
			if err := os.WriteFile(file, secret, 0o600); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			s := start(t, env(dir, "EXOTEL_SECRET_FILE="+file, "EXOTEL_BASE_URL="+server.URL))
			_, posted := s.curl(t, "POST", "/signups", `{"signup_id":"acme-42","company":"Acme"}`)
			_, shown := s.curl(t, "GET", "/signups/acme-42", "")
			var pages strings.Builder
			for _, path := range []string{"/", "/console/signups/acme-42", "/console/send", "/console/break", "/console/vendor"} {
				pages.WriteString(s.page(t, path))
			}
			if err := s.stop(); err != nil {
				t.Error(err)
			}
			for place, text := range map[string]string{"the screen": s.screen.String(), "an answer": posted + shown, "a page": pages.String(), "a file": written(t, dir)} {
				if found := watch.In(text); len(found) > 0 {
					t.Errorf("%s holds the %v: %.2000s", place, found, text)
				}
			}
		})
	}
}

func TestBrokenSecretFileIsNotShown(t *testing.T) {
	t.Parallel()
	key, token := rand.Text(), rand.Text()
	watch := canary.For(map[string]string{"key": key, "token": token})
	for _, content := range []string{
		key + ":" + token, fmt.Sprintf(`{"api_key":%q,"api_token":[%q]}`, key, token), fmt.Sprintf(`{%q:%q}`, key, token),
		fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":%q}`, key, token, key, token),
		fmt.Sprintf(`{"api_key":"%s:","api_token":%q,"account_sid":"/","subdomain":"api.exotel.com"}`, key, token),
	} {
		file := filepath.Join(t.TempDir(), "secret.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		var screen strings.Builder
		err := run(t.Context(), env(dir, "EXOTEL_SECRET_FILE="+file), &screen)
		if err == nil || len(watch.In(err.Error()+screen.String()+written(t, dir))) > 0 {
			t.Errorf("%v, %s", err, screen.String())
		}
	}
	if err := run(t.Context(), env(t.TempDir(), "EXOTEL_BASE_URL=https://"+key+":"+token+"@api.exotel.com"), io.Discard); err == nil || len(watch.In(err.Error())) > 0 {
		t.Errorf("in an address: %v", err)
	}
}
