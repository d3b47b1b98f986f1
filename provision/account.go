package provision

import (
	"context"
	"errors"

	"github.com/trunkhook/trunkhook/exotel"
)

// Account is one Exotel account, opened with the credentials of the moment.
type Account struct {
	SID    string
	Trunks Trunks
}

// Trunks is what the engine needs of Exotel. *exotel.TrunksService is it.
type Trunks interface {
	Create(ctx context.Context, r exotel.CreateTrunkRequest) (*exotel.Trunk, error)
	List(ctx context.Context, o exotel.ListOptions) (*exotel.TrunkPage, error)
}

// Accounts opens the account. Credentials are kept elsewhere, may be rotated
// at any time, and their store may be down.
type Accounts interface {
	// Ready is the account if it can be had without waiting, else nil.
	Ready() *Account
	// Open returns the account, fetching the credentials if need be.
	Open(ctx context.Context) (*Account, error)
	// Reopen fetches the credentials again because Exotel refused those of the
	// given account. Where they have not changed it returns that same account.
	Reopen(ctx context.Context, refused *Account) (*Account, error)
}

// renew returns the account with other credentials than those that were refused,
// or nil where there are none: then trying again would be refused again.
func (e *Engine) renew(ctx context.Context, refused *Account, cause error) *Account {
	if !errors.Is(cause, exotel.ErrUnauthorized) {
		return nil
	}
	renewed, err := e.Accounts.Reopen(ctx, refused)
	if err != nil || renewed == refused {
		return nil
	}
	return renewed
}
