package simulation_test

import (
	"context"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// operatorsWord is why an operator rejects.
const operatorsWord = "no such customer"

// order is what an operator has a program do with a signup.
type order struct {
	name   string
	do     func(e *provision.Engine, ctx context.Context, id string) (provision.Result, error)
	signup *provision.Signup // what is imported; nil for others
}

var (
	toRetry  = order{name: "retry", do: (*provision.Engine).Retry}
	toReject = order{name: "reject", do: func(e *provision.Engine, ctx context.Context, id string) (provision.Result, error) {
		return e.Reject(ctx, id, operatorsWord)
	}}
)

func toAdopt(sid string) order {
	return order{name: "adopt " + sid, do: func(e *provision.Engine, ctx context.Context, id string) (provision.Result, error) {
		return e.Adopt(ctx, id, sid)
	}}
}

func toImport(s provision.Signup, sid string) order {
	return order{name: "import " + sid, signup: &s, do: func(e *provision.Engine, ctx context.Context, _ string) (provision.Result, error) {
		return e.Import(ctx, s, sid)
	}}
}

// operate is one step of an operator's.
func (w *world) operate(d *dice) {
	id, place := w.ids[d.below(len(w.ids))], d.below(len(w.places))
	switch d.below(4) {
	case 1:
		w.give(toReject, id, place)
	case 2:
		w.give(toAdopt(w.nameTrunk(d, id)), id, place)
	case 3:
		w.giveImport(d, id, place)
	default:
		w.give(toRetry, id, place)
	}
}

func (w *world) giveImport(d *dice, id string, place int) {
	w.give(toImport(provision.Signup{ID: id, Company: "Acme", Line: w.lineOf(d, id)}, w.nameTrunk(d, id)), id, place)
}

// give gives an order to the program at a place.
func (w *world) give(o order, id string, place int) {
	w.act("operator", place, o.signup, func(a *actor) {
		if w.tracing {
			w.event(a.name, "says", o.name, id, "at", a.process.name)
		}
		a.calls[purpose{"operator", id}]++
		ctx, cancel := context.WithTimeout(a.context(), 30*time.Second)
		defer cancel()
		result, err := o.do(a.process.engine, ctx, id)
		w.told(a, result, err)
	})
}

// nameTrunk chooses the trunk that an operator wants for a signup: somebody
// else's, the signup's own where there is one, or one that doesn't exist; none that
// is another signup's by now. With a table that is wiped, somebody else's would be
// forgotten.
func (w *world) nameTrunk(d *dice, id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	sid := "trmum1none"
	foreign := d.chance(0.6) && w.upheaval != tableIsWiped
	for _, t := range w.accounts[firstAccount].trunks {
		if foreign && t.Name == "others" && (w.testimony.named[t.SID] == "" || w.testimony.named[t.SID] == id) || !foreign && w.testimony.names[t.Name] == id {
			sid = t.SID
		}
	}
	w.testimony.named[sid] = id
	return sid
}
