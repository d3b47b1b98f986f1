package simulation_test

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// actor is who makes calls: one delivery, one pass, one step of an operator's.
type actor struct {
	name     string
	operator bool
	signup   *provision.Signup // what is delivered, or imported; nil for others
	deletes  int               // the generation that is; zero for who deletes nothing
	process  *process
	began    time.Time
	asleep   time.Duration   // of the process, when it began
	calls    map[purpose]int // so far
	tables   int             // which table knows what it sends: how many there were before
}

type purpose struct{ op, id string }

type actorKey struct{}

func (a *actor) context() context.Context {
	return context.WithValue(context.Background(), actorKey{}, a)
}

// call is one request over a network, from an actor to a port. It takes a leg
// there, has its effect, and takes a leg back; the caller may be gone by then.
type call struct {
	*dice
	world    *world
	actor    *actor
	op, id   string
	deadline time.Time
	asleep   time.Duration // of the process, as the deadline has it
	fate     fault
}

// begin is where a call is made. It doesn't return to a process that is dead.
func (w *world) begin(ctx context.Context, op, id string) *call {
	a := ctx.Value(actorKey{}).(*actor)
	w.mu.Lock()
	a.calls[purpose{op, id}]++
	nth := a.calls[purpose{op, id}]
	w.stats.calls++
	c := &call{world: w, actor: a, op: op, id: id, asleep: a.asleep, dice: throwFor(w.seed, a.name, op, id, strconv.Itoa(nth))}
	c.fate = w.draw(c.dice, fates)
	w.mu.Unlock()
	var limited bool
	if c.deadline, limited = ctx.Deadline(); !limited {
		c.deadline = time.Now().Add(time.Hour)
	}
	if c.fate == crashBefore || c.fate == freezeBefore {
		c.meetFate()
	}
	c.thaw()
	return c
}

// draw returns a fault of the kinds, or none once the faults have ended.
func (w *world) draw(d *dice, kinds []fault) fault {
	if w.calm {
		return noFault
	}
	f := w.rates.of(d, kinds)
	w.stats.faults[f]++
	return f
}

// meetFate is a moment later: several may begin a call at one instant, and the
// fate of one must not depend on who of them came first.
func (c *call) meetFate() {
	time.Sleep(c.between(1, time.Millisecond))
	if c.fate == crashBefore {
		c.world.kill(c.actor.process, "before "+c.op)
		return
	}
	c.freeze("before " + c.op)
}

func (c *call) fault(kinds []fault) fault {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	return c.world.draw(c.dice, kinds)
}

// freeze lets the process stand still for about as long as a lease, or longer.
func (c *call) freeze(when string) {
	c.world.freeze(c.actor.process, c.between(time.Second, maxFreeze), c.chance(0.5), when)
}

// thaw waits while the process stands still, and ends the goroutine if it is dead.
// A deadline moves on by what the process slept.
func (c *call) thaw() {
	for {
		c.world.mu.Lock()
		dead, until := c.actor.process.dead, c.actor.process.frozenUntil
		c.deadline = c.deadline.Add(c.actor.process.asleep - c.asleep)
		c.asleep = c.actor.process.asleep
		c.world.mu.Unlock()
		if dead {
			runtime.Goexit()
		}
		wait := time.Until(until)
		if wait <= 0 {
			return
		}
		time.Sleep(wait + c.between(1, time.Millisecond))
	}
}

func (c *call) expired() bool { return !time.Now().Before(c.deadline) }

// reach is the leg there: the effect happens so much later, whether the caller
// lives to see it or not. It tells whether the caller is still waiting.
func (c *call) reach(leg time.Duration, effect func()) bool {
	if time.Now().Add(leg).After(c.deadline) {
		c.world.later(leg, effect)
		c.wait(time.Until(c.deadline))
		return false
	}
	time.Sleep(leg)
	effect()
	switch c.fate {
	case crashAfter:
		c.world.kill(c.actor.process, "after "+c.op)
	case freezeAfter:
		c.freeze("after " + c.op)
	default:
	}
	c.thaw()
	return !c.expired()
}

// wait takes so long, or until the deadline, and tells whether that came first.
func (c *call) wait(d time.Duration) bool {
	time.Sleep(min(d, time.Until(c.deadline)))
	c.thaw()
	return !c.expired()
}

// later has an effect that nobody waits for.
func (w *world) later(d time.Duration, effect func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at := time.Now().Add(d); at.After(w.lastEffect) {
		w.lastEffect = at
	}
	time.AfterFunc(d, effect)
}

// event is noted where somebody wants to read it.
func (w *world) event(who, what string, more ...string) {
	if w.tracing {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.trace.add(who, what, more...)
	}
}
