package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Why a line isn't completed yet.
var (
	errContradiction = errors.New("a delivery contradicts what was asked for before")
	errIncomplete    = errors.New("Exotel refused for good")
	errTrunkGone     = errors.New("the account has no trunk of that trunk_sid any more")
	errHidden        = errors.New("it is there already, says Exotel, and isn't in the trunk's list")
	errNoPassword    = errors.New("the password can't be kept")
	errLineLeft      = errors.New("the line is still to be completed")
)

const (
	// settlingTime is how long a step that would double is left alone after it was
	// sent and its outcome isn't known: Exotel may still be at it. A try lasts 10 s
	// and sends nothing once its lease has run out, 2 s later (an operator's: 32 s); a
	// client waits 10 s for an answer. The rest of it is for Exotel.
	settlingTime = 3 * time.Minute
	// hiddenTime is how long a step may be there, as Exotel says, without being in
	// the trunk's list, before that means that another trunk has it.
	hiddenTime = 10 * time.Minute
)

// settling is a step that was sent a while ago, of which nothing is to be seen.
type settling struct {
	step  LineStep
	until time.Time
}

func (e *settling) Error() string {
	return fmt.Sprintf("%s was sent at %s, and what came of it isn't known", e.step.Key(), e.step.SentAt.Format(time.RFC3339))
}

// complete does the steps of the signup's line, and makes it active.
func (t *try) complete(ctx context.Context, record Record, how Outcome) (Result, error) {
	err := t.doSteps(ctx, &record, how == OutcomeCreated)
	if err != nil {
		return t.release(ctx, record, err)
	}
	trunk := exotel.Trunk{SID: record.TrunkSID, Name: record.TrunkName, DomainName: record.DomainName, Raw: record.Trunk}
	return t.record(ctx, record, &trunk, how)
}

// doSteps does all steps that are open, in their order; with other credentials once
// more where those at hand are refused. Fresh is a trunk that this very try has
// made, so that nothing can have been added to it before.
func (t *try) doSteps(ctx context.Context, record *Record, fresh bool) error {
	ctx, cancel := context.WithDeadline(exotel.WithHooks(ctx, t.hooks(ctx)), t.vendorBy)
	defer cancel()
	account, err := t.engine.Accounts.Open(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	for {
		if err := t.pin(ctx, account, record); err != nil {
			return err
		}
		w := lineWork{try: t, account: account, record: record, fresh: fresh && len(t.changed) == 0}
		err := w.all(ctx)
		renewed := t.engine.renew(ctx, account, err)
		if renewed == nil {
			return err
		}
		account, fresh = renewed, false
	}
}

// lineWork does the steps of one line.
type lineWork struct {
	try     *try
	account *Account
	record  *Record
	fresh   bool
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

// open are the record's steps of a kind that are still to be done.
func (r Record) open(kind StepKind) []LineStep {
	var open []LineStep
	for _, step := range r.LineSteps() {
		if step.Kind == kind && step.open() {
			open = append(open, step)
		}
	}
	return open
}

// refused are the reasons of the steps that Exotel refused, for an operator.
func (r Record) refused() string {
	var reasons []string
	for _, step := range r.LineSteps() {
		if step.Status == StepRefused {
			reasons = append(reasons, step.Key()+": "+step.Reason)
		}
	}
	return truncate(strings.Join(reasons, "; "), maxLastError)
}

// set notes how a step stands, for the next write.
func (w *lineWork) set(step LineStep) {
	changed := map[string]LineStep{step.Key(): step}
	*w.record = w.record.withSteps(changed)
	w.try.changed = Record{Steps: w.try.changed}.withSteps(changed).Steps
}

func (w *lineWork) done(step LineStep, id string) {
	step.Status, step.ID, step.SentAt, step.Reason = StepDone, id, time.Time{}, ""
	w.set(step)
}

func (w *lineWork) refuse(step LineStep, reason string) {
	step.Status, step.SentAt, step.Reason = StepRefused, time.Time{}, truncate(reason, maxLastError)
	w.set(step)
}

// settle ends a step by Exotel's answer, or returns why it is still open. What
// Exotel finds wrong with it is final: everything in it is the customer's.
func (w *lineWork) settle(ctx context.Context, step LineStep, id string, err error) error {
	switch {
	case err == nil:
		w.done(step, id)
		return nil
	case errors.Is(err, exotel.ErrInvalid):
		w.refuse(step, reasonOf(err))
		return nil
	case errors.Is(err, exotel.ErrForbidden), errors.Is(err, exotel.ErrNotFound):
		// It doesn't say whether the trunk or what was to be added is unknown.
		if gone := w.trunkIsThere(ctx); gone != nil {
			return gone
		}
		w.refuse(step, reasonOf(err))
		return nil
	}
	return fmt.Errorf("%s: %w", step.Key(), err)
}

// unlistable is why a list of the trunk's can't be had.
func (w *lineWork) unlistable(ctx context.Context, err error) error {
	if errors.Is(err, exotel.ErrForbidden) || errors.Is(err, exotel.ErrNotFound) {
		return cmp.Or(w.trunkIsThere(ctx), err)
	}
	return err
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
	page, err := w.account.Trunks.List(ctx, exotel.ListOptions{TrunkSID: w.record.TrunkSID})
	switch {
	case errors.Is(err, exotel.ErrForbidden), errors.Is(err, exotel.ErrNotFound):
		return errTrunkGone
	case err != nil:
		return err
	}
	for _, trunk := range page.Trunks {
		if trunk.SID == w.record.TrunkSID {
			return nil
		}
	}
	return errTrunkGone
}

// mayGoOn tells whether one step's failure leaves the others of its kind a chance.
func mayGoOn(err error) bool {
	return errors.Is(err, exotel.ErrOutcomeUnknown) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}
