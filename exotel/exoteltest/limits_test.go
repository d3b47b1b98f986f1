package exoteltest_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
)

// limited runs a test in virtual time, against a fake with limits. The function
// that it hands over lists once and returns the error.
func limited(t *testing.T, limits exoteltest.Limits, test func(fake *exoteltest.Server, call func() error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fake := exoteltest.Offline(exoteltest.Options{})
		defer fake.Close()
		fake.SetLimits(limits)
		config := fake.Config()
		config.HTTPClient = &http.Client{Transport: fake.Transport()}
		client, err := exotel.New(config)
		if err != nil {
			t.Fatal(err)
		}
		test(fake, func() error {
			_, err := client.Trunks.List(t.Context(), exotel.ListOptions{})
			return err
		})
	})
}

// made calls so many times, and returns how many were let through.
func made(t *testing.T, calls int, call func() error) (through int) {
	t.Helper()
	for range calls {
		switch err := call(); {
		case err == nil:
			through++
		case !errors.Is(err, exotel.ErrRateLimited):
			t.Errorf("refused with %v", err)
		}
	}
	return through
}

func TestCallsOverTheMinutesLimitAreRefusedWhereverTheMinuteBegins(t *testing.T) {
	t.Parallel()
	limited(t, exoteltest.Limits{Calls: 5, Per: time.Minute}, func(fake *exoteltest.Server, call func() error) {
		for range 5 { // at 0, 10, 20, 30 and 40 s
			if n := made(t, 1, call); n != 1 {
				t.Errorf("%d let through", n)
			}
			time.Sleep(10 * time.Second)
		}
		time.Sleep(10*time.Second - 1)
		if n := made(t, 1, call); n != 0 || fake.Refused() != 1 {
			t.Errorf("just before the minute is over: %d let through, %d refused", n, fake.Refused())
		}
		time.Sleep(10*time.Second + 1) // the refused one counts: there are 20, 30, 40, 60 s
		if n := made(t, 2, call); n != 1 || fake.Refused() != 2 {
			t.Errorf("after it: %d let through, %d refused", n, fake.Refused())
		}
	})
}

func TestBurstIsLimitedByItself(t *testing.T) {
	t.Parallel()
	limited(t, exoteltest.VendorLimits, func(fake *exoteltest.Server, call func() error) {
		if n := made(t, 25, call); n != 20 || fake.Refused() != 5 {
			t.Errorf("%d let through, %d refused", n, fake.Refused())
		}
		time.Sleep(time.Second)
		if n := made(t, 20, call); n != 20 {
			t.Errorf("a second later: %d let through", n)
		}
	})
}

func TestCallsAtOnceAreLimited(t *testing.T) {
	t.Parallel()
	limited(t, exoteltest.Limits{Connections: 3}, func(fake *exoteltest.Server, call func() error) {
		fake.SetLatency(time.Second)
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { _ = call() })
		}
		all.Wait()
		if n := fake.Refused(); n != 2 {
			t.Errorf("%d refused", n)
		}
		if n := made(t, 1, call); n != 1 {
			t.Error("refused when the others were over")
		}
	})
}

func TestRefusalSaysWhenToComeBackWhereToldTo(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second} {
		limited(t, exoteltest.Limits{Calls: 1, Per: time.Minute, RetryAfter: header}, func(fake *exoteltest.Server, call func() error) {
			_ = call()
			var refused *exotel.Error
			if err := call(); !errors.As(err, &refused) || refused.Kind != exotel.ErrRateLimited || refused.RetryAfter != want {
				t.Errorf("got %v, come back in %v; want %v", err, refused.RetryAfter, want)
			}
			if calls := fake.Calls(); len(calls) != 2 || calls[1].Status != http.StatusTooManyRequests {
				t.Errorf("calls %+v", calls)
			}
		})
	}
}

func TestRefusedCreateMakesNothingAndUsesUpNoFault(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t) // over a network
	client, err := exotel.New(fake.Config())
	if err != nil {
		t.Fatal(err)
	}
	fake.SetLimits(exoteltest.Limits{Calls: 1, Per: time.Hour})
	fake.Inject(exoteltest.List, exoteltest.Fail(403))
	request := exotel.CreateTrunkRequest{TrunkName: "a", NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("x")}
	if _, err := client.Trunks.Create(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	request.TrunkName = "b"
	if _, err := client.Trunks.Create(t.Context(), request); !errors.Is(err, exotel.ErrRateLimited) || len(fake.Trunks()) != 1 {
		t.Errorf("%v, %d trunks", err, len(fake.Trunks()))
	}
	if _, err := client.Trunks.List(t.Context(), exotel.ListOptions{}); !errors.Is(err, exotel.ErrRateLimited) {
		t.Error(err)
	}
	fake.SetLimits(exoteltest.Limits{}) // no limits any more
	if _, err := client.Trunks.List(t.Context(), exotel.ListOptions{}); !errors.Is(err, exotel.ErrForbidden) {
		t.Errorf("the fault that was queued: %v", err)
	}
}
