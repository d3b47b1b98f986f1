package simulation_test

import (
	"context"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// operatorsWord is why an operator rejects.
const operatorsWord = "no such customer"

// operate is one step of an operator's.
func (w *world) operate(d *dice) {
	id, place := w.ids[d.below(len(w.ids))], d.below(len(w.places))
	step, name := (*provision.Engine).Retry, "retry"
	switch d.below(3) {
	case 1:
		name, step = "reject", func(e *provision.Engine, ctx context.Context, id string) (provision.Result, error) {
			return e.Reject(ctx, id, operatorsWord)
		}
	case 2:
		sid := w.nameTrunk(d, id)
		name, step = "adopt "+sid, func(e *provision.Engine, ctx context.Context, id string) (provision.Result, error) {
			return e.Adopt(ctx, id, sid)
		}
	}
	w.act("operator", place, nil, func(a *actor) {
		if w.tracing {
			w.event(a.name, "says", name, id, "at", a.process.name)
		}
		a.calls[purpose{"operator", id}]++
		ctx, cancel := context.WithTimeout(a.context(), 30*time.Second)
		defer cancel()
		result, err := step(a.process.engine, ctx, id)
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
