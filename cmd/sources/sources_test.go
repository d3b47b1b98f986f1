package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/sources"
)

func try(t *testing.T, env map[string]string, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := run(context.Background(), args, func(name string) string { return env[name] }, &out)
	return out.String(), err
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What arrives is proven in cmd/local, which takes it; here, what is sent.
func TestEverySampleIsSentToItsSource(t *testing.T) {
	t.Parallel()
	var path, secret string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		path, secret = r.URL.Path, r.Header.Get("Authorization")+" "+string(body)
		_, _ = io.WriteString(w, `{"status":"active"}`)
	}))
	defer server.Close()
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range set.Names() {
		out, err := try(t, nil, "send", "-url", server.URL+"/", name)
		if err != nil || path != "/webhooks/"+name || out != "HTTP 200 {\"status\":\"active\"}\n" {
			t.Errorf("%s: %q to %s, %v", name, out, path, err)
		}
	}
	own := write(t, "secrets.json", `{"auth0":["a-token-of-mine"]}`)
	if _, err := try(t, nil, "send", "-url", server.URL, "-secret-file", own, "-file", write(t, "p.json", `{"mine":1}`), "auth0"); err != nil || secret != `Bearer a-token-of-mine {"mine":1}` {
		t.Errorf("sent %q, %v", secret, err)
	}
}

func TestWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer server.Close()
	for name, args := range map[string][]string{
		"refused":           {"send", "-url", server.URL, "zoho"},
		"nobody's":          {"send", "nobody"},
		"no source":         {"send"},
		"no command":        {},
		"another command":   {"take", "zoho"},
		"no such file":      {"send", "-file", "/nonexistent", "zoho"},
		"no such secrets":   {"send", "-secret-file", "/nonexistent", "zoho"},
		"none of zoho's":    {"send", "-secret-file", write(t, "s.json", `{"auth0":["x"]}`), "zoho"},
		"no secrets at all": {"send", "-secret-file", write(t, "s.json", `hunter2`), "zoho"},
		"nobody there":      {"send", "-url", "http://127.0.0.1:1", "zoho"},
	} {
		if out, err := try(t, nil, args...); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

func TestMappingIsShown(t *testing.T) {
	t.Parallel()
	file := write(t, "lead.json", `{"signup_id":"5725767000000412001","account":"Northwind","account_name":"Other"}`)
	out, err := try(t, nil, "map", "zoho", file)
	if err != nil || !strings.Contains(out, `event 1 of 1: signup_id zoho:5725767000000412001, company "Northwind"`) || !strings.Contains(out, `"5725767000000412001"`) {
		t.Errorf("%s, %v", out, err)
	}
	line := write(t, "line.json", `{"signup_id":"5725767000000412001","account":"Northwind","numbers":"+912247788868; +912247788869","ips":"8.8.8.8/32"}`)
	out, err = try(t, nil, "map", "zoho", line)
	if err != nil || !strings.Contains(out, "\n  asks for phone_number +912247788868 (pstn)\n  asks for phone_number +912247788869 (pstn)\n  asks for whitelisted_ip 8.8.8.8\n") {
		t.Errorf("with a line: %s, %v", out, err)
	}
	out, err = try(t, nil, "map", "zoho", write(t, "line.json", `{"signup_id":"5725767000000412001","account":"Northwind","numbers":"+912247788868; 022 4778"}`))
	if err == nil || !strings.Contains(out, "phone_numbers[1] must be in E.164 form") || strings.Contains(out, "asks for") {
		t.Errorf("with a number that is none: %s, %v", out, err)
	}
	out, err = try(t, map[string]string{"SOURCES_OVERRIDES": `{"zoho":{"company":"account_name"}}`}, "map", "zoho", file)
	if err != nil || !strings.Contains(out, `company "Other"`) {
		t.Errorf("overridden: %s, %v", out, err)
	}
	out, err = try(t, nil, "map", "zoho", write(t, "lead.json", `{"signup_id":"a b"}`))
	if err == nil || !strings.Contains(out, "id may hold only") || !strings.Contains(out, "company is missing") {
		t.Errorf("unusable: %s, %v", out, err)
	}
	if out, err := try(t, nil, "map", "cognito", filepath.Join("..", "..", "events", "event-cognito.json")); err != nil || !strings.Contains(out, "signup_id cognito:") {
		t.Errorf("without HTTP: %s, %v", out, err)
	}
	for name, args := range map[string][]string{
		"nobody's": {"map", "nobody", file}, "no file": {"map", "zoho", "/nonexistent"}, "no JSON": {"map", "zoho", write(t, "x.json", "{")},
	} {
		if _, err := try(t, nil, args...); err == nil {
			t.Errorf("%s is shown", name)
		}
	}
	if _, err := try(t, map[string]string{"SOURCES_OVERRIDES": "{"}, "map", "zoho", file); err == nil {
		t.Error("broken overrides are taken")
	}
}
