package provision

import (
	"context"
	"fmt"

	"github.com/trunkhook/trunkhook/exotel"
)

// finish does the rest of a try that holds the lease.
func (t *try) finish(ctx context.Context, record Record) (Result, error) {
	if record.Status == StatusDeleting {
		return t.tearDown(ctx, record)
	}
	if record.TrunkSID != "" {
		return t.complete(ctx, record, OutcomeCompleted)
	}
	trunk, how, err := t.obtain(ctx, &record)
	if err != nil {
		return t.release(ctx, record, err)
	}
	if how == OutcomeDry {
		return t.prove(ctx, record)
	}
	return t.keep(ctx, record, trunk, how)
}

// keep writes down the trunk, and completes its line where there is one. How is how
// the trunk was come by.
func (t *try) keep(ctx context.Context, record Record, trunk *exotel.Trunk, how Outcome) (Result, error) {
	if len(record.Steps) == 0 {
		return t.record(ctx, record, trunk, how)
	}
	attached, ended, err := t.attach(ctx, record, trunk, false)
	if ended != nil || err != nil {
		return t.ended(ended, err)
	}
	return t.complete(ctx, attached, how)
}

// attach writes down the trunk of a line that is still to be completed.
func (t *try) attach(ctx context.Context, record Record, trunk *exotel.Trunk, replace bool) (Record, *Result, error) {
	w := Attach{SignupID: record.SignupID, Owner: t.owner, Attempt: t.attempt, AccountSID: record.AccountSID, Trunk: *trunk, Replace: replace, Now: t.engine.now()}
	if replace && record.TrunkSID != trunk.SID {
		w.Steps = record.afresh()
	}
	done := t.begin(StepAttach)
	attached, holds, err := t.engine.Ledger.Attach(ctx, w)
	done(err)
	var result Result
	switch {
	case err != nil:
		result, err = t.release(ctx, record, notRecordedYet(trunk.SID, err))
	case !holds:
		result, err = t.overtaken(attached, record.TrunkName, trunk.SID)
	default:
		return attached, nil, nil
	}
	return Record{}, &result, err
}

// afresh are the record's steps as if nothing had been done.
func (r Record) afresh() map[string]LineStep {
	steps := make(map[string]LineStep, len(r.Steps))
	for key, step := range r.Steps {
		steps[key] = LineStep{Kind: step.Kind, Value: step.Value, Option: step.Option, Status: StepPending}
	}
	return steps
}

// record makes the signup active, or incomplete, with the trunk and the steps that
// the try has ended.
func (t *try) record(ctx context.Context, record Record, trunk *exotel.Trunk, how Outcome) (Result, error) {
	done := t.begin(StepRecord)
	recorded, holds, err := t.engine.Ledger.Activate(ctx, Activate{
		SignupID: record.SignupID, Owner: t.owner, Attempt: t.attempt, AccountSID: record.AccountSID, Trunk: *trunk,
		Steps: t.changed, Incomplete: record.refused() != "", Seen: record.Seen(), Now: t.engine.now(),
	})
	done(err)
	switch {
	case err != nil:
		return t.notRecorded(ctx, record, trunk.SID, how, err)
	case holds:
		return t.recorded(recorded, how), nil
	case recorded.heldBy(t.owner, t.attempt) && recorded.Seen() != record.Seen(): // a delivery has added to it meanwhile
		t.changed = recorded.notReopened(t.changed)
		if recorded = recorded.withSteps(t.changed); recorded.TrunkSID != "" {
			return t.complete(ctx, recorded, how)
		}
		return t.keep(ctx, recorded, trunk, how)
	}
	return t.overtaken(recorded, record.TrunkName, trunk.SID)
}

// overtaken: this try has a trunk, and the signup is somebody else's by now.
// Whoever holds it while it is pending will adopt the same trunk, unless it was given
// another one, and the watch of its deletion will delete it; otherwise nobody will.
func (t *try) overtaken(record Record, trunkName, trunkSID string) (Result, error) {
	if record.SignupID == "" {
		return Result{Steps: t.steps}, errVanished
	}
	result := t.theirs(record)
	cared := record.TrunkName == trunkName && (record.Status == StatusDeleting || record.Status == StatusPending && record.TrunkSID == "")
	if !cared && record.TrunkSID != trunkSID {
		result.Problem = &Problem{Err: fmt.Errorf("the signup is %s with trunk %q, while this try got %s", record.Status, record.TrunkSID, trunkSID), Alarm: AlarmOrphan}
	}
	return result, nil
}

// notRecorded: the trunk is there, but whether the record says so isn't known.
// Giving the signup back finds out, and does no harm where it does.
func (t *try) notRecorded(ctx context.Context, record Record, trunkSID string, how Outcome, cause error) (Result, error) {
	result, err := t.release(ctx, record, notRecordedYet(trunkSID, cause))
	switch {
	case err != nil || result.Record.Status == StatusPending:
		return result, err
	case result.Record.TrunkSID != trunkSID:
		return t.overtaken(result.Record, record.TrunkName, trunkSID)
	case result.Record.Status.gone():
		return result, nil
	}
	return t.recorded(result.Record, how), nil
}

func notRecordedYet(trunkSID string, cause error) error {
	return fmt.Errorf("the trunk %s is not recorded yet: %w", trunkSID, cause)
}

// recorded is the result where the signup is complete with the try's trunk.
func (t *try) recorded(record Record, how Outcome) Result {
	result := Result{Record: record, Outcome: how, Steps: t.steps}
	if record.Status == StatusIncomplete {
		result.Problem = &Problem{Err: fmt.Errorf("%w: %s", errIncomplete, record.refused()), Alarm: AlarmIncomplete}
	}
	return result
}
