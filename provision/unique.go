package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/trunkhook/trunkhook/exotel"
)

// uniqueKind is how steps are done of which Exotel refuses a second one (code 1008).
type uniqueKind struct {
	lookup
	add    func(ctx context.Context, step LineStep) (id string, err error)
	hidden string // why one is refused that is there, as Exotel says, and not in the list
}

// unique sends its steps, and looks at the list only where Exotel says that one is
// there: after a crash that is the first of those that were done before.
func (w *lineWork) unique(ctx context.Context, open []LineStep, kind uniqueKind) error {
	name, looked := open[0].Kind, false
	var failed error
	look := func(steps []LineStep) (err error) {
		looked = true
		if open, err = w.look(ctx, steps, kind.lookup); mayGoOn(err) {
			failed, err = cmp.Or(failed, err), nil // sending does no harm
		}
		return err
	}
	if slices.ContainsFunc(open, func(s LineStep) bool { return !s.HiddenSince.IsZero() }) {
		if err := look(open); err != nil {
			return err
		}
	}
	// Those that are hidden come last, however few calls there are for a try.
	slices.SortStableFunc(open, func(a, b LineStep) int { return a.HiddenSince.Compare(b.HiddenSince) })
	for len(open) > 0 {
		if !w.timeToSend() {
			return errNoTurn
		}
		step := open[0]
		id, err := kind.add(ctx, step)
		switch {
		case !errors.Is(err, exotel.ErrDuplicate):
			err = w.settle(ctx, step, id, err)
		case looked:
			err = w.hide(step, kind.hidden)
		default:
			_ = w.hide(step, kind.hidden) // should there be no time to look
			if err := look(w.record.open(step.Kind)); err != nil {
				return err
			}
			slices.SortStableFunc(open, func(a, b LineStep) int { return a.HiddenSince.Compare(b.HiddenSince) })
			if len(open) > 0 && open[len(open)-1].Key() == step.Key() {
				open, failed = open[:len(open)-1], cmp.Or(failed, fmt.Errorf("%s: %w", step.Key(), errHidden))
			}
			continue
		}
		if err != nil && !mayGoOn(err) && !errors.Is(err, errHidden) {
			return err
		}
		open, failed = open[1:], cmp.Or(failed, err)
	}
	if len(w.record.open(name)) == 0 {
		return nil // a list that could not be had wasn't needed
	}
	return failed
}

// hide: it exists, and not in this trunk's list. That list may lag behind; in the
// end the step is refused.
func (w *lineWork) hide(step LineStep, reason string) error {
	now := w.try.engine.now()
	if step.HiddenSince.IsZero() {
		step.HiddenSince = now
		w.set(step)
	}
	if now.Sub(step.HiddenSince) >= hiddenTime {
		w.refuse(step, reason)
		return nil
	}
	return fmt.Errorf("%s: %w", step.Key(), errHidden)
}
