package main

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/handler/sources"
)

// Whatever a switch breaks, the signup is taken, and has its one trunk once that is over.
func TestWhatASwitchBreaksIsMadeGood(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		on  []string
		off string // empty where it ends by itself
	}{
		"no answer until it is given up": {[]string{"hang"}, ""},
		"a failure after the work":       {[]string{"500"}, ""},
		"too many requests":              {[]string{"429"}, ""},
		"a wrong secret":                 {[]string{"secret"}, "secret"},
		"a list that lags":               {[]string{"lag", "lose"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, env(t.TempDir()))
			for _, name := range test.on {
				s.flip(t, "switch="+name+"&on=true")
			}
			if status, body := s.curl(t, "POST", "/signups", `{"signup_id":"acme-50","company":"Acme"}`); status != http.StatusAccepted {
				t.Errorf("HTTP %d %s", status, body)
			}
			if test.off != "" {
				s.flip(t, "switch="+test.off+"&on=false")
			}
			page := s.until(t, "/", `data-live data-state="equal"`)
			if !strings.Contains(page, `<dd id="n-trunks">3</dd>`) || !strings.Contains(page, `<dd id="n-active">3</dd>`) {
				t.Errorf("the numbers: %s", page)
			}
		})
	}
}

// What the page sends for a source, the system takes.
func TestEverySourcesSampleIsSentAsItsSenderWould(t *testing.T) {
	t.Parallel()
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, env(t.TempDir()))
	for _, source := range append([]string{"api", "api-signed"}, set.Names()...) {
		form := s.page(t, "/console/send?source="+source)
		payload := textOf(t, form, `autocomplete="off">`, "</textarea>")
		contentType := textOf(t, form, `name="content_type" value="`, `"`)
		resp, err := http.PostForm(s.url+"/console/send", url.Values{"source": {source}, "content_type": {contentType}, "payload": {payload}, "action": {"1"}})
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); strings.Contains(string(page), "under way") && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			page = []byte(s.page(t, resp.Request.URL.RequestURI()))
		}
		if !strings.Contains(string(page), "<strong>HTTP 20") {
			t.Errorf("%s: %s", source, page)
		}
	}
}

// textOf is what stands between two marks of a page, without its escapes.
func textOf(t *testing.T, page, before, after string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, before)
	text, _, ends := strings.Cut(rest, after)
	if !found || !ends {
		t.Fatalf("the page has no %s: %s", before, page)
	}
	return html.UnescapeString(text)
}
