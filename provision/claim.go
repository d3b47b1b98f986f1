package provision

import (
	"context"
	"fmt"
)

// claimRounds is how often a claim begins again because deliveries of the same
// signup overtake each other. Each round means that one of them got its way.
const claimRounds = 5

// claim is the try's first write, and a second one where the delivery adds to the
// line of a signup that is there. The record is the try's to finish, unless it has
// ended already, or there is an error.
func (t *try) claim(ctx context.Context, s Signup) (record Record, ended *Result, err error) {
	if err := s.Validate(); err != nil {
		return Record{}, nil, err
	}
	s = s.Normalised()
	wanted := s.Line.Steps()
	for range claimRounds {
		record, ours, err := t.claimOnce(ctx, s)
		if err != nil {
			return Record{}, nil, err
		}
		if record.SignupID != "" && s.generation() < record.generation() { // late, by a generation
			result := t.theirs(record)
			return record, &result, nil
		}
		if faults := record.contradictions(s, wanted); record.Fingerprint != s.Fingerprint() || len(faults) > 0 {
			return t.conflict(ctx, record, ours, faults)
		}
		seen := record
		if extension := record.extension(wanted); len(extension) > 0 && t.mayExtend(record) {
			var holds bool
			if record, holds, err = t.extend(ctx, record, extension); err != nil {
				return Record{}, nil, err
			}
			if !holds || seen.Status.complete() || ours && !record.heldBy(t.owner, t.attempt) {
				continue
			}
		}
		if ours {
			return record, nil, nil
		}
		result := t.theirs(record)
		return record, &result, nil
	}
	return Record{}, nil, fmt.Errorf("%w: other deliveries of this signup were faster", ErrUnavailable)
}

func (t *try) claimOnce(ctx context.Context, s Signup) (Record, bool, error) {
	e := t.engine
	claim := Claim{Signup: s, TrunkName: s.trunkName(e.Prefix), AccountSID: e.readyAccount(), Owner: t.owner, Now: t.claimedAt, LeaseUntil: t.leaseUntil}
	if t.byHand != nil {
		claim.AccountSID, claim.Trunk = t.byHand.accountSID, &t.byHand.trunk
	}
	done := t.begin(StepClaim)
	record, ours, err := e.Ledger.Claim(ctx, claim)
	done(err)
	switch {
	case err != nil || ours:
	case record.Status == StatusDeleted && s.generation() == record.generation()+1:
		done := t.begin(StepRestart)
		record, ours, err = e.Ledger.Restart(ctx, Restart(claim))
		done(err)
	case record.Status == StatusPending && claim.Trunk != nil: // it isn't new: only the lease, for now
		claim.Trunk, claim.Signup.Line = nil, Line{}
		done := t.begin(StepClaim)
		record, ours, err = e.Ledger.Claim(ctx, claim)
		done(err)
	}
	switch {
	case err != nil:
		return Record{}, false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case record.SignupID == "":
		return Record{}, false, errVanished
	}
	if ours {
		t.attempt = record.Attempts
	}
	return record, ours, nil
}

// extend adds to the record what a delivery asks for and it lacks, whoever holds
// the signup.
func (t *try) extend(ctx context.Context, record Record, extension map[string]LineStep) (Record, bool, error) {
	done := t.begin(StepExtend)
	extended, holds, err := t.engine.Ledger.Extend(ctx, Extend{SignupID: record.SignupID, Steps: extension, Seen: record.Seen(), Now: t.engine.now()})
	done(err)
	switch {
	case err != nil:
		return Record{}, false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case extended.SignupID == "":
		return Record{}, false, errVanished
	}
	return extended, holds, nil
}

// conflict ends a try whose delivery asks for something else than the record has.
// Nothing of it is taken.
func (t *try) conflict(ctx context.Context, record Record, ours bool, faults []Fault) (Record, *Result, error) {
	if ours { // pending, and nobody's, with the error that it had
		cause := errContradiction
		if record.LastError != "" {
			cause = fmt.Errorf("%w; before: %s", errContradiction, record.LastError)
		}
		if _, err := t.release(ctx, record, cause); err != nil {
			return Record{}, nil, err
		}
	}
	return Record{}, &Result{Record: record, Outcome: OutcomeConflict, Faults: faults, Steps: t.steps}, nil
}
