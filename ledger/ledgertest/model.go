package ledgertest

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/trunkhook/trunkhook/provision"
)

// model runs random sequences of writes against the ledger and against the
// Apply methods, which define it.
func model(t *testing.T, l Store) {
	sequence := 0
	rapid.Check(t, func(rt *rapid.T) {
		sequence++
		id := fmt.Sprintf("signup-%d", sequence)
		var held *provision.Record
		steps := rapid.IntRange(1, 12).Draw(rt, "steps")
		for range steps {
			held = step(rt, t, l, id, held)
		}
	})
}

// step draws one write, does it on both, and returns the model's record.
func step(rt *rapid.T, t *testing.T, l Store, id string, held *provision.Record) *provision.Record {
	owner := rapid.SampledFrom([]string{"one", "two", "three"}).Draw(rt, "owner")
	account := rapid.SampledFrom([]string{"", "acme1", "acme2"}).Draw(rt, "account")
	now := at(rapid.IntRange(0, 60).Draw(rt, "now"))
	until := now.Add(at(rapid.IntRange(0, 20).Draw(rt, "lease")).Sub(start))
	var want, got provision.Record
	var wantHolds, holds bool
	var err error
	switch kind := rapid.SampledFrom([]string{"claim", "take over", "pin", "activate", "release", "reject"}).Draw(rt, "write"); kind {
	case "claim":
		w := claim(owner, 0)
		w.Signup.ID, w.AccountSID, w.Now, w.LeaseUntil = id, account, now, until
		w.Signup.Company = rapid.SampledFrom([]string{"Acme", "Other"}).Draw(rt, "company")
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Claim(t.Context(), w)
	case "take over":
		w := provision.TakeOver{SignupID: id, AccountSID: account, Owner: owner, Now: now, LeaseUntil: until, Early: rapid.Bool().Draw(rt, "early")}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.TakeOver(t.Context(), w)
	case "pin":
		w := provision.Pin{SignupID: id, Owner: owner, AccountSID: "acme1", Now: now}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Pin(t.Context(), w)
	case "activate":
		w := activateBy(owner, rapid.SampledFrom([]string{"trmum1a", "trmum1b"}).Draw(rt, "trunk"), 0)
		w.SignupID, w.AccountSID, w.Now = id, account, now
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Activate(t.Context(), w)
	case "release":
		w := provision.Release{SignupID: id, Owner: owner, Now: now, DueAt: until, LastError: "lost", Searching: rapid.Bool().Draw(rt, "searching")}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Release(t.Context(), w)
	case "reject":
		w := provision.Reject{SignupID: id, Owner: owner, Reason: "no", Now: now}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Reject(t.Context(), w)
	}
	if err != nil || holds != wantHolds {
		rt.Fatalf("holds %v, error %v; want %v on %+v", holds, err, wantHolds, held)
	}
	same(rt, got, want)
	if wantHolds {
		return &want
	}
	return held
}
