package ledgertest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trunkhook/trunkhook/provision"
)

// spendAt is a call for which ten are allowed at once, and one each 100 ms.
func spendAt(now, known time.Time) provision.Spend {
	return provision.Spend{Now: now, Each: 100 * time.Millisecond, Ahead: 900 * time.Millisecond, Known: known}
}

// bucket runs random sequences against the store and against Apply. What the
// caller last knew is only a hint, so it may be anything.
func bucket(t *testing.T, l Store) {
	var model time.Time
	now := start
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(-200, 400).Draw(rt, "ms")) * time.Millisecond)
			if rapid.IntRange(0, 20).Draw(rt, "shut") == 0 {
				w := provision.Shut{Now: now, EmptyAt: now.Add(time.Second)}
				model = w.Apply(model)
				if got, err := l.Shut(t.Context(), w); err != nil || !got.Equal(model) {
					rt.Fatalf("shut: empty at %v, %v; want %v", got, err, model)
				}
				continue
			}
			w := spendAt(now, rapid.SampledFrom([]time.Time{{}, model, now.Add(-time.Hour), now.Add(time.Hour)}).Draw(rt, "known"))
			want, wantHolds := w.Apply(model)
			got, holds, err := l.Spend(t.Context(), w)
			if err != nil || holds != wantHolds || !got.Equal(want) {
				rt.Fatalf("spend: holds %v, empty at %v, %v; want %v, %v", holds, got, err, wantHolds, want)
			}
			model = want
		}
	})
}

func raceToSpend(t *testing.T, l Store) {
	for _, now := range []time.Time{at(0), at(60)} { // a bucket that never was, and one that is empty again
		var got atomic.Int32
		var all sync.WaitGroup
		for range racers {
			all.Go(func() {
				_, holds, err := l.Spend(t.Context(), spendAt(now, time.Time{}))
				if err != nil {
					t.Error(err)
				}
				if holds {
					got.Add(1)
				}
			})
		}
		all.Wait()
		if got.Load() != 10 {
			t.Errorf("%d calls, want 10", got.Load())
		}
	}
}
