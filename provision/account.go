package provision

import (
	"context"
	"errors"
	"sync"
	"time"

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
	// Reopen fetches the credentials again because those of the given account
	// failed. Where they have not changed it returns that same account.
	Reopen(ctx context.Context, refused *Account) (*Account, error)
}

// renew returns the account with other credentials than those that failed so, or
// nil where there are none: then trying again would fail again.
func (e *Engine) renew(ctx context.Context, refused *Account, cause error) *Account {
	if !e.mayBeMended(cause) {
		return nil
	}
	renewed, err := e.Accounts.Reopen(ctx, refused)
	if err != nil || renewed == refused {
		return nil
	}
	return renewed
}

// mayBeMended tells whether to fetch the credentials again. A key that is refused
// was most likely rotated. Anything else that a secret can be wrong in most likely
// stays as it is, until somebody mends it.
func (e *Engine) mayBeMended(cause error) bool {
	switch {
	case errors.Is(cause, exotel.ErrUnauthorized):
		return true
	case errors.Is(cause, exotel.ErrForbidden), errors.Is(cause, exotel.ErrNotFound), errors.Is(cause, errAnotherAccount):
		return e.fetched.again(e.now())
	}
	return false
}

// fetchEvery is how often that is looked for.
const fetchEvery = 10 * time.Second

// fetched is when it last was.
type fetched struct {
	mu   sync.Mutex
	last time.Time
}

func (f *fetched) again(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.last) < fetchEvery {
		return false
	}
	f.last = now
	return true
}
