package provision

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// DryPrefix is what the ids of dry signups begin with. No source of webhooks has that
// namespace.
const DryPrefix = "smoke:"

// Dry tells whether the signup of that id is dry: it goes the way of any other, and in
// place of the create a page of Exotel's list is asked for. So the table, the
// credentials, the account and the way to Exotel are tried, and no trunk is made.
func Dry(signupID string) bool { return strings.HasPrefix(signupID, DryPrefix) }

// errDry: nothing is recorded of a dry signup but that it came through.
var errDry = fmt.Errorf("%w: a dry signup gets no trunk", ErrSettled)

// refuseDry names each field of a line that asks for something.
func (l Line) refuseDry(invalid *InvalidError) {
	const detail = "must not be asked for by a dry signup"
	for _, field := range []struct {
		name  string
		asked bool
	}{
		{"phone_numbers", len(l.PhoneNumbers) > 0},
		{"whitelisted_ips", len(l.WhitelistedIPs) > 0},
		{"destination_uris", len(l.DestinationURIs) > 0},
		{"credentials", len(l.Credentials) > 0},
		{"caller_id", l.CallerID != ""},
	} {
		if field.asked {
			invalid.Add(field.name, detail)
		}
	}
}

// lookOnly asks for what an adoption would look at first. What is in the list is no
// matter: the name of a dry signup is never sent. (Versions from before there were any
// took its id for another's; a trunk that one of them left is a leftover of the audit.)
func lookOnly(ctx context.Context, account *Account) error {
	_, err := account.Trunks.List(ctx, exotel.ListOptions{PageSize: pageSize})
	return err
}

// prove writes down that a dry signup came through.
func (t *try) prove(ctx context.Context, record Record) (Result, error) {
	done := t.begin(StepProve)
	proven, holds, err := t.engine.Ledger.Prove(ctx, Prove{SignupID: record.SignupID, Owner: t.owner, Attempt: t.attempt, Now: t.engine.now()})
	done(err)
	switch {
	case err != nil:
		return t.release(ctx, record, fmt.Errorf("%w: %w", errTableUnavailable, err))
	case proven.SignupID == "":
		return Result{Steps: t.steps}, errVanished
	case !holds:
		return t.theirs(proven), nil
	}
	return Result{Record: proven, Outcome: OutcomeDry, Steps: t.steps}, nil
}

// Prove ends a dry signup.
type Prove struct {
	SignupID string
	Owner    string
	Attempt  int // of the try, see Record.Attempts
	Now      time.Time
}

// Apply is the end. It holds as well where the signup has ended so already: whoever
// wrote it, there is nothing in it that differs.
func (w Prove) Apply(old *Record) (Record, bool) {
	switch {
	case old == nil:
		return Record{}, false
	case old.Status == StatusDry:
		return *old, true
	case !old.heldBy(w.Owner, w.Attempt):
		return *old, false
	}
	proven := *old
	proven.Status, proven.LastError, proven.UpdatedAt = StatusDry, "", w.Now
	return proven.settled(), true
}
