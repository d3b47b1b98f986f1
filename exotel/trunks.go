package exotel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// AnyNSO is the network service operator code that Exotel documents for every
// account: any operator, any circle.
const AnyNSO = "ANY-ANY"

// Names of operations, as in Error.Op and Call.Op.
const (
	OpCreateTrunk = "create trunk"
	OpDeleteTrunk = "delete trunk"
)

// MaxTrunkName is how long a trunk's name may be, in characters.
const MaxTrunkName = 16

// domainSuffix is what Exotel wants a trunk's domain to end with (code 1002
// otherwise, recorded August 2025).
const domainSuffix = ".pstn.exotel.com"

// DomainName is the SIP domain of an account's trunks.
func DomainName(accountSID string) string { return accountSID + domainSuffix }

// TrunksService makes, lists and deletes trunks. Take it from a Client.
type TrunksService struct{ client *Client }

// CreateTrunkRequest is what a trunk is made of. All fields are required.
type CreateTrunkRequest struct {
	// TrunkName: 1 to 16 of [A-Za-z0-9_], unique in the account for ever.
	TrunkName string `json:"trunk_name"`
	// NSOCode: AnyNSO.
	NSOCode string `json:"nso_code"`
	// DomainName: what the function DomainName gives for the account.
	DomainName string `json:"domain_name"`
}

func isTrunkName(text string) bool { return isWord(text, 1, MaxTrunkName, "") }

func isDomainName(text string) bool {
	account, whole := strings.CutSuffix(text, domainSuffix)
	return whole && isAccountSID(account)
}

// Validate checks the request against Exotel's rules, so that nothing is sent
// that must fail. It matters most for the empty name: a live account accepted
// one and made a trunk of it (vendor's live tests, August 2025).
func (r CreateTrunkRequest) Validate() error {
	switch {
	case !isTrunkName(r.TrunkName):
		return errors.New("trunk_name must be 1 to 16 letters, digits or _")
	case r.NSOCode == "" || strings.TrimSpace(r.NSOCode) != r.NSOCode:
		return errors.New("nso_code must be a code such as " + AnyNSO)
	case !isDomainName(r.DomainName):
		return errors.New("domain_name must be <account_sid>" + domainSuffix)
	}
	return nil
}

// Create makes a trunk. Where a trunk of that name exists the error is
// ErrDuplicate. After ErrOutcomeUnknown the trunk may or may not exist: call
// Create again under the same name.
func (s *TrunksService) Create(ctx context.Context, r CreateTrunkRequest) (*Trunk, error) {
	return one(ctx, s.client, request{
		op: OpCreateTrunk, method: http.MethodPost, path: []string{"trunks"}, body: r, fault: r.Validate(),
	}, func(t Trunk) bool { return t.Name == "" || t.Name == r.TrunkName })
}

// UpdateTrunkRequest is what is to change of a trunk; what is empty stays.
type UpdateTrunkRequest struct {
	TrunkName string `json:"trunk_name,omitempty"` // as in CreateTrunkRequest
	AuthType  string `json:"auth_type,omitempty"`  // IP-WHITELIST was seen
	NSOCode   string `json:"nso_code,omitempty"`
}

// Validate checks that there is something to change, and the name.
func (r UpdateTrunkRequest) Validate() error {
	switch {
	case r == UpdateTrunkRequest{}:
		return errors.New("nothing is to change")
	case r.TrunkName != "" && !isTrunkName(r.TrunkName):
		return errors.New("trunk_name must be 1 to 16 letters, digits or _")
	}
	return nil
}

// Update changes a trunk. Whoever finds trunks by their names must not change
// the name. Unverified: only the vendor's Postman file has it (121659e, 2026).
func (s *TrunksService) Update(ctx context.Context, trunkSID string, r UpdateTrunkRequest) (*Trunk, error) {
	return one(ctx, s.client, request{
		op: "update trunk", method: http.MethodPut, path: []string{"trunks", trunkSID}, body: r,
		fault: cmp.Or(validID("trunk_sid", trunkSID), r.Validate()),
	}, func(t Trunk) bool { return t.SID == trunkSID })
}

// Delete removes a trunk with all that is mapped to it, for good, and returns
// it as it was.
func (s *TrunksService) Delete(ctx context.Context, trunkSID string) (*Trunk, error) {
	return one(ctx, s.client, request{
		op: OpDeleteTrunk, method: http.MethodDelete, path: []string{"trunks"}, query: url.Values{"trunk_sid": {trunkSID}},
		fault: validID("trunk_sid", trunkSID),
	}, func(Trunk) bool { return true })
}

// ListOptions chooses a page of a list.
type ListOptions struct {
	// PageSize: zero for the server's default, 50. The server has a maximum
	// that is documented nowhere.
	PageSize int
	// Offset: how many to pass over. Lists are newest first, so offsets shift
	// while trunks are made.
	Offset int
	// TrunkSID: only this trunk. There is no filter by name.
	TrunkSID string
}

func (o ListOptions) page() PageOptions { return PageOptions{PageSize: o.PageSize, Offset: o.Offset} }

// at are the same options for another page.
func (o ListOptions) at(page *PageOptions) *ListOptions {
	if page == nil {
		return nil
	}
	o.PageSize, o.Offset = page.PageSize, page.Offset
	return &o
}

func (o ListOptions) request() request {
	return request{op: "list trunks", path: []string{"trunks"}, query: only("trunk_sid", o.TrunkSID)}
}

// TrunkPage is a page of trunks, newest first.
type TrunkPage struct {
	Trunks []Trunk
	// Unreadable is how many more there are whose description can't be read. A
	// trunk that isn't in Trunks may be one of those.
	Unreadable int
	// Next asks for the page after this one; nil where this is the last.
	Next *ListOptions
}

// List returns one page of the account's trunks.
func (s *TrunksService) List(ctx context.Context, options ListOptions) (*TrunkPage, error) {
	page, err := list[Trunk](ctx, s.client, options.request(), options.page())
	if err != nil {
		return nil, err
	}
	return &TrunkPage{page.entries, page.unreadable, options.at(page.next)}, nil
}

// All walks over all trunks, newest first, page by page. A trunk that a shift
// of the pages shows twice is given once. The walk ends at the first error,
// which is given with a zero Trunk; where some trunks can't be read, that is an
// ErrOutcomeUnknown at the end.
func (s *TrunksService) All(ctx context.Context, options ListOptions) iter.Seq2[Trunk, error] {
	return all[Trunk](ctx, s.client, options.request(), options.page())
}

// Trunk is a SIP trunk. Only SID is certain to be there; treat it as opaque.
type Trunk struct {
	SID                 string // trunk_sid
	Name                string // trunk_name
	DomainName          string
	Status              string // active, inactive
	AuthType            string // IP-WHITELIST, ...
	RegistrationEnabled string // enabled, disabled
	EdgePreference      string // auto, ...
	NSOCode             string
	SecureTrunking      string // enabled, disabled
	DateCreated         string // RFC 3339
	DateUpdated         string // RFC 3339

	// Raw is the trunk as Exotel sent it, with what this struct doesn't know.
	Raw json.RawMessage
}

func (t Trunk) key() string { return t.SID }

// UnmarshalJSON is lenient on purpose. A field that changes its type one day
// must not cost the trunk_sid of a trunk that was made.
func (t *Trunk) UnmarshalJSON(data []byte) error {
	o, err := parseObject(data)
	if err != nil {
		return err
	}
	*t = Trunk{
		SID:                 o.text("trunk_sid"),
		Name:                o.text("trunk_name"),
		DomainName:          o.text("domain_name"),
		Status:              o.text("status"),
		AuthType:            o.text("auth_type"),
		RegistrationEnabled: o.text("registration_enabled"),
		EdgePreference:      o.text("edge_preference"),
		NSOCode:             o.text("nso_code"),
		SecureTrunking:      o.text("secure_trunking"),
		DateCreated:         o.text("date_created"),
		DateUpdated:         o.text("date_updated"),
		Raw:                 slices.Clone(data),
	}
	return nil
}
