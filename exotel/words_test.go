package exotel

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Each check means what its regular expression says.
func TestChecksMeanTheirRegularExpressions(t *testing.T) {
	t.Parallel()
	for name, check := range map[string]struct {
		does func(string) bool
		says string
	}{
		"word":      {func(s string) bool { return isWord(s, 1, 16, "") }, `^[A-Za-z0-9_]{1,16}$`},
		"password":  {func(s string) bool { return isWord(s, 8, 128, "") }, `^[A-Za-z0-9_]{8,128}$`},
		"user name": {func(s string) bool { return isWord(s, 1, 64, ".-") }, `^[A-Za-z0-9_.-]{1,64}$`},
		"E.164":     {isE164, `^\+[1-9][0-9]{6,14}$`},
		"label":     {isLabel, `^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`},
		"FQDN":      {isFQDN, `^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`},
		"host name": {isHostName, `^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`},
		"domain":    {isDomainName, `^[A-Za-z0-9_-]{1,64}\.pstn\.exotel\.com$`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pattern := regexp.MustCompile(check.says)
			same := func(s string) bool { return check.does(s) == pattern.MatchString(s) }
			for _, s := range []string{"", ".", "a", "1", "-", "a.b", "a.1", "a..b", "-a.b", "a-.b", "a\n", "é.com", "x.pstn.exotel.com", ".pstn.exotel.com", "+1234567", "+0234567", "+", "+12345678901234567"} {
				if !same(s) {
					t.Errorf("%q: it says %v", s, check.does(s))
				}
			}
			for n := range 260 {
				for _, s := range []string{strings.Repeat("a", n), strings.Repeat("a", n) + ".b", "+1" + strings.Repeat("0", n), strings.Repeat("a", n) + ".pstn.exotel.com"} {
					if len(s) <= 253 && !same(s) {
						t.Errorf("%d characters, %.20q...: it says %v", len(s), s, check.does(s))
					}
				}
			}
			rapid.Check(t, func(t *rapid.T) {
				if s := rapid.StringMatching(`\+?[A-Za-z0-9_.é-]{0,40}(\.pstn\.exotel\.com)?\n?`).Draw(t, "text"); !same(s) {
					t.Fatalf("%q: it says %v", s, check.does(s))
				}
			})
		})
	}
}
