package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/verify"
)

// kinds are those that a source's file can name.
func kinds(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile("../../handler/sources/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs struct {
			Auth struct {
				Properties struct{ Kind struct{ Enum []string } }
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(content, &schema); err != nil || len(schema.Defs.Auth.Properties.Kind.Enum) == 0 {
		t.Fatalf("the schema names no kinds: %v", err)
	}
	return schema.Defs.Auth.Properties.Kind.Enum
}

// optionsOf are those of a kind, with what it needs.
func optionsOf(kind string) verify.Options {
	o := verify.Options{Kind: kind}
	switch kind {
	case "hmac":
		o.Header, o.Encoding = "X-Billing-Signature", "hex"
	case "header":
		o.Header = "X-Billing-Token"
	case "form":
		o.Field = "secret"
	}
	return o
}

const (
	aToken   = "Xq0-4vT_hunter2hunter2"
	aUUID    = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
	aHexKey  = "058bfb6a3d8cfdc4da7c3be5901b16ae11da982b46a25fb2cd7016e97a140a1c"
	aSigning = "whsec_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg=="
	aPublic  = "whpk_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMi0tLS0="
	aStripe  = "whsec_7JvVhunter2hunter2hunter2hunter2"
)

// typed are, for each kind, what its sender has and what a slip makes of it.
var typed = map[string]struct{ good, bad []string }{
	"token": {
		good: []string{aToken, aHexKey, aUUID},
		bad:  []string{"", "hunter2", "hunter2 hunter2 hunter2", "hunter2\thunter2hunter2", "hunter2hunter2\u00a0hunter2", "hünter2hunter2hunter2", "crm:hunter2hunter2hunter2", aSigning, aPublic},
	},
	"basic": {
		good: []string{"crm:hunter2hunter2hunter2", "crm:with spaces hunter2", "crm:with:colons:hunter2", "crm:pässwörter-hunter2"},
		bad:  []string{"", "hunter2hunter2hunter2", "crm:", ":hunter2hunter2hunter2", "crm:hunter2", "c r m:hunter2hunter2hunter2", "crm:hunter2\x00hunter2hunter2", aSigning},
	},
	"standard-webhooks": {
		good: []string{aSigning, aPublic},
		bad:  []string{"", aToken, strings.TrimPrefix(aSigning, "whsec_"), "whsec_", "whsec_###hunter2###", "whsec_aHVudGVyMg==", aStripe + "x", "whpk_aHVudGVyMg==", "whsk_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg=="},
	},
	"stripe": {
		good: []string{aStripe, aSigning},
		bad:  []string{"", "whsec_", "whsec_hunter2", "sk_live_hunter2hunter2hunter2", aToken, "whsec_hunter2 hunter2 hunter2"},
	},
	"hubspot-v3": {
		good: []string{aUUID, aToken},
		bad:  []string{"", "hunter2", aStripe, aSigning, "hunter2 hunter2 hunter2"},
	},
	"shopify": {
		good: []string{"shpss_hunter2hunter2hunter2", aHexKey},
		bad:  []string{"", "hunter2", aStripe, "hunter2 hunter2 hunter2"},
	},
	"close": {
		good: []string{aHexKey, strings.ToUpper(aHexKey)},
		bad:  []string{"", "hunter2hunter2hunter2hunter2hunter2", aHexKey[1:], aHexKey[:20], aToken, aSigning},
	},
	"github": {
		good: []string{aToken, "crm:hunter2hunter2hunter2"},
		bad:  []string{"", "hunter2", aStripe, "hunter2 hunter2 hunter2"},
	},
	"hmac": {
		good: []string{aToken, aHexKey, aStripe},
		bad:  []string{"", "hunter2", "hunter2 hunter2 hunter2"},
	},
}

// sameAs are kinds whose secrets are those of another.
var sameAs = map[string]string{"bearer": "token", "header": "token", "form": "token", "hubspot-v1": "hubspot-v3", "hubspot-v2": "hubspot-v3"}

func TestWhatIsTypedIsCheckedByTheSourcesKind(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test, ok := typed[kind]
			if other, same := sameAs[kind]; same {
				test, ok = typed[other]
			}
			if !ok {
				t.Fatal("what this kind takes isn't written down here")
			}
			ways := newWays([]verify.Options{optionsOf(kind)})
			for _, secret := range test.good {
				if _, err := taken("billing", ways, secret); err != nil {
					t.Errorf("%q: %v", secret, err)
				}
			}
			for _, secret := range test.bad {
				_, err := taken("billing", ways, secret)
				if err == nil {
					t.Errorf("%q is taken", secret)
					continue
				}
				if said := err.Error(); !strings.Contains(said, "source billing takes "+ways[0].wants) || strings.Contains(said, "hunter2") || strings.Contains(said, "\n") {
					t.Errorf("%q: %v", secret, err)
				}
			}
		})
	}
}

// What is made is what is asked for.
func TestWhatIsMadeCouldHaveBeenTyped(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		for _, w := range newWays([]verify.Options{optionsOf(kind)}) {
			if w.made == nil {
				continue
			}
			secret := w.made("crm")
			if err := w.refuse(secret); err != nil || w.looks != nil && !w.looks(secret) {
				t.Errorf("%s: the %s that is made is not one: %v", kind, w.name, err)
			}
			if goes(w.kinds[0]) == "" {
				t.Errorf("%s: nobody is told where the %s goes", kind, w.name)
			}
		}
	}
}

func TestOneSlipIsExplainedForEachWayOfTheSource(t *testing.T) {
	t.Parallel()
	ways := newWays([]verify.Options{{Kind: "basic"}, {Kind: "token"}})
	_, err := taken("freshsales", ways, "crm-hunter2")
	want := "nothing is stored: source freshsales takes user:password with a password of at least 16 characters (it is not user:password), " +
		"or a token of at least 16 characters without white space or colon (it is shorter than 16 characters)"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
