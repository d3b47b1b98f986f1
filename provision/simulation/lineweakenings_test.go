package simulation_test

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// The safeguards of lines, taken away. Of destinations and credentials alone: the
// mark, what it says, and the look at the list before a send.

// unmarked doesn't write down what is about to be sent.
type unmarked struct{ *table }

func (t unmarked) Mark(_ context.Context, w provision.Mark) (provision.Record, bool, error) {
	t.process.world.mu.Lock()
	defer t.process.world.mu.Unlock()
	return t.process.world.records[w.SignupID], true, nil
}

// impatient shows no try that anything was sent before.
type impatient struct{ *table }

func (t impatient) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	record, holds, err := t.table.Claim(ctx, w)
	return unsent(record), holds, err
}

func (t impatient) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	record, holds, err := t.table.TakeOver(ctx, w)
	return unsent(record), holds, err
}

func unsent(r provision.Record) provision.Record {
	steps := make(map[string]provision.LineStep, len(r.Steps))
	for key, step := range r.Steps {
		step.SentAt = time.Time{}
		steps[key] = step
	}
	if r.Steps != nil {
		r.Steps = steps
	}
	return r
}

// forgetsRefused takes what is refused for never sent.
type forgetsRefused struct{ *table }

func (t forgetsRefused) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	w.Steps = unsent(provision.Record{Steps: w.Steps}).Steps
	return t.table.Activate(ctx, w)
}

// anybodysMark holds whoever holds the signup.
type anybodysMark struct{ *table }

func (t anybodysMark) Mark(ctx context.Context, w provision.Mark) (provision.Record, bool, error) {
	return t.write(ctx, "mark", w.SignupID, mine(w.Owner, w.Attempt, w.Apply))
}

// blind makes signups active with whatever was added to them meanwhile.
type blind struct{ *table }

func (t blind) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	return t.write(ctx, "activate", w.SignupID, func(old *provision.Record) (provision.Record, bool) {
		if old != nil {
			w.Seen.Steps, w.Seen.Revision = len(old.Steps) > 0, old.Revision
		}
		return w.Apply(old)
	})
}

// byKey takes an addition for done where something else of the same keys was added.
type byKey struct{ *table }

func (t byKey) Extend(ctx context.Context, w provision.Extend) (provision.Record, bool, error) {
	return t.write(ctx, "extend", w.SignupID, func(old *provision.Record) (provision.Record, bool) {
		record, holds := w.Apply(old)
		return record, holds || record.Status == provision.StatusPending && hasKeys(record, w.Steps)
	})
}

func hasKeys(r provision.Record, steps map[string]provision.LineStep) bool {
	for key := range steps {
		if _, there := r.Steps[key]; !there {
			return false
		}
	}
	return true
}

// addsAnyway adds to a signup whatever was added since it was seen.
type addsAnyway struct{ *table }

func (t addsAnyway) Extend(ctx context.Context, w provision.Extend) (provision.Record, bool, error) {
	return t.write(ctx, "extend", w.SignupID, func(old *provision.Record) (provision.Record, bool) {
		if old != nil {
			w.Seen = old.Seen()
		}
		return w.Apply(old)
	})
}

// neverListed are lists that show nothing, of what doubles.
func neverListed(a *provision.Account) {
	a.DestinationURIs = unlistedDestinations{a.DestinationURIs}
	a.Credentials = unlistedCredentials{a.Credentials}
}

type (
	unlistedDestinations struct{ provision.DestinationURIs }
	unlistedCredentials  struct{ provision.Credentials }
)

func (unlistedDestinations) All(context.Context, string) iter.Seq2[exotel.DestinationURI, error] {
	return func(func(exotel.DestinationURI, error) bool) {}
}

func (unlistedCredentials) All(context.Context, string) iter.Seq2[exotel.Credential, error] {
	return func(func(exotel.Credential, error) bool) {}
}

// mappedAnyway takes a number that is mapped already for one that is mapped here.
type mappedAnyway struct{ provision.PhoneNumbers }

func (c mappedAnyway) Map(ctx context.Context, trunkSID string, r exotel.MapPhoneNumberRequest) (*exotel.PhoneNumber, error) {
	number, err := c.PhoneNumbers.Map(ctx, trunkSID, r)
	if errors.Is(err, exotel.ErrDuplicate) {
		return &exotel.PhoneNumber{ID: "0"}, nil
	}
	return number, err
}

// refusedAnyway takes such a number for one that the vendor refuses.
type refusedAnyway struct{ provision.PhoneNumbers }

func (c refusedAnyway) Map(ctx context.Context, trunkSID string, r exotel.MapPhoneNumberRequest) (*exotel.PhoneNumber, error) {
	number, err := c.PhoneNumbers.Map(ctx, trunkSID, r)
	if errors.Is(err, exotel.ErrDuplicate) {
		return nil, &exotel.Error{Op: "map phone number", Kind: exotel.ErrInvalid}
	}
	return number, err
}

// newPasswords gives each try a password of its own, although one is kept.
type newPasswords struct{ *passwords }

func (p newPasswords) Keep(ctx context.Context, trunkName, userName, password string) (kept, at string, err error) {
	_, at, err = p.passwords.Keep(ctx, trunkName, userName, password)
	return password, at, err
}

// keptLater keeps a password when it was sent, not before.
type keptLater struct{ *passwords }

func (p keptLater) Keep(ctx context.Context, trunkName, userName, password string) (kept, at string, err error) {
	world := p.process.world
	at = passwordAt(trunkName, userName)
	c := world.begin(ctx, "keep password", trunkName+" "+userName)
	world.later(c.between(time.Second, 2*time.Second), func() {
		world.locked(func() {
			if !c.actor.process.dead && world.passwords[at] == "" {
				world.passwords[at] = password
			}
		})
	})
	world.mu.Lock()
	defer world.mu.Unlock()
	if kept := world.passwords[at]; kept != "" {
		return kept, at, nil
	}
	return password, at, nil
}
