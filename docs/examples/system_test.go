package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

// system is cmd/local as a process, with a fake Exotel that the test holds.
type system struct {
	settings settings
	vendor   *exoteltest.Server
}

// ready is what cmd/local prints when it is.
var ready = regexp.MustCompile(`TRUNKHOOK_URL=(\S+) TRUNKHOOK_TOKEN=(\S+) TRUNKHOOK_SIGNING_SECRET=(\S+)`)

func start(t *testing.T) system {
	t.Helper()
	s := system{vendor: exoteltest.Start(t)}
	dir := t.TempDir()
	screen, err := os.Create(filepath.Join(dir, "screen"))
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command(lambdatest.Build(t, "local"))
	process.Stdout, process.Stderr = screen, screen
	process.Env = []string{"ADDR=127.0.0.1:0", "DATA_DIR=" + dir, "EXOTEL_BASE_URL=" + s.vendor.URL, "EXOTEL_SECRET_FILE=" + secretFile(t, s.vendor)}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
		screen.Close()
	})
	for range 1000 {
		text, err := os.ReadFile(screen.Name())
		if err != nil {
			t.Fatal(err)
		}
		if line := ready.FindSubmatch(text); line != nil {
			s.settings = settings{string(line[1]), string(line[2]), string(line[3])}
			return s
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("cmd/local is never ready")
	return system{}
}

// secretFile holds the credentials of the vendor's account.
func secretFile(t *testing.T, vendor *exoteltest.Server) string {
	t.Helper()
	config := vendor.Config()
	content, err := json.Marshal(map[string]string{
		"api_key": config.APIKey, "api_token": config.APIToken, "account_sid": config.AccountSID, "subdomain": exotel.Singapore,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// way is between an example and the system. Its first answer to each method is an
// outage, its second to a POST is lost after the system gave it.
type way struct {
	url string

	mu   sync.Mutex
	saw  []string
	seen map[string]int // requests by method
}

func badWay(t *testing.T, to string) *way {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	w := &way{seen: make(map[string]int)}
	lost := errors.New("lost")
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(answer *http.Response) error {
			if w.nth(answer.Request.Method) == 2 && answer.Request.Method == http.MethodPost {
				w.note(answer.Request, "lost")
				return lost
			}
			w.note(answer.Request, fmt.Sprint(answer.StatusCode))
			// As where PUBLIC_URL isn't set.
			if location := answer.Header.Get("Location"); location != "" {
				answer.Header.Set("Location", strings.TrimPrefix(location, to))
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.count(r.Method) > 1 {
			proxy.ServeHTTP(rw, r)
			return
		}
		w.note(r, "outage")
		rw.Header().Set("Retry-After", "1")
		http.Error(rw, "try again", http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (w *way) count(method string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[method]++
	return w.seen[method]
}

func (w *way) nth(method string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[method]
}

func (w *way) note(r *http.Request, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.saw = append(w.saw, r.Method+" "+what)
}

func (w *way) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.saw, ", ")
}
