package secrets

import "time"

// limit lets a few through at once, and from then on one every so often. A nil
// one lets all through.
type limit struct {
	atOnce int
	every  time.Duration
	full   time.Time // when as many may pass at once again
}

func (l *limit) pass(now time.Time) bool {
	if l == nil {
		return true
	}
	if l.full.Before(now) {
		l.full = now
	}
	if l.full.Sub(now) > time.Duration(l.atOnce-1)*l.every {
		return false
	}
	l.full = l.full.Add(l.every)
	return true
}
