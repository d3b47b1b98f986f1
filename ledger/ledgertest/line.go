package ledgertest

import (
	"maps"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// withLine is the claim of a signup that asks for a number and an address.
func withLine(w provision.Claim) provision.Claim {
	w.Signup.Line = provision.Line{PhoneNumbers: []provision.PhoneNumber{{PhoneNumber: "+912247788868"}}, WhitelistedIPs: []string{"198.51.100.0/24"}}
	w.Signup = w.Signup.Normalised()
	return w
}

// another is one more address, as steps.
func another(prefix string) map[string]provision.LineStep {
	return provision.Line{WhitelistedIPs: []string{prefix}}.Steps()
}

func ended(record provision.Record, status provision.StepStatus) map[string]provision.LineStep {
	steps := maps.Clone(record.Steps)
	for key, step := range steps {
		step.Status, step.ID = status, "4711"
		steps[key] = step
	}
	return steps
}

func extendBy(record provision.Record, steps map[string]provision.LineStep, seconds int) provision.Extend {
	return provision.Extend{SignupID: "acme-42", Steps: steps, Seen: record.Seen(), Now: at(seconds)}
}

func claimLine(t *testing.T, l Store) {
	w := withLine(claim("one", 0))
	want, _ := w.Apply(nil)
	same(t, do(t, l.Claim, w, true), want)
	same(t, stored(t, l), want)
	if len(want.Steps) != 2 {
		t.Fatalf("steps %+v", want.Steps)
	}
	released := releaseBy("one", 1, 0)
	released.Steps = ended(want, provision.StepDone)
	want.Steps = released.Steps
	do(t, l.Release, released, true)
	again := withLine(claim("two", 2)) // it asks for what is there
	if got := do(t, l.Claim, again, true); len(got.Steps) != 2 || got.Steps["phone_number +912247788868"].Status != provision.StepDone {
		t.Errorf("got %+v", got)
	}
}

func extend(t *testing.T, l Store) {
	held := do(t, l.Claim, claim("one", 0), true)
	w := extendBy(held, another("198.51.100.0/24"), 1)
	extended := do(t, l.Extend, w, true)
	if extended.Owner != "one" || !extended.LeaseUntil.Equal(held.LeaseUntil) || extended.Revision != 1 || len(extended.Steps) != 1 {
		t.Errorf("got %+v", extended)
	}
	same(t, do(t, l.Extend, w, true), extended)                                     // it knows itself
	do(t, l.Extend, extendBy(held, another("203.0.113.0/24"), 1), false)            // has not seen the first
	more := do(t, l.Extend, extendBy(extended, another("203.0.113.0/24"), 2), true) // has
	do(t, l.Extend, provision.Extend{SignupID: "acme-43", Steps: w.Steps}, false)   // nothing there
	done := releaseBy("one", 3, 0)                                                  // who holds it changes what it knew
	done.Steps = ended(extended, provision.StepDone)
	do(t, l.Release, done, false) // it has not seen what was added, and might undo it
	done.Revision = 2
	got := do(t, l.Release, done, true)
	if len(got.Steps) != 2 || got.Steps["whitelisted_ip 198.51.100.0/24"].Status != provision.StepDone ||
		got.Steps["whitelisted_ip 203.0.113.0/24"].Status != provision.StepPending || more.Revision != 2 {
		t.Errorf("got %+v", got)
	}
}

func extendComplete(t *testing.T, l Store) {
	held := do(t, l.Claim, withLine(claim("one", 0)), true)
	w := activateBy("one", "trmum1a", 1)
	w.Seen, w.Steps, w.Incomplete = held.Seen(), ended(held, provision.StepRefused), true
	incomplete := do(t, l.Activate, w, true)
	if incomplete.Status != provision.StatusIncomplete {
		t.Fatalf("got %+v", incomplete)
	}
	same(t, do(t, l.Activate, w, true), incomplete) // it knows itself
	reopen := extendBy(incomplete, another("203.0.113.0/24"), 60)
	got := do(t, l.Extend, reopen, true)
	if got.Status != provision.StatusPending || !got.DueAt.Equal(at(60)) || got.Owner != "" || !got.LeaseUntil.IsZero() || got.TrunkSID != "trmum1a" || len(got.Steps) != 3 {
		t.Errorf("got %+v", got)
	}
	same(t, do(t, l.Extend, reopen, true), got)
	if ids, err := l.Due(t.Context(), at(60), 10); err != nil || len(ids) != 1 {
		t.Errorf("due: %v, %v", ids, err)
	}
	if backlog, err := l.Backlog(t.Context(), at(59)); err != nil || backlog.Pending != 1 || backlog.Stuck != 0 || !backlog.Oldest.Equal(at(60)) {
		t.Errorf("backlog %+v, %v: it is pending since it was reopened", backlog, err)
	}
	do(t, l.Activate, w, false)                    // a late worker's
	do(t, l.TakeOver, takeOverBy("two", 61), true) // somebody's again
	again := activateBy("two", "trmum1a", 62)
	again.Seen = got.Seen()
	if active := do(t, l.Activate, again, true); active.Status != provision.StatusActive || !active.DueAt.Equal(time.Time{}) {
		t.Errorf("got %+v", active)
	}
	rejected := provision.Extend{SignupID: "acme-42", Steps: another("192.0.2.0/24"), Seen: provision.Seen{Steps: true}, Now: at(70)}
	do(t, l.Extend, rejected, false)
}

// extendBare: an operator's, who replaces a trunk that is gone.
func extendBare(t *testing.T, l Store) {
	do(t, l.Claim, claim("one", 0), true)
	active := do(t, l.Activate, activateBy("one", "trmum1a", 1), true)
	got := do(t, l.Extend, extendBy(active, nil, 60), true)
	if got.Status != provision.StatusPending || got.Steps != nil || got.Revision != 1 || !got.DueAt.Equal(at(60)) {
		t.Errorf("got %+v", got)
	}
	same(t, stored(t, l), got)
	do(t, l.TakeOver, takeOverBy("two", 61), true)
	w := activateBy("two", "trmum1b", 62)
	w.Seen = got.Seen()
	if again := do(t, l.Activate, w, true); again.Status != provision.StatusActive || again.TrunkSID != "trmum1b" {
		t.Errorf("got %+v", again)
	}
}

func activateExtended(t *testing.T, l Store) {
	held := do(t, l.Claim, claim("one", 0), true)
	do(t, l.Extend, extendBy(held, another("198.51.100.0/24"), 1), true)
	w := activateBy("one", "trmum1a", 2)
	if got := do(t, l.Activate, w, false); got.Status != provision.StatusPending || got.Owner != "one" || got.Revision != 1 {
		t.Errorf("got %+v", got)
	}
	w.Seen = stored(t, l).Seen()
	w.Steps = ended(stored(t, l), provision.StepDone)
	if got := do(t, l.Activate, w, true); got.Status != provision.StatusActive || got.Steps["whitelisted_ip 198.51.100.0/24"].ID != "4711" {
		t.Errorf("got %+v", got)
	}
}

// activateFirstSteps: a claim may bring the first steps, and an earlier one may
// arrive once more after it and give the signup back to a try that knows of none.
func activateFirstSteps(t *testing.T, l Store) {
	bare := claim("one", 0)
	do(t, l.Claim, bare, true)
	do(t, l.Release, releaseBy("one", 1, 0), true)
	do(t, l.Claim, withLine(claim("two", 2)), true)
	do(t, l.Release, releaseBy("two", 3, 0), true)
	do(t, l.Claim, bare, true)
	if got := do(t, l.Activate, activateBy("one", "trmum1a", 4), false); got.Status != provision.StatusPending || got.Owner != "one" {
		t.Errorf("got %+v", got)
	}
}

// lateCopies: a copy of a claim gives the signup back to a try that others have
// followed, and no copy of what that wrote holds.
func lateCopies(t *testing.T, l Store) {
	first := withLine(claim("one", 0))
	held := do(t, l.Claim, first, true)
	release := releaseBy("one", 1, 0)
	release.Attempt, release.Steps = held.Attempts, held.Steps
	do(t, l.Release, release, true)
	do(t, l.Claim, withLine(claim("two", 2)), true)
	do(t, l.Mark, provision.Mark{SignupID: "acme-42", Owner: "two", Attempt: 2, Steps: ended(held, provision.StepDone), Now: at(3)}, true)
	do(t, l.Release, releaseBy("two", 4, 0), true)
	want := do(t, l.Claim, first, true)
	if want.Owner != "one" || want.Attempts != 3 {
		t.Errorf("got %+v", want)
	}
	activate := activateBy("one", "trmum1a", 5)
	activate.Attempt, activate.Seen = 1, held.Seen()
	same(t, do(t, l.Release, release, false), want)
	same(t, do(t, l.Activate, activate, false), want)
	same(t, do(t, l.Pin, provision.Pin{SignupID: "acme-42", Owner: "one", Attempt: 1, AccountSID: "acme1", Now: at(5)}, false), want)
	same(t, do(t, l.Mark, provision.Mark{SignupID: "acme-42", Owner: "one", Attempt: 1, Steps: held.Steps, Now: at(5)}, false), want)
	same(t, do(t, l.Attach, provision.Attach{SignupID: "acme-42", Owner: "one", Attempt: 1, AccountSID: "acme1", Trunk: trunk("trmum1a"), Now: at(5)}, false), want)
	same(t, do(t, l.Reject, provision.Reject{SignupID: "acme-42", Owner: "one", Attempt: 1, Reason: "no", Now: at(5)}, false), want)
	activate.Attempt = 3
	do(t, l.Activate, activate, true)
}

func attach(t *testing.T, l Store) {
	w := provision.Attach{SignupID: "acme-42", Owner: "one", AccountSID: "acme1", Trunk: trunk("trmum1a"), Now: at(1)}
	do(t, l.Attach, w, false)
	c := withLine(claim("one", 0))
	c.AccountSID = ""
	held := do(t, l.Claim, c, true)
	other := w
	other.Owner = "two"
	same(t, do(t, l.Attach, other, false), held)
	want, _ := w.Apply(&held)
	same(t, do(t, l.Attach, w, true), want)
	same(t, do(t, l.Attach, w, true), want)
	same(t, stored(t, l), want)
	if want.Status != provision.StatusPending || want.TrunkSID != "trmum1a" || want.AccountSID != "acme1" {
		t.Errorf("got %+v", want)
	}
	other = w
	other.Trunk = trunk("trmum1b")
	same(t, do(t, l.Attach, other, false), want)
}

// attachOnce: the steps begin anew with another trunk, and go on; a copy of the write
// that comes later takes nothing back.
func attachOnce(t *testing.T, l Store) {
	held := do(t, l.Claim, withLine(claim("one", 0)), true)
	w := provision.Attach{SignupID: "acme-42", Owner: "one", AccountSID: "acme1", Trunk: trunk("trmum1a"), Now: at(1)}
	do(t, l.Attach, w, true)
	w.Trunk, w.Replace, w.Steps, w.Now = trunk("trmum1b"), true, held.Steps, at(2)
	if got := do(t, l.Attach, w, true); got.TrunkSID != "trmum1b" {
		t.Errorf("got %+v", got)
	}
	do(t, l.Mark, provision.Mark{SignupID: "acme-42", Owner: "one", Steps: ended(held, provision.StepDone), Now: at(3)}, true)
	want := stored(t, l)
	same(t, do(t, l.Attach, w, true), want)
	same(t, stored(t, l), want)
}

func mark(t *testing.T, l Store) {
	held := do(t, l.Claim, withLine(claim("one", 0)), true)
	w := provision.Mark{SignupID: "acme-42", Owner: "one", Steps: map[string]provision.LineStep{}, Now: at(1)}
	step := held.Steps["whitelisted_ip 198.51.100.0/24"]
	step.SentAt = at(1)
	w.Steps[step.Key()] = step
	other := w
	other.Owner = "two"
	same(t, do(t, l.Mark, other, false), held)
	want, _ := w.Apply(&held)
	same(t, do(t, l.Mark, w, true), want)
	same(t, do(t, l.Mark, w, true), want)
	same(t, stored(t, l), want)
	if !want.Steps[step.Key()].SentAt.Equal(at(1)) || len(want.Steps) != 2 {
		t.Errorf("got %+v", want)
	}
	bare := claim("one", 0)
	bare.Signup.ID = "acme-43"
	do(t, l.Claim, bare, true)
	w.SignupID = "acme-43"
	do(t, l.Mark, w, false)
}
