package provision_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// A try that is told "duplicate" needs a second call, for the list, and a third
// where the trunk isn't on the first page. Where the budget has none in the time
// of a try, the search has to take over, or no try would ever get further.
func TestTrunkIsAdoptedHoweverSmallTheBudget(t *testing.T) {
	t.Parallel()
	for _, callsPerMinute := range []int{2, 6, 12, 30} {
		for _, newer := range []int{0, 60} {
			t.Run(fmt.Sprintf("%d_a_minute_%d_newer", callsPerMinute, newer), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, w *world) {
					w.engine.Budget = provision.NewBudget(w.ledger, callsPerMinute, nil)
					w.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
					w.provisionWithin(t, time.Second)
					for i := range newer {
						w.fake.Add(exotel.Trunk{Name: fmt.Sprintf("others_%d", i), DomainName: exotel.DomainName("exoteltest")})
					}
					for range 30 {
						time.Sleep(time.Minute)
						w.passOfAMinute(t)
						if w.stored(t).Status == provision.StatusActive {
							return
						}
					}
					t.Errorf("after half an hour: %+v", w.stored(t))
				})
			})
		}
	}
}

func (w *world) passOfAMinute(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := w.engine.Reconcile(ctx); err != nil {
		t.Error(err)
	}
}

// Where the pass ends before all have been told, nobody is passed over for long.
func TestWalkInVainEndsFirstForWhoWaitedLongest(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		for i := range 20 {
			w.seek(t, fmt.Sprintf("signup-%02d", 20-i))
			time.Sleep(time.Second)
		}
		pass := w.reconcile(t, time.Minute)
		for i, result := range pass.Results {
			if want := fmt.Sprintf("signup-%02d", 20-i); result.Record.SignupID != want {
				t.Fatalf("the %d. told is %s, want %s", i+1, result.Record.SignupID, want)
			}
		}
		if len(pass.Results) != 20 {
			t.Errorf("%d told", len(pass.Results))
		}
	})
}
