package embedded_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/ledger/ledgertest"
	"github.com/trunkhook/trunkhook/provision"
)

func open(t *testing.T, path string) *embedded.Ledger {
	t.Helper()
	l, err := embedded.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestConformance(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(t *testing.T) ledgertest.Store {
		t.Helper()
		l := open(t, filepath.Join(t.TempDir(), "signups.db"))
		t.Cleanup(func() { _ = l.Close() })
		return l
	})
}

func TestRecordsSurviveReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signups.db")
	now := time.Now().UTC().Truncate(time.Millisecond)
	l := open(t, path)
	claim := provision.Claim{Signup: provision.Signup{ID: "acme-42", Company: "Acme"}, TrunkName: "th_a", AccountSID: "acme1", Owner: "one", Now: now, LeaseUntil: now.Add(time.Second)}
	if _, _, err := l.Claim(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, path)
	defer l.Close()
	if due, err := l.Due(t.Context(), now.Add(time.Minute), 10); err != nil || len(due) != 1 || due[0] != "acme-42" {
		t.Errorf("due: %+v, %v", due, err)
	}
	if _, _, err := l.Activate(t.Context(), provision.Activate{SignupID: "acme-42", Owner: "one", Now: now, Trunk: exotel.Trunk{SID: "trmum1a"}}); err != nil {
		t.Fatal(err)
	}
	var active []string
	if err := l.Active(func(r provision.Record) { active = append(active, r.TrunkSID) }); err != nil || len(active) != 1 || active[0] != "trmum1a" {
		t.Errorf("active: %v, %v", active, err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	held := filepath.Join(dir, "held.db")
	l := open(t, held)
	defer l.Close()
	broken := filepath.Join(dir, "broken.db")
	if err := os.WriteFile(broken, []byte(strings.Repeat("not a table ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		held:                                "in use by another process",
		broken:                              "is not a usable table file",
		filepath.Join(dir, "no", "such.db"): "is not a usable table file",
	} {
		if other, err := embedded.Open(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, %v; want %q", path, other, err, want)
		}
	}
}
