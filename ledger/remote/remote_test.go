package remote_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/ledger/ledgertest"
	"github.com/trunkhook/trunkhook/ledger/remote"
	"github.com/trunkhook/trunkhook/provision"
)

const token = "operators-token"

func serve(t *testing.T, store remote.Store) string {
	t.Helper()
	server := httptest.NewServer(remote.Guard(token, remote.Handler(store)))
	t.Cleanup(server.Close)
	return server.URL
}

func open(t *testing.T) *embedded.Ledger {
	t.Helper()
	l, err := embedded.Open(filepath.Join(t.TempDir(), "signups.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestConformance(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(t *testing.T) ledgertest.Store {
		t.Helper()
		return remote.New(serve(t, open(t)), token)
	})
	ledgertest.RunArchive(t, func(t *testing.T) ledgertest.Archive {
		t.Helper()
		return remote.New(serve(t, open(t))+"/", token)
	})
}

func TestOnlyWhoHasTheTokenIsLetIn(t *testing.T) {
	t.Parallel()
	url := serve(t, open(t))
	for name, test := range map[string]struct {
		header map[string]string
		method string
		path   string
		want   int
	}{
		"with it":           {map[string]string{}, http.MethodPost, "/progress", http.StatusOK},
		"without it":        {map[string]string{"Authorization": ""}, http.MethodPost, "/progress", http.StatusUnauthorized},
		"another":           {map[string]string{"Authorization": "Bearer other"}, http.MethodPost, "/progress", http.StatusUnauthorized},
		"a part of it":      {map[string]string{"Authorization": "Bearer operators"}, http.MethodPost, "/progress", http.StatusUnauthorized},
		"a page":            {map[string]string{"Origin": "http://evil.example"}, http.MethodPost, "/progress", http.StatusForbidden},
		"a page of a file":  {map[string]string{"Origin": "null"}, http.MethodPost, "/progress", http.StatusForbidden},
		"a form's type":     {map[string]string{"Content-Type": "text/plain"}, http.MethodPost, "/progress", http.StatusUnsupportedMediaType},
		"another method":    {map[string]string{}, http.MethodGet, "/progress", http.StatusMethodNotAllowed},
		"another operation": {map[string]string{}, http.MethodPost, "/delete-all", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), test.method, url+test.path, strings.NewReader("no gob"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/x-gob")
			for name, value := range test.header {
				r.Header.Set(name, value)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != test.want {
				t.Errorf("HTTP %d, want %d", resp.StatusCode, test.want)
			}
		})
	}
	if _, err := remote.New(url, "").Progress(t.Context()); err == nil || !strings.Contains(err.Error(), "HTTP 401") || strings.Contains(err.Error(), token) {
		t.Errorf("a client without a token: %v", err)
	}
}

// failing is a store whose walks break.
type failing struct{ *embedded.Ledger }

func (failing) All(context.Context) iter.Seq2[provision.Record, error] {
	return func(yield func(provision.Record, error) bool) {
		if yield(provision.Record{SignupID: "acme-1"}, nil) {
			yield(provision.Record{}, errors.New("the disk is broken"))
		}
	}
}

func (failing) Get(context.Context, string) (provision.Record, error) {
	return provision.Record{}, errors.New("the disk is broken")
}

func TestErrorsOfTheStoreArrive(t *testing.T) {
	t.Parallel()
	client := remote.New(serve(t, failing{open(t)}), token)
	if _, err := client.Get(t.Context(), "acme-1"); err == nil || err.Error() != "the disk is broken" {
		t.Errorf("got %v", err)
	}
	var seen []string
	var last error
	for record, err := range client.All(t.Context()) {
		seen, last = append(seen, record.SignupID), err
	}
	if len(seen) != 2 || last == nil || last.Error() != "the disk is broken" {
		t.Errorf("got %q, %v", seen, last)
	}
}

// A walk of which the end is missing is not taken for a whole one.
func TestWalkThatBreaksOffIsAnError(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	defer server.Close()
	for _, err := range remote.New(server.URL, token).All(t.Context()) {
		if err == nil || !strings.Contains(err.Error(), "broke off") {
			t.Errorf("got %v", err)
		}
		return
	}
	t.Error("it ended without an error")
}
