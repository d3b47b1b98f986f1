package provision

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"github.com/trunkhook/trunkhook/exotel"
)

// lookup is how what a trunk has is found, and made what a step asks for.
type lookup struct {
	list   func(ctx context.Context) iter.Seq2[listed, error]
	change func(ctx context.Context, step *LineStep, there listed) error // nil where there is nothing to change
}

// listed is a thing as the trunk's list shows it; value is a step's.
type listed struct{ value, id, option string }

// listing is a list of the vendor's as one of things.
func listing[T any](list iter.Seq2[T, error], of func(T) listed) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		for element, err := range list {
			if err != nil {
				yield(listed{}, err)
				return
			}
			if !yield(of(element), nil) {
				return
			}
		}
	}
}

// look ends the steps that the trunk's list shows, and returns the others. With an
// error they may be there all the same.
func (w *lineWork) look(ctx context.Context, steps []LineStep, l lookup) (missing []LineStep, err error) {
	if !w.timeToSend() {
		return steps, errNoTurn
	}
	all := make(map[string]listed)
	var failed error
	for there, err := range l.list(ctx) {
		if err != nil {
			failed = w.unlistable(ctx, err)
			break
		}
		all[there.value] = there
	}
	for _, step := range steps {
		there, ok := all[step.Value]
		if !ok {
			missing = append(missing, step)
			continue
		}
		var err error
		if l.change != nil {
			err = l.change(ctx, &step, there)
		}
		if err = w.settle(ctx, step, there.id, err); err != nil && !mayGoOn(err) {
			return missing, err
		}
		failed = cmp.Or(failed, err)
	}
	return missing, failed
}

// unlistable is why a list of the trunk's can't be had.
func (w *lineWork) unlistable(ctx context.Context, err error) error {
	if !isUnknownTrunk(err) {
		return err
	}
	if gone := w.trunkIsThere(ctx); gone != nil {
		return gone
	}
	return fmt.Errorf("%w: %v", errUnlistable, err) //nolint:errorlint // the account is well, so its kind must not count
}

func (w *lineWork) trunkIsThere(ctx context.Context) error {
	if w.isThere {
		return nil
	}
	page, err := w.account.Trunks.List(ctx, exotel.ListOptions{TrunkSID: w.record.TrunkSID})
	switch {
	case isUnknownTrunk(err):
		return fmt.Errorf("%w: %w", errTrunkGone, err)
	case err != nil:
		return err
	}
	for _, trunk := range page.Trunks {
		w.isThere = w.isThere || trunk.SID == w.record.TrunkSID
	}
	if !w.isThere {
		return errTrunkGone
	}
	return nil
}
