package provision

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Problem is why a try did not make its signup active.
type Problem struct {
	Err   error
	Alarm Alarm // empty where it mends itself
}

// Alarm names what an operator should look at.
type Alarm string

// The alarms. In all of them the signup stays pending and is tried again: once
// the cause is mended it finishes by itself.
const (
	AlarmCredentials Alarm = "credentials_refused"     // 401 after fetching them again
	AlarmNoSecret    Alarm = "credentials_unavailable" // they can't be fetched, or read
	AlarmAccount     Alarm = "account_refused"         // 403, 404: an account matter
	AlarmRefused     Alarm = "create_refused"          // our configuration, or a broken transfer
	AlarmMismatch    Alarm = "account_mismatch"        // the secret names another account
	AlarmForeign     Alarm = "foreign_trunk"           // somebody else's trunk bears the name
	AlarmNotListed   Alarm = "trunk_not_listed"        // five tries, and still not in the list
	AlarmTwoTrunks   Alarm = "two_trunks"              // must not happen; see docs/architecture.md
)

// notListedTries is after how many tries a duplicate that isn't listed is more
// than a list that lags.
const notListedTries = 5

// defaultRetryAfter is Exotel's own in its samples, where a 429 doesn't say
// (vendor's repository, 2026-01).
const defaultRetryAfter = time.Minute

// judge decides what a failed try means: whether somebody should be called, and
// when to come back. Nothing here rejects the signup.
func judge(err error, attempts int) (Problem, time.Duration) {
	problem, wait := Problem{Err: err}, backoff(attempts)
	switch {
	case errors.Is(err, errAnotherAccount):
		problem.Alarm = AlarmMismatch
	case errors.Is(err, errForeignTrunk):
		problem.Alarm = AlarmForeign
	case errors.Is(err, errNotListed):
		if attempts >= notListedTries {
			problem.Alarm = AlarmNotListed
		}
	case errors.Is(err, errNoCredentials):
		problem.Alarm = AlarmNoSecret
	case errors.Is(err, exotel.ErrUnauthorized):
		problem.Alarm = AlarmCredentials
	case errors.Is(err, exotel.ErrForbidden), errors.Is(err, exotel.ErrNotFound):
		problem.Alarm = AlarmAccount
	case errors.Is(err, exotel.ErrInvalid):
		problem.Alarm = AlarmRefused
	case errors.Is(err, exotel.ErrRateLimited):
		wait = retryAfter(err)
	}
	return problem, wait
}

func retryAfter(err error) time.Duration {
	var failed *exotel.Error
	if errors.As(err, &failed) {
		return cmp.Or(failed.RetryAfter, defaultRetryAfter)
	}
	return defaultRetryAfter
}

const (
	firstBackoff = 2 * time.Second
	maxBackoff   = time.Hour
)

// backoff is how long the reconciler leaves a signup alone after so many tries:
// exponential with full jitter, an hour at the most. A redelivery doesn't wait.
func backoff(attempts int) time.Duration {
	bound := maxBackoff
	if shift := max(attempts-1, 0); shift < 11 { // 2 s << 11 is over an hour
		bound = min(firstBackoff<<shift, maxBackoff)
	}
	return rand.N(bound).Round(time.Millisecond)
}
