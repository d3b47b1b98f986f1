package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/trunkhook/trunkhook/exotel"
)

// What can be wrong besides what Exotel says.
var (
	errLeaseOver        = errors.New("the lease has run out")
	errLostLease        = errors.New("somebody else holds the signup now")
	errAnotherAccount   = errors.New("the credentials are for another account than the one the signup began with")
	errForeignTrunk     = errors.New("a trunk of this name exists, but it isn't one of ours")
	errNotListed        = errors.New("the trunk exists, says Exotel, but it isn't listed")
	errFurtherBack      = fmt.Errorf("%w among the newest: the search looks for it", errNotListed)
	errUnseen           = errors.New("the trunk exists, says Exotel, and the call budget has no room to look among the newest: the search does")
	errNoCredentials    = errors.New("the credentials can't be had")
	errTableUnavailable = errors.New("the table can't be written")
)

// obtain gets the signup's trunk: made now, or made before and found; of a dry signup
// none. Vendor calls end at vendorBy.
func (t *try) obtain(ctx context.Context, record *Record) (trunk *exotel.Trunk, how Outcome, err error) {
	ctx, cancel := context.WithDeadline(exotel.WithHooks(ctx, t.hooks(ctx)), t.vendorBy)
	defer cancel()
	account, err := t.engine.Accounts.Open(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	trunk, how, err = t.createOrAdopt(ctx, account, record)
	if renewed := t.engine.renew(ctx, account, err); renewed != nil { // rotated: once more
		return t.createOrAdopt(ctx, renewed, record)
	}
	return trunk, how, err
}

func (t *try) createOrAdopt(ctx context.Context, account *Account, record *Record) (trunk *exotel.Trunk, how Outcome, err error) {
	if err := t.pin(ctx, account, record); err != nil {
		return nil, "", err
	}
	if Dry(record.SignupID) {
		return nil, OutcomeDry, lookOnly(ctx, account)
	}
	trunk, err = account.Trunks.Create(ctx, exotel.CreateTrunkRequest{
		TrunkName: record.TrunkName, NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName(record.AccountSID),
	})
	if !errors.Is(err, exotel.ErrDuplicate) {
		return trunk, OutcomeCreated, err
	}
	trunk, err = find(ctx, account.Trunks, record)
	if spent := (*SpentError)(nil); errors.As(err, &spent) {
		err = fmt.Errorf("%w: %w", errUnseen, err)
	}
	return trunk, OutcomeAdopted, err
}

// forSearch tells whether the search looks for the trunk from here on. It does so
// as well where a look among the newest can't be paid for: the next try would pay
// for a create again, only to be told the same, while a page that the search pays
// for serves all who wait.
func forSearch(err error) bool {
	return errors.Is(err, errFurtherBack) || errors.Is(err, errUnseen) || errors.Is(err, errLastLook)
}

// pin makes sure that the signup belongs to this account before anything is
// sent there.
func (t *try) pin(ctx context.Context, account *Account, record *Record) error {
	if record.AccountSID == "" {
		done := t.begin(StepPin)
		pinned, holds, err := t.engine.Ledger.Pin(ctx, Pin{SignupID: record.SignupID, Owner: t.owner, Attempt: t.attempt, AccountSID: account.SID, Now: t.engine.now()})
		done(err)
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", errTableUnavailable, err)
		case !holds:
			return errLostLease
		}
		*record = pinned
	}
	if record.AccountSID != account.SID {
		return errAnotherAccount
	}
	return nil
}

// freshPages is how many pages of a list a try looks through: a trunk whose
// answer was lost a moment ago is on the first.
const freshPages = 2

// pageSize is the server's default. Its maximum is documented nowhere, and what
// it does with more neither.
const pageSize = 50

// find looks for the signup's trunk by its name among the newest, which come
// first. Exotel has no filter by name. What is further back is the search's.
func find(ctx context.Context, trunks Trunks, record *Record) (*exotel.Trunk, error) {
	unreadable := 0
	next := &exotel.ListOptions{PageSize: pageSize}
	for range freshPages {
		page, err := trunks.List(ctx, *next)
		if err != nil {
			return nil, err
		}
		for _, trunk := range page.Trunks {
			if trunk.Name == record.TrunkName {
				return ours(trunk, record)
			}
		}
		unreadable += page.Unreadable
		if next = page.Next; next == nil {
			return nil, notListed(unreadable)
		}
	}
	return nil, errFurtherBack
}

func notListed(unreadable int) error {
	if unreadable > 0 {
		return fmt.Errorf("%w; %d trunks in the list are unreadable", errNotListed, unreadable)
	}
	return errNotListed
}

// ours: 60 bits of hash make a foreign trunk of that name a non-event, but the
// domain is there to be looked at.
func ours(trunk exotel.Trunk, record *Record) (*exotel.Trunk, error) {
	if trunk.DomainName != "" && !strings.EqualFold(trunk.DomainName, exotel.DomainName(record.AccountSID)) {
		return nil, fmt.Errorf("%w: %s", errForeignTrunk, trunk.SID)
	}
	return &trunk, nil
}
