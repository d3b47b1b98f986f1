package provision

import (
	"testing"
	"time"
)

func TestBackoffGrowsToAnHourAndIsJittered(t *testing.T) {
	t.Parallel()
	for attempts, bound := range map[int]time.Duration{
		0: 2 * time.Second, 1: 2 * time.Second, 2: 4 * time.Second, 5: 32 * time.Second,
		11: 2048 * time.Second, 12: time.Hour, 13: time.Hour, 1000: time.Hour,
	} {
		var highest time.Duration
		for range 1000 {
			wait := backoff(attempts)
			if wait < 0 || wait > bound {
				t.Fatalf("after %d attempts: %v, want at most %v", attempts, wait, bound)
			}
			highest = max(highest, wait)
		}
		if highest < bound*8/10 {
			t.Errorf("after %d attempts: never over %v of %v", attempts, highest, bound)
		}
	}
}

func TestTruncateKeepsWholeCharacters(t *testing.T) {
	t.Parallel()
	if got := truncate("aüü", 2); got != "a…" {
		t.Errorf("got %q", got)
	}
	if got := truncate("aüü", 5); got != "aüü" {
		t.Errorf("got %q", got)
	}
}
