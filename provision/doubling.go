package provision

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Destinations and credentials: what is sent twice is there twice (a third party's
// notes on a live account, 2025). So it is written down before it is sent, and after
// an outcome that isn't known looked for, for as long as it may still come.

func (w *lineWork) destinationURIs(ctx context.Context, open []LineStep) error {
	open, err := w.unlisted(ctx, open, func(ctx context.Context) (map[string]listed, error) {
		return index(w.account.DestinationURIs.All(ctx, w.record.TrunkSID), func(d exotel.DestinationURI) (string, listed) {
			return exotel.NormalDestination(d.Destination), listed{id: d.ID}
		})
	}, nil)
	if err != nil || len(open) == 0 {
		return err
	}
	if open, err = w.mark(ctx, open); err != nil {
		return err
	}
	destinations := make([]string, len(open))
	for i, step := range open {
		destinations[i] = step.Value
	}
	results, err := w.account.DestinationURIs.Add(ctx, w.record.TrunkSID, destinations)
	if err != nil && len(open) == 1 {
		return w.sent(ctx, open[0], "", err)
	}
	if err != nil {
		return w.notSent(open, err)
	}
	var failed error
	for i, result := range results {
		id := ""
		if result.URI != nil {
			id = result.URI.ID
		}
		failed = cmp.Or(failed, w.sent(ctx, open[i], id, result.Err))
	}
	return failed
}

func (w *lineWork) credentials(ctx context.Context, open []LineStep) error {
	open, err := w.unlisted(ctx, open, func(ctx context.Context) (map[string]listed, error) {
		return index(w.account.Credentials.All(ctx, w.record.TrunkSID), func(c exotel.Credential) (string, listed) {
			return c.UserName, listed{id: c.ID}
		})
	}, w.renewPassword)
	if err != nil {
		return err
	}
	for _, step := range open {
		if err := w.createCredential(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// createCredential keeps the password before it is sent, so that a lost answer
// loses none.
func (w *lineWork) createCredential(ctx context.Context, step LineStep) error {
	password, err := w.password(ctx, &step)
	if err != nil {
		return err
	}
	marked, err := w.mark(ctx, []LineStep{step})
	if err != nil {
		return err
	}
	created, err := w.account.Credentials.Create(ctx, w.record.TrunkSID, exotel.CreateCredentialRequest{
		UserName: step.Value, Password: password, FriendlyName: step.Option,
	})
	id := ""
	if err == nil {
		id = created.ID
	}
	return w.sent(ctx, marked[0], id, err)
}

// renewPassword gives a credential that is there the password that is kept: whoever
// made it, this is the one that the customer gets.
func (w *lineWork) renewPassword(ctx context.Context, step *LineStep, l listed) error {
	password, err := w.password(ctx, step)
	if err != nil {
		return err
	}
	_, err = w.account.Credentials.Update(ctx, w.record.TrunkSID, l.id, exotel.UpdateCredentialRequest{
		UserName: step.Value, Password: password, FriendlyName: step.Option,
	})
	return err
}

// password is the one that is kept of the credential, or a new one that is kept
// from now on: 26 of [A-Z2-7], 130 bits.
func (w *lineWork) password(ctx context.Context, step *LineStep) (string, error) {
	done := w.try.begin(StepPassword)
	kept, at, err := w.try.engine.Passwords.Keep(ctx, w.record.TrunkName, step.Value, rand.Text())
	done(err)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoPassword, err)
	}
	step.PasswordAt = at
	return kept, nil
}

// unlisted are the steps that may be sent now: those that the trunk's list doesn't
// show, and that can't be under way. Change, where there is one, makes what is listed
// what the step asks for.
func (w *lineWork) unlisted(ctx context.Context, open []LineStep, list func(context.Context) (map[string]listed, error),
	change func(context.Context, *LineStep, listed) error,
) (ready []LineStep, err error) {
	if w.fresh {
		return open, nil
	}
	all, err := list(ctx)
	if err != nil {
		return nil, w.unlistable(ctx, err)
	}
	var waits error
	for _, step := range open {
		l, there := all[step.Value]
		until := step.SentAt.Add(settlingTime)
		switch {
		case !there && !step.SentAt.IsZero() && w.try.engine.now().Before(until):
			waits = cmp.Or[error](waits, &settling{step, until})
			continue
		case !there:
			ready = append(ready, step)
			continue
		case change != nil:
			err = change(ctx, &step, l)
		}
		if err = w.settle(ctx, step, l.id, err); err != nil {
			return nil, err
		}
	}
	return ready, waits
}

// mark writes down that the steps are about to be sent.
func (w *lineWork) mark(ctx context.Context, steps []LineStep) ([]LineStep, error) {
	if time.Until(w.try.vendorBy) < w.try.sendTime {
		return nil, errNoTurn
	}
	marked := make([]LineStep, len(steps))
	for i, step := range steps {
		step.SentAt = w.try.engine.now()
		marked[i] = step
		w.set(step)
	}
	done := w.try.begin(StepMark)
	_, holds, err := w.try.engine.Ledger.Mark(ctx, Mark{SignupID: w.record.SignupID, Owner: w.try.owner, Steps: w.try.changed, Now: w.try.engine.now()})
	done(err)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errTableUnavailable, err)
	case !holds:
		return nil, errLostLease
	}
	return marked, nil
}

// sent ends a step by the answer to its being sent. Where the answer says for
// certain that nothing was made, it may be sent again at once.
func (w *lineWork) sent(ctx context.Context, step LineStep, id string, err error) error {
	if err != nil && !mayHaveMade(err) {
		step.SentAt = time.Time{}
		w.set(step)
	}
	return w.settle(ctx, step, id, err)
}

// mayHaveMade tells whether what was sent may be there, or come to be there.
func mayHaveMade(err error) bool {
	return errors.Is(err, exotel.ErrOutcomeUnknown) || errors.Is(err, exotel.ErrDuplicate)
}

// notSent: steps that were sent together, without an answer of their own.
func (w *lineWork) notSent(steps []LineStep, err error) error {
	for _, step := range steps {
		if !mayHaveMade(err) {
			step.SentAt = time.Time{}
			w.set(step)
		}
	}
	return fmt.Errorf("%s and %d more: %w", steps[0].Key(), len(steps)-1, err)
}
