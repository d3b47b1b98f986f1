package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// lineWork does the steps of one line.
type lineWork struct {
	try     *try
	account *Account
	record  *Record
	isThere bool // the trunk was seen in the account
}

// all does one kind after the other. A kind that can't be ended keeps the next
// ones from beginning.
func (w *lineWork) all(ctx context.Context) error {
	do := map[StepKind]func(context.Context, []LineStep) error{
		KindPhoneNumber: w.phoneNumbers, KindWhitelistedIP: w.whitelistedIPs, KindDestinationURI: w.destinationURIs,
		KindCredential: w.credentials, KindCallerID: w.callerID,
	}
	for _, kind := range stepKinds {
		open := w.record.open(kind)
		if len(open) == 0 {
			continue
		}
		if err := do[kind](ctx, open); err != nil {
			return err
		}
	}
	return nil
}

// unique sends its steps, and looks at the list only where Exotel says that one is
// there: after a crash that is the first of those that were done before.
func (w *lineWork) unique(ctx context.Context, open []LineStep, kind uniqueKind) error {
	looked := false
	look := func(steps []LineStep) (err error) {
		looked = true
		if open, err = w.look(ctx, steps, kind.lookup); mayGoOn(err) {
			err = nil // sending does no harm
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
	var failed error
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
	return failed
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
	_, holds, err := w.try.engine.Ledger.Mark(ctx, Mark{SignupID: w.record.SignupID, Owner: w.try.owner, Steps: changed, Now: now})
	done(err)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errTableUnavailable, err)
	case !holds:
		return nil, errLostLease
	}
	return marked, nil
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

// timeToSend tells whether enough is left of the try for one more call: one that is
// cut off is an outcome that isn't known.
func (w *lineWork) timeToSend() bool { return time.Until(w.try.vendorBy) >= w.try.sendTime }

// set notes how a step stands, for the next write.
func (w *lineWork) set(step LineStep) {
	changed := map[string]LineStep{step.Key(): step}
	*w.record = w.record.withSteps(changed)
	w.try.changed = Record{Steps: w.try.changed}.withSteps(changed).Steps
}

func (w *lineWork) done(step LineStep, id string) {
	step.Status, step.ID, step.Reason = StepDone, id, ""
	w.set(step.ended())
}

func (w *lineWork) refuse(step LineStep, reason string) {
	step.Status, step.Reason = StepRefused, truncate(reason, maxLastError)
	w.set(step.ended())
}

// settle ends a step by Exotel's answer, or returns why it is still open. What
// Exotel finds wrong with it is final: everything in it is the customer's.
func (w *lineWork) settle(ctx context.Context, step LineStep, id string, err error) error {
	switch {
	case err == nil:
		w.done(step, id)
		return nil
	case isBrokenTransfer(err):
		return fmt.Errorf("%s: %w: %v", step.Key(), errBrokenTransfer, err) //nolint:errorlint // nothing is wrong with the step
	case errors.Is(err, exotel.ErrInvalid):
		w.refuse(step, reasonOf(err))
		return nil
	case isUnknownTrunk(err):
		// It doesn't say whether the trunk or what was to be added is unknown.
		if gone := w.trunkIsThere(ctx); gone != nil {
			return gone
		}
		w.refuse(step, reasonOf(err))
		return nil
	}
	return fmt.Errorf("%s: %w", step.Key(), err)
}

// isBrokenTransfer: what arrived at Exotel isn't what was sent (codes 1007, 1011).
func isBrokenTransfer(err error) bool {
	var failed *exotel.Error
	return errors.As(err, &failed) && (failed.Code == 1007 || failed.Code == 1011 || failed.HTTPStatus == http.StatusUnsupportedMediaType)
}

func isUnknownTrunk(err error) bool {
	return errors.Is(err, exotel.ErrForbidden) || errors.Is(err, exotel.ErrNotFound)
}

// isRefusal: for certain, and for what was sent.
func isRefusal(err error) bool { return errors.Is(err, exotel.ErrInvalid) || isUnknownTrunk(err) }

// mayHaveMade tells whether what was sent may be there, or come to be there.
func mayHaveMade(err error) bool { return errors.Is(err, exotel.ErrOutcomeUnknown) }

// mayGoOn tells whether one step's failure leaves the others of its kind a chance.
func mayGoOn(err error) bool {
	return errors.Is(err, exotel.ErrOutcomeUnknown) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}

// reasonOf is what Exotel said.
func reasonOf(err error) string {
	var failed *exotel.Error
	if errors.As(err, &failed) && failed.Message != "" {
		return failed.Message
	}
	return err.Error()
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
