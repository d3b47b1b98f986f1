package embedded_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// filled is a table file with a few hundred signups in it.
func filled(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signups.db")
	l := open(t, path)
	now := time.Now().UTC().Truncate(time.Millisecond)
	for i := range 300 {
		s := provision.Signup{ID: fmt.Sprintf("acme-%d", i), Company: strings.Repeat("Acme ", 20)}
		if _, _, err := l.Claim(t.Context(), provision.Claim{Signup: s, TrunkName: "th_a", Owner: "one", Now: now, LeaseUntil: now}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// openContent opens a file that holds that.
func openContent(t *testing.T, content []byte) (*embedded.Ledger, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signups.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return embedded.Open(path)
}

func TestFileThatIsBrokenIsRefused(t *testing.T) {
	t.Parallel()
	page := os.Getpagesize()
	whole := filled(t)
	behindMeta := len(whole) - 2*page
	for name, content := range map[string][]byte{
		"cut in half":              whole[:len(whole)/2],
		"cut in a page":            whole[:5*page+100],
		"cut behind its first two": whole[:2*page],
		"cut behind its first":     whole[:page],
		"overwritten with text":    append(bytes.Clone(whole[:2*page]), strings.Repeat("x", behindMeta)...),
		"overwritten with zeros":   append(bytes.Clone(whole[:2*page]), make([]byte, behindMeta)...),
		"overwritten with ones":    append(bytes.Clone(whole[:2*page]), bytes.Repeat([]byte{0xff}, behindMeta)...),
	} {
		l, err := openContent(t, content)
		if err == nil {
			_ = l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "is not a usable table file") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whichever page is broken: either it is seen, or nothing stands on it.
func TestPageThatIsBrokenIsSeen(t *testing.T) {
	t.Parallel()
	page := os.Getpagesize()
	whole := filled(t)
	refused := 0
	for at := 2 * page; at < len(whole); at += page {
		content := bytes.Clone(whole)
		copy(content[at:at+page], bytes.Repeat([]byte{0xa5}, page))
		l, err := openContent(t, content)
		if err != nil {
			refused++
			continue
		}
		if due, err := l.Due(t.Context(), time.Now().Add(time.Hour), 1000); err != nil || len(due) != 300 {
			t.Errorf("page %d: %d due, %v", at/page, len(due), err)
		}
		for i := range 300 {
			if _, err := l.Get(t.Context(), fmt.Sprintf("acme-%d", i)); err != nil {
				t.Errorf("page %d: %v", at/page, err)
			}
		}
		_ = l.Close()
	}
	if refused == 0 {
		t.Error("no broken page was seen")
	}
}
