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
			wait, _ := new(Engine).wait(errors.New("lost"), time.Now(), age)
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
		"forbidden":          {of(exotel.ErrForbidden), 1, 0, AlarmAccount, true},
		"not found":          {of(exotel.ErrNotFound), 1, 0, AlarmAccount, true},
		"refused":            {of(exotel.ErrInvalid), 1, 0, AlarmRefused, false},
		"no credentials":     {fmt.Errorf("%w: down", errNoCredentials), 1, 0, AlarmNoSecret, true},
		"another account":    {errAnotherAccount, 1, 0, AlarmMismatch, false},
		"foreign":            {fmt.Errorf("%w: x", errForeignTrunk), 1, 0, AlarmForeign, false},
		"not listed":         {errNotListed, 4, 0, "", false},
		"still not listed":   {errNotListed, 5, 0, AlarmNotListed, false},
		"further back":       {errFurtherBack, 4, 0, "", false},
		"still further back": {errFurtherBack, 5, 0, AlarmNotListed, false},
		"lease over":         {errLeaseOver, 1, 0, "", false},
		"anything else":      {errors.New("a bug"), 1, 0, "", false},
	} {
		if alarm := alarmOf(test.err, test.attempts, test.age); alarm != test.alarm || concernsAll(test.err) != test.all {
			t.Errorf("%s: alarm %q, concerns all %v", name, alarm, concernsAll(test.err))
		}
	}
}

func TestWhenToComeBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	e := &Engine{Jitter: func(bound time.Duration) time.Duration { return bound }}
	for name, test := range map[string]struct {
		err  error
		wait time.Duration
		told bool
	}{
		"unknown":                        {exotel.ErrOutcomeUnknown, 10 * time.Minute, false},
		"a rate limit":                   {&exotel.Error{Kind: exotel.ErrRateLimited, RetryAfter: 30 * time.Second}, 30 * time.Second, true},
		"a rate limit that doesn't say":  {exotel.ErrRateLimited, time.Minute, true},
		"no budget":                      {&exotel.Error{Kind: exotel.ErrNotSent, Message: "x"}, 10 * time.Minute, false},
		"a spent budget":                 {fmt.Errorf("not sent: %w", &SpentError{Until: now.Add(5 * time.Second)}), 5 * time.Second, true},
		"a budget that was spent before": {fmt.Errorf("not sent: %w", &SpentError{Until: now.Add(-time.Second)}), 0, true},
		"further back in the list":       {errFurtherBack, 0, false},
	} {
		if wait, told := e.wait(test.err, now, 10*time.Minute); wait != test.wait || told != test.told {
			t.Errorf("%s: %v, told %v", name, wait, told)
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
