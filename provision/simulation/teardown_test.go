package simulation_test

import (
	"context"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// What must hold of deletions, beside what must hold of every signup.
const (
	staysDeleted  = "a signup that is deleted stays so until its next generation begins, and nothing but a deletion of its own generation deletes it"
	nothingComes  = "once a deletion has ended, no trunk of that name is left, and none is made"
	ownLife       = "each generation has a name of its own, and begins only after the one before is deleted"
	keptDeletion  = "who was told that a signup is being deleted can rely on it"
	onlyItsTrunks = "a deletion deletes nothing but the signup's trunks"
)

// drawDeaths chooses who is deleted. With a table that is wiped, tombstones would be
// lost, as docs/architecture.md says.
func (p *plan) drawDeaths(d *dice) {
	if p.upheaval == tableIsWiped || !d.chance(0.2) {
		return
	}
	p.listLag = min(p.listLag, maxLagDeleted)
	for i, id := range p.ids {
		if i == 0 || d.chance(0.3) {
			p.doomed = append(p.doomed, id)
		}
	}
}

// scriptDeaths deletes while everything else goes on, more than once, and asks for the
// next generation too early.
func (w *world) scriptDeaths(d *dice) {
	for _, id := range w.doomed {
		for range 1 + d.below(3) {
			w.sometime(d, 0, w.span, "", func(d *dice) { w.delete(d.below(len(w.places)), id, 1) })
		}
		if d.chance(0.5) {
			w.sometime(d, 0, w.span, "", func(d *dice) { w.deliver(d.below(len(w.places)), w.nextLife(id), 4*time.Second, 5*time.Second) })
		}
	}
}

func (w *world) nextLife(id string) provision.Signup {
	return provision.Signup{ID: id, Company: "Acme", Line: w.wishes[id].all(), Generation: 2}
}

// delete is a request to delete that generation of a signup.
func (w *world) delete(place int, id string, generation int) {
	w.act("deletion", place, nil, func(a *actor) {
		a.deletes = generation
		if w.tracing {
			w.event(a.name, "begins", id, "at", a.process.name)
		}
		ctx, cancel := context.WithTimeout(a.context(), 10*time.Second)
		defer cancel()
		result, err := a.process.engine.Delete(ctx, id, generation, "the contract ended", 4*time.Second)
		if w.told(a, result, err) && err == nil {
			w.locked(func() { w.testimony.deleted[id] = true })
		}
	})
}

// startAgain lets the deleted sign up again; then come a late deletion and a late
// delivery of the generation before.
func (w *world) startAgain() {
	for _, id := range w.doomed {
		if w.records[id].Status != provision.StatusDeleted || !throwFor(w.seed, "again", id).chance(0.7) {
			continue
		}
		for range 10 {
			w.deliver(0, w.nextLife(id), 4*time.Second, 10*time.Second)
			w.actors.Wait()
		}
		w.settle()
		w.delete(0, id, 1)
		w.deliver(0, provision.Signup{ID: id, Company: "Acme", Line: w.wishes[id].all()}, 4*time.Second, 10*time.Second)
		w.actors.Wait()
		w.settle()
		if w.records[id].Generation != 2 {
			w.locked(func() { w.violate(ownLife, "%s is not of the next generation", id) })
		}
	}
}

func gone(s provision.Status) bool {
	return s == provision.StatusDeleting || s == provision.StatusDeleted
}

// generation counts from 1.
func generation(n int) int { return max(n, 1) }

// lifeOf tells the generations of a signup apart.
func lifeOf(r provision.Record) string {
	if r.Generation == 0 {
		return r.SignupID
	}
	return r.SignupID + ", the next"
}

// checkDeletion is called before a write takes effect. It tells whether that had to do
// with a deletion, so that it is no matter of other invariants.
func (w *world) checkDeletion(by *actor, op string, old *provision.Record, r provision.Record) bool {
	if old == nil || !gone(old.Status) && !gone(r.Status) {
		return false
	}
	begins := op == "delete" && !gone(old.Status) && r.Status == provision.StatusDeleting && by.deletes == generation(old.Generation) && r.Generation == old.Generation
	goesOn := gone(old.Status) && r.Status == old.Status && r.Generation == old.Generation && r.TrunkName == old.TrunkName
	ends := op == "bury" && old.Status == provision.StatusDeleting && r.Status == provision.StatusDeleted
	restarts := op == "restart" && old.Status == provision.StatusDeleted && r.Status == provision.StatusPending
	switch {
	case begins:
		for wish := range w.testimony.wishes {
			if wish.id == r.SignupID {
				delete(w.testimony.wishes, wish)
			}
		}
	case ends:
		w.testimony.buried[r.TrunkName] = true
		w.checkNoneLeft(r)
	case restarts:
		if r.TrunkName == old.TrunkName || generation(r.Generation) != generation(old.Generation)+1 || r.TrunkSID != "" {
			w.violate(ownLife, "%s of %s makes %s out of %s", op, by.name, w.describe(r, true), w.describe(*old, true))
		}
	case !goesOn:
		w.violate(staysDeleted, "%s of %s makes %s out of %s", op, by.name, w.describe(r, true), w.describe(*old, true))
	}
	if r.Status == provision.StatusDeleted && (r.Owner != "" || !r.LeaseUntil.IsZero() || !r.DueAt.IsZero() || r.Searching) {
		w.violate(nothingLeft, "%s of %s leaves %s", op, by.name, w.describe(r, true))
	}
	return true
}

// checkNoneLeft looks for trunks of a signup whose deletion has ended.
func (w *world) checkNoneLeft(r provision.Record) {
	for _, a := range w.accounts {
		for _, t := range a.trunks {
			if t.Name == r.TrunkName || t.SID == r.TrunkSID {
				w.violate(nothingComes, "%s is deleted, and %s is there, named %s", r.SignupID, t.SID, t.Name)
			}
		}
	}
}

// checkMade is called when a trunk was made.
func (w *world) checkMade(by *actor, name string) {
	if w.testimony.buried[name] {
		w.violate(nothingComes, "%s makes a trunk named %s, which is deleted", by.name, name)
	}
	if w.testimony.imported[name] {
		w.violate(keptImport, "%s makes a trunk named %s", by.name, name)
	}
	if w.records[w.testimony.names[name]].Status == provision.StatusDeleting {
		w.stats.watched++
	}
}

// checkRemoved is called when a trunk is about to be deleted.
func (w *world) checkRemoved(by *actor, t *trunk) {
	r := w.records[w.signupOf(t)]
	if !gone(r.Status) && (r.Generation == 0 || t.SID == r.TrunkSID || t.Name == r.TrunkName) {
		w.violate(onlyItsTrunks, "%s deletes %s, named %s, which is of %q", by.name, t.SID, t.Name, r.SignupID)
	}
	for _, number := range t.things[provision.KindPhoneNumber] {
		w.testimony.freed[number.value] = true
	}
	w.stats.deleted++
	if w.tracing {
		w.trace.add(by.name, "deletes the trunk", t.SID, t.Name)
	}
}

// checkToldGone checks what was told of a deleted signup against the disk.
func (w *world) checkToldGone(a *actor, result provision.Result) {
	r, disk := result.Record, w.records[result.Record.SignupID]
	says := result.Outcome == provision.OutcomeDeleting
	if says != (r.Status == provision.StatusDeleting) && result.Outcome != provision.OutcomeConflict {
		w.violate(toldTruth, "%s was told %s of a signup that is %s", a.name, result.Outcome, r.Status)
	}
	if disk.Generation == r.Generation && !gone(disk.Status) || r.Status == provision.StatusDeleted && disk.Status == provision.StatusDeleting && disk.Generation == r.Generation {
		w.violate(toldTruth, "%s was told that %s is %s, and it is %s", a.name, r.SignupID, r.Status, disk.Status)
	}
}

// checkDeleted is called when all is over.
func (w *world) checkDeleted(id string, r provision.Record) {
	switch {
	case r.Status == provision.StatusDeleting:
		w.violate(finished, "%s is being deleted still: due %s, %s", id, w.trace.clock(r.DueAt), r.LastError)
	case r.Status == provision.StatusDeleted:
		w.checkNoneLeft(r)
	case w.testimony.deleted[id] && r.Generation == 0:
		w.violate(keptDeletion, "%s is %s", id, r.Status)
	}
}
