package provision

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Attach records the trunk of a signup whose line is still to be completed. It
// holds where the signup has no other trunk.
type Attach struct {
	SignupID   string
	Owner      string
	AccountSID string
	Trunk      exotel.Trunk
	Now        time.Time
}

// Apply is the attachment.
func (w Attach) Apply(old *Record) (Record, bool) {
	if old == nil {
		return Record{}, false
	}
	if !old.heldBy(w.Owner) || old.TrunkSID != "" && old.TrunkSID != w.Trunk.SID {
		return *old, false
	}
	return old.with(w.Trunk, w.AccountSID, w.Now), true
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

// Seen is what of a record decides how it is extended.
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
	case old.Status != StatusPending && !old.Status.complete(), old.Seen() != w.Seen:
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

// Done tells whether a signup has all that the write adds already, or again.
func (w Extend) Done(r Record) bool {
	return r.Status == StatusPending && len(r.lacking(w.Steps)) == 0
}

// Mark writes down steps in the middle of a try: what is about to be sent, where
// sending it twice would make two.
type Mark struct {
	SignupID string
	Owner    string
	Steps    map[string]LineStep // those that changed
	Now      time.Time
}

// Apply is the mark.
func (w Mark) Apply(old *Record) (Record, bool) {
	if old == nil {
		return Record{}, false
	}
	if !old.heldBy(w.Owner) || len(old.Steps) == 0 {
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
// again, since what was added may be what was lacking.
func (r Record) extension(wanted map[string]LineStep) map[string]LineStep {
	extension := r.lacking(wanted)
	if len(extension) == 0 || r.Status != StatusPending && !r.Status.complete() {
		return nil
	}
	for key, step := range wanted {
		if r.Steps[key].Status == StepRefused {
			extension[key] = step
		}
	}
	return extension
}

// contradictions are the fields of a delivery that ask for something else than the
// record has. The first one stands.
func (r Record) contradictions(s Signup, wanted map[string]LineStep) []Fault {
	var invalid InvalidError
	if s.generation() > r.generation() {
		invalid.Add("generation", "can't begin: the one before must be deleted first")
		return invalid.Faults
	}
	if r.Status.gone() {
		return nil // nothing is asked of it any more
	}
	for key, step := range wanted {
		first, there := r.Steps[key]
		fault := Fault{step.field(), "asks for something in another way than before"}
		if there && !first.sameWish(step) && !slices.Contains(invalid.Faults, fault) {
			invalid.Faults = append(invalid.Faults, fault)
		}
	}
	if len(r.Steps)+len(r.lacking(wanted)) > maxSteps {
		invalid.Add("signup_id", "has as many numbers, addresses, destinations and credentials as a signup may have")
	}
	slices.SortFunc(invalid.Faults, func(a, b Fault) int { return strings.Compare(a.Field, b.Field) })
	return invalid.Faults
}
