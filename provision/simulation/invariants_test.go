package simulation_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// What must hold.
const (
	oneTrunk       = "a signup has at most one trunk, over all accounts and names"
	keptPromise    = "who answered 2xx has the signup on disk, from then on"
	finished       = "every signup ends active, or incomplete where the vendor refused a part, or rejected by an operator"
	realTrunk      = "an active signup has the trunk that the vendor holds under its name"
	toldTruth      = "what was told of a settled signup is on disk, and stays so"
	settledStays   = "a settled signup never changes, unless a delivery or an operator adds to it, and keeps its trunk"
	onlyOperator   = "only an operator rejects"
	nothingLeft    = "a settled signup has no lease and is in no queue"
	contentCounts  = "other content is told to be a conflict, and only that"
	rejectionLast  = "while clocks agree nothing is sent for a signup once its rejection is on disk"
	keptImport     = "a signup that an import begins has the import's trunk, and no other is made for it"
	withinTheLimit = "while clocks agree the vendor's limit holds, in every minute"
)

// violation is the first time that an invariant did not hold.
type violation struct {
	invariant, detail string
	at                time.Duration
}

// violate is called under the world's mutex.
func (w *world) violate(invariant, format string, args ...any) {
	if slices.ContainsFunc(w.violations, func(v violation) bool { return v.invariant == invariant }) {
		return
	}
	found := violation{invariant, fmt.Sprintf(format, args...), time.Since(w.began)}
	w.violations = append(w.violations, found)
	if w.tracing {
		w.trace.add("", "VIOLATION:", invariant+":", found.detail)
	}
}

// testimony is what the world remembers to hold the engine to.
type testimony struct {
	names    map[string]string // whose trunk a name is, by what the table ever said
	promised map[string]bool   // answered with 2xx
	sids     map[string]string // the trunk that somebody was told
	rejected map[string]bool   // told to be
	named    map[string]string // trunks that an operator named, and for which signup
	wishes   map[wish]bool     // steps that were asked for and answered with 2xx
	tokens   map[string]bool   // that are operators'
	replaced map[string]bool   // signups whose trunk an operator replaced
	imported map[string]bool   // names of trunks that need not be made, since an import began their signups
	refusals map[wish]bool     // what the vendor refused, with the trunk's sid in place of the signup's id
	wipedAt  time.Time

	deleted map[string]bool // signups whose deletion somebody was told
	buried  map[string]bool // names whose watch is over
	freed   map[string]bool // numbers of trunks that were deleted
}

func newTestimony() testimony {
	return testimony{
		names: map[string]string{}, promised: map[string]bool{}, sids: map[string]string{}, rejected: map[string]bool{},
		named: map[string]string{}, wishes: map[wish]bool{}, replaced: map[string]bool{}, tokens: map[string]bool{}, refusals: map[wish]bool{},
		imported: map[string]bool{}, deleted: map[string]bool{}, buried: map[string]bool{}, freed: map[string]bool{},
	}
}

// wiped: a new table knows nothing of promises and rejections. The trunks that
// were told must come back.
func (t *testimony) wiped(at time.Time) {
	clear(t.promised)
	clear(t.rejected)
	clear(t.wishes)
	t.wipedAt = at
}

// attribute notes whose name that is.
func (w *world) attribute(name, id string) { w.testimony.names[name] = id }

// checkTrunks is called when a trunk has been made.
func (w *world) checkTrunks(name string) {
	id := w.testimony.names[name]
	count := 0
	for _, a := range w.accounts {
		for _, t := range a.trunks {
			if id != "" && w.testimony.names[t.Name] == id {
				count++
			}
		}
	}
	if count != 1 {
		w.violate(oneTrunk, "%q has %d, the last one named %s", id, count, name)
	}
}

// checkSend is called when something is sent by somebody who looked at the clock
// at that moment. Who stood still since then can't know better, nor can who began
// before the table was wiped, and its lease with it.
func (w *world) checkSend(by *actor, accountSID string, e exchange, looked time.Time) {
	if e.forTrunk() == "" {
		return
	}
	id := w.testimony.names[e.forTrunk()]
	if t := w.accounts[accountSID].trunkOf(e.trunkSID); t != nil {
		id = w.signupOf(t)
	}
	if w.clocksAgree && time.Now().Equal(looked) && !w.testimony.wipedAt.After(by.began) && w.records[id].Status == provision.StatusRejected {
		w.violate(rejectionLast, "%s sends %s for %s", by.name, e.op, id)
	}
}

// checkRate is called with how many requests the last minute had.
func (w *world) checkRate(inMinute int) {
	if w.evenPace && w.callsPerMinute > 0 && inMinute > w.vendorLimit() {
		w.violate(withinTheLimit, "%d requests in a minute, where %d are allowed and the budget is %d", inMinute, w.vendorLimit(), w.callsPerMinute)
	}
}

// checkWrite is called before a write takes effect.
func (w *world) checkWrite(by *actor, op string, old *provision.Record, r provision.Record) {
	w.stats.writes[op]++
	if r.Searching {
		w.stats.writes["release to the search"]++
	}
	if by.operator && (op == "take over" || op == "claim") {
		w.testimony.tokens[r.Owner] = true
	}
	if by.operator && op == "claim" && old == nil && w.upheaval != tableIsWiped {
		w.testimony.imported[r.TrunkName] = true
		w.stats.writes["claim of an import"]++
	}
	if w.checkDeletion(by, op, old, r) {
		return
	}
	if op == "attach" && by.operator && old.TrunkSID != "" && old.TrunkSID != r.TrunkSID {
		w.testimony.replaced[r.SignupID] = true
	}
	settled := r.Status != provision.StatusPending
	extended := op == "extend" && old != nil && complete(old.Status) && r.Status == provision.StatusPending && r.TrunkSID == old.TrunkSID
	if old != nil && old.Status != provision.StatusPending && (r.Status != old.Status || r.TrunkSID != old.TrunkSID) && !extended {
		w.violate(settledStays, "%s of %s makes %s %s %s out of %s %s", op, by.name, r.SignupID, r.Status, r.TrunkSID, old.Status, old.TrunkSID)
	}
	if r.Status == provision.StatusRejected && (old == nil || old.Status != r.Status) && !by.operator {
		w.violate(onlyOperator, "%s of %s rejects %s", op, by.name, r.SignupID)
	}
	if settled && (r.Owner != "" || !r.LeaseUntil.IsZero() || !r.DueAt.IsZero() || r.Searching) {
		w.violate(nothingLeft, "%s of %s leaves %s", op, by.name, w.describe(r, true))
	}
	w.checkLine(by, op, old, r)
}

// answered is what a sender got.
func (w *world) answered(a *actor, s provision.Signup, result provision.Result, err error) {
	if !w.told(a, result, err) || err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.testimony.wipedAt.After(a.began) {
		return
	}
	w.testimony.promised[s.ID] = true
	if _, there := w.records[s.ID]; !there {
		w.violate(keptPromise, "%s was told %s of %s", a.name, result.Outcome, s.ID)
	}
	if contradicts(s, result.Record) != (result.Outcome == provision.OutcomeConflict) {
		w.violate(contentCounts, "%s was told %s of %s, with the content of %q: %s", a.name, result.Outcome, s.ID, result.Record.Company, describeSteps(result.Record.Steps))
	}
	w.promiseLine(a, s, result)
}

// told checks what somebody was told of a signup. It tells whether that
// happened: who is dead tells nothing.
func (w *world) told(a *actor, result provision.Result, err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.process.dead {
		return false
	}
	if w.tracing {
		w.trace.add(a.name, "is told", fmt.Sprintf("%s %s %s, problem %v, error %v", result.Outcome, result.Record.Status, result.Record.TrunkSID, problem(result), err))
	}
	if result.Problem != nil && result.Problem.Alarm != "" {
		w.stats.alarms[result.Problem.Alarm]++
	}
	if err == nil {
		w.stats.outcomes[result.Outcome]++
		w.checkTold(a, result)
	}
	return true
}

// checkTold checks what was told against the disk.
func (w *world) checkTold(a *actor, result provision.Result) {
	r := result.Record
	if r.SignupID == "" {
		w.violate(keptPromise, "%s was told %s of nothing", a.name, result.Outcome)
	}
	if gone(r.Status) {
		w.checkToldGone(a, result)
		return
	}
	if settled := r.Status != provision.StatusPending; settled != saysSettled(result.Outcome) && result.Outcome != provision.OutcomeConflict {
		w.violate(toldTruth, "%s was told %s of a signup that is %s", a.name, result.Outcome, r.Status)
	}
	if r.Status == provision.StatusPending || w.testimony.wipedAt.After(a.began) {
		return
	}
	disk := w.records[r.SignupID]
	if gone(disk.Status) || disk.Generation != r.Generation { // deleted since
		return
	}
	if extended := complete(r.Status) && disk.Revision > r.Revision; disk.Status != r.Status && !extended || disk.TrunkSID != r.TrunkSID && !w.testimony.replaced[r.SignupID] {
		w.violate(toldTruth, "%s was told %s %s of %s, and it is %s %s", a.name, r.Status, r.TrunkSID, r.SignupID, disk.Status, disk.TrunkSID)
	}
	w.remember(a, r)
}

func saysSettled(outcome provision.Outcome) bool {
	return outcome != provision.OutcomePending && outcome != provision.OutcomeInProgress
}

func problem(result provision.Result) error {
	if result.Problem == nil {
		return nil
	}
	return result.Problem.Err
}

// remember holds what was told of a settled signup against what was told before.
func (w *world) remember(a *actor, r provision.Record) {
	if r.Status == provision.StatusRejected {
		w.testimony.rejected[r.SignupID] = true
		return
	}
	if before := w.testimony.sids[lifeOf(r)]; before != "" && before != r.TrunkSID && !w.testimony.replaced[r.SignupID] {
		w.violate(toldTruth, "%s was told the trunk %s of %s, where another was told %s", a.name, r.TrunkSID, r.SignupID, before)
	}
	w.testimony.sids[lifeOf(r)] = r.TrunkSID
}

// reconciled is what a pass says.
func (w *world) reconciled(a *actor, pass provision.Pass, err error) {
	if w.tracing && err != nil {
		w.event(a.name, "ends with", err.Error())
	}
	for _, result := range pass.Results {
		w.told(a, result, nil)
	}
}

// checkEnd is called when all is over.
func (w *world) checkEnd() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.ids {
		r, there := w.records[id]
		switch {
		case !there && w.testimony.promised[id]:
			w.violate(keptPromise, "%s is not on disk", id)
		case !there:
		case r.Status == provision.StatusPending:
			w.violate(finished, "%s is pending still: due %s, %s", id, w.trace.clock(r.DueAt), r.LastError)
		case complete(r.Status):
			w.checkTrunk(r)
		}
		if w.checkDeleted(id, r); gone(r.Status) {
			continue
		}
		if w.testimony.rejected[id] && r.Generation == 0 && r.Status != provision.StatusRejected {
			w.violate(toldTruth, "%s was said to be rejected, and is %s", id, r.Status)
		}
		if sid := w.testimony.sids[lifeOf(r)]; sid != "" && there && sid != r.TrunkSID && !w.forgotten(r) && !w.testimony.replaced[id] {
			w.violate(toldTruth, "%s was said to have the trunk %s, and has %s", id, sid, r.TrunkSID)
		}
	}
	w.checkLines()
}

// forgotten: after the table was wiped an operator rejects what was active before.
func (w *world) forgotten(r provision.Record) bool {
	return !w.testimony.wipedAt.IsZero() && r.Status == provision.StatusRejected
}

func (w *world) checkTrunk(r provision.Record) {
	if w.accounts[r.AccountSID] == nil {
		w.violate(realTrunk, "%s has %s, and no account", r.SignupID, r.TrunkSID)
		return
	}
	for _, t := range w.accounts[r.AccountSID].trunks {
		if t.SID == r.TrunkSID && (t.Name == r.TrunkName || w.testimony.named[t.SID] == r.SignupID) {
			return
		}
	}
	w.violate(realTrunk, "%s has %s, which is not %s in %s", r.SignupID, r.TrunkSID, r.TrunkName, r.AccountSID)
}
