package provision_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

var legalName = regexp.MustCompile(`^[a-z0-9]{1,3}_[a-z2-7]+$`)

// bitsOf is how much of the hash a name holds: base32 has 5 bits a character.
func bitsOf(prefix, name string) int { return 5 * (len(name) - len(prefix) - 1) }

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

func TestTrunkNameIsLegalWhateverTheID(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prefix, id := rapid.StringMatching(`[a-z0-9]{1,3}`).Draw(t, "prefix"), rapid.String().Draw(t, "id")
		name := provision.TrunkName(prefix, id)
		request := exotel.CreateTrunkRequest{TrunkName: name, NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("acme1")}
		if err := request.Validate(); err != nil || !legalName.MatchString(name) || len(name) > exotel.MaxTrunkName || bitsOf(prefix, name) < 60 {
			t.Fatalf("%q of %q: %v", name, id, err)
		}
		if provision.CheckPrefix(prefix) != nil || !strings.HasPrefix(name, prefix+"_") || provision.TrunkName(prefix, id) != name {
			t.Fatalf("%q of prefix %q", name, prefix)
		}
	})
}

// Environments that share an account must never meet, however alike their
// prefixes are.
func TestTrunkNamesOfTwoPrefixesNeverMeet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one, other := rapid.StringMatching(`[a-c0]{1,3}`).Draw(t, "one"), rapid.StringMatching(`[a-c0]{1,3}`).Draw(t, "other")
		first, second := provision.TrunkName(one, rapid.String().Draw(t, "first")), provision.TrunkName(other, rapid.String().Draw(t, "second"))
		if one != other && (first == second || strings.HasPrefix(first, other+"_")) {
			t.Fatalf("%q and %q", first, second)
		}
	})
}

// distinctIDs yields so many different ids, among them such as differ in one
// character, in their case, in their length, or in nothing but their end.
func distinctIDs(count int, yield func(string)) {
	long := strings.Repeat("a", 120)
	kinds := []func(number string) string{
		func(n string) string { return n },
		func(n string) string { return "acme-" + n },
		func(n string) string { return "Acme-" + n },
		func(n string) string { return n + "-acme" },
		func(n string) string { return "hubspot:12345:" + n },
		func(n string) string { return long + n },
		func(n string) string { return long[len(n):] + n + "." },
		func(n string) string { return n + "." },
	}
	for i := range count {
		yield(kinds[i%len(kinds)](strconv.Itoa(i / len(kinds))))
	}
}

func TestMillionSignupsHaveAMillionNames(t *testing.T) {
	t.Parallel()
	count := 1_000_000
	if raceDetector {
		count = 50_000 // it makes each name many times as dear
	}
	names := make(map[[exotel.MaxTrunkName]byte]struct{}, count)
	distinctIDs(count, func(id string) {
		names[[exotel.MaxTrunkName]byte([]byte(provision.TrunkName("abc", id)))] = struct{}{}
	})
	if len(names) != count {
		t.Errorf("%d names of %d ids", len(names), count)
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
