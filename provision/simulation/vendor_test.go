package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// account is one at the vendor's: its trunks, and what it has been asked.
type account struct {
	sid      string
	key      int
	trunks   []trunk // oldest first
	arrivals []time.Time
}

// trunk is one that exists, in the lists from some moment on.
type trunk struct {
	exotel.Trunk
	listedFrom time.Time
	things     map[provision.StepKind][]thing // oldest first
}

// reply is the vendor's answer to one request.
type reply struct {
	trunk  *exotel.Trunk
	page   *exotel.TrunkPage
	failed *exotel.Error

	made       []made // of a line: what was made, or is listed
	unreadable int    // in that list
	next       int    // where its next page begins
	more       bool   // there is one
}

func fail(kind exotel.Kind, status int) reply {
	return reply{failed: &exotel.Error{Kind: kind, HTTPStatus: status}}
}

// create makes a trunk, unless there is one of that name. It is atomic, as the
// vendor's must be.
func (w *world) create(by *actor, a *account, key int, name string) reply {
	if refusal := w.admit(a, key); refusal != nil {
		return *refusal
	}
	taken := slices.ContainsFunc(a.trunks, func(t trunk) bool { return t.Name == name })
	if taken && !w.weakening.namesNotUnique {
		return fail(exotel.ErrDuplicate, http.StatusOK)
	}
	made := w.add(a, name)
	w.stats.trunks++
	if w.tracing {
		w.trace.add(by.name, "makes the trunk", made.SID, name, "in", a.sid)
	}
	w.checkTrunks(name)
	w.checkMade(by, name)
	return reply{trunk: &made}
}

// remove deletes a trunk, with all that it has.
func (w *world) remove(by *actor, a *account, key int, trunkSID string) reply {
	if refusal := w.admit(a, key); refusal != nil {
		return *refusal
	}
	gone := a.trunkOf(trunkSID)
	if gone == nil {
		return fail(exotel.ErrNotFound, http.StatusNotFound)
	}
	w.checkRemoved(by, gone)
	removed := gone.Trunk
	a.trunks = slices.DeleteFunc(a.trunks, func(t trunk) bool { return t.SID == trunkSID })
	return reply{trunk: &removed}
}

// add puts a trunk there.
func (w *world) add(a *account, name string) exotel.Trunk {
	w.made++
	lag := throwFor(w.seed, "lag", name).between(0, w.listLag+1)
	t := exotel.Trunk{SID: fmt.Sprintf("trmum1%d", w.made), Name: name, DomainName: exotel.DomainName(a.sid), Raw: json.RawMessage(`{}`)}
	a.trunks = append(a.trunks, trunk{t, time.Now().Add(lag), map[provision.StepKind][]thing{}})
	return t
}

// admit counts a request and refuses it where it is one too many, or its
// credentials are old.
func (w *world) admit(a *account, key int) *reply {
	if w.crowded(a) {
		refusal := fail(exotel.ErrRateLimited, http.StatusTooManyRequests)
		refusal.failed.RetryAfter = 30 * time.Second
		return &refusal
	}
	if key != a.key {
		refusal := fail(exotel.ErrUnauthorized, http.StatusUnauthorized)
		return &refusal
	}
	return nil
}

// crowded counts a request, and tells whether it is over the account's limit.
func (w *world) crowded(a *account) bool {
	now := time.Now()
	for len(a.arrivals) > 0 && now.Sub(a.arrivals[0]) >= time.Minute {
		a.arrivals = a.arrivals[1:]
	}
	a.arrivals = append(a.arrivals, now)
	w.checkRate(len(a.arrivals))
	return w.callsPerMinute > 0 && len(a.arrivals) > w.vendorLimit()
}

// list is a page, newest first.
func (w *world) list(a *account, key int, o exotel.ListOptions) reply {
	if refusal := w.admit(a, key); refusal != nil {
		return *refusal
	}
	var visible []exotel.Trunk
	for _, t := range slices.Backward(a.trunks) {
		if !t.listedFrom.After(time.Now()) && (o.TrunkSID == "" || o.TrunkSID == t.SID) {
			visible = append(visible, t.Trunk)
		}
	}
	first := min(o.Offset, len(visible))
	last := min(first+min(o.PageSize, w.pageSize), len(visible))
	if o.PageSize == 0 {
		last = min(first+w.pageSize, len(visible))
	}
	page := &exotel.TrunkPage{Trunks: visible[first:last]}
	if last < len(visible) {
		page.Next = &exotel.ListOptions{PageSize: w.pageSize, Offset: last}
	}
	return reply{page: page}
}

// trunks is a process's client of the vendor: a provision.Trunks.
type trunks struct {
	process    *process
	accountSID string
	key        int
}

func (t *trunks) Create(ctx context.Context, r exotel.CreateTrunkRequest) (*exotel.Trunk, error) {
	answer, err := t.do(ctx, exchange{op: "create trunk", method: http.MethodPost, id: r.TrunkName, faults: createFaults, late: maxLate, work: func(by *actor) reply {
		return t.process.world.create(by, t.process.world.accounts[t.accountSID], t.key, r.TrunkName)
	}})
	return answer.trunk, err
}

func (t *trunks) List(ctx context.Context, o exotel.ListOptions) (*exotel.TrunkPage, error) {
	answer, err := t.do(ctx, exchange{op: "list trunks", method: http.MethodGet, faults: listFaults, work: func(*actor) reply {
		return t.process.world.list(t.process.world.accounts[t.accountSID], t.key, o)
	}})
	return answer.page, err
}

func (t *trunks) Delete(ctx context.Context, trunkSID string) (*exotel.Trunk, error) {
	answer, err := t.do(ctx, exchange{op: "delete trunk", method: http.MethodDelete, id: trunkSID, faults: deleteFaults, late: maxLate, work: func(by *actor) reply {
		return t.process.world.remove(by, t.process.world.accounts[t.accountSID], t.key, trunkSID)
	}})
	return answer.trunk, err
}

// exchange is a request that may be sent more than once.
type exchange struct {
	op, method string
	id         string // what it is about
	trunkSID   string // of what adds something to a trunk, or changes it
	faults     []fault
	late       time.Duration // how late it may be processed, at most

	// Under the world's mutex:
	work    func(by *actor) reply
	part    func(by *actor, d *dice, failed *exotel.Error) reply // one of several fails so; nil where there aren't several
	refused func(failed *exotel.Error)                           // notes that the vendor says so; may be nil
}

// forTrunk is the trunk that the exchange is for, where it changes something: the
// name of the one to be made, or the sid.
func (e exchange) forTrunk() string {
	switch {
	case e.trunkSID != "":
		return e.trunkSID
	case e.method == http.MethodPost:
		return e.id
	}
	return ""
}

// do runs the hooks, and tries again, as exotel.Client does.
func (t *trunks) do(ctx context.Context, e exchange) (reply, error) {
	hooks := exotel.HooksOf(ctx)
	for try := 1; ; try++ {
		if err := hooks.Before(ctx, e.op); err != nil {
			return reply{}, fmt.Errorf("%w: %w", exotel.ErrNotSent, err)
		}
		looked := time.Now() // at its lease, and from here on the process may stand still
		c := t.process.world.begin(ctx, e.op, e.id)
		t.process.world.locked(func() { t.process.world.checkSend(c.actor, t.accountSID, e, looked) })
		start := time.Now()
		answer := t.send(c, e)
		made := exotel.Call{Op: e.op, Method: e.method, Start: start, Duration: time.Since(start)}
		if answer.failed == nil {
			hooks.After(made)
			return answer, nil
		}
		answer.failed.Op = e.op
		made.Err = answer.failed
		hooks.After(made)
		if c.expired() {
			return reply{}, fmt.Errorf("%w: %w", answer.failed, context.DeadlineExceeded)
		}
		again := answer.failed.Kind == exotel.ErrNotSent || answer.failed.Kind == exotel.ErrOutcomeUnknown && e.method == http.MethodGet
		if try == 3 || !again || !c.wait(c.between(100*time.Millisecond, 400*time.Millisecond)) {
			return reply{}, answer.failed
		}
	}
}

// send is one exchange. What the vendor does and what the caller gets to see are
// apart.
func (t *trunks) send(c *call, e exchange) reply {
	w := t.process.world
	defer w.calling(e.forTrunk())()
	c.deadline = earlier(c.deadline, time.Now().Add(exotel.DefaultTimeout))
	fault := c.fault(e.faults)
	if w.tracing {
		w.event(c.actor.name, e.op, e.id, fault.String())
	}
	leg := c.between(10*time.Millisecond, 300*time.Millisecond)
	var answer reply
	own := &dice{c.next()} // the work may be done while the caller goes on
	work := func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		answer = t.work(c.actor, own, e, fault)
	}
	switch fault {
	case noConnection:
		c.wait(leg)
		return fail(exotel.ErrNotSent, 0)
	case requestLost:
		c.wait(c.between(10*time.Millisecond, 20*time.Second))
		return fail(exotel.ErrOutcomeUnknown, 0)
	case processedLate:
		w.later(c.between(5*time.Second, e.late), work)
		c.wait(c.between(10*time.Millisecond, 20*time.Second))
		return fail(exotel.ErrOutcomeUnknown, 0)
	case vendorSlow:
		leg = c.between(time.Second, 12*time.Second)
	default:
	}
	if !c.reach(leg, work) || !c.wait(c.between(10*time.Millisecond, 300*time.Millisecond)) || fault == answerLost || fault == failsAfter {
		return fail(exotel.ErrOutcomeUnknown, 0)
	}
	return answer
}

// work is what the vendor does with the request, and says.
func (t *trunks) work(by *actor, d *dice, e exchange, f fault) reply {
	w := t.process.world
	if failed := f.answer(d); failed != nil {
		if e.part != nil && f != limited && f != unauthorized && d.chance(0.5) {
			return e.part(by, d, failed)
		}
		w.crowded(w.accounts[t.accountSID])
		if e.refused != nil {
			e.refused(failed)
		}
		return reply{failed: failed}
	}
	answer := e.work(by)
	if f == listUnreadable {
		answer.spoil(d)
	}
	return answer
}

// answer is what the vendor says instead of doing its work; nil where it does it.
func (f fault) answer(d *dice) *exotel.Error {
	switch f {
	case refused:
		return fail(exotel.ErrInvalid, http.StatusBadRequest).failed
	case forbidden:
		return fail(exotel.ErrForbidden, http.StatusForbidden).failed
	case limited:
		limit := fail(exotel.ErrRateLimited, http.StatusTooManyRequests).failed
		limit.RetryAfter = pick(d, 0, time.Second, 30*time.Second)
		return limit
	case unauthorized:
		return fail(exotel.ErrUnauthorized, http.StatusUnauthorized).failed
	case falseDuplicate:
		return fail(exotel.ErrDuplicate, http.StatusConflict).failed
	case failsBefore:
		return fail(exotel.ErrOutcomeUnknown, http.StatusServiceUnavailable).failed
	default:
		return nil
	}
}

// spoil makes one entry of a list unreadable.
func (r *reply) spoil(d *dice) {
	if r.page != nil && len(r.page.Trunks) > 0 {
		i := d.below(len(r.page.Trunks))
		r.page.Trunks, r.page.Unreadable = slices.Delete(r.page.Trunks, i, i+1), 1
	}
	if len(r.made) > 0 {
		i := d.below(len(r.made))
		r.made, r.unreadable = slices.Delete(r.made, i, i+1), 1
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
