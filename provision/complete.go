package provision

import (
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
	errIncomplete    = errors.New("refused by Exotel for good")
	errTrunkGone     = errors.New("the account has no trunk of that trunk_sid any more")
	errHidden        = errors.New("it is there already, says Exotel, and isn't in the trunk's list")
	errMarkTooOld    = errors.New("it was marked as sent too long ago to be sent now")
	errNoPassword    = errors.New("the password can't be kept")
	errLineLeft      = errors.New("the line is still to be completed")
	errUnlistable    = errors.New("the trunk is there, and what it has can't be listed")
	// errBrokenTransfer is nothing that the customer can mend.
	errBrokenTransfer = errors.New("what was sent can't be read, says Exotel")
)

const (
	// settlingTime is how long a step that would double is left alone after it was
	// sent and its outcome isn't known: Exotel may still be at it. It runs from the
	// mark before, by any clock: 10 s are for the send (sendWithin), 60 s for clocks
	// that are 30 s off. The rest of it is for a process that stands still in the middle
	// of the send, for Exotel, and for its list.
	settlingTime = 3 * time.Minute
	// sendWithin is how long after its mark what would double may be sent.
	sendWithin = 10 * time.Second
	// lookTime is how long a look at the list is good for.
	lookTime = 10 * time.Minute
	// hiddenTime is how long a step may be there, as Exotel says, without being in
	// the trunk's list, before that means that it never will.
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
	if how == OutcomeCreated {
		t.nothingThere(&record)
	}
	if err := t.doSteps(ctx, &record); err != nil {
		return t.release(ctx, record, err)
	}
	trunk := exotel.Trunk{SID: record.TrunkSID, Name: record.TrunkName, DomainName: record.DomainName, Raw: record.Trunk}
	return t.record(ctx, record, &trunk, how)
}

// nothingThere: this very try has made the trunk, so that looking at its lists is
// as good as done.
func (t *try) nothingThere(record *Record) {
	w := lineWork{try: t, record: record}
	for _, step := range record.LineSteps() {
		if step.open() && step.SentAt.IsZero() && t.changed[step.Key()].LookedAt.IsZero() {
			step.LookedAt = t.engine.now()
			w.set(step)
		}
	}
}

// doSteps does all steps that are open, in their order; with other credentials once
// more where those at hand are refused.
func (t *try) doSteps(ctx context.Context, record *Record) error {
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
		w := lineWork{try: t, account: account, record: record}
		err := w.all(ctx)
		renewed := t.engine.renew(ctx, account, err)
		if renewed == nil {
			return err
		}
		account = renewed
	}
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
