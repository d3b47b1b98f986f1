package provision_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

func TestSignupValidate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		signup provision.Signup
		fields string // at fault, joined
	}{
		"usual":                 {provision.Signup{ID: "acme-42", Company: "Acme Telecom"}, ""},
		"every character":       {provision.Signup{ID: "aZ09._:@|-", Company: "Ü 株式会社 🚀"}, ""},
		"longest":               {provision.Signup{ID: strings.Repeat("a", 128), Company: strings.Repeat("ü", 256)}, ""},
		"spaces around":         {provision.Signup{ID: "a", Company: "  " + strings.Repeat("ü", 256) + "\n"}, ""},
		"nothing":               {provision.Signup{}, "signup_id company"},
		"id too long":           {provision.Signup{ID: strings.Repeat("a", 129), Company: "A"}, "signup_id"},
		"id with a space":       {provision.Signup{ID: "a b", Company: "A"}, "signup_id"},
		"id with a line break":  {provision.Signup{ID: "a\n", Company: "A"}, "signup_id"},
		"id of a counter":       {provision.Signup{ID: "#a", Company: "A"}, "signup_id"},
		"id with a slash":       {provision.Signup{ID: "a/b", Company: "A"}, "signup_id"},
		"id not ASCII":          {provision.Signup{ID: "ä", Company: "A"}, "signup_id"},
		"company of spaces":     {provision.Signup{ID: "a", Company: " \t "}, "company"},
		"company too long":      {provision.Signup{ID: "a", Company: strings.Repeat("ü", 257)}, "company"},
		"company with control":  {provision.Signup{ID: "a", Company: "A\x00B"}, "company"},
		"company with a break":  {provision.Signup{ID: "a", Company: "A\nB"}, "company"},
		"company not UTF-8":     {provision.Signup{ID: "a", Company: "A\xff"}, "company"},
		"company with a DEL":    {provision.Signup{ID: "a", Company: "A\u007f"}, "company"},
		"company with C1 codes": {provision.Signup{ID: "a", Company: "A\u0085B"}, "company"},
	} {
		var fields []string
		var invalid *provision.InvalidError
		if err := test.signup.Validate(); errors.As(err, &invalid) {
			for _, fault := range invalid.Faults {
				fields = append(fields, fault.Field)
				if !strings.Contains(err.Error(), fault.Field+" must") {
					t.Errorf("%s: the error does not say what %s must be: %v", name, fault.Field, err)
				}
			}
		}
		if got := strings.Join(fields, " "); got != test.fields {
			t.Errorf("%s: at fault %q, want %q", name, got, test.fields)
		}
	}
}

func TestFingerprintIsOfTheNormalisedContent(t *testing.T) {
	t.Parallel()
	one := provision.Signup{ID: "a", Company: "Acme", Source: "api"}
	for name, test := range map[string]struct {
		other provision.Signup
		same  bool
	}{
		"spaces around":  {provision.Signup{ID: "a", Company: " Acme\t", Source: "api"}, true},
		"another source": {provision.Signup{ID: "a", Company: "Acme", Source: "hubspot"}, true},
		"another name":   {provision.Signup{ID: "a", Company: "acme", Source: "api"}, false},
	} {
		if same := one.Fingerprint() == test.other.Fingerprint(); same != test.same {
			t.Errorf("%s: same %v, want %v", name, same, test.same)
		}
	}
	// Stored on items: it must never change.
	if got, want := one.Fingerprint(), "d4c0fe6e889fb2ddd1adfcb8151567ec"; got != want {
		t.Errorf("fingerprint %s, want %s", got, want)
	}
}

// The names of trunks that exist: the function must never change.
func TestTrunkNameIsForEver(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"acme-42":              "th_2p25m3xfxxipq",
		"hubspot:8675309:4021": "th_tkyykodyipy7p",
	} {
		if got := provision.TrunkName("th", id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func TestTrunkNameIsLegalDeterministicAndOfItsPrefix(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.StringMatching(`[a-z0-9]{1,3}`).Draw(t, "prefix")
		id := rapid.StringMatching(`[A-Za-z0-9._:@|-]{1,128}`).Draw(t, "id")
		other := rapid.StringMatching(`[A-Za-z0-9._:@|-]{1,128}`).Draw(t, "other")
		name := provision.TrunkName(prefix, id)
		request := exotel.CreateTrunkRequest{TrunkName: name, NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("a")}
		switch {
		case provision.CheckPrefix(prefix) != nil:
			t.Fatalf("prefix %q is refused", prefix)
		case request.Validate() != nil:
			t.Fatalf("%q is no legal name: %v", name, request.Validate())
		case strings.ToLower(name) != name || !strings.HasPrefix(name, prefix+"_"):
			t.Fatalf("%q does not begin with %q and _, in lower case", name, prefix)
		case (len(name)-len(prefix)-1)*5 < 60:
			t.Fatalf("%q holds fewer than 60 bits", name)
		case provision.TrunkName(prefix, id) != name:
			t.Fatal("not deterministic")
		case (provision.TrunkName(prefix, other) == name) != (other == id):
			t.Fatalf("%q and %q meet at %q", id, other, name)
		}
	})
}

func TestAMillionNamesDoNotMeet(t *testing.T) {
	t.Parallel()
	seen := make(map[string]struct{}, 1_000_000)
	id := []byte("hubspot:8675309:0000000")
	for range 1_000_000 {
		increment(id)
		seen[provision.TrunkName("abc", string(id))] = struct{}{}
	}
	if len(seen) != 1_000_000 {
		t.Errorf("%d names for 1,000,000 signups", len(seen))
	}
}

// increment counts up in the decimal digits at the end.
func increment(id []byte) {
	for i := len(id) - 1; ; i-- {
		if id[i]++; id[i] <= '9' {
			return
		}
		id[i] = '0'
	}
}

func TestCheckPrefix(t *testing.T) {
	t.Parallel()
	for prefix, ok := range map[string]bool{"t": true, "th": true, "ab9": true, "": false, "abcd": false, "TH": false, "t_": false, "ü": false} {
		if err := provision.CheckPrefix(prefix); (err == nil) != ok {
			t.Errorf("%q: %v", prefix, err)
		}
	}
}
