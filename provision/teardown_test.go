package provision_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// remove is one deletion that is answered within four seconds.
func (w *world) remove(t *testing.T) provision.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	result, err := w.engine.Delete(ctx, "acme-42", "the contract ended", 4*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// minutes has a pass of the reconciler in each.
func (w *world) minutes(t *testing.T, n int) {
	t.Helper()
	for range n {
		time.Sleep(time.Minute)
		w.passOfAMinute(t)
	}
}

// isDeleted checks that no trunk is left, and that the record is a tombstone.
func (w *world) isDeleted(t *testing.T) {
	t.Helper()
	record := w.stored(t)
	if trunks := w.fake.Trunks(); len(trunks) != 0 {
		t.Errorf("trunks %+v", trunks)
	}
	if record.Status != provision.StatusDeleted || !record.DueAt.IsZero() || !record.QuietAt.IsZero() || record.Owner != "" || record.Reason != "the contract ended" {
		t.Errorf("record %+v", record)
	}
}

func TestDeletionDeletesAtOnceAndWatchesForHalfAnHour(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.order(t, wholeLine)
		result := w.remove(t)
		if result.Outcome != provision.OutcomeDeleting || result.Problem != nil || steps(result) != "delete, claim, delete trunk, list trunks, give back" {
			t.Errorf("%s by %s, %+v", result.Outcome, steps(result), result.Problem)
		}
		if len(w.fake.Trunks()) != 0 || result.Record.Status != provision.StatusDeleting {
			t.Errorf("trunks %+v, record %+v", w.fake.Trunks(), result.Record)
		}
		w.minutes(t, 28)
		if record := w.stored(t); record.Status != provision.StatusDeleting {
			t.Errorf("record %+v", record)
		}
		w.minutes(t, 10)
		w.isDeleted(t)
	})
}

// What is processed after the deletion is deleted too.
func TestCreateThatIsProcessedAfterTheDeletionIsDeleted(t *testing.T) {
	t.Parallel()
	for _, late := range []time.Duration{5 * time.Second, 3 * time.Minute, 20 * time.Minute, 29 * time.Minute} {
		t.Run(late.String(), func(t *testing.T) {
			t.Parallel()
			inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
				w.fake.Inject(exoteltest.Create, exoteltest.ProcessLate(late))
				w.order(t, wholeLine)
				w.remove(t)
				w.minutes(t, 40)
				w.isDeleted(t)
			})
		})
	}
}

func TestDeletionOutlivesEveryLostAnswer(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]exoteltest.Fault{
		"lost": exoteltest.LoseAnswer, "not processed": exoteltest.LoseRequest, "503": exoteltest.Fail(http.StatusServiceUnavailable), "hangs": exoteltest.HangAfter,
	} {
		for _, op := range []exoteltest.Op{exoteltest.Delete, exoteltest.List} {
			t.Run(name+" "+string(op), func(t *testing.T) {
				t.Parallel()
				inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
					w.order(t, wholeLine)
					w.fake.Inject(op, fault, fault, fault)
					w.remove(t)
					w.minutes(t, 40)
					w.isDeleted(t)
				})
			})
		}
	}
}

// Neither a late redelivery nor a late worker brings it back.
func TestTombstoneStays(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.order(t, wholeLine)
		w.remove(t)
		if result := w.order(t, wholeLine); result.Outcome != provision.OutcomeDeleting {
			t.Errorf("while deleting: %s", result.Outcome)
		}
		w.minutes(t, 40)
		if result := w.order(t, wholeLine); result.Outcome != provision.OutcomeReplayed || result.Record.Status != provision.StatusDeleted {
			t.Errorf("deleted: %s, %s", result.Outcome, result.Record.Status)
		}
		if result := w.remove(t); result.Outcome != provision.OutcomeReplayed {
			t.Errorf("again: %s", result.Outcome)
		}
		if _, err := w.engine.Retry(t.Context(), "acme-42"); !errors.Is(err, provision.ErrSettled) {
			t.Errorf("retry: %v", err)
		}
		w.isDeleted(t)
	})
}

// A try that is under way when the signup is deleted makes its trunk, and can't
// record it; the watch deletes it.
func TestDeletionDuringATry(t *testing.T) {
	t.Parallel()
	for _, write := range []string{"activate", "attach", "mark", "release"} {
		t.Run("before "+write, func(t *testing.T) {
			t.Parallel()
			inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
				s := wholeLine
				if write == "activate" {
					s.Line = provision.Line{}
				}
				if write == "release" {
					w.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
				}
				w.ledger.before[write] = func(records map[string]provision.Record) {
					held := records["acme-42"]
					records["acme-42"], _ = provision.Delete{SignupID: "acme-42", Reason: "the contract ended", Now: time.Now(), QuietAt: time.Now().Add(30 * time.Minute)}.Apply(&held)
				}
				if result := w.order(t, s); result.Outcome != provision.OutcomeDeleting {
					t.Errorf("%s by %s, %+v", result.Outcome, steps(result), result.Record)
				}
				w.minutes(t, 40)
				w.isDeleted(t)
			})
		})
	}
}

func TestNextGenerationIsAnotherTrunk(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		first := w.order(t, wholeLine)
		again := wholeLine
		again.Generation = 2
		if result := w.order(t, again); result.Outcome != provision.OutcomeConflict || len(result.Faults) != 1 || result.Faults[0].Field != "generation" {
			t.Errorf("before the deletion: %s, %+v", result.Outcome, result.Faults)
		}
		w.remove(t)
		if result := w.order(t, again); result.Outcome != provision.OutcomeConflict {
			t.Errorf("while deleting: %s", result.Outcome)
		}
		w.minutes(t, 40)
		second := w.order(t, again)
		if second.Outcome != provision.OutcomeCreated || second.Record.TrunkName == first.Record.TrunkName || second.Record.Generation != 2 || second.Record.Attempts != 1 {
			t.Errorf("%s by %s, %+v", second.Outcome, steps(second), second.Record)
		}
		w.has(t, wholeLine)
		if late := w.order(t, wholeLine); late.Outcome != provision.OutcomeReplayed || late.Record.Generation != 2 {
			t.Errorf("late: %s", late.Outcome)
		}
		w.remove(t)
		w.minutes(t, 40)
		again.Generation = 3
		if third := w.order(t, again); third.Outcome != provision.OutcomeCreated || third.Record.Generation != 3 {
			t.Errorf("third: %s", third.Outcome)
		}
		w.has(t, wholeLine)
	})
}

func TestForeignTrunksAreLeftAlone(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.order(t, wholeLine)
		w.addOthers(120)
		w.remove(t)
		w.minutes(t, 40)
		if trunks := w.fake.Trunks(); len(trunks) != 120 || w.stored(t).Status != provision.StatusDeleted {
			t.Errorf("%d trunks, record %+v", len(trunks), w.stored(t))
		}
	})
}

func TestDeletionOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.engine.Delete(t.Context(), "nobody", "", time.Second); !errors.Is(err, provision.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
