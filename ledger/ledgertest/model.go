package ledgertest

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/trunkhook/trunkhook/exotel"
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
		steps := rapid.IntRange(1, 16).Draw(rt, "steps")
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
	switch kind := rapid.SampledFrom([]string{"claim", "take over", "pin", "extend", "attach", "mark", "activate", "release", "reject", "prove", "delete", "bury", "restart"}).Draw(rt, "write"); kind {
	case "claim":
		w := claim(owner, 0)
		w.Signup.ID, w.AccountSID, w.Now, w.LeaseUntil = id, account, now, until
		w.Signup.Line, w.Signup.Generation = drawLine(rt), rapid.SampledFrom([]int{0, 0, 2, 3}).Draw(rt, "generation")
		w.Signup.Company = rapid.SampledFrom([]string{"Acme", "Other"}).Draw(rt, "company")
		w.Trunk = drawImport(rt)
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Claim(t.Context(), w)
	case "take over":
		w := provision.TakeOver{SignupID: id, AccountSID: account, Owner: owner, Now: now, LeaseUntil: until, Early: rapid.Bool().Draw(rt, "early")}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.TakeOver(t.Context(), w)
	case "pin":
		w := provision.Pin{SignupID: id, Owner: owner, Attempt: drawAttempt(rt, held), AccountSID: "acme1", Now: now}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Pin(t.Context(), w)
	case "delete":
		w := provision.Delete{SignupID: id, Generation: rapid.SampledFrom([]int{0, 0, 1, 2, 3}).Draw(rt, "generation"), Reason: "it is over", QuietAt: until, Now: now}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Delete(t.Context(), w)
	case "bury":
		w := provision.Bury{SignupID: id, Owner: owner, Now: now}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Bury(t.Context(), w)
	case "restart":
		w := provision.Restart(claim(owner, 0))
		w.Signup.ID, w.AccountSID, w.Now, w.LeaseUntil = id, account, now, until
		w.Signup.Line, w.Signup.Generation = drawLine(rt), rapid.IntRange(2, 4).Draw(rt, "generation")
		w.Trunk = drawImport(rt)
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Restart(t.Context(), w)
	case "extend":
		w := provision.Extend{SignupID: id, Steps: drawLine(rt).Steps(), Seen: drawSeen(rt, held), Now: now}
		if len(w.Steps) == 0 {
			return held // the engine extends by something
		}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Extend(t.Context(), w)
	case "attach":
		w := provision.Attach{SignupID: id, Owner: owner, Attempt: drawAttempt(rt, held), AccountSID: account, Trunk: trunk(rapid.SampledFrom([]string{"trmum1a", "trmum1b"}).Draw(rt, "trunk")), Now: now}
		w.Replace, w.Steps = rapid.Bool().Draw(rt, "replace"), drawChange(rt, held)
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Attach(t.Context(), w)
	case "mark":
		w := provision.Mark{SignupID: id, Owner: owner, Attempt: drawAttempt(rt, held), Steps: drawChange(rt, held), Now: now}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Mark(t.Context(), w)
	case "activate":
		w := activateBy(owner, rapid.SampledFrom([]string{"trmum1a", "trmum1b"}).Draw(rt, "trunk"), 0)
		w.SignupID, w.Attempt, w.AccountSID, w.Now = id, drawAttempt(rt, held), account, now
		w.Incomplete, w.Seen, w.Steps = rapid.Bool().Draw(rt, "incomplete"), drawSeen(rt, held), drawChange(rt, held)
		w.Seen.Complete = false // a try's is not
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Activate(t.Context(), w)
	case "release":
		w := provision.Release{SignupID: id, Owner: owner, Attempt: drawAttempt(rt, held), Now: now, DueAt: until, LastError: "lost", Searching: rapid.Bool().Draw(rt, "searching"), Steps: drawChange(rt, held), Revision: drawSeen(rt, held).Revision}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Release(t.Context(), w)
	case "reject":
		w := provision.Reject{SignupID: id, Owner: owner, Attempt: drawAttempt(rt, held), Reason: "no", Now: now}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Reject(t.Context(), w)
	case "prove":
		w := provision.Prove{SignupID: id, Owner: owner, Attempt: drawAttempt(rt, held), Now: now}
		want, wantHolds = w.Apply(held)
		got, holds, err = l.Prove(t.Context(), w)
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

// drawImport draws the trunk of an import's claim, or none, as most have.
func drawImport(rt *rapid.T) *exotel.Trunk {
	if rapid.IntRange(0, 3).Draw(rt, "an import's") > 0 {
		return nil
	}
	made := trunk(rapid.SampledFrom([]string{"trmum1a", "trmum1b"}).Draw(rt, "trunk"))
	return &made
}

// drawLine draws a line of a few things, or none.
func drawLine(rt *rapid.T) (line provision.Line) {
	all := provision.Signup{Line: provision.Line{
		PhoneNumbers:    []provision.PhoneNumber{{PhoneNumber: "+912247788868"}},
		WhitelistedIPs:  []string{"198.51.100.0/24", "8.8.8.8"},
		DestinationURIs: []string{"sip.acme.com:5061;transport=tls"},
		Credentials:     []provision.Credential{{UserName: "acme"}},
		CallerID:        "+912247788868",
	}}.Normalised().Line
	if rapid.Bool().Draw(rt, "numbers") {
		line.PhoneNumbers = all.PhoneNumbers
	}
	line.WhitelistedIPs = all.WhitelistedIPs[:rapid.IntRange(0, 2).Draw(rt, "addresses")]
	if rapid.Bool().Draw(rt, "the rest") {
		line.DestinationURIs, line.Credentials, line.CallerID = all.DestinationURIs, all.Credentials, all.CallerID
	}
	return line
}

// drawChange draws how some of a record's steps stand now. There are none of a
// record that has none: a holder knows what it holds.
func drawChange(rt *rapid.T, held *provision.Record) map[string]provision.LineStep {
	if held == nil || len(held.Steps) == 0 {
		return nil
	}
	changed := make(map[string]provision.LineStep)
	for _, step := range held.LineSteps() {
		step.Status = rapid.SampledFrom([]provision.StepStatus{provision.StepPending, provision.StepDone, provision.StepRefused}).Draw(rt, "status")
		switch step.Status {
		case provision.StepPending:
			step.SentAt, step.LookedAt, step.HiddenSince = at(rapid.IntRange(0, 60).Draw(rt, "sent at")), at(1), at(2)
		case provision.StepDone:
			step.ID, step.PasswordAt = "4711", "/passwords/acme"
		case provision.StepRefused:
			step.Reason = "Invalid PhoneNumber"
		}
		if rapid.Bool().Draw(rt, "changed") {
			changed[step.Key()] = step
		}
	}
	return changed
}

// drawAttempt is mostly the record's, or any.
func drawAttempt(rt *rapid.T, held *provision.Record) int {
	if held != nil && rapid.IntRange(0, 3).Draw(rt, "its attempt") > 0 {
		return held.Attempts
	}
	return rapid.IntRange(0, 2).Draw(rt, "attempt")
}

// drawSeen is mostly as the record stands.
func drawSeen(rt *rapid.T, held *provision.Record) provision.Seen {
	if held != nil && rapid.IntRange(0, 3).Draw(rt, "seen as it is") > 0 {
		return held.Seen()
	}
	return provision.Seen{
		Complete: rapid.Bool().Draw(rt, "complete"), Steps: rapid.Bool().Draw(rt, "has steps"), Revision: rapid.IntRange(0, 2).Draw(rt, "revision"), Generation: rapid.SampledFrom([]int{0, 0, 2}).Draw(rt, "generation seen"),
	}
}
