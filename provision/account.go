package provision

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Account is one Exotel account, opened with the credentials of the moment.
type Account struct {
	SID    string
	Trunks Trunks

	PhoneNumbers    PhoneNumbers
	WhitelistedIPs  WhitelistedIPs
	DestinationURIs DestinationURIs
	Credentials     Credentials
	Settings        Settings
}

// OpenAccount is the account that the client speaks for.
func OpenAccount(client *exotel.Client) *Account {
	return &Account{
		SID: client.AccountSID(), Trunks: client.Trunks, PhoneNumbers: client.PhoneNumbers, WhitelistedIPs: client.WhitelistedIPs,
		DestinationURIs: client.DestinationURIs, Credentials: client.Credentials, Settings: client.Settings,
	}
}

// Trunks is what the engine needs of Exotel. *exotel.TrunksService is it.
type Trunks interface {
	Create(ctx context.Context, r exotel.CreateTrunkRequest) (*exotel.Trunk, error)
	List(ctx context.Context, o exotel.ListOptions) (*exotel.TrunkPage, error)
	Delete(ctx context.Context, trunkSID string) (*exotel.Trunk, error)
}

// What the engine needs of Exotel to complete a line; the services of an
// *exotel.Client of the same names are it.
type (
	// PhoneNumbers maps numbers to a trunk.
	PhoneNumbers interface {
		Map(ctx context.Context, trunkSID string, r exotel.MapPhoneNumberRequest) (*exotel.PhoneNumber, error)
		All(ctx context.Context, trunkSID string) iter.Seq2[exotel.PhoneNumber, error]
		UpdateMode(ctx context.Context, trunkSID, id string, r exotel.MapPhoneNumberRequest) (*exotel.PhoneNumber, error)
	}
	// WhitelistedIPs lets addresses in.
	WhitelistedIPs interface {
		Add(ctx context.Context, trunkSID string, r exotel.WhitelistIPRequest) (*exotel.WhitelistedIP, error)
		All(ctx context.Context, trunkSID string) iter.Seq2[exotel.WhitelistedIP, error]
	}
	// DestinationURIs sends calls on. The results are in the order of the destinations.
	DestinationURIs interface {
		Add(ctx context.Context, trunkSID string, destinations []string) ([]exotel.DestinationResult, error)
		All(ctx context.Context, trunkSID string) iter.Seq2[exotel.DestinationURI, error]
	}
	// Credentials lets clients register.
	Credentials interface {
		Create(ctx context.Context, trunkSID string, r exotel.CreateCredentialRequest) (*exotel.Credential, error)
		All(ctx context.Context, trunkSID string) iter.Seq2[exotel.Credential, error]
		Update(ctx context.Context, trunkSID, id string, r exotel.UpdateCredentialRequest) (*exotel.Credential, error)
	}
	// Settings sets what a trunk has one of.
	Settings interface {
		Set(ctx context.Context, trunkSID string, settings []exotel.Setting) ([]exotel.SettingResult, error)
	}
)

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
