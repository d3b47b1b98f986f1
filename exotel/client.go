package exotel

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// The API's hosts. An account lives in one region; the wrong one answers like
// a wrong key (401, code 1010; third-party notes on a live account, 2025).
const (
	Singapore = "api.exotel.com"
	Mumbai    = "api.in.exotel.com"
)

// DefaultTimeout bounds one HTTP exchange, from dialling to the last byte of
// the answer, where Config.Timeout is zero.
const DefaultTimeout = 10 * time.Second

// maxBody is how much of an answer is read. The largest documented answer, a
// page of 50 trunks, is under 40 kB.
const maxBody = 1 << 20

// Config says which account to speak for, and how.
type Config struct {
	APIKey     string // required
	APIToken   string // required
	AccountSID string // required; letters, digits, _ and -

	// Subdomain is the API's host: Singapore or Mumbai. Required where BaseURL
	// is empty.
	Subdomain string

	// BaseURL replaces "https://" + Subdomain, for a fake or a proxy. A path in
	// it is kept in front of every path.
	BaseURL string

	// AllowPlainHTTP permits an http BaseURL to a host that is not loopback.
	// The credentials then cross the network unprotected.
	AllowPlainHTTP bool

	// HTTPClient is copied; its redirect policy is replaced, because a redirect
	// would carry the credentials elsewhere. Nil means a client over
	// NewTransport.
	HTTPClient *http.Client

	// Timeout bounds one HTTP exchange; DefaultTimeout where zero.
	Timeout time.Duration

	// UserAgent is sent as it is; "trunkhook-exotel" where empty.
	UserAgent string
}

// Client speaks for one account. It is safe for concurrent use and holds no
// state but its connections.
type Client struct {
	// Trunks makes, lists and deletes SIP trunks.
	Trunks *TrunksService
	// PhoneNumbers maps phone numbers to trunks.
	PhoneNumbers *PhoneNumbersService
	// WhitelistedIPs says from which addresses a trunk takes calls.
	WhitelistedIPs *WhitelistedIPsService
	// DestinationURIs says where a trunk's incoming calls go.
	DestinationURIs *DestinationURIsService
	// Credentials keeps the SIP users of trunks.
	Credentials *CredentialsService
	// Settings keeps the settings of trunks, such as the caller's number.
	Settings *SettingsService
	// TrunkMaps finds the trunk of a phone number.
	TrunkMaps *TrunkMapsService

	config   Config
	base     *url.URL // scheme, host and path prefix, with no trailing slash
	account  string   // path of the account
	http     *http.Client
	redactor redactor
}

// New checks the configuration and returns a client; it makes no call. The
// error names the field at fault and holds no secret.
func New(config Config) (*Client, error) {
	base, err := config.base()
	if err != nil {
		return nil, err
	}
	if err := config.check(); err != nil {
		return nil, err
	}
	config.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	config.UserAgent = cmp.Or(config.UserAgent, "trunkhook-exotel")
	client := &Client{
		config:   config,
		base:     base,
		account:  "/v2/accounts/" + url.PathEscape(config.AccountSID),
		http:     withoutRedirects(config.HTTPClient),
		redactor: newRedactor(config),
	}
	client.Trunks = &TrunksService{client}
	client.PhoneNumbers = &PhoneNumbersService{client}
	client.WhitelistedIPs = &WhitelistedIPsService{client}
	client.DestinationURIs = &DestinationURIsService{client}
	client.Credentials = &CredentialsService{client}
	client.Settings = &SettingsService{client}
	client.TrunkMaps = &TrunkMapsService{client}
	return client, nil
}

// AccountSID is the account that the client speaks for.
func (c *Client) AccountSID() string { return c.config.AccountSID }

// BaseURL is the scheme and host that the client calls, and what stands in front of
// every path.
func (c *Client) BaseURL() *url.URL {
	base := *c.base
	return &base
}

// isAccountSID: an account's sid is chosen by the customer, and stands in a path and in
// the name of a host; no page of Exotel's says more.
func isAccountSID(text string) bool { return isWord(text, 1, 64, "-") }

func (config Config) check() error {
	switch {
	case config.APIKey == "":
		return errors.New("exotel: APIKey is empty")
	case config.APIToken == "":
		return errors.New("exotel: APIToken is empty")
	case !isAccountSID(config.AccountSID):
		return errors.New("exotel: AccountSID must be 1 to 64 letters, digits, _ or -")
	case strings.Contains(config.APIKey, ":"):
		return errors.New("exotel: APIKey holds a colon, which Basic authentication can't carry")
	case config.Timeout < 0:
		return errors.New("exotel: Timeout is negative")
	}
	return nil
}

func (config Config) base() (*url.URL, error) {
	if config.BaseURL == "" {
		if !isHostName(config.Subdomain) {
			return nil, fmt.Errorf("exotel: Subdomain must be a host name, such as %s", Singapore)
		}
		return &url.URL{Scheme: "https", Host: config.Subdomain}, nil
	}
	base, err := ParseBaseURL(config.BaseURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("exotel: BaseURL %w", err)
	case base.Scheme == "http" && !config.AllowPlainHTTP && !isLoopback(base.Hostname()):
		return nil, errors.New("exotel: BaseURL must be https, or http to a loopback host")
	}
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = ""
	return base, nil
}

// ParseBaseURL reads a Config.BaseURL. The error doesn't repeat it: it may hold
// a password.
func ParseBaseURL(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Hostname() == "" ||
		base.User != nil || strings.ContainsAny(text, "?#") {
		return nil, errors.New("must be https://host[:port][/path], with nothing else in it")
	}
	return base, nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func withoutRedirects(client *http.Client) *http.Client {
	var own http.Client
	if client != nil {
		own = *client
	} else {
		own.Transport = NewTransport()
	}
	if own.Transport == nil {
		own.Transport = http.DefaultTransport
	}
	own.Transport = blind{own.Transport}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// blind doesn't see where a redirect leads. Nobody goes there, and what net/http
// says of an address that it can't read repeats it.
type blind struct{ transport http.RoundTripper }

func (b blind) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.transport.RoundTrip(r)
	if err == nil {
		resp.Header.Del("Location")
	}
	return resp, err
}

// NewTransport returns the transport that a Client uses by default: bounded
// dialling and TLS, connections kept for 15 s of idleness, never more than 50
// at once (Exotel's documented limit for an account). Idleness is short because a
// POST on a connection that died is in doubt, and a new one costs little beside
// what Exotel takes; net/http counts it by the wall clock, so that time counts in
// which the process was frozen.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   3 * time.Second,
		MaxConnsPerHost:       50,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       15 * time.Second,
		ForceAttemptHTTP2:     true,
		ResponseHeaderTimeout: 0, // Config.Timeout bounds the whole exchange

		MaxResponseHeaderBytes: 64 << 10, // recorded answers have under 1 kB
	}
}
