package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/internal/door"
	"github.com/trunkhook/trunkhook/internal/timeline"
)

func (s system) flip(t *testing.T, form string) {
	t.Helper()
	values, err := url.ParseQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(s.url+"/console/break", values)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("HTTP %d", resp.StatusCode)
	}
}

func (s system) page(t *testing.T, path string) string {
	t.Helper()
	status, body := s.curl(t, "GET", path, "")
	if status != http.StatusOK {
		t.Fatalf("%s: HTTP %d %s", path, status, body)
	}
	return body
}

// until looks at a page until it has a text.
func (s system) until(t *testing.T, path, text string) string {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		page := s.page(t, path)
		if strings.Contains(page, text) {
			return page
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s never says %q:\n%s", path, text, page)
		}
	}
}

func TestLostAnswerIsAdopted(t *testing.T) {
	t.Parallel()
	s := start(t, env(t.TempDir()))
	s.flip(t, "switch=lose&on=true")
	if status, body := s.curl(t, "POST", "/signups", `{"signup_id":"acme-50","company":"Acme"}`); status != 202 {
		t.Fatalf("%d %s", status, body)
	}
	s.until(t, "/", `data-live data-state="equal"`)
	page := s.page(t, "/console/signups/acme-50")
	for _, part := range []string{"reconciler, try 2", "adopted", "nothing: the answer was lost", "POST …/trunks"} {
		if !strings.Contains(page, part) {
			t.Errorf("the story lacks %q:\n%s", part, page)
		}
	}
}

// The sender gets no answer, nobody writes a line for the try, and the reconciler takes
// over when the lease has run out.
func TestKilledWorkerLeavesATrunkThatIsAdopted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, env(dir))
	s.flip(t, "switch=kill&on=true")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/signups", strings.NewReader(`{"signup_id":"acme-50","company":"Acme"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer local")
	r.Header.Set("Content-Type", "application/json")
	if resp, err := http.DefaultClient.Do(r); !errors.Is(err, io.EOF) {
		t.Fatalf("%v, %v", resp, err)
	}
	if page := s.page(t, "/"); !strings.Contains(page, `<dd id="n-trunks">3</dd>`) || !strings.Contains(page, `<dd id="n-active">2</dd>`) || !strings.Contains(page, `data-state="between"`) {
		t.Errorf("after the death: %s", page)
	}
	s.until(t, "/", `data-live data-state="equal"`)
	log, err := os.Open(door.Log(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	entries, err := timeline.Read(log, "acme-50")
	if err != nil || len(entries) != 2 || entries[0].Kind != timeline.Killed || entries[1].Outcome != "adopted" || entries[1].Attempt != 2 {
		t.Errorf("%+v, %v", entries, err)
	}
	if page := s.page(t, "/console/signups/acme-50"); !strings.Contains(page, "killed") || !strings.Contains(page, "adopted") {
		t.Errorf("the story: %s", page)
	}
}

func TestTableThatIsDownIsToldToTheSender(t *testing.T) {
	t.Parallel()
	s := start(t, env(t.TempDir()))
	s.flip(t, "switch=down&on=true")
	if status, body := s.curl(t, "POST", "/signups", `{"signup_id":"acme-50","company":"Acme"}`); status != 503 {
		t.Errorf("%d %s", status, body)
	}
	s.page(t, "/console/signups/acme-42") // the page shows what it knew
	s.flip(t, "switch=down&on=false")
	if status, body := s.curl(t, "POST", "/signups", `{"signup_id":"acme-50","company":"Acme"}`); status != 201 {
		t.Errorf("%d %s", status, body)
	}
}

// What happened before a restart is told after it.
func TestStoryOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, env(dir))
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, env(dir))
	if page := second.page(t, "/console/signups/northwind-7"); !strings.Contains(page, "map phone number") || !strings.Contains(page, "HTTP 201") {
		t.Error(page)
	}
}

// An open page doesn't keep the system from stopping.
func TestStreamEndsWithTheSystem(t *testing.T) {
	t.Parallel()
	s := start(t, env(t.TempDir()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/console/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stream := bufio.NewScanner(resp.Body)
	if !stream.Scan() {
		t.Fatal("it says nothing")
	}
	ended := make(chan error, 1)
	go func() { ended <- s.stop() }()
	for stream.Scan() { // to its end
	}
	if err := <-ended; err != nil || ctx.Err() != nil {
		t.Errorf("%v, %v", err, ctx.Err())
	}
	if screen := s.screen.String(); !strings.Contains(screen, "shows itself there in a browser") {
		t.Error(screen)
	}
}
