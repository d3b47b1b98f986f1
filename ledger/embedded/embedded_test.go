package embedded_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/ledger/ledgertest"
	"github.com/trunkhook/trunkhook/provision"
)

func open(t testing.TB, path string) *embedded.Ledger {
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
	var known []string
	note := func(r provision.Record) error {
		known = append(known, fmt.Sprint(r.SignupID, " ", r.Status, " ", r.TrunkSID))
		return nil
	}
	claim.Signup.ID = "acme-43"
	if _, _, err := l.Claim(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	if err := l.Each(note); err != nil || !slices.Equal(known, []string{"acme-42 active trmum1a", "acme-43 pending "}) {
		t.Errorf("the file has %q, %v", known, err)
	}
	broken := errors.New("broken")
	if err := l.Each(func(provision.Record) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("a function that fails: %v", err)
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

func TestArchiveConformance(t *testing.T) {
	t.Parallel()
	ledgertest.RunArchive(t, func(t *testing.T) ledgertest.Archive {
		t.Helper()
		l := open(t, filepath.Join(t.TempDir(), "signups.db"))
		t.Cleanup(func() { _ = l.Close() })
		return l
	})
}

// Whoever watches is told of each write that changed something, when it can be read.
func TestWritesAreWatched(t *testing.T) {
	t.Parallel()
	l := open(t, filepath.Join(t.TempDir(), "signups.db"))
	defer l.Close()
	var seen []string
	l.Watch(func(id string) {
		record, err := l.Get(t.Context(), id)
		seen = append(seen, fmt.Sprint(id, record.Attempts, err))
	})
	now := time.Now().UTC().Truncate(time.Millisecond)
	claim := provision.Claim{Signup: provision.Signup{ID: "acme-42", Company: "A"}, TrunkName: "th_a", Owner: "one", Now: now, LeaseUntil: now.Add(time.Minute)}
	for _, owner := range []string{"one", "two"} { // the second is refused
		claim.Owner = owner
		if _, _, err := l.Claim(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"acme-421 <nil>"}; !slices.Equal(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
}
