package provision

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Ledger keeps the records. Each write is atomic and conditional; what its
// condition and effect are is defined by the Apply method of its argument, and
// every implementation must do just that (package ledger/ledgertest checks it).
//
// A write returns the record as it stands now and whether the write holds. It
// holds too where this very write had been done before: an AWS client may send
// a request twice when an answer is lost. Where it doesn't hold, nothing was
// changed. An error says that neither is known.
type Ledger interface {
	Claim(ctx context.Context, w Claim) (Record, bool, error)
	TakeOver(ctx context.Context, w TakeOver) (Record, bool, error)
	Pin(ctx context.Context, w Pin) (Record, bool, error)
	Extend(ctx context.Context, w Extend) (Record, bool, error)
	Attach(ctx context.Context, w Attach) (Record, bool, error)
	Mark(ctx context.Context, w Mark) (Record, bool, error)
	Activate(ctx context.Context, w Activate) (Record, bool, error)
	Release(ctx context.Context, w Release) (Record, bool, error)
	Reject(ctx context.Context, w Reject) (Record, bool, error)
	Prove(ctx context.Context, w Prove) (Record, bool, error)
	Delete(ctx context.Context, w Delete) (Record, bool, error)
	Bury(ctx context.Context, w Bury) (Record, bool, error)
	Restart(ctx context.Context, w Restart) (Record, bool, error)

	// Get returns the record as last written, or ErrNotFound.
	Get(ctx context.Context, signupID string) (Record, error)
	// Due lists the ids of pending signups whose DueAt is not after the time,
	// the longest due first, at most so many, without those that wait for the
	// search. It may lag behind the writes by a moment, as the next two may.
	Due(ctx context.Context, until time.Time, limit int) ([]string, error)
	// Searching lists the pending signups that wait for the search, the longest
	// first, at most so many.
	Searching(ctx context.Context, limit int) ([]Wanted, error)
	// Backlog counts what is pending, and what of it is since before a time.
	// It may stop counting at some number of thousands.
	Backlog(ctx context.Context, stuckBefore time.Time) (Backlog, error)

	// Progress is how far the search came, or zero; KeepProgress replaces it.
	Progress(ctx context.Context) (Progress, error)
	KeepProgress(ctx context.Context, p Progress) error
}

// StuckAfter is how old a pending signup is that nothing will finish by itself any
// more, as experience says. It stays pending, and is counted.
const StuckAfter = 24 * time.Hour

// Backlog is what is pending, due or not.
type Backlog struct {
	Pending int
	Stuck   int       // those that are since before the time that was asked for
	Oldest  time.Time // since when the oldest is; zero where nothing is pending
}

// Add counts one more.
func (b *Backlog) Add(since, stuckBefore time.Time) {
	b.Pending++
	if since.Before(stuckBefore) {
		b.Stuck++
	}
	if b.Oldest.IsZero() || since.Before(b.Oldest) {
		b.Oldest = since
	}
}

// ErrNotFound says that there is no such signup.
var ErrNotFound = errors.New("no such signup")

// Claim takes a delivered signup: as a new one, or for another try where it is
// pending, has the same content and nobody holds it.
type Claim struct {
	Signup     Signup // normalised
	TrunkName  string
	AccountSID string // empty where the credentials aren't known yet
	Owner      string // new for each try
	Now        time.Time
	LeaseUntil time.Time

	// Trunk is what an import records in the same write, of the account AccountSID; nil
	// for all else. Such a claim takes a new signup only.
	Trunk *exotel.Trunk
}

// Apply is the claim, on the record that is there (nil for none).
func (w Claim) Apply(old *Record) (Record, bool) {
	if old == nil {
		return w.first(), true
	}
	if old.claimedBy(w.Owner) {
		return *old, true
	}
	if w.Trunk != nil || old.Status != StatusPending || !old.free(w.Now) || old.Fingerprint != w.Signup.Fingerprint() || old.generation() != w.Signup.generation() {
		return *old, false
	}
	leased := old.leased(w.Owner, w.Now, w.LeaseUntil, w.AccountSID)
	if leased.Steps == nil {
		leased.Steps = w.Signup.Line.Steps()
	}
	return leased, true
}

// first is the record of a signup that begins with the claim.
func (w Claim) first() Record {
	record := Record{
		SignupID: w.Signup.ID, Company: w.Signup.Company, Source: w.Signup.Source, Fingerprint: w.Signup.Fingerprint(),
		Generation: w.Signup.Generation, Status: StatusPending, TrunkName: w.TrunkName, AccountSID: w.AccountSID,
		Steps: w.Signup.Line.Steps(), Owner: w.Owner, LeaseUntil: w.LeaseUntil, DueAt: w.LeaseUntil,
		Attempts: 1, CreatedAt: w.Now, UpdatedAt: w.Now,
	}
	if w.Trunk == nil {
		return record
	}
	return record.with(*w.Trunk, w.AccountSID, w.Now)
}

// TakeOver takes a signup that is due, for the reconciler, or any that is
// pending, for an operator.
type TakeOver struct {
	SignupID   string
	AccountSID string // as in Claim
	Owner      string
	Now        time.Time
	LeaseUntil time.Time
	Early      bool // whether it is due or not: an operator's
}

// Apply is the takeover.
func (w TakeOver) Apply(old *Record) (Record, bool) {
	switch {
	case old == nil:
		return Record{}, false
	case old.workedOnBy(w.Owner, 0):
		return *old, true
	case !old.free(w.Now) || !w.Early && old.DueAt.After(w.Now):
		return *old, false
	}
	return old.leased(w.Owner, w.Now, w.LeaseUntil, w.AccountSID), true
}

// Pin decides the account of a signup that was claimed without one.
type Pin struct {
	SignupID   string
	Owner      string
	Attempt    int // of the try, see Record.Attempts
	AccountSID string
	Now        time.Time
}

// Apply is the pinning.
func (w Pin) Apply(old *Record) (Record, bool) {
	if old == nil {
		return Record{}, false
	}
	if !old.workedOnBy(w.Owner, w.Attempt) || old.AccountSID != "" && old.AccountSID != w.AccountSID {
		return *old, false
	}
	pinned := *old
	pinned.AccountSID, pinned.UpdatedAt = w.AccountSID, w.Now
	return pinned, true
}

// Activate records the trunk of a signup of which nothing is left to do, with the
// steps that this try has ended. It holds only where no delivery has added anything
// that the try hasn't seen, the first steps of its line included; and as well where the signup is complete with that trunk
// already, whoever wrote it.
type Activate struct {
	SignupID   string
	Owner      string
	Attempt    int // of the try, see Record.Attempts
	AccountSID string
	Trunk      exotel.Trunk
	Steps      map[string]LineStep // those that changed
	Incomplete bool                // Exotel refused some for good
	Seen       Seen                // as the try knows the signup, which is not complete
	Now        time.Time
}

// Status is what the signup becomes.
func (w Activate) Status() Status {
	if w.Incomplete {
		return StatusIncomplete
	}
	return StatusActive
}

// Apply is the activation.
func (w Activate) Apply(old *Record) (Record, bool) {
	switch {
	case old == nil:
		return Record{}, false
	case old.Status.complete():
		return *old, old.TrunkSID == w.Trunk.SID
	case !old.heldBy(w.Owner, w.Attempt) || old.Seen() != w.Seen:
		return *old, false
	}
	active := old.with(w.Trunk, w.AccountSID, w.Now).withSteps(w.Steps)
	active.Status, active.LastError = w.Status(), ""
	return active.settled(), true
}

// with is the record with its trunk.
func (r Record) with(trunk exotel.Trunk, accountSID string, now time.Time) Record {
	r.TrunkSID, r.DomainName, r.Trunk = trunk.SID, TrunkDomain(trunk, accountSID), TrunkDocument(trunk, accountSID)
	r.AccountSID = cmp.Or(r.AccountSID, accountSID)
	r.UpdatedAt = now
	return r
}

// TrunkDomain is the trunk's, or what was asked for where Exotel left it out.
func TrunkDomain(trunk exotel.Trunk, accountSID string) string {
	return cmp.Or(trunk.DomainName, exotel.DomainName(accountSID))
}

// maxDocument bounds what is kept of Exotel's answer, in bytes: an item of
// DynamoDB holds 400 kB. Recorded answers have under 1 kB.
const maxDocument = 100 << 10

// TrunkDocument is what Exotel answered about a trunk, as a JSON object.
func TrunkDocument(trunk exotel.Trunk, accountSID string) json.RawMessage {
	if len(trunk.Raw) > 0 && len(trunk.Raw) <= maxDocument {
		return trunk.Raw
	}
	document, err := json.Marshal(map[string]string{"trunk_sid": trunk.SID, "trunk_name": trunk.Name, "domain_name": TrunkDomain(trunk, accountSID)})
	if err != nil {
		panic(err) // strings can always be written
	}
	return document
}

// Reject is an operator's word.
type Reject struct {
	SignupID string
	Owner    string
	Attempt  int // of the try, see Record.Attempts
	Reason   string
	Now      time.Time
}

// Apply is the rejection. It holds as well where the signup is rejected already.
func (w Reject) Apply(old *Record) (Record, bool) {
	switch {
	case old == nil:
		return Record{}, false
	case old.Status == StatusRejected:
		return *old, true
	case !old.heldBy(w.Owner, w.Attempt):
		return *old, false
	}
	rejected := *old
	rejected.Status, rejected.LastError, rejected.UpdatedAt = StatusRejected, w.Reason, w.Now
	return rejected.settled(), true
}

// settled is the record that nobody need come back to.
func (r Record) settled() Record {
	r.Owner, r.LeaseUntil, r.DueAt, r.Searching = "", time.Time{}, time.Time{}, false
	return r
}

// Release gives a signup back after a try that did not finish it.
type Release struct {
	SignupID  string
	Owner     string
	Attempt   int // of the try, see Record.Attempts
	DueAt     time.Time
	Searching bool // for the search to find its trunk
	LastError string
	Steps     map[string]LineStep // those that changed
	Revision  int                 // as the try has seen it: a delivery may have reopened what it refuses
	Now       time.Time
}

// Apply is the release.
func (w Release) Apply(old *Record) (Record, bool) {
	if old == nil {
		return Record{}, false
	}
	if !old.workedOnBy(w.Owner, w.Attempt) || old.Revision != w.Revision {
		return *old, false
	}
	released := old.withSteps(w.Steps)
	released.DueAt, released.Searching, released.LastError, released.UpdatedAt = w.DueAt, w.Searching, w.LastError, w.Now
	released.LeaseUntil = time.Time{} // the owner stays, so that the release knows itself
	return released, true
}

// heldBy: every write after the claim is on this condition, so that a late
// worker can't overwrite what came after it. The token alone doesn't keep it from
// that: a copy of a claim that arrives long after it, when others have had the
// signup and given it back, claims it anew for a try that may be over, and whose
// later writes may have copies too. The count of the claims tells. Zero is any.
func (r *Record) heldBy(owner string, attempt int) bool {
	return r.claimedBy(owner) && (attempt == 0 || r.Attempts == attempt)
}

// claimedBy tells whether the last claim was that one's, so that it knows itself.
func (r *Record) claimedBy(owner string) bool {
	return r.Status == StatusPending && r.Owner == owner
}

// workedOnBy: held, or being deleted by that try.
func (r *Record) workedOnBy(owner string, attempt int) bool {
	return r.Status.open() && r.Owner == owner && (attempt == 0 || r.Attempts == attempt)
}

// free: there is something to do, and no lease that still runs.
func (r *Record) free(now time.Time) bool { return r.Status.open() && !r.LeaseUntil.After(now) }

// open: there is something to do.
func (s Status) open() bool { return s == StatusPending || s == StatusDeleting }

func (r *Record) leased(owner string, now, until time.Time, accountSID string) Record {
	leased := *r
	leased.Owner, leased.LeaseUntil, leased.DueAt, leased.Searching = owner, until, until, false
	leased.Attempts++
	leased.UpdatedAt = now
	if leased.AccountSID == "" {
		leased.AccountSID = accountSID
	}
	return leased
}
