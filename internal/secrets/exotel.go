package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/internal/ahead"
	"github.com/trunkhook/trunkhook/provision"
)

// ExotelOptions say how the account is reached, whatever the secret holds.
type ExotelOptions struct {
	BaseURL        string // replaces the secret's subdomain
	AllowPlainHTTP bool
}

// Exotel is the account that the secret opens: a provision.Accounts.
type Exotel struct {
	cache       cache[provision.Account]
	connections *ahead.Dialer
	url         atomic.Pointer[url.URL] // where the account is reached, once that is known
}

var _ provision.Accounts = (*Exotel)(nil)

// NewExotel returns the account behind a secret. Nothing is fetched yet; once
// fetched it is used until Exotel refuses it.
func NewExotel(fetch Fetch, options ExotelOptions, log *slog.Logger) *Exotel {
	transport := exotel.NewTransport() // shared by all credentials
	e := &Exotel{connections: ahead.Apply(transport)}
	e.cache = cache[provision.Account]{name: "of Exotel", fetch: fetch, log: log, parse: func(text string) (*provision.Account, error) {
		config, err := parseCredentials(text)
		if err != nil {
			return nil, err
		}
		config.BaseURL, config.AllowPlainHTTP = options.BaseURL, options.AllowPlainHTTP
		config.HTTPClient, config.UserAgent = &http.Client{Transport: transport}, "trunkhook"
		client, err := exotel.New(config)
		if err != nil {
			return nil, err
		}
		e.url.Store(client.BaseURL())
		return provision.OpenAccount(client), nil
	}}
	return e
}

// Connect opens the connection that the first call to Exotel will use, if it comes at
// once, and sends nothing. It waits for the secret, which says where that is.
func (e *Exotel) Connect(ctx context.Context) error {
	if _, err := e.Open(ctx); err != nil {
		return err
	}
	return e.connections.Open(ctx, e.url.Load())
}

// Ready implements provision.Accounts.
func (e *Exotel) Ready() *provision.Account { return e.cache.ready() }

// Open implements provision.Accounts. Call it during start-up as well, so that
// the first signup needs no fetch.
func (e *Exotel) Open(ctx context.Context) (*provision.Account, error) { return e.cache.get(ctx) }

// Reopen implements provision.Accounts.
func (e *Exotel) Reopen(ctx context.Context, refused *provision.Account) (*provision.Account, error) {
	return e.cache.newer(ctx, refused)
}

// parseCredentials reads the contract's {"api_key","api_token","account_sid",
// "subdomain"}. Errors of the JSON decoder can hold values, so they aren't kept.
func parseCredentials(text string) (exotel.Config, error) {
	var fields struct {
		APIKey     string `json:"api_key"`
		APIToken   string `json:"api_token"`
		AccountSID string `json:"account_sid"`
		Subdomain  string `json:"subdomain"`
	}
	if json.Unmarshal([]byte(text), &fields) != nil {
		return exotel.Config{}, errors.New(`it is not {"api_key": "...", "api_token": "...", "account_sid": "...", "subdomain": "..."}`)
	}
	var missing []string
	field := func(name, value string) string {
		value = strings.TrimSpace(value) // pasted secrets bring line breaks
		if value == "" {
			missing = append(missing, name)
		}
		return value
	}
	config := exotel.Config{
		APIKey: field("api_key", fields.APIKey), APIToken: field("api_token", fields.APIToken),
		AccountSID: field("account_sid", fields.AccountSID), Subdomain: field("subdomain", fields.Subdomain),
	}
	switch {
	case len(missing) > 0:
		return exotel.Config{}, fmt.Errorf("it lacks %s", strings.Join(missing, ", "))
	case config.Subdomain != exotel.Singapore && config.Subdomain != exotel.Mumbai:
		return exotel.Config{}, fmt.Errorf("its subdomain must be %s or %s", exotel.Singapore, exotel.Mumbai)
	}
	return config, nil
}
