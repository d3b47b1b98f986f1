package simulation_test

import (
	"errors"
	"maps"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// What must hold of lines, beside what must hold of every signup.
const (
	neverTwice  = "nothing of a line is at the vendor twice, at any moment"
	ownLine     = "nothing is added to a trunk that its signup didn't ask for"
	allThere    = "an active signup has all that it asks for, and an incomplete one all that wasn't refused, really at the vendor"
	keptWish    = "what was asked for and answered with 2xx is on disk, and ends done or refused"
	theirReason = "a step is refused only where the vendor or an operator refused it or another trunk has it, and a signup incomplete only for that"
	knownSecret = "a credential at the vendor has the password that is kept"
	firstStands = "a delivery that contradicts changes nothing"
)

// wish is a step of a signup.
type wish struct{ id, key string }

// checkThing is called when something was added to a trunk.
func (w *world) checkThing(by *actor, a *account, t *trunk, kind provision.StepKind, x thing) {
	id := w.signupOf(t)
	if !w.asks(id, x.key(kind)) {
		w.violate(ownLine, "%s adds %s to %s, which is of %q", by.name, x.key(kind), t.SID, id)
	}
	before, after, listed := w.copies(a, t, kind, x.value)
	switch {
	case before+after <= 1:
	case doubles(kind) && before <= 1 && after <= 1 && !listed:
		w.stats.doubled++ // what the lost table knew to be under way nobody can know any more
	default:
		w.violate(neverTwice, "%s adds %s to %s, which is there %d times then", by.name, x.key(kind), t.SID, before+after)
	}
}

// copies counts how often a thing is there: sent by whom the table before the wipe
// knew, and after; and whether one of the former was listed when the table was wiped.
func (w *world) copies(a *account, t *trunk, kind provision.StepKind, value string) (before, after int, listed bool) {
	for _, other := range a.trunks {
		if other.SID != t.SID && kind != provision.KindPhoneNumber {
			continue
		}
		for _, x := range other.things[kind] {
			switch {
			case x.value != value:
			case x.tables == w.tables:
				after++
			default:
				before++
				listed = listed || !x.listedFrom.After(w.testimony.wipedAt)
			}
		}
	}
	return before, after, listed
}

// signupOf is the signup whose trunk that is, by its name or an operator's word.
func (w *world) signupOf(t *trunk) string {
	if id := w.testimony.named[t.SID]; id != "" {
		return id
	}
	return w.testimony.names[t.Name]
}

// noteRefusal remembers that the vendor refused something, for good as it says.
func (w *world) noteRefusal(trunkSID string, kind provision.StepKind, value string, failed *exotel.Error) {
	if errors.Is(failed, exotel.ErrInvalid) || errors.Is(failed, exotel.ErrForbidden) {
		w.testimony.refusals[wish{trunkSID, thing{value: value}.key(kind)}] = true
	}
}

// checkLine is called before a write takes effect.
func (w *world) checkLine(by *actor, op string, old *provision.Record, r provision.Record) {
	if op == "mark" {
		by.tables = w.tables
		w.countResent(old, r)
	}
	if old != nil {
		for key, step := range old.Steps {
			if now := r.Steps[key]; now.Value != step.Value || now.Option != step.Option {
				w.violate(keptWish, "%s of %s loses %s of %s", op, by.name, key, r.SignupID)
			}
		}
		if s := by.signup; s != nil && !w.testimony.wipedAt.After(by.began) && contradicts(*s, *old) && !maps.Equal(old.Steps, r.Steps) {
			w.violate(firstStands, "%s of %s makes %s of %s out of %s", op, by.name, describeSteps(r.Steps), r.SignupID, describeSteps(old.Steps))
		}
	}
	for key, step := range r.Steps {
		if by.operator && step.Status == provision.StepRefused && step.Reason == operatorsWord {
			w.testimony.refusals[wish{r.TrunkSID, key}] = true
		}
	}
	if complete(r.Status) {
		w.checkRefusals(op, by, r)
		w.checkComplete(r)
	}
}

// countResent counts what is about to be sent once more.
func (w *world) countResent(old *provision.Record, r provision.Record) {
	if old == nil {
		return
	}
	for key, step := range r.Steps {
		if before := old.Steps[key].SentAt; doubles(step.Kind) && !before.IsZero() && step.SentAt.After(before) {
			w.stats.resent++
		}
	}
}

func complete(s provision.Status) bool {
	return s == provision.StatusActive || s == provision.StatusIncomplete
}

// contradicts tells whether a delivery asks for something else than a record has.
func contradicts(s provision.Signup, r provision.Record) bool {
	switch {
	case generation(s.Generation) != generation(r.Generation):
		return s.Generation > r.Generation // one before is told how it went on
	case gone(r.Status):
		return s.Fingerprint() != r.Fingerprint
	}
	for key, step := range s.Normalised().Line.Steps() {
		if first, there := r.Steps[key]; there && (first.Value != step.Value || first.Option != step.Option) {
			return true
		}
	}
	return s.Fingerprint() != r.Fingerprint
}

// checkRefusals is called when a signup becomes active or incomplete.
func (w *world) checkRefusals(op string, by *actor, r provision.Record) {
	some := false
	for key, step := range r.Steps {
		if step.Status != provision.StepRefused {
			continue
		}
		some = true
		if step.Reason == "" || !w.testimony.refusals[wish{r.TrunkSID, key}] && !w.elsewhere(r, step) {
			w.violate(theirReason, "%s of %s has %s refused for %s: %s", op, by.name, key, r.SignupID, step.Reason)
		}
	}
	if some != (r.Status == provision.StatusIncomplete) {
		w.violate(theirReason, "%s of %s makes %s %s with %s", op, by.name, r.SignupID, r.Status, describeSteps(r.Steps))
	}
}

// elsewhere tells whether another trunk of the account has the number.
func (w *world) elsewhere(r provision.Record, step provision.LineStep) bool {
	for _, t := range w.accounts[r.AccountSID].trunks {
		if w.testimony.freed[step.Value] || step.Kind == provision.KindPhoneNumber && t.SID != r.TrunkSID && t.count(step.Kind, step.Value) > 0 {
			return true
		}
	}
	return false
}

// checkComplete looks for everything that a signup is said to have.
func (w *world) checkComplete(r provision.Record) {
	for key, step := range r.Steps {
		switch step.Status {
		case provision.StepRefused: // it may be there all the same, by a send before
		case provision.StepDone:
			w.checkDone(r, step)
		default:
			w.violate(allThere, "%s is %s, and %s is %s", r.SignupID, r.Status, key, step.Status)
		}
	}
}

func (w *world) checkDone(r provision.Record, step provision.LineStep) {
	var found []thing
	if a := w.accounts[r.AccountSID]; a != nil {
		if t := a.trunkOf(r.TrunkSID); t != nil {
			found = t.things[step.Kind]
		}
	}
	count := 0
	for _, x := range found {
		if x.value != step.Value {
			continue
		}
		count++
		if x.option != step.Option {
			w.violate(allThere, "%s asks for %s with %q, and the vendor has it with %q", r.SignupID, step.Key(), step.Option, x.option)
		}
		if step.Kind == provision.KindCredential && (step.PasswordAt != passwordAt(r.TrunkName, step.Value) || w.passwords[step.PasswordAt] != x.password || x.password == "") {
			w.violate(knownSecret, "the password of %s of %s isn't the one at %q", step.Key(), r.SignupID, step.PasswordAt)
		}
	}
	if count == 0 {
		w.violate(allThere, "%s is %s, and the vendor doesn't have %s", r.SignupID, r.Status, step.Key())
	}
}

// promiseLine: what a delivery asks for is on disk, once it is answered with 2xx and
// neither contradicts nor comes after the signup's rejection.
func (w *world) promiseLine(a *actor, s provision.Signup, result provision.Result) {
	if result.Outcome == provision.OutcomeConflict || result.Record.Status == provision.StatusRejected {
		return
	}
	disk := w.records[s.ID]
	if gone(disk.Status) || generation(disk.Generation) != generation(s.Generation) {
		return
	}
	for key, step := range s.Normalised().Line.Steps() {
		w.testimony.wishes[wish{s.ID, key}] = true
		if on := disk.Steps[key]; on.Value != step.Value || on.Option != step.Option {
			w.violate(keptWish, "%s was told %s, and %s isn't on disk", a.name, result.Outcome, key)
		}
	}
}

// checkLines is called when all is over.
func (w *world) checkLines() {
	for wish := range w.testimony.wishes {
		r := w.records[wish.id]
		if _, there := r.Steps[wish.key]; !there && r.Status != provision.StatusRejected {
			w.violate(keptWish, "%s has no %s", wish.id, wish.key)
		}
	}
	for _, r := range w.records {
		if complete(r.Status) {
			w.checkComplete(r)
		}
		if len(r.Steps) > 0 {
			w.stats.settled[r.Status]++
		}
	}
}
