package provision_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// remove is one deletion that is answered within four seconds.
func (w *world) remove(t *testing.T) provision.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	result, err := w.engine.Delete(ctx, "acme-42", max(w.ledger.records["acme-42"].Generation, 1), "the contract ended", 4*time.Second)
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
				w.deleteBefore(write)
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
	if _, err := w.engine.Delete(t.Context(), "nobody", 1, "", time.Second); !errors.Is(err, provision.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// deleteBefore deletes the signup just before the next write of that name.
func (w *world) deleteBefore(write string) {
	w.ledger.before[write] = func(records map[string]provision.Record) {
		held := records["acme-42"]
		records["acme-42"], _ = provision.Delete{SignupID: "acme-42", Reason: "the contract ended", Now: time.Now(), QuietAt: time.Now().Add(30 * time.Minute)}.Apply(&held)
	}
}

// The walk of the search through the whole list began before the deletion, so that it
// says nothing of a create that is processed after it.
func TestSearchOfBeforeDoesNotEndADeletion(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.seek(t, "acme-42")
		w.deleteBefore("take over")
		time.Sleep(time.Second)
		w.passOfAMinute(t)
		if record := w.stored(t); record.Status != provision.StatusDeleting || record.Searching {
			t.Errorf("record %+v", record)
		}
		w.minutes(t, 40)
		w.isDeleted(t)
	})
}

// A sender's late deletion, or a client's late copy of it, means the generation of
// then.
func TestLateDeletionLeavesTheNextGenerationAlone(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.order(t, wholeLine)
		if _, err := w.engine.Delete(t.Context(), "acme-42", 2, "", time.Second); !errors.Is(err, provision.ErrGeneration) {
			t.Errorf("of one that isn't there yet: %v", err)
		}
		w.remove(t)
		w.minutes(t, 40)
		again := wholeLine
		again.Generation = 2
		w.order(t, again)
		result, err := w.engine.Delete(t.Context(), "acme-42", 1, "late", time.Second)
		if !errors.Is(err, provision.ErrGeneration) || result.Record.Generation != 2 {
			t.Errorf("%v, %+v", err, result.Record)
		}
		w.minutes(t, 40)
		w.has(t, wholeLine)
	})
}

// Nor does a late copy of what a delivery added to the generation of then.
func TestLateAdditionLeavesTheNextGenerationAlone(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		one := provision.Line{WhitelistedIPs: []string{"9.9.9.9"}}
		w.order(t, provision.Signup{ID: "acme-42", Company: "Acme", Line: one})
		late := provision.Extend{SignupID: "acme-42", Steps: provision.Line{WhitelistedIPs: []string{"8.8.8.8"}}.Steps(), Seen: w.stored(t).Seen(), Now: time.Now()}
		w.remove(t)
		w.minutes(t, 40)
		w.order(t, provision.Signup{ID: "acme-42", Company: "Acme", Line: one, Generation: 2})
		if _, holds, err := w.ledger.Extend(t.Context(), late); holds || err != nil {
			t.Errorf("holds %v, error %v", holds, err)
		}
	})
}

// Its account may not have been known when it was deleted.
func TestDeletionOfASignupWithoutAccount(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.accounts.unready, w.accounts.down = true, errors.New("no secret")
		w.order(t, wholeLine)
		w.accounts.down = nil
		if result := w.remove(t); result.Problem != nil || result.Record.AccountSID == "" {
			t.Errorf("%+v, by %s: %+v", result.Record, steps(result), result.Problem)
		}
		w.minutes(t, 40)
		w.isDeleted(t)
	})
}

// A list that lags shows for a while what is deleted. It isn't walked through again
// and again meanwhile.
func TestLastLookIsNotRepeatedAtOnce(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.order(t, wholeLine)
		w.remove(t)
		w.minutes(t, 28)
		time.Sleep(2 * time.Minute)
		w.passOfAMinute(t) // waits for the last look from now on
		if record := w.stored(t); !record.Searching {
			t.Fatalf("record %+v", record)
		}
		trunk := w.stored(t)
		w.fake.Add(exotel.Trunk{SID: trunk.TrunkSID, Name: trunk.TrunkName}) // the one that is deleted
		time.Sleep(time.Second)
		w.passOfAMinute(t)
		record := w.stored(t)
		if record.Status != provision.StatusDeleting || record.DueAt.Before(time.Now().Add(50*time.Second)) {
			t.Errorf("trunks %+v, record %+v at %s", w.fake.Trunks(), record, time.Now())
		}
		w.minutes(t, 5)
		w.isDeleted(t)
	})
}

// What the last look finds is deleted, and looked for again.
func TestLastLookFindsWhatTheWatchDidNot(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.order(t, wholeLine)
		w.remove(t)
		w.minutes(t, 29)
		w.addTrunk("acme-42")
		w.addOthers(120)
		w.minutes(t, 1)
		if record := w.stored(t); record.Status != provision.StatusDeleting || len(w.fake.Trunks()) != 121 {
			t.Fatalf("%d trunks, record %+v", len(w.fake.Trunks()), record)
		}
		w.minutes(t, 10)
		if record := w.stored(t); record.Status != provision.StatusDeleted || len(w.fake.Trunks()) != 120 {
			t.Errorf("%d trunks, record %+v", len(w.fake.Trunks()), record)
		}
	})
}

// A lease is never so long that a deleted name isn't watched for its whole time,
// whatever time a process has.
func TestLeaseEndsWhenTheLongestInvocationWould(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		var lease time.Duration
		w.ledger.before["activate"] = func(records map[string]provision.Record) {
			lease = time.Until(records["acme-42"].LeaseUntil)
		}
		if _, err := w.engine.Provision(ctx, provision.Signup{ID: "acme-42", Company: "Acme"}, time.Second); err != nil {
			t.Fatal(err)
		}
		if lease <= 0 || lease > 15*time.Minute+2*time.Second {
			t.Errorf("the lease lasts %s", lease)
		}
	})
}

func TestOperatorDecidesNothingElseOfADeletion(t *testing.T) {
	t.Parallel()
	for name, operate := range map[string]func(w *world) (provision.Result, error){
		"reject": func(w *world) (provision.Result, error) {
			return w.engine.Reject(context.Background(), "acme-42", "a test")
		},
		"adopt": func(w *world) (provision.Result, error) {
			return w.engine.Adopt(context.Background(), "acme-42", byHand)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
				w.order(t, wholeLine)
				w.remove(t)
				result, err := operate(w)
				if !errors.Is(err, provision.ErrSettled) || !result.Record.LeaseUntil.IsZero() || result.Problem != nil {
					t.Errorf("%v, %+v, %+v", err, result.Record, result.Problem)
				}
				w.minutes(t, 40)
				w.isDeleted(t)
			})
		})
	}
}

// The watch takes care of a trunk that comes during it, and nobody of one that comes
// after it.
func TestTrunkOfADeletedSignupIsAnAlarmOnlyAfterTheWatch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(r provision.Record) provision.Record
		want   provision.Alarm
	}{
		"deleting": {func(r provision.Record) provision.Record { return r }, ""},
		"deleted": {func(r provision.Record) provision.Record {
			r.Owner = "another"
			r, _ = provision.Bury{SignupID: r.SignupID, Owner: r.Owner, Now: time.Now()}.Apply(&r)
			return r
		}, provision.AlarmOrphan},
		"the next generation": {func(r provision.Record) provision.Record {
			r.Status, r.Generation, r.TrunkName, r.Owner = provision.StatusPending, 2, "th_another", "another"
			return r
		}, provision.AlarmOrphan},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
				w.deleteBefore("activate")
				deletes := w.ledger.before["activate"]
				w.ledger.before["activate"] = func(records map[string]provision.Record) {
					deletes(records)
					records["acme-42"] = test.change(records["acme-42"])
				}
				result := w.order(t, provision.Signup{ID: "acme-42", Company: "Acme"})
				if (result.Problem == nil) != (test.want == "") || result.Problem != nil && result.Problem.Alarm != test.want {
					t.Errorf("%s: %+v", result.Outcome, result.Problem)
				}
			})
		})
	}
}

func TestDeletionEndsOnlyWhereTheWholeListCanBeRead(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.order(t, wholeLine)
		w.remove(t)
		w.minutes(t, 28)
		w.addTrunk("acme-42") // by a create that was processed late
		garble, transport := true, w.accounts.transport
		w.accounts.open = nil
		w.accounts.transport = transportFunc(func(r *http.Request) (*http.Response, error) {
			resp, err := transport.RoundTrip(r)
			if err == nil && garble && r.Method == http.MethodGet {
				resp.Body = garbled(resp.Body)
			}
			return resp, err
		})
		said := false
		for range 12 {
			w.minutes(t, 1)
			said = said || strings.Contains(w.stored(t).LastError, "can't be read")
		}
		if record := w.stored(t); record.Status != provision.StatusDeleting || !said {
			t.Errorf("said: %v; record %+v", said, record)
		}
		garble = false
		w.minutes(t, 90)
		w.isDeleted(t)
	})
}

// The record's answer was lost, and the signup is deleted before that is found out.
func TestDeletionAfterARecordWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		w.ledger.failing["activate"] = failAfter
		w.deleteBefore("release")
		if result := w.order(t, provision.Signup{ID: "acme-42", Company: "Acme"}); result.Outcome != provision.OutcomeDeleting {
			t.Errorf("%s, %+v", result.Outcome, result.Record)
		}
		w.minutes(t, 40)
		w.isDeleted(t)
	})
}
