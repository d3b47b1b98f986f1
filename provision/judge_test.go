package provision

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

func TestBackoffGrowsWithTheAgeToAnHourAndIsJittered(t *testing.T) {
	t.Parallel()
	for age, bound := range map[time.Duration]time.Duration{
		-time.Minute: 2 * time.Second, 0: 2 * time.Second, 2 * time.Second: 2 * time.Second,
		10 * time.Minute: 10 * time.Minute, time.Hour: time.Hour, 1000 * time.Hour: time.Hour,
	} {
		var highest time.Duration
		for range 1000 {
			wait := backoff(age)
			if wait < 0 || wait > bound {
				t.Fatalf("at %v: %v, want at most %v", age, wait, bound)
			}
			highest = max(highest, wait)
		}
		if highest < bound*8/10 {
			t.Errorf("at %v: never over %v of %v", age, highest, bound)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	of := func(kind exotel.Kind) error { return &exotel.Error{Kind: kind, RetryAfter: 30 * time.Second} }
	for name, test := range map[string]struct {
		err      error
		attempts int
		age      time.Duration
		alarm    Alarm
		all      bool // concerns all signups
	}{
		"unknown":            {of(exotel.ErrOutcomeUnknown), 1, 0, "", false},
		"unknown, for long":  {of(exotel.ErrOutcomeUnknown), 9, time.Hour, AlarmPending, false},
		"not sent":           {of(exotel.ErrNotSent), 1, 0, "", false},
		"not sent, for long": {of(exotel.ErrNotSent), 1, 2 * time.Hour, AlarmPending, false},
		"rate limited":       {of(exotel.ErrRateLimited), 1, 0, "", true},
		"unauthorized":       {of(exotel.ErrUnauthorized), 1, 0, AlarmCredentials, true},
		"the same, for long": {of(exotel.ErrUnauthorized), 1, time.Hour, AlarmCredentials, true},
		"forbidden":          {of(exotel.ErrForbidden), 1, 0, AlarmAccount, false},
		"not found":          {of(exotel.ErrNotFound), 1, 0, AlarmAccount, false},
		"refused":            {of(exotel.ErrInvalid), 1, 0, AlarmRefused, false},
		"no credentials":     {fmt.Errorf("%w: down", errNoCredentials), 1, 0, AlarmNoSecret, true},
		"another account":    {errAnotherAccount, 1, 0, AlarmMismatch, false},
		"foreign":            {fmt.Errorf("%w: x", errForeignTrunk), 1, 0, AlarmForeign, false},
		"not listed":         {errNotListed, 4, 0, "", false},
		"still not listed":   {errNotListed, 5, 0, AlarmNotListed, false},
		"lease over":         {errLeaseOver, 1, 0, "", false},
		"anything else":      {errors.New("a bug"), 1, 0, "", false},
	} {
		problem, wait := judge(test.err, test.attempts, test.age)
		if problem.Alarm != test.alarm || !errors.Is(problem.Err, test.err) || concernsAll(test.err) != test.all {
			t.Errorf("%s: alarm %q, concerns all %v", name, problem.Alarm, concernsAll(test.err))
		}
		if errors.Is(test.err, exotel.ErrRateLimited) && wait != 30*time.Second || wait < 0 || wait > time.Hour {
			t.Errorf("%s: come back in %v", name, wait)
		}
	}
	if _, wait := judge(exotel.ErrRateLimited, 1, 0); wait != time.Minute {
		t.Errorf("a rate limit that doesn't say: %v", wait)
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
