//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/provision"
)

// smoke tests the deployed stack as an operator does after a deploy. It makes no trunk.
func smoke(t *testing.T, s *stack) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(s.bearer+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	trunks := len(s.fake.Trunks())
	said := s.emulator.run(t, "make", "--silent", "smoke", "URL="+strings.ReplaceAll(s.url, "$", "$$"), "SECRET_FILE="+file)
	if !regexp.MustCompile(`(?s)HTTP 200.*"dry"\n.*HTTP 200.*"dry", replayed\n.*its status +HTTP 200.*"dry"\nPassed`).MatchString(said) || strings.Contains(said, s.bearer) {
		t.Errorf("it says:\n%s", said)
	}
	record, err := s.ledger.Get(t.Context(), regexp.MustCompile(`smoke:\S+`).FindString(said))
	if err != nil || record.Status != provision.StatusDry || record.TrunkSID != "" {
		t.Errorf("%+v, %v", record, err)
	}
	if n := len(s.fake.Trunks()) - trunks; n != 0 {
		t.Errorf("%d trunks were made", n)
	}
}
