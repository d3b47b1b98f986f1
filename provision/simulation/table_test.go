package simulation_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

var errTable = errors.New("table down")

// table is a process's way to the one table: a provision.Ledger and Meter.
type table struct{ process *process }

// items are what the table holds.
type items struct {
	records  map[string]provision.Record
	emptyAt  time.Time // of the budget's bucket
	progress provision.Progress
}

// request is one request to the table. Its effect may come twice, late, or
// without an answer.
func request[T any](ctx context.Context, t *table, op, id string, effect func() T) (T, error) {
	var none, answer T
	c := t.process.world.begin(ctx, op, id)
	if c.expired() {
		return none, context.DeadlineExceeded
	}
	leg := c.between(time.Millisecond, 10*time.Millisecond)
	fault := c.fault(tableFaults)
	switch fault {
	case tableFails:
		c.wait(leg)
		return none, errTable
	case tableSentTwice:
		if !c.reach(leg, func() { effect() }) {
			return none, context.DeadlineExceeded
		}
		leg = c.between(time.Millisecond, time.Second)
	case tableStraggler:
		c.world.later(c.between(time.Second, time.Minute), func() { effect() })
	case tableSlow:
		leg = c.between(time.Second, 20*time.Second)
	default:
	}
	if !c.reach(leg, func() { answer = effect() }) || !c.wait(c.between(time.Millisecond, 10*time.Millisecond)) {
		return none, context.DeadlineExceeded
	}
	if fault == tableLosesAnswer {
		return none, errTable
	}
	return answer, nil
}

// written is the answer of a write.
type written struct {
	record provision.Record
	holds  bool
}

type apply = func(old *provision.Record) (provision.Record, bool)

func (t *table) write(ctx context.Context, op, id string, apply apply) (provision.Record, bool, error) {
	actor := ctx.Value(actorKey{}).(*actor)
	answer, err := request(ctx, t, op, id, func() written {
		record, holds := t.process.world.write(actor, op, id, apply)
		return written{record, holds}
	})
	return answer.record, answer.holds, err
}

// write is what the table does.
func (w *world) write(by *actor, op, id string, apply apply) (provision.Record, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var old *provision.Record
	if record, there := w.records[id]; there {
		old = &record
	}
	record, holds := apply(old)
	if holds {
		w.checkWrite(by, op, old, record)
		w.records[id] = record
		w.attribute(record.TrunkName, id)
	}
	if w.tracing {
		w.trace.add(by.name, op, id, w.describe(record, holds))
	}
	return record, holds
}

func (w *world) describe(r provision.Record, holds bool) string {
	verb := "holds:"
	if !holds {
		verb = "doesn't hold:"
	}
	return fmt.Sprintf("%s %s generation=%d owner=%s lease=%s due=%s searching=%t name=%s account=%s sid=%s revision=%d %s", verb, r.Status, generation(r.Generation), w.trace.owner(r.Owner),
		w.trace.clock(r.LeaseUntil), w.trace.clock(r.DueAt), r.Searching, r.TrunkName, r.AccountSID, r.TrunkSID,
		r.Revision, describeSteps(r.Steps))
}

func describeSteps(steps map[string]provision.LineStep) string {
	var b strings.Builder
	for _, step := range (provision.Record{Steps: steps}).LineSteps() {
		fmt.Fprintf(&b, "[%s %s %s", step.Key(), step.Option, step.Status)
		if !step.SentAt.IsZero() {
			b.WriteString(" sent")
		}
		b.WriteString("]")
	}
	return b.String()
}

func (t *trace) clock(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%.3f", at.Sub(t.start).Seconds())
}

func (t *table) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	return t.write(ctx, "claim", w.Signup.ID, w.Apply)
}

func (t *table) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	return t.write(ctx, "take over", w.SignupID, w.Apply)
}

func (t *table) Pin(ctx context.Context, w provision.Pin) (provision.Record, bool, error) {
	return t.write(ctx, "pin", w.SignupID, w.Apply)
}

func (t *table) Extend(ctx context.Context, w provision.Extend) (provision.Record, bool, error) {
	return t.write(ctx, "extend", w.SignupID, w.Apply)
}

func (t *table) Attach(ctx context.Context, w provision.Attach) (provision.Record, bool, error) {
	return t.write(ctx, "attach", w.SignupID, w.Apply)
}

func (t *table) Mark(ctx context.Context, w provision.Mark) (provision.Record, bool, error) {
	return t.write(ctx, "mark", w.SignupID, w.Apply)
}

func (t *table) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	return t.write(ctx, "activate", w.SignupID, w.Apply)
}

func (t *table) Delete(ctx context.Context, w provision.Delete) (provision.Record, bool, error) {
	return t.write(ctx, "delete", w.SignupID, w.Apply)
}

func (t *table) Bury(ctx context.Context, w provision.Bury) (provision.Record, bool, error) {
	return t.write(ctx, "bury", w.SignupID, w.Apply)
}

func (t *table) Restart(ctx context.Context, w provision.Restart) (provision.Record, bool, error) {
	return t.write(ctx, "restart", w.Signup.ID, w.Apply)
}

func (t *table) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	return t.write(ctx, "release", w.SignupID, w.Apply)
}

func (t *table) Reject(ctx context.Context, w provision.Reject) (provision.Record, bool, error) {
	return t.write(ctx, "reject", w.SignupID, w.Apply)
}

func (t *table) Prove(ctx context.Context, w provision.Prove) (provision.Record, bool, error) {
	return t.write(ctx, "prove", w.SignupID, w.Apply)
}

func (t *table) Get(ctx context.Context, id string) (provision.Record, error) {
	world := t.process.world
	answer, err := request(ctx, t, "get", id, func() written {
		world.mu.Lock()
		defer world.mu.Unlock()
		record, there := world.records[id]
		return written{record, there}
	})
	if err == nil && !answer.holds {
		err = provision.ErrNotFound
	}
	return answer.record, err
}

// Due shows one signup at a time where there is a budget: workers that wait for
// a share at one instant get it in an order that no seed decides.
func (t *table) Due(ctx context.Context, until time.Time, limit int) ([]string, error) {
	if t.process.engine.Budget != nil {
		limit = 1
	}
	return request(ctx, t, "due", "", func() (ids []string) {
		for _, r := range t.process.world.queue(false) {
			if !r.DueAt.After(until) && len(ids) < limit {
				ids = append(ids, r.SignupID)
			}
		}
		return ids
	})
}

func (t *table) Searching(ctx context.Context, limit int) ([]provision.Wanted, error) {
	return request(ctx, t, "searching", "", func() (wanted []provision.Wanted) {
		for _, r := range t.process.world.queue(true) {
			wanted = append(wanted, provision.Wanted{SignupID: r.SignupID, TrunkName: r.TrunkName, Since: r.DueAt})
		}
		return wanted[:min(limit, len(wanted))]
	})
}

// queue is what the index shows: pending signups with a time, the longest due first.
func (w *world) queue(searching bool) (queue []provision.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.ids {
		r, there := w.records[id]
		lags := w.draw(throwFor(w.seed+uint64(time.Now().UnixNano()), "queue", id), []fault{queueLags}) != noFault
		if there && !r.DueAt.IsZero() && r.Searching == searching && !lags {
			queue = append(queue, r)
		}
	}
	slices.SortFunc(queue, func(a, b provision.Record) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.SignupID, b.SignupID))
	})
	return queue
}

func (t *table) Backlog(context.Context, time.Time) (provision.Backlog, error) {
	return provision.Backlog{}, errors.New("nobody asks for it here")
}

func (t *table) Progress(ctx context.Context) (provision.Progress, error) {
	world := t.process.world
	return request(ctx, t, "progress", "", func() provision.Progress {
		world.mu.Lock()
		defer world.mu.Unlock()
		return world.progress
	})
}

func (t *table) KeepProgress(ctx context.Context, p provision.Progress) error {
	world := t.process.world
	_, err := request(ctx, t, "keep progress", "", func() struct{} {
		world.mu.Lock()
		defer world.mu.Unlock()
		world.progress = p
		return struct{}{}
	})
	return err
}

// level is the answer of the meter.
type level struct {
	emptyAt time.Time
	holds   bool
}

func (t *table) Spend(ctx context.Context, w provision.Spend) (time.Time, bool, error) {
	return t.spend(ctx, w, &t.process.world.emptyAt)
}

func (t *table) spend(ctx context.Context, w provision.Spend, bucket *time.Time) (time.Time, bool, error) {
	world := t.process.world
	answer, err := request(ctx, t, "spend", "", func() level {
		world.mu.Lock()
		defer world.mu.Unlock()
		emptyAt, holds := w.Apply(*bucket)
		if holds {
			*bucket = emptyAt
		}
		return level{emptyAt, holds}
	})
	return answer.emptyAt, answer.holds, err
}

func (t *table) Shut(ctx context.Context, w provision.Shut) (time.Time, error) {
	world := t.process.world
	return request(ctx, t, "shut", "", func() time.Time {
		world.mu.Lock()
		defer world.mu.Unlock()
		world.emptyAt = w.Apply(world.emptyAt)
		return world.emptyAt
	})
}
