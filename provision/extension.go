package provision

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Attach records the trunk of a signup whose line is still to be completed. It
// holds where the signup has no other trunk, or an operator says that it is this one.
type Attach struct {
	SignupID   string
	Owner      string
	Attempt    int // of the try, see Record.Attempts
	AccountSID string
	Trunk      exotel.Trunk
	Replace    bool                // whatever trunk it had
	Steps      map[string]LineStep // those that changed: with another trunk, all
	Now        time.Time
}

// Apply is the attachment.
func (w Attach) Apply(old *Record) (Record, bool) {
	switch {
	case old == nil:
		return Record{}, false
	case !old.heldBy(w.Owner, w.Attempt), !w.Replace && old.TrunkSID != "" && old.TrunkSID != w.Trunk.SID:
		return *old, false
	case len(w.Steps) > 0 && old.TrunkSID == w.Trunk.SID: // this is a copy, and they have gone on since
		return *old, true
	}
	return old.with(w.Trunk, w.AccountSID, w.Now).withSteps(w.Steps), true
}

// Extend adds steps to the line of a signup, whoever holds it, or lets refused
// ones be tried again. One that was complete is pending then, and due. It holds
// where the signup is as it was seen; after it was done it knows itself by what it
// added.
type Extend struct {
	SignupID string
	Steps    map[string]LineStep // all pending
	Seen     Seen
	Now      time.Time
}

// Seen is what of a record decides how it is extended, and whether a try knows all
// that it asks for.
type Seen struct {
	Complete bool // active or incomplete, not pending
	Steps    bool // it has some
	Revision int
}

// Seen is as the record stands.
func (r Record) Seen() Seen {
	return Seen{Complete: r.Status.complete(), Steps: len(r.Steps) > 0, Revision: r.Revision}
}

// Apply is the extension.
func (w Extend) Apply(old *Record) (Record, bool) {
	switch {
	case old == nil:
		return Record{}, false
	case old.Status == StatusRejected, old.Seen() != w.Seen:
		return *old, w.Done(*old)
	}
	extended := old.withSteps(w.Steps)
	extended.Revision++
	extended.UpdatedAt = w.Now
	if w.Seen.Complete {
		extended.Status, extended.DueAt, extended.ReopenedAt = StatusPending, w.Now, w.Now
	}
	return extended, true
}

// Done tells whether a signup has all that the write adds already, or again, and in
// no other way.
func (w Extend) Done(r Record) bool {
	for key, step := range w.Steps {
		if first, there := r.Steps[key]; !there || !first.sameWish(step) {
			return false
		}
	}
	return r.Status == StatusPending
}

// Mark writes down steps in the middle of a try: what is about to be sent, where
// sending it twice would make two.
type Mark struct {
	SignupID string
	Owner    string
	Attempt  int                 // of the try, see Record.Attempts
	Steps    map[string]LineStep // those that changed
	Now      time.Time
}

// Apply is the mark.
func (w Mark) Apply(old *Record) (Record, bool) {
	if old == nil {
		return Record{}, false
	}
	if !old.heldBy(w.Owner, w.Attempt) || len(old.Steps) == 0 {
		return *old, false
	}
	marked := old.withSteps(w.Steps)
	marked.UpdatedAt = w.Now
	return marked, true
}

// withSteps is the record with these steps in place of its own of the same keys.
func (r Record) withSteps(steps map[string]LineStep) Record {
	if len(steps) == 0 {
		return r
	}
	merged := make(map[string]LineStep, len(r.Steps)+len(steps))
	maps.Copy(merged, r.Steps)
	maps.Copy(merged, steps)
	r.Steps = merged
	return r
}

// notReopened are those of a try's steps that a delivery hasn't reopened since.
func (r Record) notReopened(steps map[string]LineStep) map[string]LineStep {
	kept := maps.Clone(steps)
	maps.DeleteFunc(kept, func(key string, step LineStep) bool { return step.Status == StepRefused && r.Steps[key].open() })
	return kept
}

// lacking are the steps of which the record has none.
func (r Record) lacking(wanted map[string]LineStep) map[string]LineStep {
	lacking := make(map[string]LineStep)
	for key, step := range wanted {
		if _, there := r.Steps[key]; !there {
			lacking[key] = step
		}
	}
	return lacking
}

// extension is what a delivery adds to the record; empty where it adds nothing. A
// delivery that adds something lets what Exotel refused of its wishes be tried
// again, since what was added may be what was lacking. A complete signup that has
// open steps was ended by a version that didn't know of them: they are lacking too.
func (r Record) extension(wanted map[string]LineStep) map[string]LineStep {
	extension := r.lacking(wanted)
	for key, step := range r.Steps {
		if r.Status.complete() && step.open() {
			extension[key] = step
		}
	}
	if len(extension) == 0 || r.Status == StatusRejected {
		return nil
	}
	for key := range wanted {
		if step := r.Steps[key]; step.Status == StepRefused {
			extension[key] = step.reopened()
		}
	}
	return extension
}

// contradictions are the fields of a delivery that ask for something else than the
// record has. The first one stands.
func (r Record) contradictions(wanted map[string]LineStep) []Fault {
	var invalid InvalidError
	for key, step := range wanted {
		first, there := r.Steps[key]
		fault := Fault{step.field(), "asks for something in another way than before"}
		if there && !first.sameWish(step) && !slices.Contains(invalid.Faults, fault) {
			invalid.Faults = append(invalid.Faults, fault)
		}
	}
	if lacking := len(r.lacking(wanted)); lacking > 0 && len(r.Steps)+lacking > MaxSteps {
		invalid.Add("signup_id", "has as many numbers, addresses, destinations and credentials as a signup may have")
	}
	slices.SortFunc(invalid.Faults, func(a, b Fault) int { return strings.Compare(a.Field, b.Field) })
	return invalid.Faults
}
