package verify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/verify"
)

// forgers sign as the kinds' senders do, by another way than the package's own:
// with any key, and any text for a timestamp.
var forgers = map[string]func(key, timestamp string) []string{
	"standard-webhooks v1": func(key, timestamp string) []string {
		return []string{"Webhook-Id", "msg_1", "Webhook-Timestamp", timestamp, "Webhook-Signature", "v1," + base64.StdEncoding.EncodeToString(hashed(key, "msg_1."+timestamp+"."+event))}
	},
	"stripe": func(key, timestamp string) []string {
		return []string{"Stripe-Signature", "t=" + timestamp + ",v1=" + hex.EncodeToString(hashed(key, timestamp+"."+event))}
	},
	"hubspot-v3": func(key, timestamp string) []string {
		return []string{"X-HubSpot-Request-Timestamp", timestamp, "X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(hashed(key, "POST"+address+event+timestamp))}
	},
	"hubspot-v2": func(key, _ string) []string {
		hash := sha256.Sum256([]byte(key + "POST" + address + event))
		return []string{"X-HubSpot-Signature-Version", "v2", "X-HubSpot-Signature", hex.EncodeToString(hash[:])}
	},
	"hubspot-v1": func(key, _ string) []string {
		hash := sha256.Sum256([]byte(key + event))
		return []string{"X-HubSpot-Signature-Version", "v1", "X-HubSpot-Signature", hex.EncodeToString(hash[:])}
	},
	"shopify": func(key, _ string) []string {
		return []string{"X-Shopify-Hmac-SHA256", base64.StdEncoding.EncodeToString(hashed(key, event))}
	},
	"close": func(key, timestamp string) []string {
		return []string{"close-sig-timestamp", timestamp, "close-sig-hash", hex.EncodeToString(hashed(key, timestamp+event))}
	},
	"github": func(key, _ string) []string {
		return []string{"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(hashed(key, event))}
	},
	"hmac": func(key, _ string) []string {
		return []string{"X-Acme-Signature", base64.StdEncoding.EncodeToString(hashed(key, event))}
	},
	"hmac with a timestamp": func(key, timestamp string) []string {
		return []string{"X-Acme-Time", timestamp, "X-Acme-Signature", "v1:" + hex.EncodeToString(hashed(key, timestamp+"."+event))}
	},
}

func hashed(key, text string) []byte {
	hash := hmac.New(sha256.New, []byte(key))
	hash.Write([]byte(text))
	return hash.Sum(nil)
}

func forged(name, key, timestamp string, secrets ...string) verify.Request {
	return verify.Request{Now: now, Secrets: secrets, Method: "POST", URL: address, Header: headers(forgers[name](key, timestamp)...), Body: []byte(event)}
}

// realKey is what a sender's secret stands for.
func realKey(s sender) string {
	if s.options.Kind == "close" || s.options.Kind == "standard-webhooks" {
		return "a key of exactly 24 byte"
	}
	return s.secret
}

func realTime(s sender) string {
	if s.options.Kind == "hubspot-v3" {
		return "1700000000000"
	}
	return "1700000000"
}

func TestTimestampsHaveOneSpelling(t *testing.T) {
	t.Parallel()
	for name := range forgers {
		s := senders[name]
		kind, digits := newKind(t, s.options), realTime(s)
		if !kind(forged(name, realKey(s), digits, s.secret)) {
			t.Errorf("%s: refused", name)
		}
		if !s.dated {
			continue
		}
		for _, text := range []string{
			"", "+" + digits, "-" + digits, "0" + digits, "000000" + digits, " " + digits, digits + " ", "\t" + digits, digits + ".0", digits + ".", digits + "e0",
			"0x6553f100", "1_700_000_000", "1.7e9", "１７００００００００", digits + "000", digits[:len(digits)-3], "NaN", "0",
			strings.Repeat("9", 15), strings.Repeat("9", 19), strings.Repeat("9", 30), digits + "," + digits,
			"18446744075409551616", // digits and 2^64
			"2305843010913693952",  // and 2^61, which a thousand times is lost above 2^64
		} {
			if kind(forged(name, realKey(s), text, s.secret)) {
				t.Errorf("%s: taken with timestamp %q", name, text)
			}
		}
	}
}

// An empty or unusable secret is no key: anybody could sign with it.
func TestEmptyKeysSignNothing(t *testing.T) {
	t.Parallel()
	for name := range forgers {
		s := senders[name]
		for _, secret := range []string{"", "whsec_", "whpk_", "whsk_"} {
			if s.options.Kind != "standard-webhooks" && secret != "" {
				continue
			}
			if newKind(t, s.options)(forged(name, "", realTime(s), secret)) {
				t.Errorf("%s: taken with the empty key and secret %q", name, secret)
			}
		}
		if newKind(t, s.options)(forged(name, "", realTime(s))) || newKind(t, s.options)(forged(name, realKey(s), realTime(s))) {
			t.Errorf("%s: taken without secrets", name)
		}
	}
}

// A secret as the sender shows it is the key, or is what it encodes, never both.
func TestKeysAreReadInOneWay(t *testing.T) {
	t.Parallel()
	for name := range forgers {
		s := senders[name]
		if s.secret != realKey(s) && newKind(t, s.options)(forged(name, s.secret, realTime(s), s.secret)) {
			t.Errorf("%s: taken with the text as a key", name)
		}
	}
}

func TestStandardWebhooksWithoutID(t *testing.T) {
	t.Parallel()
	signature, err := verify.SignStandardWebhook(repoSecret, "", now, []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	r := verify.Request{Now: now, Secrets: []string{repoSecret}, Header: headers("Webhook-Timestamp", "1700000000", "Webhook-Signature", signature), Body: []byte(event)}
	if verify.StandardWebhooks(r) {
		t.Error("taken")
	}
}

// What is longer is not looked at, so that a stranger can't have it hashed.
func TestTokensOfMoreThan4KiB(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bearer", "token", "header", "form", "basic"} {
		s := senders[name]
		s.secret = "user:" + strings.Repeat("x", 5000)
		if newKind(t, s.options)(s.send(t, []byte(formed))) {
			t.Errorf("%s: taken", name)
		}
	}
}
