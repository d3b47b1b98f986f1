package ledgertest

import (
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

func takeOverEarly(t *testing.T, l Store) {
	do(t, l.Claim, claim("one", 0), true)
	early := takeOverBy("two", 9)
	early.Early = true
	do(t, l.TakeOver, early, false) // not during a lease
	do(t, l.Release, releaseBy("one", 9, 3600), true)
	do(t, l.TakeOver, takeOverBy("three", 9), false)
	if record := do(t, l.TakeOver, early, true); record.Owner != "two" || record.Attempts != 2 || !record.LeaseUntil.Equal(at(19)) {
		t.Errorf("got %+v", record)
	}
	same(t, do(t, l.TakeOver, early, true), stored(t, l)) // it recognises itself
	do(t, l.Activate, activateBy("two", "trmum1a", 10), true)
	early.Owner = "four"
	do(t, l.TakeOver, early, false)
}

func reject(t *testing.T, l Store) {
	w := provision.Reject{SignupID: "acme-42", Owner: "one", Reason: "a test", Now: at(2)}
	do(t, l.Reject, w, false)
	want := do(t, l.Claim, claim("one", 0), true)
	other := w
	other.Owner = "two"
	same(t, do(t, l.Reject, other, false), want)
	got := do(t, l.Reject, w, true)
	want.Status, want.LastError, want.UpdatedAt = provision.StatusRejected, "a test", at(2)
	want.Owner, want.LeaseUntil, want.DueAt = "", time.Time{}, time.Time{}
	same(t, got, want)
	same(t, stored(t, l), want)
	same(t, do(t, l.Claim, claim("three", 60), false), want)
	same(t, do(t, l.Activate, activateBy("one", "trmum1a", 3), false), want)
	same(t, do(t, l.Release, releaseBy("one", 3, 0), false), want)
	if ids, err := l.Due(t.Context(), at(9999), 10); err != nil || len(ids) != 0 {
		t.Errorf("due: %v, %v", ids, err)
	}
}

func prove(t *testing.T, l Store) {
	w := provision.Prove{SignupID: "acme-42", Owner: "one", Attempt: 2, Now: at(12)}
	do(t, l.Prove, w, false)
	do(t, l.Claim, claim("zero", 0), true)
	do(t, l.Release, releaseBy("zero", 2, 0), true)
	want := do(t, l.Claim, claim("one", 11), true)
	for _, other := range []provision.Prove{
		{SignupID: "acme-42", Owner: "two", Attempt: 2, Now: at(12)},
		{SignupID: "acme-42", Owner: "one", Attempt: 1, Now: at(12)}, // a copy of one that came late
	} {
		same(t, do(t, l.Prove, other, false), want)
	}
	got := do(t, l.Prove, w, true)
	want.Status, want.LastError, want.UpdatedAt = provision.StatusDry, "", at(12)
	want.Owner, want.LeaseUntil, want.DueAt = "", time.Time{}, time.Time{}
	same(t, got, want)
	same(t, stored(t, l), want)
	again := w
	again.Owner, again.Now = "two", at(13)
	same(t, do(t, l.Prove, again, true), want)
	same(t, do(t, l.Claim, claim("three", 60), false), want)
	same(t, do(t, l.Activate, activateBy("one", "trmum1a", 13), false), want)
	same(t, do(t, l.Release, releaseBy("one", 13, 0), false), want)
	if ids, err := l.Due(t.Context(), at(9999), 10); err != nil || len(ids) != 0 {
		t.Errorf("due: %v, %v", ids, err)
	}
	deleting := do(t, l.Delete, provision.Delete{SignupID: "acme-42", Reason: "it is over", QuietAt: at(20), Now: at(14)}, true)
	if deleting.Status != provision.StatusDeleting || deleting.TrunkSID != "" {
		t.Errorf("got %+v", deleting)
	}
	same(t, do(t, l.Prove, w, false), deleting)
}

func searching(t *testing.T, l Store) {
	do(t, l.Claim, claim("one", 0), true)
	w := releaseBy("one", 1, 0)
	w.Searching = true
	if record := do(t, l.Release, w, true); !record.Searching || !stored(t, l).Searching {
		t.Errorf("got %+v", record)
	}
	if ids, err := l.Due(t.Context(), at(60), 10); err != nil || len(ids) != 0 {
		t.Errorf("due: %v, %v", ids, err)
	}
	wanted, err := l.Searching(t.Context(), 10)
	if err != nil || len(wanted) != 1 || wanted[0].SignupID != "acme-42" || wanted[0].TrunkName != claim("", 0).TrunkName || !wanted[0].Since.Equal(at(1)) {
		t.Errorf("wanted: %+v, %v", wanted, err)
	}
	if backlog, err := l.Backlog(t.Context(), at(60)); err != nil || backlog.Pending != 1 || backlog.Stuck != 1 {
		t.Errorf("backlog %+v, %v", backlog, err)
	}
	if record := do(t, l.Claim, claim("two", 2), true); record.Searching {
		t.Errorf("claimed, and still searching: %+v", record)
	}
	if wanted, err := l.Searching(t.Context(), 10); err != nil || len(wanted) != 0 {
		t.Errorf("wanted: %+v, %v", wanted, err)
	}
	if ids, err := l.Due(t.Context(), at(60), 10); err != nil || len(ids) != 1 {
		t.Errorf("due after the lease: %v, %v", ids, err)
	}
	do(t, l.Activate, activateBy("two", "trmum1a", 3), true)
	if ids, err := l.Due(t.Context(), at(60), 10); err != nil || len(ids) != 0 {
		t.Errorf("due once active: %v, %v", ids, err)
	}
}

func keepProgress(t *testing.T, l Store) {
	holds := func(want provision.Progress) {
		t.Helper()
		got, err := l.Progress(t.Context())
		if err != nil || got.AccountSID != want.AccountSID || got.Offset != want.Offset || !got.BeganAt.Equal(want.BeganAt) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	holds(provision.Progress{})
	for _, p := range []provision.Progress{{AccountSID: "acme1", BeganAt: at(5), Offset: 150, Unreadable: 2}, {AccountSID: "acme2", BeganAt: at(9), Offset: 50}, {}} {
		if err := l.KeepProgress(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		holds(p)
	}
}
