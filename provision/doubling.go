package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// doublingKind is how steps are done that are there twice when they are sent twice.
type doublingKind struct {
	lookup
	// prepare is done before anything is written down or sent; nil for nothing.
	prepare func(ctx context.Context, step *LineStep) error
	// add sends one step, or all together where together is set. The outcomes are in
	// their order; the error is about the whole.
	add      func(ctx context.Context, steps []LineStep) ([]outcome, error)
	together bool
}

// outcome is what became of one step that was sent.
type outcome struct {
	id  string
	err error
}

// doubling looks at the list before it sends, unless nobody can have sent; writes
// down that it sends; and sends nothing again that may still be under way.
func (w *lineWork) doubling(ctx context.Context, open []LineStep, kind doublingKind) error {
	var waits error
	if slices.ContainsFunc(open, w.mayBeThere) {
		before := w.try.engine.now() // what comes after isn't in the list
		missing, err := w.look(ctx, open, kind.lookup)
		if err != nil {
			return err
		}
		if open, waits = w.ready(missing, before); len(open) == 0 {
			return waits
		}
	}
	batches := slices.Collect(slices.Chunk(open, 1))
	if kind.together {
		batches = [][]LineStep{open}
	}
	var failed error
	for _, batch := range batches {
		err := w.send(ctx, batch, kind)
		if err != nil && !mayGoOn(err) {
			return err
		}
		failed = cmp.Or(failed, err)
	}
	return cmp.Or(failed, waits)
}

// mayBeThere tells whether somebody may have sent the step, as far as is known. A
// look of ten minutes ago says nothing any more: the table may have been restored.
func (w *lineWork) mayBeThere(step LineStep) bool {
	return !step.SentAt.IsZero() || !step.HiddenSince.IsZero() || w.try.engine.now().Sub(step.LookedAt) >= lookTime
}

// ready are the steps that aren't in a list of that moment and can't be under way; of
// the others it says until when they wait.
func (w *lineWork) ready(missing []LineStep, now time.Time) (ready []LineStep, waits error) {
	for _, step := range missing {
		if until := step.SentAt.Add(settlingTime); !step.SentAt.IsZero() && now.Before(until) {
			waits = cmp.Or[error](waits, &settling{step, until})
			continue
		}
		step.SentAt, step.LookedAt = time.Time{}, now
		w.set(step)
		ready = append(ready, step)
	}
	return ready, waits
}

// send sends steps together, after writing down that it does. Where Exotel refuses
// all of them for the fault of one, each is sent by itself.
func (w *lineWork) send(ctx context.Context, steps []LineStep, kind doublingKind) error {
	for i := range steps {
		if kind.prepare == nil {
			break
		}
		if err := kind.prepare(ctx, &steps[i]); err != nil {
			return err
		}
	}
	steps, err := w.mark(ctx, steps)
	if err != nil {
		return err
	}
	w.try.sendBy = steps[0].SentAt.Add(sendWithin)
	outcomes, err := kind.add(ctx, steps)
	w.try.sendBy = time.Time{}
	if err != nil && len(steps) > 1 {
		return w.together(ctx, steps, kind, err)
	}
	if err != nil {
		outcomes = []outcome{{err: err}}
	}
	var failed error
	for i, o := range outcomes {
		failed = cmp.Or(failed, w.sent(ctx, steps[i], o))
	}
	return failed
}

// together: steps that were sent together failed together.
func (w *lineWork) together(ctx context.Context, steps []LineStep, kind doublingKind, err error) error {
	if !mayHaveMade(err) {
		for i := range steps {
			steps[i].SentAt = time.Time{}
			w.set(steps[i])
		}
	}
	if !isRefusal(err) {
		return fmt.Errorf("%s and %d more: %w", steps[0].Key(), len(steps)-1, err)
	}
	var failed error
	for i := range steps {
		one := w.send(ctx, steps[i:i+1], kind)
		if one != nil && !mayGoOn(one) {
			return one
		}
		failed = cmp.Or(failed, one)
	}
	return failed
}

// sent ends a step by the answer to its being sent. Where the answer says for
// certain that nothing was made, it may be sent again at once.
func (w *lineWork) sent(ctx context.Context, step LineStep, o outcome) error {
	if o.err != nil && !errors.Is(o.err, exotel.ErrOutcomeUnknown) {
		step.SentAt = time.Time{}
		w.set(step)
	}
	if errors.Is(o.err, exotel.ErrDuplicate) { // it isn't known to be unique, but so much the better
		return w.hide(step, "Exotel says that it is there already, and the trunk's list doesn't show it")
	}
	return w.settle(ctx, step, o.id, o.err)
}

// mark writes down that the steps are about to be sent, in time to send them, and
// with the call's share of the budget in hand.
func (w *lineWork) mark(ctx context.Context, steps []LineStep) ([]LineStep, error) {
	if err := w.try.prepay(ctx); err != nil {
		return nil, err
	}
	if !w.timeToSend() {
		return nil, errNoTurn
	}
	now := w.try.engine.now()
	marked, changed := make([]LineStep, len(steps)), make(map[string]LineStep, len(steps))
	for i, step := range steps {
		step.SentAt, step.LookedAt = now, time.Time{}
		marked[i], changed[step.Key()] = step, step
		w.set(step)
	}
	done := w.try.begin(StepMark)
	// Nothing but these: a copy of the write that comes late must not undo the next mark.
	_, holds, err := w.try.engine.Ledger.Mark(ctx, Mark{SignupID: w.record.SignupID, Owner: w.try.owner, Attempt: w.try.attempt, Steps: changed, Now: now})
	done(err)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errTableUnavailable, err)
	case !holds:
		return nil, errLostLease
	}
	return marked, nil
}
