package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/gateway"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

const (
	bearer  = "a-bearer-token-of-the-tests"
	signing = "whsec_c21va2UtdGVzdC1zZWNyZXQtMDE="
)

// account is one set of credentials that never changes.
type account struct{ *provision.Account }

func (a account) Ready() *provision.Account                        { return a.Account }
func (a account) Open(context.Context) (*provision.Account, error) { return a.Account, nil }
func (a account) Reopen(context.Context, *provision.Account) (*provision.Account, error) {
	return a.Account, nil
}

// known are the sources' secrets.
type known map[string][]string

func (k known) Of(_ context.Context, source string) ([]string, error) { return k[source], nil }
func (k known) Renew(ctx context.Context, source string) ([]string, error) {
	return k.Of(ctx, source)
}

// forgetful is a table that takes what is claimed, and knows nothing of it later.
type forgetful struct{ provision.Ledger }

func (f forgetful) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	record, holds := w.Apply(nil)
	return record, holds, ctx.Err()
}

func (f forgetful) Prove(ctx context.Context, w provision.Prove) (provision.Record, bool, error) {
	return provision.Record{SignupID: w.SignupID, Status: provision.StatusDry, UpdatedAt: w.Now}, true, ctx.Err()
}

// system is the real handler and engine behind HTTP, with a fake Exotel.
type system struct {
	url    string
	fake   *exoteltest.Server
	engine *provision.Engine
}

func start(t *testing.T) *system {
	t.Helper()
	s := &system{fake: exoteltest.Start(t)}
	client, err := exotel.New(s.fake.Config())
	if err != nil {
		t.Fatal(err)
	}
	table, err := embedded.Open(filepath.Join(t.TempDir(), "signups.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	s.engine = &provision.Engine{
		Ledger: table, Prefix: "th", Accounts: account{provision.OpenAccount(client)},
		Jitter: func(time.Duration) time.Duration { return 0 },
	}
	h, err := handler.New(handler.Config{
		Provisioner: s.engine, Secrets: known{"api": {bearer, signing}}, Sources: set, DeadLetters: table, Log: slog.New(slog.DiscardHandler), ReplyWithin: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, err := gateway.Event(r)
		if err != nil {
			t.Error(err)
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
		defer cancel()
		answer, _ := h.Handle(ctx, event) // its error is always nil
		gateway.Write(w, answer)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// reconcile runs passes until the test is over.
func (s *system) reconcile(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_, _ = s.engine.Reconcile(ctx) // what fails is tried again
			time.Sleep(20 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
}

// file is one with that content.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// smoke tests that URL, patiently looking, with the secrets that the file holds. What it
// prints never has them in it.
func smoke(t *testing.T, url, content string, wait time.Duration) (string, error) {
	t.Helper()
	k, err := readKeys(file(t, content), false)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	s := test{client: newClient(url, k), id: newID(time.Now()), wait: wait, every: 20 * time.Millisecond, out: &out}
	err = s.run(t.Context())
	said := out.String()
	if err != nil {
		said += err.Error()
	}
	for _, secret := range []string{k.bearer, k.signing} {
		if secret != "" && strings.Contains(said, secret[:len(secret)/2]) {
			t.Errorf("a secret is shown:\n%s", said)
		}
	}
	return out.String(), err
}
