package simulation_test

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// thing is something that a trunk has beside itself: a number, an address, a
// destination, a credential, its caller id.
type thing struct {
	id, value  string
	option     string // of a number its mode, of a credential its friendly name
	password   string // of a credential
	tables     int    // which table knew that it was sent: how many there were before
	listedFrom time.Time
}

// key is what the thing is called in a signup's steps.
func (x thing) key(kind provision.StepKind) string {
	return provision.LineStep{Kind: kind, Value: x.value}.Key()
}

// made is what became of one thing that was asked for.
type made struct {
	thing  thing
	failed *exotel.Error
}

// doubles tells whether what is sent twice is there twice.
func doubles(kind provision.StepKind) bool {
	return kind == provision.KindDestinationURI || kind == provision.KindCredential
}

// trunkOf is the account's trunk of that sid, or nil.
func (a *account) trunkOf(sid string) *trunk {
	for i := range a.trunks {
		if a.trunks[i].SID == sid {
			return &a.trunks[i]
		}
	}
	return nil
}

// holder is the trunk that keeps another one from having that number or address:
// a number is unique in the account, an address at its trunk.
func (a *account) holder(t *trunk, kind provision.StepKind, value string) *trunk {
	for i := range a.trunks {
		if other := &a.trunks[i]; (other.SID == t.SID || kind == provision.KindPhoneNumber) && other.count(kind, value) > 0 {
			return other
		}
	}
	return nil
}

func (t *trunk) count(kind provision.StepKind, value string) (n int) {
	for _, x := range t.things[kind] {
		if x.value == value {
			n++
		}
	}
	return n
}

// addThings gives a trunk what was asked for, but one of it perhaps. It is atomic.
func (w *world) addThings(by *actor, to *resource, trunkSID string, things []thing, spoilt int, failed *exotel.Error) reply {
	a := w.accounts[to.accountSID]
	if refusal := w.admit(a, to.key); refusal != nil {
		return *refusal
	}
	t := a.trunkOf(trunkSID)
	if t == nil {
		return fail(exotel.ErrNotFound, http.StatusNotFound)
	}
	var answer reply
	for i, x := range things {
		if i == spoilt {
			w.noteRefusal(trunkSID, to.kind, x.value, failed)
			answer.made = append(answer.made, made{failed: failed})
			continue
		}
		unique := !doubles(to.kind) && to.kind != provision.KindCallerID
		if unique && a.holder(t, to.kind, x.value) != nil && !w.weakening.numbersNotUnique {
			return fail(exotel.ErrDuplicate, http.StatusConflict)
		}
		answer.made = append(answer.made, made{thing: w.addThing(by, a, t, to.kind, x)})
	}
	return answer
}

// addThing puts it there.
func (w *world) addThing(by *actor, a *account, t *trunk, kind provision.StepKind, x thing) thing {
	lag := min(w.listLag, maxLag)
	if doubles(kind) {
		lag = min(w.listLag, maxLagDoubling)
	}
	w.made++
	x.id, x.tables = fmt.Sprint(w.made), by.tables
	x.listedFrom = time.Now().Add(throwFor(w.seed, "lag", t.SID, x.key(kind), x.id).between(0, lag+1))
	if kind == provision.KindCallerID { // a trunk has one
		t.things[kind] = nil
	}
	t.things[kind] = append(t.things[kind], x)
	w.stats.things[kind]++
	if w.tracing {
		w.trace.add(by.name, "adds", string(kind), x.value, "to", t.SID)
	}
	w.checkThing(by, a, t, kind, x)
	return x
}

// changeThing replaces what isn't empty.
func (w *world) changeThing(by *actor, to *resource, trunkSID string, change thing) reply {
	a := w.accounts[to.accountSID]
	if refusal := w.admit(a, to.key); refusal != nil {
		return *refusal
	}
	t := a.trunkOf(trunkSID)
	if t == nil {
		return fail(exotel.ErrNotFound, http.StatusNotFound)
	}
	for i := range t.things[to.kind] {
		if x := &t.things[to.kind][i]; x.id == change.id {
			x.option, x.password = change.option, change.password
			if w.tracing {
				w.trace.add(by.name, "changes", string(to.kind), x.value, "of", t.SID)
			}
			return reply{made: []made{{thing: *x}}}
		}
	}
	return fail(exotel.ErrNotFound, http.StatusNotFound)
}

// listThings is a page of what a trunk has of a kind, newest first.
func (w *world) listThings(from *resource, trunkSID string, offset int) reply {
	a := w.accounts[from.accountSID]
	if refusal := w.admit(a, from.key); refusal != nil {
		return *refusal
	}
	t := a.trunkOf(trunkSID)
	if t == nil {
		return fail(exotel.ErrNotFound, http.StatusNotFound)
	}
	var visible []made
	for _, x := range slices.Backward(t.things[from.kind]) {
		if !x.listedFrom.After(time.Now()) {
			visible = append(visible, made{thing: x})
		}
	}
	first := min(offset, len(visible))
	last := min(first+w.thingsPage, len(visible))
	return reply{made: visible[first:last], next: last, more: last < len(visible)}
}
