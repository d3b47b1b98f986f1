package provision_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/provision"
)

func TestSignupValidate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		signup provision.Signup
		fields string // at fault, joined
	}{
		"usual":                {provision.Signup{ID: "acme-42", Company: "Acme Telecom"}, ""},
		"every character":      {provision.Signup{ID: "aZ09._:@|-", Company: "Ü 株式会社 🚀"}, ""},
		"longest":              {provision.Signup{ID: strings.Repeat("a", 128), Company: strings.Repeat("ü", 256)}, ""},
		"spaces around":        {provision.Signup{ID: "a", Company: "  " + strings.Repeat("ü", 256) + "\n"}, ""},
		"nothing":              {provision.Signup{}, "signup_id company"},
		"id too long":          {provision.Signup{ID: strings.Repeat("a", 129), Company: "A"}, "signup_id"},
		"id with a space":      {provision.Signup{ID: "a b", Company: "A"}, "signup_id"},
		"id with a line break": {provision.Signup{ID: "a\n", Company: "A"}, "signup_id"},
		"id of a counter":      {provision.Signup{ID: "#a", Company: "A"}, "signup_id"},
		"id with a slash":      {provision.Signup{ID: "a/b", Company: "A"}, "signup_id"},
		"id not ASCII":         {provision.Signup{ID: "ä", Company: "A"}, "signup_id"},
		"company of spaces":    {provision.Signup{ID: "a", Company: " \t "}, "company"},
		"company too long":     {provision.Signup{ID: "a", Company: strings.Repeat("ü", 257)}, "company"},
		"company with control": {provision.Signup{ID: "a", Company: "A\x00B"}, "company"},
		"company with a break": {provision.Signup{ID: "a", Company: "A\nB"}, "company"},
		"company not UTF-8":    {provision.Signup{ID: "a", Company: "A\xff"}, "company"},
		"company with a DEL":   {provision.Signup{ID: "a", Company: "A\u007f"}, "company"},
		"of a source":          {provision.Signup{ID: "a", Company: "A", Source: strings.Repeat("0-z", 10) + "-9"}, ""},
		"source in quotes":     {provision.Signup{ID: "a", Company: "A", Source: `"hubspot"`}, "source"},
		"source too long":      {provision.Signup{ID: "a", Company: "A", Source: strings.Repeat("a", 33)}, "source"},
		"source like a flag":   {provision.Signup{ID: "a", Company: "A", Source: "-a"}, "source"},
		"dry":                  {provision.Signup{ID: "smoke:1", Company: "A"}, ""},
		"dry with a line": {provision.Signup{ID: "smoke:1", Company: "A", Line: provision.Line{
			PhoneNumbers: []provision.PhoneNumber{{PhoneNumber: "+912247788868"}}, WhitelistedIPs: []string{"9.9.9.9"},
			DestinationURIs: []string{"sip.acme.com:5061"}, Credentials: []provision.Credential{{UserName: "acme"}}, CallerID: "+912247788868",
		}}, "phone_numbers whitelisted_ips destination_uris credentials caller_id"},
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
