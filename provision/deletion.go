package provision

import "time"

// Delete says that a signup shall have no trunk any more. From then on nobody
// creates for it: who holds it loses it, and no later delivery gets it. It holds as
// well where the signup is deleted, or being deleted, already; and of another
// generation never, so that what comes late can't delete the next one.
type Delete struct {
	SignupID   string
	Generation int       // which one; zero and 1 are the first
	Reason     string    // for people
	QuietAt    time.Time // until when a create of before may still be under way
	Now        time.Time
}

// Apply is the deletion.
func (w Delete) Apply(old *Record) (Record, bool) {
	switch {
	case old == nil:
		return Record{}, false
	case old.generation() != max(w.Generation, 1), old.Status.gone():
		return *old, w.Done(*old)
	}
	deleting := old.settled()
	deleting.Status, deleting.Reason, deleting.QuietAt, deleting.LastError = StatusDeleting, w.Reason, w.QuietAt, ""
	deleting.DueAt, deleting.ReopenedAt, deleting.UpdatedAt = w.Now, w.Now, w.Now
	return deleting, true
}

// Done tells whether that generation is deleted, or being deleted, already.
func (w Delete) Done(r Record) bool { return r.generation() == max(w.Generation, 1) && r.Status.gone() }

// Bury ends a deletion: the trunk is gone, and none can come any more. What is left
// is a tombstone, which no delivery brings back to life. It holds as well where the
// signup is deleted already.
type Bury struct {
	SignupID string
	Owner    string
	Now      time.Time
}

// Apply is the burial.
func (w Bury) Apply(old *Record) (Record, bool) {
	switch {
	case old == nil:
		return Record{}, false
	case old.Status == StatusDeleted:
		return *old, true
	case old.Status != StatusDeleting || old.Owner != w.Owner:
		return *old, false
	}
	buried := old.settled()
	buried.Status, buried.LastError, buried.QuietAt, buried.UpdatedAt = StatusDeleted, "", time.Time{}, w.Now
	return buried, true
}

// Restart is a claim of the next generation of a signup that is deleted: a new
// signup under the same id, with a trunk of another name, or with an import's.
type Restart Claim

// Apply is the restart.
func (w Restart) Apply(old *Record) (Record, bool) {
	switch {
	case old == nil:
		return Record{}, false
	case old.claimedBy(w.Owner):
		return *old, true
	case old.Status != StatusDeleted || w.Signup.generation() != old.generation()+1:
		return *old, false
	}
	return Claim(w).first(), true
}

// gone: deleted, or about to be.
func (s Status) gone() bool { return s == StatusDeleting || s == StatusDeleted }

// generation counts from 1; a record and a signup have none for the first.
func (r Record) generation() int { return max(r.Generation, 1) }
func (s Signup) generation() int { return max(s.Generation, 1) }
