package exotel

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	maxTries     = 3
	firstPause   = 200 * time.Millisecond
	maxRetryWait = time.Hour // what Retry-After is believed up to
)

// retryable tells whether a call that failed so may be sent again. A GET
// changes nothing. Everything else only where nothing was sent: Exotel has no
// idempotency key, so a POST that may have been processed is the caller's to
// decide. So is a PUT, although the same PUT twice is one: the first may still be
// under way, and arrive after what somebody else has changed since. So is a
// DELETE: the answer to the second would be 404, whether the first deleted
// anything or the id was wrong. A rate limit is never retried here, since it is
// shared.
func retryable(method string, try int, kind Kind) bool {
	if try >= maxTries {
		return false
	}
	switch kind {
	case ErrNotSent:
		return true
	case ErrOutcomeUnknown:
		return method == http.MethodGet
	default:
		return false
	}
}

// backoff is the pause after the given try: full jitter between half and the
// whole of a doubling bound.
func backoff(try int) time.Duration {
	bound := firstPause << (try - 1)
	return bound/2 + rand.N(bound/2)
}

// pause waits, unless the context ends first or has too little time left to
// make another try worth while.
func pause(ctx context.Context, wait time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// parseRetryAfter reads both forms of the header (RFC 9110, 10.2.3): seconds,
// or a date. What is absent, unreadable or past is zero; an hour is the most.
func parseRetryAfter(value string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), maxRetryWait)
}
