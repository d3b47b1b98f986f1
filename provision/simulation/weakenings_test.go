package simulation_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// weakening takes a safeguard away, by standing between the engine and a port.
// The zero value takes none.
type weakening struct {
	ledger           func(t *table) provision.Ledger
	meter            func(t *table) provision.Meter
	trunks           func(t *trunks) provision.Trunks
	account          func(a *provision.Account)
	passwords        func(p *passwords) provision.Passwords
	namesNotUnique   bool // at the vendor's
	numbersNotUnique bool // nor addresses
	lateForAll       bool // the vendor takes maxLate for what doubles too
}

// noIntent doesn't write a claim down until the trunk is recorded.
type noIntent struct{ *table }

func (t noIntent) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	var claimed provision.Record
	record, holds, err := t.write(ctx, "claim", w.Signup.ID, func(old *provision.Record) (provision.Record, bool) {
		if old != nil {
			return w.Apply(old)
		}
		claimed, _ = w.Apply(nil)
		return provision.Record{}, false
	})
	if err == nil && !holds && record.SignupID == "" {
		t.process.world.locked(func() { t.process.world.attribute(claimed.TrunkName, claimed.SignupID) })
		return claimed, true, nil
	}
	return record, holds, err
}

func (t noIntent) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	return t.write(ctx, "activate", w.SignupID, func(old *provision.Record) (provision.Record, bool) {
		if old != nil {
			return w.Apply(old)
		}
		w.Attempt, w.Seen = 0, provision.Seen{}
		return w.Apply(&provision.Record{SignupID: w.SignupID, Status: provision.StatusPending, Owner: w.Owner, TrunkName: w.Trunk.Name, AccountSID: w.AccountSID})
	})
}

func (t noIntent) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	record, holds, err := t.table.Release(ctx, w)
	if err == nil && !holds && record.SignupID == "" {
		return provision.Record{SignupID: w.SignupID, Status: provision.StatusPending}, true, nil
	}
	return record, holds, err
}

// rejectOn takes an error of the vendor's for the end of the signup.
type rejectOn struct {
	*table
	kind exotel.Kind
}

func (t rejectOn) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	if strings.Contains(w.LastError, string(t.kind)) {
		record, _, err := t.Reject(ctx, provision.Reject{SignupID: w.SignupID, Owner: w.Owner, Reason: w.LastError, Now: w.Now})
		return record, false, err
	}
	return t.table.Release(ctx, w)
}

// renamed lets each try use another name than the one on the item.
type renamed struct {
	*table
	name func(t *table, owner, id string) string
}

func (t renamed) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	record, holds, err := t.table.Claim(ctx, w)
	return t.rename(record, w.Owner), holds, err
}

func (t renamed) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	record, holds, err := t.table.TakeOver(ctx, w)
	return t.rename(record, w.Owner), holds, err
}

func (t renamed) rename(r provision.Record, owner string) provision.Record {
	if r.SignupID != "" {
		r.TrunkName = t.name(t.table, owner, r.SignupID)
		t.process.world.locked(func() { t.process.world.attribute(r.TrunkName, r.SignupID) })
	}
	return r
}

func fromTheCurrentPrefix(t *table, _, id string) string {
	return provision.TrunkName(t.process.prefix, id)
}

func atRandom(t *table, owner, id string) string {
	return provision.TrunkName(t.process.prefix, id+owner)
}

// notPinned uses the account of the moment.
type notPinned struct{ *table }

func (t notPinned) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	record, holds, err := t.table.Claim(ctx, w)
	return unpinned(record), holds, err
}

func (t notPinned) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	record, holds, err := t.table.TakeOver(ctx, w)
	return unpinned(record), holds, err
}

func unpinned(r provision.Record) provision.Record {
	if r.Status == provision.StatusPending {
		r.AccountSID = ""
	}
	return r
}

func (t notPinned) Pin(ctx context.Context, w provision.Pin) (provision.Record, bool, error) {
	return t.write(ctx, "pin", w.SignupID, func(old *provision.Record) (provision.Record, bool) {
		if old == nil {
			return provision.Record{}, false
		}
		free := *old
		free.AccountSID = ""
		return w.Apply(&free)
	})
}

// unconditional lets every write after the claim hold, whoever holds the signup
// and whether it is settled.
type unconditional struct{ *table }

// mine is the record as if it were pending, and the try's.
func mine(owner string, attempt int, apply apply) apply {
	return func(old *provision.Record) (provision.Record, bool) {
		if old == nil {
			return apply(nil)
		}
		pending := *old
		pending.Status, pending.Owner, pending.Attempts = provision.StatusPending, owner, attempt
		return apply(&pending)
	}
}

func (t unconditional) Attach(ctx context.Context, w provision.Attach) (provision.Record, bool, error) {
	return t.write(ctx, "attach", w.SignupID, mine(w.Owner, w.Attempt, w.Apply))
}

func (t unconditional) Mark(ctx context.Context, w provision.Mark) (provision.Record, bool, error) {
	return t.write(ctx, "mark", w.SignupID, mine(w.Owner, w.Attempt, w.Apply))
}

func (t unconditional) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	return t.write(ctx, "activate", w.SignupID, mine(w.Owner, w.Attempt, w.Apply))
}

func (t unconditional) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	return t.write(ctx, "release", w.SignupID, mine(w.Owner, w.Attempt, w.Apply))
}

func (t unconditional) Reject(ctx context.Context, w provision.Reject) (provision.Record, bool, error) {
	return t.write(ctx, "reject", w.SignupID, mine(w.Owner, w.Attempt, w.Apply))
}

// oneToken gives all tries of a process the same token, and doesn't count them.
type oneToken struct{ *table }

// as is the answer to a write with the process's token, for a try that has its own.
func (t oneToken) as(owner string, record provision.Record, holds bool, err error) (provision.Record, bool, error) {
	if record.Owner == t.process.name {
		record.Owner = owner
	}
	return record, holds, err
}

func (t oneToken) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	owner := w.Owner
	w.Owner = t.process.name
	record, holds, err := t.table.Claim(ctx, w)
	return t.as(owner, record, holds, err)
}

func (t oneToken) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	owner := w.Owner
	w.Owner = t.process.name
	record, holds, err := t.table.TakeOver(ctx, w)
	return t.as(owner, record, holds, err)
}

func (t oneToken) Pin(ctx context.Context, w provision.Pin) (provision.Record, bool, error) {
	owner := w.Owner
	w.Owner, w.Attempt = t.process.name, 0
	record, holds, err := t.table.Pin(ctx, w)
	return t.as(owner, record, holds, err)
}

func (t oneToken) Attach(ctx context.Context, w provision.Attach) (provision.Record, bool, error) {
	owner := w.Owner
	w.Owner, w.Attempt = t.process.name, 0
	record, holds, err := t.table.Attach(ctx, w)
	return t.as(owner, record, holds, err)
}

func (t oneToken) Mark(ctx context.Context, w provision.Mark) (provision.Record, bool, error) {
	owner := w.Owner
	w.Owner, w.Attempt = t.process.name, 0
	record, holds, err := t.table.Mark(ctx, w)
	return t.as(owner, record, holds, err)
}

func (t oneToken) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	owner := w.Owner
	w.Owner, w.Attempt = t.process.name, 0
	record, holds, err := t.table.Activate(ctx, w)
	return t.as(owner, record, holds, err)
}

func (t oneToken) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	owner := w.Owner
	w.Owner, w.Attempt = t.process.name, 0
	record, holds, err := t.table.Release(ctx, w)
	return t.as(owner, record, holds, err)
}

func (t oneToken) Reject(ctx context.Context, w provision.Reject) (provision.Record, bool, error) {
	owner := w.Owner
	w.Owner, w.Attempt = t.process.name, 0
	record, holds, err := t.table.Reject(ctx, w)
	return t.as(owner, record, holds, err)
}

func (t oneToken) Bury(ctx context.Context, w provision.Bury) (provision.Record, bool, error) {
	w.Owner = t.process.name
	return t.table.Bury(ctx, w)
}

func (t oneToken) Restart(ctx context.Context, w provision.Restart) (provision.Record, bool, error) {
	owner := w.Owner
	w.Owner = t.process.name
	record, holds, err := t.table.Restart(ctx, w)
	return t.as(owner, record, holds, err)
}

// forgetful gives signups back without a time to come back to them.
type forgetful struct{ *table }

func (t forgetful) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	w.DueAt = time.Time{}
	return t.table.Release(ctx, w)
}

// noLease takes every lease for one that has run out.
type noLease struct {
	*table
	operators bool // an operator's too, and for operators
}

func (t noLease) lapsed(apply apply) apply {
	return func(old *provision.Record) (provision.Record, bool) {
		record, holds := apply(old)
		if old == nil || holds || old.LeaseUntil.IsZero() || !t.operators && t.process.world.testimony.tokens[old.Owner] {
			return record, holds
		}
		free := *old
		free.LeaseUntil, free.DueAt = time.Time{}, time.Time{}
		if record, holds := apply(&free); holds {
			return record, true
		}
		return record, false
	}
}

func (t noLease) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	return t.write(ctx, "claim", w.Signup.ID, t.lapsed(w.Apply))
}

func (t noLease) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	if w.Early && !t.operators {
		return t.table.TakeOver(ctx, w)
	}
	return t.write(ctx, "take over", w.SignupID, t.lapsed(w.Apply))
}

// claimsFirst records an import's trunk after its claim, not with it.
type claimsFirst struct{ *table }

func (t claimsFirst) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	w.Trunk = nil
	return t.table.Claim(ctx, w)
}

// neverLooks sends although the lease has run out.
type neverLooks struct{ *trunks }

func (t neverLooks) Create(ctx context.Context, r exotel.CreateTrunkRequest) (*exotel.Trunk, error) {
	hooks := exotel.HooksOf(ctx)
	before := hooks.Before
	hooks.Before = func(ctx context.Context, op string) error {
		err := before(ctx, op)
		if err != nil && strings.Contains(err.Error(), "the lease has run out") {
			return nil
		}
		return err
	}
	return t.trunks.Create(exotel.WithHooks(ctx, hooks), r)
}

// ownBucket gives each process a budget of its own.
type ownBucket struct {
	*table
	emptyAt *time.Time
}

func (t ownBucket) Spend(ctx context.Context, w provision.Spend) (time.Time, bool, error) {
	return t.spend(ctx, w, t.emptyAt)
}

// givesUp takes a duplicate for a refusal.
type givesUp struct{ *trunks }

func (t givesUp) Create(ctx context.Context, r exotel.CreateTrunkRequest) (*exotel.Trunk, error) {
	trunk, err := t.trunks.Create(ctx, r)
	if errors.Is(err, exotel.ErrDuplicate) {
		return nil, &exotel.Error{Op: "create trunk", Kind: exotel.ErrInvalid}
	}
	return trunk, err
}

// takesTheNewest adopts whatever is first in the list.
type takesTheNewest struct{ *trunks }

func (t takesTheNewest) Create(ctx context.Context, r exotel.CreateTrunkRequest) (*exotel.Trunk, error) {
	trunk, err := t.trunks.Create(ctx, r)
	if !errors.Is(err, exotel.ErrDuplicate) {
		return trunk, err
	}
	page, err := t.List(ctx, exotel.ListOptions{PageSize: 1})
	if err != nil || len(page.Trunks) == 0 {
		return nil, &exotel.Error{Op: "list trunks", Kind: exotel.ErrOutcomeUnknown}
	}
	return &page.Trunks[0], nil
}

// recordsLater doesn't wait for the record, and takes it for done.
type recordsLater struct{ *table }

func (t recordsLater) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	world, by := t.process.world, ctx.Value(actorKey{}).(*actor)
	record, err := t.Get(ctx, w.SignupID)
	if err != nil {
		return record, false, err
	}
	world.later(time.Second, func() { world.write(by, "activate", w.SignupID, w.Apply) })
	recorded, holds := w.Apply(&record)
	return recorded, holds, nil
}

// staysQueued leaves a signup in the queue when it is active.
type staysQueued struct{ *table }

func (t staysQueued) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	return t.write(ctx, "activate", w.SignupID, func(old *provision.Record) (provision.Record, bool) {
		record, holds := w.Apply(old)
		if holds && record.DueAt.IsZero() {
			record.DueAt = old.DueAt
		}
		return record, holds
	})
}

func ledgerOf[L provision.Ledger](weaken func(*table) L) weakening {
	return weakening{ledger: func(t *table) provision.Ledger { return weaken(t) }}
}

// weakenings are the safeguards that are taken away, one at a time, and what
// must not hold any more then.
var weakenings = []struct {
	name      string
	weakening weakening
	invariant string
	within    uint64 // schedules
}{
	{"no intent before the create", ledgerOf(func(t *table) noIntent { return noIntent{t} }), keptPromise, 100},
	{"rejecting on a refusal", ledgerOf(func(t *table) rejectOn { return rejectOn{t, exotel.ErrInvalid} }), onlyOperator, 100},
	{"an unknown outcome taken for a failure", ledgerOf(func(t *table) rejectOn { return rejectOn{t, exotel.ErrOutcomeUnknown} }), onlyOperator, 100},
	{"a duplicate taken for a failure", weakening{trunks: func(t *trunks) provision.Trunks { return givesUp{t} }}, finished, 100},
	{"the name computed anew from the prefix", ledgerOf(func(t *table) renamed { return renamed{t, fromTheCurrentPrefix} }), oneTrunk, 1000},
	{"a name that isn't derived", ledgerOf(func(t *table) renamed { return renamed{t, atRandom} }), oneTrunk, 100},
	{"the account not pinned", ledgerOf(func(t *table) notPinned { return notPinned{t} }), oneTrunk, 1000},
	{"later writes without a condition", ledgerOf(func(t *table) unconditional { return unconditional{t} }), settledStays, 100},
	{"one token for all tries of a process", ledgerOf(func(t *table) oneToken { return oneToken{t} }), neverTwice, 5000},
	{"one token for an operator and a try", ledgerOf(func(t *table) oneToken { return oneToken{t} }), rejectionLast, 20_000},
	{"no lease for an operator", ledgerOf(func(t *table) noLease { return noLease{t, true} }), rejectionLast, 20_000},
	{"no look at the lease before the send", weakening{trunks: func(t *trunks) provision.Trunks { return neverLooks{t} }}, rejectionLast, 20_000},
	{"given back without a due time", ledgerOf(func(t *table) forgetful { return forgetful{t} }), finished, 100},
	{"a budget for each process", weakening{meter: func(t *table) provision.Meter { return ownBucket{t, new(time.Time)} }}, withinTheLimit, 20_000},
	{"the newest trunk taken for one's own", weakening{trunks: func(t *trunks) provision.Trunks { return takesTheNewest{t} }}, realTrunk, 100},
	{"told before it is recorded", ledgerOf(func(t *table) recordsLater { return recordsLater{t} }), toldTruth, 100},
	{"active, and still in the queue", ledgerOf(func(t *table) staysQueued { return staysQueued{t} }), nothingLeft, 100},
	{"no mark before what doubles is sent", ledgerOf(func(t *table) unmarked { return unmarked{t} }), neverTwice, 5000},
	{"no wait after what doubles was sent", ledgerOf(func(t *table) impatient { return impatient{t} }), neverTwice, 5000},
	{"no look for what doubles before it is sent again", weakening{account: neverListed}, neverTwice, 5000},
	{"what is refused taken for never sent", ledgerOf(func(t *table) forgetsRefused { return forgetsRefused{t} }), neverTwice, 100_000},
	{"marked by who doesn't hold the signup", ledgerOf(func(t *table) anybodysMark { return anybodysMark{t} }), neverTwice, 100_000},
	{"active whatever was added meanwhile", ledgerOf(func(t *table) blind { return blind{t} }), allThere, 5000},
	{"a number that is mapped taken for one's own", weakening{account: func(a *provision.Account) { a.PhoneNumbers = mappedAnyway{a.PhoneNumbers} }}, allThere, 5000},
	{"a new password for each try", weakening{passwords: func(p *passwords) provision.Passwords { return newPasswords{p} }}, knownSecret, 5000},
	{"a password kept after it was sent", weakening{passwords: func(p *passwords) provision.Passwords { return keptLater{p} }}, knownSecret, 5000},
	{"numbers and addresses not unique at the vendor's", weakening{numbersNotUnique: true}, neverTwice, 5000},
	{"an addition that takes another's for its own", ledgerOf(func(t *table) byKey { return byKey{t} }), keptWish, 100_000},
	{"added to whatever was added meanwhile", ledgerOf(func(t *table) addsAnyway { return addsAnyway{t} }), firstStands, 100_000},
	{"a number that is mapped taken for refused", weakening{account: func(a *provision.Account) { a.PhoneNumbers = refusedAnyway{a.PhoneNumbers} }}, theirReason, 1000},
	{"the line of one's own for the newest trunk", weakening{trunks: func(t *trunks) provision.Trunks { return takesTheNewest{t} }}, ownLine, 1000},
	{"what doubles processed 20 minutes late", weakening{lateForAll: true}, neverTwice, 5000},
	{"a deletion that is final at once", ledgerOf(func(t *table) finalAtOnce { return finalAtOnce{t} }), nothingComes, 1000},
	{"no watch after a deletion", ledgerOf(func(t *table) noWatch { return noWatch{t} }), nothingComes, 20_000},
	{"a claim that ignores tombstones", ledgerOf(func(t *table) ignoresTombstones { return ignoresTombstones{t} }), staysDeleted, 1000},
	{"a record that ignores tombstones", ledgerOf(func(t *table) resurrects { return resurrects{t} }), staysDeleted, 20_000},
	{"one name for all generations", ledgerOf(func(t *table) oneName { return oneName{t} }), ownLife, 1000},
	{"a deletion of any generation", ledgerOf(func(t *table) anyGeneration { return anyGeneration{t} }), staysDeleted, 1000},
	{"an import that claims before it records", ledgerOf(func(t *table) claimsFirst { return claimsFirst{t} }), keptImport, 5000},
	{"names not unique at the vendor's", weakening{namesNotUnique: true}, oneTrunk, 100},
}

func TestSimulationFindsEverySafeguardThatIsMissing(t *testing.T) {
	t.Parallel()
	for _, w := range weakenings {
		t.Run(strings.ReplaceAll(w.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			for seed := range w.within {
				detail, found := simulate(t, seed, w.weakening, false, newStats()).broke(w.invariant)
				if !found {
					continue
				}
				t.Logf("found by schedule %d: %s: %s", seed, w.invariant, detail)
				if intact := simulate(t, seed, weakening{}, false, newStats()); len(intact.violations) > 0 {
					t.Errorf("schedule %d with all safeguards:\n%s", seed, intact.found())
				}
				return
			}
			t.Errorf("not found in %d schedules", w.within)
		})
	}
}

// Leases save calls to the vendor. They carry no promise, except to operators.
func TestWithoutLeasesWorkersMeetAtTheVendorAndNothingElseBreaks(t *testing.T) {
	t.Parallel()
	with, without := newStats(), newStats()
	for seed := range uint64(1000) {
		for _, run := range []struct {
			weakening
			*stats
		}{{weakening{}, with}, {ledgerOf(func(t *table) noLease { return noLease{t, false} }), without}} {
			if played := simulate(t, seed, run.weakening, false, run.stats); len(played.violations) > 0 {
				t.Fatalf("schedule %d: %s", seed, played.found())
			}
		}
	}
	t.Logf("calls that met another for the same trunk: %d with leases, %d without", with.together, without.together)
	if without.together < 5*with.together || without.together == 0 {
		t.Errorf("%d calls met another for the same trunk with leases, %d without", with.together, without.together)
	}
}
