package simulation_test

import (
	"fmt"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// process is one instance of the program: its clock, its settings, the
// credentials that it has fetched. All its calls end when it is killed, and wait
// while it stands still.
type process struct {
	name   string
	world  *world
	skew   time.Duration
	prefix string
	engine *provision.Engine

	// Under the world's mutex:
	account     *provision.Account
	key         int // that the account was opened with
	dead        bool
	frozenUntil time.Time
	asleep      time.Duration // so far
}

// start starts a process at a place, with the settings of the moment.
func (w *world) start(place int) *process {
	w.started++
	p := &process{name: fmt.Sprintf("%c%d", 'A'+place, w.started), world: w, skew: w.skews[place], prefix: w.prefix}
	table := &table{process: p}
	p.engine = &provision.Engine{Ledger: table, Accounts: &accounts{process: p}, Prefix: p.prefix, Now: p.now, Jitter: p.jitter, Passwords: &passwords{process: p}}
	var meter provision.Meter = table
	if w.weakening.ledger != nil {
		p.engine.Ledger = w.weakening.ledger(table)
	}
	if w.weakening.passwords != nil {
		p.engine.Passwords = w.weakening.passwords(&passwords{process: p})
	}
	if w.weakening.meter != nil {
		meter = w.weakening.meter(table)
	}
	if w.callsPerMinute > 0 {
		p.engine.Budget = provision.NewBudget(meter, w.callsPerMinute, p.now)
	}
	w.places[place] = p
	return p
}

// processAt is the process at a place; another is started where that is dead.
func (w *world) processAt(place int) *process {
	w.mu.Lock()
	p := w.places[place]
	gone := p == nil || p.dead
	w.mu.Unlock()
	if gone {
		return w.start(place)
	}
	return p
}

func (p *process) now() time.Time { return time.Now().Add(p.skew) }

// jitter depends on the moment only: it isn't told who asks.
func (p *process) jitter(bound time.Duration) time.Duration {
	d := throwFor(p.world.seed+uint64(time.Now().UnixNano()), "jitter", p.name)
	return d.between(0, bound)
}

func (w *world) kill(p *process, when string) {
	w.event(p.name, "is killed", when)
	w.mu.Lock()
	defer w.mu.Unlock()
	p.dead = true
}

// awake is how long a process goes on, at least, after it has stood still: one that
// stands still twice in a row would do so for longer than maxFreeze.
const awake = 10 * time.Millisecond

// freeze lets a process stand still: everything but its timers, or, where it
// sleeps as a suspended machine does, those too, so that it knows by its clock
// only.
func (w *world) freeze(p *process, d time.Duration, asleep bool, when string) {
	w.event(p.name, "stands still", when)
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.frozenUntil.Add(awake).After(time.Now()) {
		return
	}
	p.frozenUntil = time.Now().Add(d)
	if asleep {
		p.asleep += d
	}
}
