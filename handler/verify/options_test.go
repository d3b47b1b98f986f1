package verify_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/verify"
)

func TestOptionsThatAreWrong(t *testing.T) {
	t.Parallel()
	for text, field := range map[string]string{
		`{}`:                           "kind",
		`{"kind":"hmac-sha1"}`:         "kind",
		`{"kind":"Stripe"}`:            "kind",
		`{"kind":"hmac"}`:              "header",
		`{"kind":"hmac","header":"X"}`: "encoding",
		`{"kind":"hmac","header":"X","encoding":"HEX"}`:                            "encoding",
		`{"kind":"hmac","header":"X","encoding":"hex","field":"a"}`:                "field",
		`{"kind":"hmac","header":"X Y","encoding":"hex"}`:                          "header",
		`{"kind":"hmac","header":"X:","encoding":"hex"}`:                           "header",
		`{"kind":"hmac","header":"Ä","encoding":"hex"}`:                            "header",
		`{"kind":"hmac","header":"X","encoding":"hex","prefix":"a\n"}`:             "prefix",
		`{"kind":"hmac","header":"X","encoding":"hex","timestamp_header":"T "}`:    "timestamp_header",
		`{"kind":"hmac","header":"X-A","encoding":"hex","timestamp_header":"x-a"}`: "timestamp_header",
		`{"kind":"header"}`: "header",
		`{"kind":"header","header":"X","encoding":"hex"}`: "encoding",
		`{"kind":"form"}`:                          "field",
		`{"kind":"form","field":"ä"}`:              "field",
		`{"kind":"form","field":"a","header":"X"}`: "header",
		`{"kind":"bearer","header":"X"}`:           "header",
		`{"kind":"github","prefix":"sha1="}`:       "prefix",
		`{"kind":"stripe","timestamp_header":"X"}`: "timestamp_header",
		`{"kind":"standard-webhooks","field":"x"}`: "field",
	} {
		var o verify.Options
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			t.Fatal(err)
		}
		kind, err := verify.New(o)
		if kind != nil || err == nil || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: %v, want a fault of %s", text, err, field)
		}
		if _, _, err := verify.Sign(o, "secret", now, "POST", address, nil); err == nil {
			t.Errorf("%s: signed", text)
		}
		if err := o.CheckSecret("secret"); err == nil {
			t.Errorf("%s: a secret is right", text)
		}
	}
}

func TestSecretsThatCanNeverMatch(t *testing.T) {
	t.Parallel()
	const standard, token = "standard-webhooks", "bearer"
	for _, test := range []struct {
		kind, secret string
		good         bool
	}{
		{standard, repoSecret, true},
		{standard, public, true},
		{standard, "whsk_" + seed, false},
		{standard, "hunter2", false},
		{standard, "whsec_hunter2", false},
		{standard, "whpk_aHVudGVyMg==", false},
		{standard, "whsec_", false},
		{token, "hunter2", true},
		{token, repoSecret, false},
		{token, public, false},
		{token, "whsk_" + seed, false},
		{"basic", "user:hunter2", true},
		{"basic", ":hunter2", true},
		{"basic", "hunter2", false},
		{"basic", "hunter2:", false},
		{"basic", "whsec_:hunter2", false},
		{"close", closeKey, true},
		{"close", "hunter2", false},
		{"close", "058", false},
		{"stripe", "whsec_hunter2", true},
		{"stripe", "hunter2", true},
		{"shopify", "hunter2", true},
		{"github", "hunter2", true},
		{"hubspot-v3", "hunter2", true},
		{"token", "hunter2", true},
		{"token", "whsec_hunter2", false},
	} {
		err := verify.Options{Kind: test.kind}.CheckSecret(test.secret)
		if (err == nil) != test.good || err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s, %s: %v", test.kind, test.secret, err)
		}
	}
}

func TestSecretsOfTheAPIProfile(t *testing.T) {
	t.Parallel()
	for secret, good := range map[string]bool{
		"token": true, repoSecret: true, public: true,
		"": false, "whsec_": false, "whsec_hunter2": false, "whpk_hunter2": false, "whsk_" + seed: false,
	} {
		if err := verify.CheckSecret(secret); (err == nil) != good || err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

func TestHubSpotSignsNoUnknownURL(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"hubspot-v2", "hubspot-v3"} {
		for _, url := range []string{"", "https://x.example/a b", "https://x.example/\"", "https://x.example/\x80"} {
			if _, _, err := verify.Sign(verify.Options{Kind: kind}, "secret", now, "POST", url, nil); err == nil {
				t.Errorf("%s signs %q", kind, url)
			}
		}
	}
}
