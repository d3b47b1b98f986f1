package exotel

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// AnyNSO is the network service operator code that Exotel documents for every
// account: any operator, any circle.
const AnyNSO = "ANY-ANY"

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

var (
	trunkName  = regexp.MustCompile(`^[A-Za-z0-9_]{1,16}$`)
	domainName = regexp.MustCompile(`^` + accountSIDs + regexp.QuoteMeta(domainSuffix) + `$`)
)

// Validate checks the request against Exotel's rules, so that nothing is sent
// that must fail. It matters most for the empty name: a live account accepted
// one and made a trunk of it (vendor's live tests, August 2025).
func (r CreateTrunkRequest) Validate() error {
	switch {
	case !trunkName.MatchString(r.TrunkName):
		return errors.New("trunk_name must be 1 to 16 letters, digits or _")
	case r.NSOCode == "" || strings.TrimSpace(r.NSOCode) != r.NSOCode:
		return errors.New("nso_code must be a code such as " + AnyNSO)
	case !domainName.MatchString(r.DomainName):
		return errors.New("domain_name must be <account_sid>" + domainSuffix)
	}
	return nil
}

// Create makes a trunk. Where a trunk of that name exists the error is
// ErrDuplicate. After ErrOutcomeUnknown the trunk may or may not exist: call
// Create again under the same name.
func (s *TrunksService) Create(ctx context.Context, r CreateTrunkRequest) (*Trunk, error) {
	const op = "create trunk"
	if err := r.Validate(); err != nil {
		return nil, &Error{Op: op, Kind: ErrInvalid, Message: err.Error()}
	}
	var trunk Trunk
	err := s.client.do(ctx, request{
		op: op, method: http.MethodPost, path: []string{"trunks"}, body: r,
		read: func(ans answer) error {
			if err := oneTrunk(&trunk)(ans); err != nil {
				return err
			}
			if trunk.Name != "" && trunk.Name != r.TrunkName {
				return errors.New("the answer is about a trunk of another name")
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	return &trunk, nil
}

// Delete removes a trunk with all that is mapped to it, for good, and returns
// it as it was.
func (s *TrunksService) Delete(ctx context.Context, trunkSID string) (*Trunk, error) {
	const op = "delete trunk"
	if trunkSID == "" {
		return nil, &Error{Op: op, Kind: ErrInvalid, Message: "trunk_sid is empty"}
	}
	var trunk Trunk
	err := s.client.do(ctx, request{
		op: op, method: http.MethodDelete, path: []string{"trunks"}, query: url.Values{"trunk_sid": {trunkSID}},
		read: oneTrunk(&trunk),
	})
	if err != nil {
		return nil, err
	}
	return &trunk, nil
}

// oneTrunk reads the one trunk of an answer. One without a trunk_sid is none.
func oneTrunk(trunk *Trunk) reader {
	return func(ans answer) error {
		switch {
		case len(ans.results) != 1 || !ans.results[0].into(trunk) || trunk.SID == "":
			return errors.New("the answer holds no trunk_sid")
		case ans.results[0].failed(): // in a list, where one can
			return errors.New("the answer is about a trunk, and a failure")
		}
		return nil
	}
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

func (o ListOptions) query() url.Values {
	query := url.Values{}
	if o.PageSize > 0 {
		query.Set("page_size", strconv.Itoa(o.PageSize))
	}
	if o.Offset > 0 {
		query.Set("offset", strconv.Itoa(o.Offset))
	}
	if o.TrunkSID != "" {
		query.Set("trunk_sid", o.TrunkSID)
	}
	return query
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
	var page TrunkPage
	err := s.client.do(ctx, request{
		op: "list trunks", method: http.MethodGet, path: []string{"trunks"}, query: options.query(),
		read: func(ans answer) (err error) {
			page = readPage(ans.results)
			page.Next, err = options.next(ans.nextPage)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	return &page, nil
}

func readPage(results []result) (page TrunkPage) {
	for _, r := range results {
		var trunk Trunk
		if r.failed() || !r.into(&trunk) || trunk.SID == "" {
			page.Unreadable++
			continue
		}
		page.Trunks = append(page.Trunks, trunk)
	}
	return page
}

// next reads the offset and size out of next_page_uri, which is a path on the
// API's host. The path itself is not followed: it would bypass Config.BaseURL.
// One that can't be read, or doesn't advance, is an error: taken for the end it
// would say of all trunks behind it that they don't exist.
func (o ListOptions) next(uri string) (*ListOptions, error) {
	if uri == "" {
		return nil, nil
	}
	parsed, err := url.Parse(uri)
	if err != nil {
		return nil, errors.New("the next page's address is unreadable")
	}
	offset, err := strconv.Atoi(parsed.Query().Get("offset"))
	if err != nil || offset <= o.Offset {
		return nil, errors.New("the next page's address doesn't advance")
	}
	o.Offset = offset
	if size, err := strconv.Atoi(parsed.Query().Get("page_size")); err == nil && size > 0 {
		o.PageSize = size
	}
	return &o, nil
}

// All walks over all trunks, newest first, page by page. A trunk that a shift
// of the pages shows twice is given once. The walk ends at the first error,
// which is given with a zero Trunk; where some trunks can't be read, that is an
// ErrOutcomeUnknown at the end.
func (s *TrunksService) All(ctx context.Context, options ListOptions) iter.Seq2[Trunk, error] {
	return func(yield func(Trunk, error) bool) {
		seen, unreadable := make(map[string]bool), 0
		for next := &options; next != nil; {
			page, err := s.List(ctx, *next)
			if err != nil {
				yield(Trunk{}, err)
				return
			}
			for _, trunk := range page.Trunks {
				if !seen[trunk.SID] && !yield(trunk, nil) {
					return
				}
				seen[trunk.SID] = true
			}
			unreadable += page.Unreadable
			next = page.Next
		}
		if unreadable > 0 {
			yield(Trunk{}, &Error{Op: "list trunks", Kind: ErrOutcomeUnknown, Message: strconv.Itoa(unreadable) + " trunks are unreadable"})
		}
	}
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

// UnmarshalJSON is lenient on purpose. A field that changes its type one day
// must not cost the trunk_sid of a trunk that was made.
func (t *Trunk) UnmarshalJSON(data []byte) error {
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	text := func(name string) string {
		value, _ := fields[name].(string)
		return value
	}
	*t = Trunk{
		SID:                 text("trunk_sid"),
		Name:                text("trunk_name"),
		DomainName:          text("domain_name"),
		Status:              text("status"),
		AuthType:            text("auth_type"),
		RegistrationEnabled: text("registration_enabled"),
		EdgePreference:      text("edge_preference"),
		NSOCode:             text("nso_code"),
		SecureTrunking:      text("secure_trunking"),
		DateCreated:         text("date_created"),
		DateUpdated:         text("date_updated"),
		Raw:                 append(json.RawMessage(nil), data...),
	}
	return nil
}
