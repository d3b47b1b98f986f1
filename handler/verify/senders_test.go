package verify_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/handler/verify"
)

var now = time.Unix(1700000000, 0).UTC()

const (
	event   = `{"id":"evt_1SIGNUPTRUNK0001","type":"checkout.session.completed"}`
	formed  = "signup_id=42&account=Northwind+Telecom&token=old"
	address = "https://hooks.example.com/webhooks/hubspot?src=hs%3Aapp"
)

// sender is one that signs, or shows what it has, and where it does.
type sender struct {
	options verify.Options
	secret  string // what it signs with
	known   string // what verifies it, if that is something else
	proof   string // header of the signature or token
	skip    string // what is in front of it there
	stamp   string // header of a timestamp with nothing else in it
	more    []string
	body    string
	covers  bool // the body
	dated   bool
}

var senders = map[string]sender{
	"standard-webhooks v1": {
		options: verify.Options{Kind: "standard-webhooks"}, secret: "whsec_" + base64Of("a key of exactly 24 byte"),
		proof: "Webhook-Signature", skip: "v1,", stamp: "Webhook-Timestamp", more: []string{"Webhook-Id"}, covers: true, dated: true,
	},
	"standard-webhooks v1a": {
		options: verify.Options{Kind: "standard-webhooks"}, secret: "whsk_" + seed, known: public,
		proof: "Webhook-Signature", skip: "v1a,", stamp: "Webhook-Timestamp", more: []string{"Webhook-Id"}, covers: true, dated: true,
	},
	"stripe": {
		options: verify.Options{Kind: "stripe"}, secret: "whsec_Kq2bVt6fUu3nWJ0d",
		proof: "Stripe-Signature", skip: "t=1700000000,v1=", covers: true, dated: true,
	},
	"hubspot-v3": {
		options: verify.Options{Kind: "hubspot-v3"}, secret: "2f6c3e51-3d3c-4c8c-9a64-1d5a5f0f8a11",
		proof: "X-Hubspot-Signature-V3", stamp: "X-Hubspot-Request-Timestamp", covers: true, dated: true,
	},
	"hubspot-v2": {
		options: verify.Options{Kind: "hubspot-v2"}, secret: "2f6c3e51-3d3c-4c8c-9a64-1d5a5f0f8a12",
		proof: "X-Hubspot-Signature", more: []string{"X-Hubspot-Signature-Version"}, covers: true,
	},
	"hubspot-v1": {
		options: verify.Options{Kind: "hubspot-v1"}, secret: "2f6c3e51-3d3c-4c8c-9a64-1d5a5f0f8a13",
		proof: "X-Hubspot-Signature", more: []string{"X-Hubspot-Signature-Version"}, covers: true,
	},
	"shopify": {
		options: verify.Options{Kind: "shopify"}, secret: "shpss_9d2f7a", proof: "X-Shopify-Hmac-Sha256", covers: true,
	},
	"close": {
		options: verify.Options{Kind: "close"}, secret: hex.EncodeToString([]byte("a key of exactly 24 byte")),
		proof: "Close-Sig-Hash", stamp: "Close-Sig-Timestamp", covers: true, dated: true,
	},
	"github": {
		options: verify.Options{Kind: "github"}, secret: "gh-secret-71", proof: "X-Hub-Signature-256", skip: "sha256=", covers: true,
	},
	"hmac": {
		options: verify.Options{Kind: "hmac", Header: "x-acme-signature", Encoding: "base64"}, secret: "in-house",
		proof: "X-Acme-Signature", covers: true,
	},
	"hmac with a timestamp": {
		options: verify.Options{Kind: "hmac", Header: "X-Acme-Signature", Prefix: "v1:", Encoding: "hex", TimestampHeader: "X-Acme-Time"},
		secret:  "in-house", proof: "X-Acme-Signature", skip: "v1:", stamp: "X-Acme-Time", covers: true, dated: true,
	},
	"basic":  {options: verify.Options{Kind: "basic"}, secret: "trunkhook:p:ss wörd", proof: "Authorization", skip: "Basic "},
	"bearer": {options: verify.Options{Kind: "bearer"}, secret: "b-3f9a", proof: "Authorization", skip: "Bearer "},
	"token":  {options: verify.Options{Kind: "token"}, secret: "t-3f9a", proof: "Authorization", skip: "Bearer ", more: []string{"X-Webhook-Token"}},
	"header": {options: verify.Options{Kind: "header", Header: "x-api-key"}, secret: "h-3f9a", proof: "X-Api-Key"},
	"form": {
		options: verify.Options{Kind: "form", Field: "token"}, secret: "f & 3f=9a", body: formed,
		more: []string{"Content-Type", "Authorization", "X-Webhook-Token"},
	},
}

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func newKind(t testing.TB, o verify.Options) verify.Kind {
	t.Helper()
	kind, err := verify.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return kind
}

// send is the sender's request, and what the receiver has to check it.
func (s sender) send(t testing.TB, body []byte) verify.Request {
	t.Helper()
	header, body, err := verify.Sign(s.options, s.secret, now, "POST", address, body)
	if err != nil {
		t.Fatal(err)
	}
	return verify.Request{Now: now, Secrets: []string{s.verifies()}, Method: "POST", URL: address, Header: header, Body: body}
}

func (s sender) verifies() string {
	if s.known != "" {
		return s.known
	}
	return s.secret
}

func (s sender) content() []byte {
	if s.body != "" {
		return []byte(s.body)
	}
	return []byte(event)
}

// with is the request with another header; an empty value takes it away.
func with(r verify.Request, name, value string) verify.Request {
	r.Header = r.Header.Clone()
	r.Header.Del(name)
	if value != "" {
		r.Header.Set(name, value)
	}
	return r
}

func headers(pairs ...string) http.Header {
	header := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		header.Set(pairs[i], pairs[i+1])
	}
	return header
}

// each runs a test for every sender.
func each(t *testing.T, test func(t *testing.T, s sender)) {
	t.Helper()
	for name, s := range senders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

func TestEveryKindHasASender(t *testing.T) {
	t.Parallel()
	_, err := verify.New(verify.Options{Kind: "none"})
	_, list, _ := strings.Cut(err.Error(), "none of ")
	for _, kind := range strings.Split(list, ", ") {
		found := false
		for _, s := range senders {
			found = found || s.options.Kind == kind
		}
		if !found {
			t.Errorf("kind %s is not tested", kind)
		}
	}
}
