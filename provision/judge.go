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

// The alarms. Except for the last two, the signup stays pending and is tried
// again: once the cause is mended it finishes by itself. What can't be mended is
// that it began in an account that was named by mistake: it stays with that one,
// where an earlier try may have made its trunk, until an operator rejects it.
const (
	AlarmCredentials Alarm = "credentials_refused"     // 401 after fetching them again
	AlarmNoSecret    Alarm = "credentials_unavailable" // they can't be fetched, or read
	AlarmAccount     Alarm = "account_refused"         // 403, 404: an account matter
	AlarmRefused     Alarm = "create_refused"          // our configuration, or a broken transfer
	AlarmMismatch    Alarm = "account_mismatch"        // the secret names another account
	AlarmForeign     Alarm = "foreign_trunk"           // somebody else's trunk bears the name
	AlarmNotListed   Alarm = "trunk_not_listed"        // five tries, and still not in the list
	AlarmPending     Alarm = "pending_too_long"        // an hour, whatever the cause
	AlarmTrunkGone   Alarm = "trunk_gone"              // the trunk of a signup is not in the account any more
	AlarmIncomplete  Alarm = "line_incomplete"         // Exotel refused a number, an address, ... for good
	AlarmOrphan      Alarm = "orphan_trunk"            // made for a signup that was decided otherwise meanwhile
)

const (
	// notListedTries is after how many tries a duplicate that isn't listed is
	// more than a list that lags.
	notListedTries = 5
	// tooLong is how old a signup may become before somebody should look.
	tooLong = time.Hour
)

// defaultRetryAfter is Exotel's own in its samples, where a 429 doesn't say
// (vendor's repository, 2026-01).
const defaultRetryAfter = time.Minute

// alarmOf decides what a failed try of a signup of that age means for an
// operator. Nothing here rejects the signup.
func alarmOf(err error, attempts int, age time.Duration) Alarm {
	switch {
	case errors.Is(err, errAnotherAccount):
		return AlarmMismatch
	case errors.Is(err, errForeignTrunk):
		return AlarmForeign
	case errors.Is(err, errTrunkGone):
		return AlarmTrunkGone
	case errors.Is(err, errNotListed) && attempts >= notListedTries:
		return AlarmNotListed
	case errors.Is(err, errNoCredentials):
		return AlarmNoSecret
	case errors.Is(err, exotel.ErrUnauthorized):
		return AlarmCredentials
	case errors.Is(err, exotel.ErrForbidden), errors.Is(err, exotel.ErrNotFound):
		return AlarmAccount
	case errors.Is(err, exotel.ErrInvalid):
		return AlarmRefused
	case age >= tooLong:
		return AlarmPending
	}
	return ""
}

// wait is when the reconciler should come back to a signup of that age, and
// whether that was told, so that nobody gets through before.
func (e *Engine) wait(err error, now time.Time, age time.Duration) (wait time.Duration, told bool) {
	var spent *SpentError
	var sent *settling
	var watched *watching
	switch {
	case errors.As(err, &watched):
		return max(0, watched.until.Sub(now)), true
	case errors.As(err, &spent):
		return max(0, spent.Until.Sub(now)), true
	case errors.As(err, &sent):
		return max(0, sent.until.Sub(now)), true
	case errors.Is(err, exotel.ErrRateLimited):
		return retryAfter(err), true
	case errors.Is(err, errFurtherBack), errors.Is(err, errNoTurn), errors.Is(err, errLineLeft), errors.Is(err, errLastLook), errors.Is(err, errTrunkLeft), errors.Is(err, errContradiction):
		return 0, false // the reconciler's turn
	}
	jitter := e.Jitter
	if jitter == nil {
		jitter = rand.N[time.Duration]
	}
	return jitter(backoff(age)), false
}

// concernsAll tells whether what failed would fail for every other signup now:
// the account's limit, its credentials, or the account itself.
func concernsAll(err error) bool {
	if errors.Is(err, errTrunkGone) { // as long as the account says so of one trunk only
		return false
	}
	for _, kind := range []error{exotel.ErrRateLimited, exotel.ErrUnauthorized, exotel.ErrForbidden, exotel.ErrNotFound, errNoCredentials} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

func retryAfter(err error) time.Duration {
	var failed *exotel.Error
	if errors.As(err, &failed) {
		return cmp.Or(failed.RetryAfter, defaultRetryAfter)
	}
	return defaultRetryAfter
}

const (
	minBackoff = 2 * time.Second
	maxBackoff = time.Hour
)

// backoff bounds how long the reconciler leaves a signup of that age alone, with
// full jitter: the age, so that the pauses grow exponentially, up to an hour. It
// goes by the age because the attempts are the redeliveries' too, and a sender
// that redelivers often must not slow the reconciler down.
func backoff(age time.Duration) time.Duration {
	return min(max(age, minBackoff), maxBackoff)
}
