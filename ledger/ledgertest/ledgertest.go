// Package ledgertest checks that a ledger does what package provision defines.
// Every implementation runs the same suite:
//
//	ledgertest.Run(t, func(t *testing.T) ledgertest.Store { return open(t) })
package ledgertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// Store is a ledger that keeps the budget's bucket too.
type Store interface {
	provision.Ledger
	provision.Meter
}

// Run runs the suite. The function opens an empty store.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, l Store){
		"a new claim is kept as it is":                       newClaim,
		"a claim during another's lease is refused":          claimDuringLease,
		"a claim after the lease keeps what was decided":     claimAfterLease,
		"a claim of other content is refused":                claimOfOtherContent,
		"a claim of an active signup is refused":             claimOfActive,
		"an import's claim has its trunk":                    claimWithTrunk,
		"an import's claim is of a new signup":               claimWithTrunkOfPending,
		"an import restarts what is deleted with its trunk":  restartWithTrunk,
		"a takeover is of what is due and free":              takeOver,
		"an account is pinned once":                          pin,
		"an activation is kept as it is":                     activate,
		"an activation is by the owner":                      activateByOther,
		"an activation with the same trunk holds":            activateTwice,
		"an activation says whose account the trunk is in":   activateUnpinned,
		"a release gives back":                               release,
		"a late worker changes nothing":                      lateWorker,
		"every write recognises itself":                      ambiguousWrites,
		"a line is kept as it is":                            claimLine,
		"an extension adds to whoever holds it":              extend,
		"an extension reopens what is complete":              extendComplete,
		"a bare trunk is reopened without steps":             extendBare,
		"an activation has seen every extension":             activateExtended,
		"an activation knows the first steps":                activateFirstSteps,
		"copies of an old try's writes don't hold":           lateCopies,
		"a trunk is replaced once":                           attachOnce,
		"a trunk is attached by the owner, once":             attach,
		"a mark is by the owner":                             mark,
		"an operator's takeover is early":                    takeOverEarly,
		"a rejection is by the owner, and final":             reject,
		"a dry signup ends by its owner, and can be deleted": prove,
		"what waits for the search is not due":               searching,
		"the search's progress is kept":                      keepProgress,
		"the bucket does what the model does":                bucket,
		"fifty at once get no more calls than there are":     raceToSpend,
		"due is what is due, oldest first":                   due,
		"the backlog is what is pending":                     backlog,
		"an unknown signup is not found":                     unknown,
		"fifty claims at once have one winner":               raceToClaim,
		"fifty claims of a lease that ended have one winner": raceToClaimAgain,
		"fifty takeovers at once have one winner":            raceToTakeOver,
		"what Exotel answered survives":                      document,
		"any sequence of writes does what the model does":    model,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// start is when all tests begin; to the millisecond, as ledgers keep time.
var start = time.Date(2026, 11, 20, 10, 15, 30, 123e6, time.UTC)

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

// claim is one of the signup acme-42 by an owner, with a lease of ten seconds.
func claim(owner string, seconds int) provision.Claim {
	return provision.Claim{
		Signup:    provision.Signup{ID: "acme-42", Company: "Acme Telecom Ünlimited 🚀", Source: "api"},
		TrunkName: "th_abcdefghijklm", AccountSID: "acme1",
		Owner: owner, Now: at(seconds), LeaseUntil: at(seconds + 10),
	}
}

func takeOverBy(owner string, seconds int) provision.TakeOver {
	return provision.TakeOver{SignupID: "acme-42", AccountSID: "acme1", Owner: owner, Now: at(seconds), LeaseUntil: at(seconds + 10)}
}

func activateBy(owner, trunkSID string, seconds int) provision.Activate {
	return provision.Activate{SignupID: "acme-42", Owner: owner, AccountSID: "acme1", Now: at(seconds), Trunk: trunk(trunkSID)}
}

func trunk(trunkSID string) exotel.Trunk {
	return exotel.Trunk{
		SID: trunkSID, Name: "th_abcdefghijklm", DomainName: "acme1.pstn.exotel.com",
		Raw: json.RawMessage(`{"trunk_sid":"` + trunkSID + `"}`),
	}
}

func releaseBy(owner string, seconds, dueIn int) provision.Release {
	return provision.Release{SignupID: "acme-42", Owner: owner, Now: at(seconds), DueAt: at(seconds + dueIn), LastError: "exotel: create trunk: outcome unknown"}
}

// do runs a write that must end like this, and returns the record.
func do[W any](t *testing.T, write func(context.Context, W) (provision.Record, bool, error), w W, wantHolds bool) provision.Record {
	t.Helper()
	record, holds, err := write(t.Context(), w)
	if err != nil || holds != wantHolds {
		t.Fatalf("%T: holds %v, error %v; want %v", w, holds, err, wantHolds)
	}
	return record
}

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func same(t tester, got, want provision.Record) {
	t.Helper()
	if !reflect.DeepEqual(canonical(t, got), canonical(t, want)) {
		t.Errorf("\ngot  %+v\nwant %+v", got, want)
	}
}

// canonical takes the order of keys out of the document.
func canonical(t tester, r provision.Record) provision.Record {
	t.Helper()
	if len(r.Trunk) == 0 {
		return r
	}
	var document any
	if err := json.Unmarshal(r.Trunk, &document); err != nil {
		t.Fatalf("trunk %s: %v", r.Trunk, err)
	}
	r.Trunk, _ = json.Marshal(document)
	return r
}

func stored(t *testing.T, l Store) provision.Record {
	t.Helper()
	record, err := l.Get(t.Context(), "acme-42")
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func newClaim(t *testing.T, l Store) {
	c := claim("one", 0)
	got := do(t, l.Claim, c, true)
	want := provision.Record{
		SignupID: "acme-42", Company: c.Signup.Company, Source: "api", Fingerprint: c.Signup.Fingerprint(), Status: provision.StatusPending,
		TrunkName: c.TrunkName, AccountSID: "acme1", Owner: "one", LeaseUntil: at(10), DueAt: at(10), Attempts: 1, CreatedAt: at(0), UpdatedAt: at(0),
	}
	same(t, got, want)
	same(t, stored(t, l), want)
}

func claimDuringLease(t *testing.T, l Store) {
	first := do(t, l.Claim, claim("one", 0), true)
	same(t, do(t, l.Claim, claim("two", 9), false), first)
	same(t, stored(t, l), first)
}

func claimAfterLease(t *testing.T, l Store) {
	want := do(t, l.Claim, claim("one", 0), true)
	second := claim("two", 10)
	second.TrunkName, second.AccountSID, second.Signup.Source = "xx_another", "another", "hubspot"
	got := do(t, l.Claim, second, true)
	want.Owner, want.LeaseUntil, want.DueAt, want.UpdatedAt, want.Attempts = "two", at(20), at(20), at(10), 2
	same(t, got, want)
	same(t, stored(t, l), want)
}

func claimOfOtherContent(t *testing.T, l Store) {
	first := do(t, l.Claim, claim("one", 0), true)
	other := claim("two", 60)
	other.Signup.Company = "Somebody else"
	same(t, do(t, l.Claim, other, false), first)
}

func claimOfActive(t *testing.T, l Store) {
	do(t, l.Claim, claim("one", 0), true)
	active := do(t, l.Activate, activateBy("one", "trmum1a", 1), true)
	same(t, do(t, l.Claim, claim("two", 60), false), active)
}

// importOf is the claim of an import.
func importOf(owner, trunkSID string, seconds int) provision.Claim {
	w, made := withLine(claim(owner, seconds)), trunk(trunkSID)
	w.Trunk = &made
	return w
}

func claimWithTrunk(t *testing.T, l Store) {
	w := importOf("one", "trmum1a", 0)
	want, _ := withLine(claim("one", 0)).Apply(nil)
	want.TrunkSID, want.DomainName, want.Trunk = "trmum1a", "acme1.pstn.exotel.com", json.RawMessage(`{"trunk_sid":"trmum1a"}`)
	same(t, do(t, l.Claim, w, true), want)
	same(t, do(t, l.Claim, w, true), want) // it recognises itself
	same(t, stored(t, l), want)
	if ids, err := l.Due(t.Context(), at(10), 10); err != nil || len(ids) != 1 {
		t.Errorf("due after the lease: %v, %v", ids, err)
	}
	delivery := do(t, l.Claim, withLine(claim("two", 10)), true)
	if delivery.TrunkSID != "trmum1a" || delivery.Owner != "two" || len(delivery.Steps) != 2 {
		t.Errorf("a delivery after it: %+v", delivery)
	}
}

func claimWithTrunkOfPending(t *testing.T, l Store) {
	do(t, l.Claim, claim("one", 0), true)
	free := do(t, l.Release, releaseBy("one", 1, 0), true)
	same(t, do(t, l.Claim, importOf("two", "trmum1a", 60), false), free)
	same(t, stored(t, l), free)
}

func restartWithTrunk(t *testing.T, l Store) {
	do(t, l.Claim, claim("one", 0), true)
	do(t, l.Activate, activateBy("one", "trmum1a", 1), true)
	do(t, l.Delete, provision.Delete{SignupID: "acme-42", Reason: "it is over", QuietAt: at(3), Now: at(2)}, true)
	do(t, l.TakeOver, takeOverBy("two", 4), true)
	buried := do(t, l.Bury, provision.Bury{SignupID: "acme-42", Owner: "two", Now: at(5)}, true)
	w := importOf("three", "trmum1b", 6)
	w.Signup.Generation, w.TrunkName = 2, "th_another"
	same(t, do(t, l.Claim, w, false), buried)
	want, _ := provision.Restart(w).Apply(&buried)
	if want.TrunkSID != "trmum1b" || want.Generation != 2 || len(want.Steps) != 2 {
		t.Fatalf("want %+v", want)
	}
	same(t, do(t, l.Restart, provision.Restart(w), true), want)
	same(t, do(t, l.Restart, provision.Restart(w), true), want)
	same(t, stored(t, l), want)
}

func takeOver(t *testing.T, l Store) {
	do(t, l.TakeOver, takeOverBy("nobody", 0), false)
	do(t, l.Claim, claim("one", 0), true)
	do(t, l.TakeOver, takeOverBy("two", 9), false)
	do(t, l.Release, releaseBy("one", 2, 30), true)
	do(t, l.TakeOver, takeOverBy("two", 31), false)
	record := do(t, l.TakeOver, takeOverBy("two", 32), true)
	if record.Owner != "two" || record.Attempts != 2 || !record.LeaseUntil.Equal(at(42)) || !record.DueAt.Equal(at(42)) || record.Company == "" {
		t.Errorf("got %+v", record)
	}
	do(t, l.Activate, activateBy("two", "trmum1a", 33), true)
	do(t, l.TakeOver, takeOverBy("three", 100), false)
}

func pin(t *testing.T, l Store) {
	first := claim("one", 0)
	first.AccountSID = ""
	do(t, l.Claim, first, true)
	pin := provision.Pin{SignupID: "acme-42", Owner: "one", AccountSID: "acme1", Now: at(1)}
	other := pin
	other.Owner = "two"
	do(t, l.Pin, other, false)
	record := do(t, l.Pin, pin, true)
	if record.AccountSID != "acme1" || !record.UpdatedAt.Equal(at(1)) {
		t.Errorf("got %+v", record)
	}
	pin.AccountSID = "another"
	do(t, l.Pin, pin, false)
	if got := stored(t, l).AccountSID; got != "acme1" {
		t.Errorf("account %q", got)
	}
	nobody := pin
	nobody.SignupID = "nobody"
	do(t, l.Pin, nobody, false)

	// A claim that has the account pins it as well.
	do(t, l.Release, releaseBy("one", 2, 0), true)
	again := do(t, l.Claim, claim("two", 2), true)
	if again.AccountSID != "acme1" || again.Attempts != 2 {
		t.Errorf("got %+v", again)
	}
}

func activate(t *testing.T, l Store) {
	want := do(t, l.Claim, claim("one", 0), true)
	got := do(t, l.Activate, activateBy("one", "trmum1a", 1), true)
	want.Status, want.TrunkSID, want.DomainName, want.Trunk = provision.StatusActive, "trmum1a", "acme1.pstn.exotel.com", json.RawMessage(`{"trunk_sid":"trmum1a"}`)
	want.Owner, want.LeaseUntil, want.DueAt, want.UpdatedAt = "", time.Time{}, time.Time{}, at(1)
	same(t, got, want)
	same(t, stored(t, l), want)
}

func activateByOther(t *testing.T, l Store) {
	do(t, l.Activate, activateBy("one", "trmum1a", 0), false)
	first := do(t, l.Claim, claim("one", 0), true)
	same(t, do(t, l.Activate, activateBy("two", "trmum1a", 1), false), first)
	same(t, stored(t, l), first)
}

func activateTwice(t *testing.T, l Store) {
	do(t, l.Claim, claim("one", 0), true)
	first := do(t, l.Activate, activateBy("one", "trmum1a", 1), true)
	same(t, do(t, l.Activate, activateBy("two", "trmum1a", 5), true), first)
	same(t, do(t, l.Activate, activateBy("two", "trmum1b", 5), false), first)
}

// Such a signup comes from a copy of its claim that arrives after the table was
// emptied: the try has pinned the account in the old one.
func activateUnpinned(t *testing.T, l Store) {
	unpinned := claim("one", 0)
	unpinned.AccountSID = ""
	do(t, l.Claim, unpinned, true)
	if got := do(t, l.Activate, activateBy("one", "trmum1a", 1), true); got.AccountSID != "acme1" {
		t.Errorf("got %+v", got)
	}
	if got := stored(t, l); got.AccountSID != "acme1" {
		t.Errorf("stored %+v", got)
	}
}

func release(t *testing.T, l Store) {
	do(t, l.Release, releaseBy("one", 0, 30), false)
	want := do(t, l.Claim, claim("one", 0), true)
	same(t, do(t, l.Release, releaseBy("two", 1, 30), false), want)
	got := do(t, l.Release, releaseBy("one", 1, 30), true)
	want.LeaseUntil, want.DueAt, want.UpdatedAt, want.LastError = time.Time{}, at(31), at(1), "exotel: create trunk: outcome unknown"
	same(t, got, want)
	same(t, stored(t, l), want)
	if again := do(t, l.Claim, claim("two", 2), true); again.Attempts != 2 {
		t.Errorf("a redelivery waits for nothing, got %+v", again)
	}
	if active := do(t, l.Activate, activateBy("two", "trmum1a", 3), true); active.LastError != "" {
		t.Errorf("an active signup has an error: %+v", active)
	}
}

func lateWorker(t *testing.T, l Store) {
	do(t, l.Claim, claim("late", 0), true)
	current := do(t, l.Claim, claim("two", 10), true)
	same(t, do(t, l.Activate, activateBy("late", "trmum1a", 11), false), current)
	same(t, do(t, l.Release, releaseBy("late", 11, 0), false), current)
	same(t, do(t, l.Pin, provision.Pin{SignupID: "acme-42", Owner: "late", AccountSID: "acme1", Now: at(11)}, false), current)
	same(t, stored(t, l), current)
}

// An answer is lost, the AWS client sends again, and the write meets itself.
func ambiguousWrites(t *testing.T, l Store) {
	c := claim("one", 0)
	c.AccountSID = ""
	same(t, do(t, l.Claim, c, true), do(t, l.Claim, c, true))
	pin := provision.Pin{SignupID: "acme-42", Owner: "one", AccountSID: "acme1", Now: at(1)}
	same(t, do(t, l.Pin, pin, true), do(t, l.Pin, pin, true))
	r := releaseBy("one", 2, 0)
	same(t, do(t, l.Release, r, true), do(t, l.Release, r, true))
	taken := takeOverBy("two", 3)
	same(t, do(t, l.TakeOver, taken, true), do(t, l.TakeOver, taken, true))
	a := activateBy("two", "trmum1a", 4)
	same(t, do(t, l.Activate, a, true), do(t, l.Activate, a, true))

	c.Signup.ID = "rejected"
	do(t, l.Claim, c, true)
	rejected := provision.Reject{SignupID: "rejected", Owner: "one", Reason: "no", Now: at(1)}
	same(t, do(t, l.Reject, rejected, true), do(t, l.Reject, rejected, true))
	c.Signup.ID = "smoke:1"
	do(t, l.Claim, c, true)
	proven := provision.Prove{SignupID: "smoke:1", Owner: "one", Now: at(1)}
	same(t, do(t, l.Prove, proven, true), do(t, l.Prove, proven, true))
	if got := stored(t, l).Attempts; got != 2 {
		t.Errorf("%d attempts were counted, want 2", got)
	}
}

func due(t *testing.T, l Store) {
	for i, dueIn := range []int{50, 10, 30, 20, 40} {
		id := fmt.Sprintf("signup-%d", i)
		c := claim("one", 0)
		c.Signup.ID = id
		do(t, l.Claim, c, true)
		r := releaseBy("one", 1, dueIn)
		r.SignupID = id
		do(t, l.Release, r, true)
	}
	finished := activateBy("two", "trmum1a", 2)
	c := claim("two", 1)
	finished.SignupID, c.Signup.ID = "signup-3", "signup-3"
	do(t, l.Claim, c, true)
	do(t, l.Activate, finished, true)

	ids := func(until time.Time, limit int) []string {
		t.Helper()
		list, err := l.Due(t.Context(), until, limit)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got, want := ids(at(41), 10), []string{"signup-1", "signup-2", "signup-4"}; !slices.Equal(got, want) {
		t.Errorf("due: %v, want %v", got, want)
	}
	if got, want := ids(at(41), 2), []string{"signup-1", "signup-2"}; !slices.Equal(got, want) {
		t.Errorf("at most two: %v, want %v", got, want)
	}
	if got := ids(at(10), 10); len(got) != 0 {
		t.Errorf("too early: %v", got)
	}
}

func backlog(t *testing.T, l Store) {
	if got, err := l.Backlog(t.Context(), at(15)); err != nil || got != (provision.Backlog{}) {
		t.Errorf("nothing: %+v, %v", got, err)
	}
	for i, seconds := range []int{30, 10, 20} {
		c := claim("one", seconds)
		c.Signup.ID = fmt.Sprintf("signup-%d", i)
		do(t, l.Claim, c, true)
	}
	finished := activateBy("one", "trmum1a", 21)
	finished.SignupID = "signup-2"
	do(t, l.Activate, finished, true)
	if got, err := l.Backlog(t.Context(), at(15)); err != nil || got.Pending != 2 || got.Stuck != 1 || !got.Oldest.Equal(at(10)) {
		t.Errorf("got %+v, %v; want 2, the oldest of %v", got, err, at(10))
	}
}

func unknown(t *testing.T, l Store) {
	if record, err := l.Get(t.Context(), "nobody"); !errors.Is(err, provision.ErrNotFound) {
		t.Errorf("got %+v, %v", record, err)
	}
}

const racers = 50

// race starts all at once and returns how many held.
func race(t *testing.T, write func(owner string) (provision.Record, bool, error)) int {
	t.Helper()
	var winners atomic.Int32
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(racers)
	for i := range racers {
		done.Go(func() {
			ready.Done()
			<-begin
			_, holds, err := write(fmt.Sprintf("racer-%d", i))
			if err != nil {
				t.Error(err)
			}
			if holds {
				winners.Add(1)
			}
		})
	}
	ready.Wait()
	close(begin)
	done.Wait()
	return int(winners.Load())
}

func raceToClaim(t *testing.T, l Store) {
	if n := race(t, func(owner string) (provision.Record, bool, error) { return l.Claim(t.Context(), claim(owner, 0)) }); n != 1 {
		t.Errorf("%d winners", n)
	}
	if got := stored(t, l).Attempts; got != 1 {
		t.Errorf("%d attempts were counted", got)
	}
}

func raceToClaimAgain(t *testing.T, l Store) {
	do(t, l.Claim, claim("first", 0), true)
	if n := race(t, func(owner string) (provision.Record, bool, error) { return l.Claim(t.Context(), claim(owner, 11)) }); n != 1 {
		t.Errorf("%d winners", n)
	}
	if got := stored(t, l).Attempts; got != 2 {
		t.Errorf("%d attempts were counted", got)
	}
}

func raceToTakeOver(t *testing.T, l Store) {
	do(t, l.Claim, claim("first", 0), true)
	if n := race(t, func(owner string) (provision.Record, bool, error) {
		return l.TakeOver(t.Context(), takeOverBy(owner, 11))
	}); n != 1 {
		t.Errorf("%d winners", n)
	}
}

func document(t *testing.T, l Store) {
	do(t, l.Claim, claim("one", 0), true)
	a := activateBy("one", "trmum1a", 1)
	a.Trunk.Raw = json.RawMessage(`{"trunk_sid":"trmum1a","big":9007199254740993,"float":1.5,"none":null,"yes":true,"no":false,"empty":"","list":["a",{"b":[]}],"map":{},"text":"Ü \u0001 🚀"}`)
	do(t, l.Activate, a, true)
	got := stored(t, l).Trunk
	for _, part := range []string{`"big":9007199254740993`, `"float":1.5`, `"none":null`, `"yes":true`, `"no":false`, `"empty":""`, `"list":["a",{"b":[]}]`, `"map":{}`, `"text":"Ü \u0001 🚀"`} {
		if !strings.Contains(string(got), part) {
			t.Errorf("lost %s in %s", part, got)
		}
	}
}
