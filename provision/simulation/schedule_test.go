package simulation_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// plan is what a seed decides before anything happens.
type plan struct {
	rates          rates
	ids            []string
	skews          []time.Duration // of the clock at each place where a process may run
	span           time.Duration   // while faults happen
	callsPerMinute int             // zero for no budget
	pageSize       int
	othersTrunks   int
	listLag        time.Duration
	upheaval       upheaval
	clocksAgree    bool
	wishes         map[string]wishes // of the signups that ask for more than a trunk; nil in most schedules
	thingsPage     int               // how many of what a trunk has are on a page
	foreign        bool              // somebody else's trunk has a number that one of them asks for
	doomed         []string          // signups that are deleted; none in most schedules
	evenPace       bool              // and nothing takes long, so that the vendor's limit must hold
}

// upheaval is what changes in the middle. A schedule has one at most: who loses
// the table and changes the prefix or the account as well loses what name and
// account its trunks have, and no replay can know.
type upheaval int

const (
	noUpheaval upheaval = iota
	tableIsWiped
	prefixChanges
	accountChanges
)

func drawPlan(d *dice) plan {
	p := plan{
		rates: drawRates(d), span: pick(d, 3*time.Second, 20*time.Second, 2*time.Minute), callsPerMinute: pick(d, 0, 0, 0, 6, 12, 30, 60),
		pageSize: pick(d, 2, 3, 5, 50), othersTrunks: pick(d, 0, 0, 3, 8, 20), listLag: pick(d, 0, 0, 5*time.Second, 10*time.Minute),
		upheaval: pick(d, noUpheaval, noUpheaval, tableIsWiped, prefixChanges, accountChanges),
	}
	for i := range 1 + d.below(3) {
		p.ids = append(p.ids, fmt.Sprintf("signup-%d", i+1))
	}
	p.skews = make([]time.Duration, 2+d.below(3))
	p.clocksAgree = d.chance(0.5)
	if !p.clocksAgree {
		for i := range p.skews {
			p.skews[i] = d.between(-maxSkew, maxSkew)
		}
	}
	p.evenPace = p.clocksAgree && p.upheaval != tableIsWiped && d.chance(0.6)
	if p.evenPace {
		for _, f := range []fault{freezeBefore, freezeAfter, tableSlow, vendorSlow, processedLate} {
			p.rates[f] = 0
		}
	}
	p.drawWishes(d)
	p.drawDeaths(d)
	return p
}

// vendorLimit is to the budget what Exotel's 200 a minute is to our 180.
func (p plan) vendorLimit() int { return (p.callsPerMinute*10 + 8) / 9 }

// scripted is something that happens at some moment whatever else does.
type scripted struct {
	at   time.Duration
	what string
	do   func()
}

// writeScript writes the script of the faulty phase.
func (w *world) writeScript(d *dice) {
	for _, id := range w.ids {
		for range pick(d, 2, 2, 3, 3, 4, 5, 12) {
			w.scriptDelivery(d, id, 0)
		}
	}
	for _, id := range w.ids {
		if w.wishes[id].contradict {
			w.scriptTwins(d, id)
		}
		if w.wishes != nil && d.chance(0.4) {
			w.scriptSecondThoughts(d, id)
		}
	}
	for range 1 + d.below(4) {
		w.sometime(d, 0, 2*w.span, "a pass begins", func(d *dice) { w.pass(d.below(len(w.places)), d.between(15*time.Second, time.Minute)) })
	}
	for range pick(d, 0, 0, 1, 3) {
		w.sometime(d, 0, w.span, "", func(d *dice) { w.operate(d) })
	}
	w.scriptFates(d)
	w.scriptVendor(d)
	w.scriptUpheaval(d)
	w.scriptDeaths(d)
	w.scriptImport(throwFor(w.seed, "import"))
	slices.SortFunc(w.script, func(a, b scripted) int { return cmp.Compare(a.at, b.at) })
}

// sometime puts something into the script, at a moment that is drawn; whatever it
// draws by itself is drawn now.
func (w *world) sometime(d *dice, from, to time.Duration, what string, do func(d *dice)) time.Duration {
	at, own := d.between(from, to), &dice{d.next()}
	w.script = append(w.script, scripted{at, what, func() { do(own) }})
	return at
}

// scriptDelivery: some arrive with other content.
func (w *world) scriptDelivery(d *dice, id string, from time.Duration) {
	w.sometime(d, from, from+w.span, "", func(d *dice) {
		company := "Acme"
		if d.chance(0.1) {
			company = "Other"
		}
		signup := provision.Signup{ID: id, Company: company, Line: w.lineOf(d, id)}
		within := pick(d, 500*time.Millisecond, 4*time.Second, 4*time.Second)
		w.deliver(d.below(len(w.places)), signup, within, within+pick(d, 0, time.Second, 6*time.Second))
	})
}

// scriptTwins: two arrive at nearly the same moment, and contradict each other.
func (w *world) scriptTwins(d *dice, id string) {
	all := w.wishes[id].all()
	at := w.sometime(d, 0, w.span, "", func(d *dice) {
		w.deliver(d.below(len(w.places)), provision.Signup{ID: id, Company: "Acme", Line: all}, 4*time.Second, 5*time.Second)
	})
	w.sometime(d, at, at+20*time.Millisecond, "", func(d *dice) {
		w.deliver(d.below(len(w.places)), provision.Signup{ID: id, Company: "Acme", Line: otherwise(w.wishes[id].all())}, 4*time.Second, 5*time.Second)
	})
}

// scriptSecondThoughts: an operator ends a signup, and thinks better of it.
func (w *world) scriptSecondThoughts(d *dice, id string) {
	at := w.sometime(d, 0, w.span, "", func(d *dice) { w.give(toReject, id, d.below(len(w.places))) })
	w.sometime(d, at, at+5*time.Second, "", func(d *dice) { w.give(toRetry, id, d.below(len(w.places))) })
}

// scriptImport imports a signup early, perhaps before anybody delivers it; and again.
func (w *world) scriptImport(d *dice) {
	if !d.chance(0.2) {
		return
	}
	id := w.ids[d.below(len(w.ids))]
	for _, until := range []time.Duration{w.span / 4, w.span} {
		w.sometime(d, 0, until, "", func(d *dice) { w.giveImport(d, id, d.below(len(w.places))) })
	}
}

// scriptFates kills processes, and freezes them, whatever they are doing.
func (w *world) scriptFates(d *dice) {
	for range pick(d, 0, 0, 1, 3) {
		w.sometime(d, 0, w.span, "", func(d *dice) {
			if p := w.places[d.below(len(w.places))]; p != nil {
				w.kill(p, "by chance")
			}
		})
	}
	if w.evenPace {
		return
	}
	for range pick(d, 0, 0, 1, 2) {
		w.sometime(d, 0, w.span, "", func(d *dice) {
			if p := w.places[d.below(len(w.places))]; p != nil {
				w.freeze(p, d.between(time.Second, maxFreeze), d.chance(0.5), "by chance")
			}
		})
	}
}

// scriptVendor lets others make and delete trunks meanwhile, and rotates the key.
func (w *world) scriptVendor(d *dice) {
	for range pick(d, 0, 0, 2, 6) {
		w.sometime(d, 0, w.span, "somebody else makes a trunk", func(*dice) { w.locked(func() { w.addOthers(w.accounts[firstAccount]) }) })
	}
	if d.chance(0.2) {
		w.sometime(d, 0, w.span, "somebody else deletes trunks", func(d *dice) { w.locked(func() { w.removeOthers(w.accounts[firstAccount], d) }) })
	}
	if w.foreign && d.chance(0.3) {
		w.sometime(d, 0, w.span, "somebody else gives the number back", func(*dice) { w.locked(func() { w.giveBack(w.accounts[firstAccount]) }) })
	}
	if d.chance(0.25) {
		rotated := w.sometime(d, 0, w.span, "the key is rotated", func(*dice) { w.locked(func() { w.accounts[firstAccount].key++ }) })
		w.sometime(d, rotated, rotated+w.span/4, "the secret holds the new key", func(*dice) { w.locked(w.keepKeys) })
	}
}

// keepKeys writes the keys of the moment into the secret.
func (w *world) keepKeys() {
	for sid, a := range w.accounts {
		w.secret.keys[sid] = a.key
	}
}

func (w *world) scriptUpheaval(d *dice) {
	switch w.upheaval {
	case noUpheaval:
	case tableIsWiped:
		wiped := w.sometime(d, 0, w.span, "the table is wiped", func(*dice) { w.wipe() })
		for _, id := range w.ids {
			w.scriptDelivery(d, id, wiped)
		}
	case prefixChanges:
		for _, prefix := range []string{"zz", "th"} {
			from := w.sometime(d, 0, w.span, "the prefix becomes "+prefix, func(*dice) { w.prefix = prefix })
			w.scriptDeployment(d, from)
		}
	case accountChanges:
		for _, sid := range []string{secondAccount, firstAccount} {
			from := w.sometime(d, 0, w.span, "the secret names "+sid, func(*dice) { w.locked(func() { w.secret.accountSID = sid }) })
			w.scriptDeployment(d, from)
		}
	}
}

// scriptDeployment replaces processes by new ones, which have the new settings.
// What the old ones have begun goes on.
func (w *world) scriptDeployment(d *dice, from time.Duration) {
	for place := range w.places {
		if d.chance(0.7) {
			w.sometime(d, from, from+w.span/4, "", func(*dice) { w.start(place) })
		}
	}
}

func (w *world) locked(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}

// run plays the script, ends the faults, and has the reconciler finish.
func (w *world) run() {
	w.writeScript(throwFor(w.seed, "script"))
	for _, s := range w.script {
		time.Sleep(time.Until(w.began.Add(s.at)))
		if s.what != "" {
			w.event("", s.what)
		}
		s.do()
	}
	time.Sleep(time.Nanosecond) // after the first step of what began last
	w.locked(func() { w.calm = true; w.keepKeys() })
	w.event("", "the faults end")
	w.actors.Wait()
	calmFrom := time.Now()
	if w.upheaval == tableIsWiped {
		w.redeliverAll()
	}
	w.settle()
	w.startAgain()
	w.stats.slowest = max(w.stats.slowest, time.Since(calmFrom))
	var rest time.Duration
	w.locked(func() { rest = time.Until(w.lastEffect) })
	time.Sleep(rest + time.Second)
	w.settle()
	w.checkEnd()
	w.stats.schedules++
	w.stats.virtual += time.Since(w.began)
}

// redeliverAll sends every signup until it is answered with 2xx.
func (w *world) redeliverAll() {
	for _, id := range w.ids {
		for range 10 {
			w.deliver(0, provision.Signup{ID: id, Company: "Acme", Line: w.wishes[id].all()}, 4*time.Second, 10*time.Second)
			w.actors.Wait()
			if w.hasPromised(id) {
				break
			}
		}
	}
}

func (w *world) hasPromised(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.testimony.promised[id]
}

// settle runs the reconciler until nothing is pending that anybody would come
// back to, for two days at most.
func (w *world) settle() {
	for end := time.Now().Add(48 * time.Hour); time.Now().Before(end); {
		next, due := w.nextDue()
		if !due {
			return
		}
		if w.upheaval == accountChanges { // whose credentials are there decides whose signups get done
			w.locked(func() { w.secret.accountSID = next.AccountSID })
			w.places[0] = nil
		}
		w.event("", "the reconciler comes back")
		time.Sleep(max(time.Second, time.Until(next.DueAt)-w.skews[0]))
		w.pass(0, time.Minute)
		w.actors.Wait()
	}
}

// nextDue is the pending signup that somebody comes back to first.
func (w *world) nextDue() (next provision.Record, found bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.ids {
		r := w.records[id]
		if r.Status != provision.StatusPending && r.Status != provision.StatusDeleting || r.DueAt.IsZero() {
			continue
		}
		if !found || r.DueAt.Before(next.DueAt) {
			next, found = r, true
		}
	}
	if next.AccountSID == "" {
		next.AccountSID = w.secret.accountSID
	}
	return next, found
}

// act begins something at a place, for a signup where it is a delivery.
func (w *world) act(kind string, place int, signup *provision.Signup, do func(a *actor)) {
	w.acted++
	a := &actor{name: fmt.Sprintf("%s%d", kind, w.acted), operator: kind == "operator", signup: signup, process: w.processAt(place), began: time.Now(), calls: map[purpose]int{}}
	w.actors.Go(func() {
		c := &call{dice: throwFor(w.seed, a.name), world: w, actor: a}
		c.thaw()
		a.asleep = c.asleep
		do(a)
	})
}

// deliver is a sender's request, to a process that may be stopped some time later.
func (w *world) deliver(place int, s provision.Signup, within, stop time.Duration) {
	w.act("delivery", place, &s, func(a *actor) {
		if w.tracing {
			w.event(a.name, "begins", s.ID, s.Company, describeSteps(s.Line.Steps()), "at", a.process.name)
		}
		ctx, cancel := context.WithTimeout(a.context(), stop)
		defer cancel()
		result, err := a.process.engine.Provision(ctx, s, within)
		w.answered(a, s, result, err)
	})
}

func (w *world) pass(place int, spell time.Duration) {
	w.act("pass", place, nil, func(a *actor) {
		if w.tracing {
			w.event(a.name, "begins at", a.process.name)
		}
		ctx, cancel := context.WithTimeout(a.context(), spell)
		defer cancel()
		pass, err := a.process.engine.Reconcile(ctx)
		w.reconciled(a, pass, err)
	})
}
