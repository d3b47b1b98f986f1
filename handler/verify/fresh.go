package verify

import (
	"strconv"
	"time"
)

const (
	// window is how far a signed timestamp may be off, either way.
	window = 5 * time.Minute
	// maxDigits is two more than the milliseconds of today have, and few enough
	// for all sums below.
	maxDigits = 15
)

// fresh tells whether a timestamp, counted in the unit since 1970, is near now.
// Digits only: what is signed is the text as it was sent, so a second spelling of
// the same number must not pass.
func fresh(now time.Time, timestamp string, unit time.Duration) bool {
	if timestamp == "" || len(timestamp) > maxDigits || timestamp[0] < '1' || timestamp[0] > '9' {
		return false
	}
	n, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return false
	}
	age := now.Sub(time.UnixMilli(n * int64(unit/time.Millisecond)))
	return -window <= age && age <= window
}

// stamp is what fresh reads.
func stamp(now time.Time, unit time.Duration) string {
	return strconv.FormatInt(now.UnixMilli()/int64(unit/time.Millisecond), 10)
}
