package provision

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// refuse keeps what is known of an earlier send: it may be under way, whatever an
// operator says, and the step may be reopened.
func (w *lineWork) refuse(step LineStep, reason string) {
	refused := step.ended()
	refused.Status, refused.Reason, refused.SentAt = StepRefused, truncate(reason, maxLastError), step.SentAt
	w.set(refused)
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
