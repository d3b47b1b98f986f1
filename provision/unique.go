package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/trunkhook/trunkhook/exotel"
)

// Numbers and addresses: Exotel refuses a second one of the same (code 1008), so
// that they can be sent at any time, as a trunk can.

// listed is a step's thing as the trunk's list shows it.
type listed struct{ id, option string }

// unique is how steps of such a kind are done.
type unique struct {
	list func(ctx context.Context) (map[string]listed, error) // by the steps' values
	add  func(ctx context.Context, step LineStep) (id string, err error)
	// change makes what is listed what the step asks for; nil where there is nothing to change.
	change func(ctx context.Context, step LineStep, l listed) error
}

func (w *lineWork) phoneNumbers(ctx context.Context, open []LineStep) error {
	numbers, trunkSID := w.account.PhoneNumbers, w.record.TrunkSID
	return w.unique(ctx, open, unique{
		list: func(ctx context.Context) (map[string]listed, error) {
			return index(numbers.All(ctx, trunkSID), func(n exotel.PhoneNumber) (string, listed) {
				return "+" + strings.TrimPrefix(n.PhoneNumber, "+"), listed{n.ID, string(n.Mode.OrDefault())}
			})
		},
		add: func(ctx context.Context, step LineStep) (string, error) {
			number, err := numbers.Map(ctx, trunkSID, exotel.MapPhoneNumberRequest{PhoneNumber: step.Value, Mode: exotel.Mode(step.Option)})
			if err != nil {
				return "", err
			}
			return number.ID, nil
		},
		change: func(ctx context.Context, step LineStep, l listed) error {
			if l.option == step.Option {
				return nil
			}
			_, err := numbers.UpdateMode(ctx, trunkSID, l.id, exotel.MapPhoneNumberRequest{PhoneNumber: step.Value, Mode: exotel.Mode(step.Option)})
			return err
		},
	})
}

func (w *lineWork) whitelistedIPs(ctx context.Context, open []LineStep) error {
	ips, trunkSID := w.account.WhitelistedIPs, w.record.TrunkSID
	return w.unique(ctx, open, unique{
		list: func(ctx context.Context) (map[string]listed, error) {
			return index(ips.All(ctx, trunkSID), func(ip exotel.WhitelistedIP) (string, listed) {
				prefix, _ := ip.Prefix()
				return prefixText(prefix), listed{id: ip.ID}
			})
		},
		add: func(ctx context.Context, step LineStep) (string, error) {
			prefix, _ := parsePrefix(step.Value)
			ip, err := ips.Add(ctx, trunkSID, exotel.WhitelistPrefix(prefix))
			if err != nil {
				return "", err
			}
			return ip.ID, nil
		},
	})
}

// index is a list by what its elements are called.
func index[T any](list iter.Seq2[T, error], name func(T) (string, listed)) (map[string]listed, error) {
	all := make(map[string]listed)
	for element, err := range list {
		if err != nil {
			return nil, err
		}
		key, l := name(element)
		all[key] = l
	}
	return all, nil
}

// unique does steps of such a kind. One that fails in a way that says nothing of the
// others doesn't keep them from being tried.
func (w *lineWork) unique(ctx context.Context, open []LineStep, kind unique) error {
	var err error
	if !w.fresh { // somebody may have been here before: fewer calls than adding all again
		if open, err = w.look(ctx, open, kind); err != nil {
			return err
		}
	}
	var there []LineStep
	var failed error
	for _, step := range hiddenLast(open) {
		id, err := kind.add(ctx, step)
		switch {
		case errors.Is(err, exotel.ErrDuplicate) && w.fresh:
			there = append(there, step)
			continue
		case errors.Is(err, exotel.ErrDuplicate): // the list was without it a moment ago
			err = w.hidden(step)
		default:
			if err = w.settle(ctx, step, id, err); err != nil && !mayGoOn(err) {
				return err
			}
		}
		failed = cmp.Or(failed, err)
	}
	if len(there) > 0 {
		if there, err = w.look(ctx, there, kind); err != nil {
			return err
		}
	}
	for _, step := range there {
		failed = cmp.Or(failed, w.hidden(step))
	}
	return failed
}

// hiddenLast lets those that are hidden come after those that may be done, however
// few calls there are for a try.
func hiddenLast(steps []LineStep) []LineStep {
	return slices.SortedStableFunc(slices.Values(steps), func(a, b LineStep) int { return a.SentAt.Compare(b.SentAt) })
}

// look ends the steps that the trunk's list shows, and returns the others.
func (w *lineWork) look(ctx context.Context, steps []LineStep, kind unique) (missing []LineStep, err error) {
	all, err := kind.list(ctx)
	if err != nil {
		return nil, w.unlistable(ctx, err)
	}
	for _, step := range steps {
		l, ok := all[step.Value]
		if !ok {
			missing = append(missing, step)
			continue
		}
		if kind.change != nil {
			err = kind.change(ctx, step, l)
		}
		if err := w.settle(ctx, step, l.id, err); err != nil {
			return nil, err
		}
	}
	return missing, nil
}

// hidden: it exists, and not in this trunk's list. That list may lag behind; in the
// end another trunk has it.
func (w *lineWork) hidden(step LineStep) error {
	now := w.try.engine.now()
	if step.SentAt.IsZero() {
		step.SentAt = now
		w.set(step)
	}
	if now.Sub(step.SentAt) >= hiddenTime {
		w.refuse(step, "Exotel says that it is there already, and this trunk's list doesn't show it: another trunk may have it")
		return nil
	}
	return fmt.Errorf("%s: %w", step.Key(), errHidden)
}

// callerID is a setting of the trunk: setting it twice is setting it once.
func (w *lineWork) callerID(ctx context.Context, open []LineStep) error {
	for _, step := range open {
		results, err := w.account.Settings.Set(ctx, w.record.TrunkSID, []exotel.Setting{{Name: exotel.CallerIDAlias, Value: step.Value}})
		if err == nil && len(results) == 1 {
			err = results[0].Err
		}
		if err = w.settle(ctx, step, "", err); err != nil {
			return err
		}
	}
	return nil
}
