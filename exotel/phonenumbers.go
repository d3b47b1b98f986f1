package exotel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
)

// PhoneNumbersService maps phone numbers to trunks. Take it from a Client.
type PhoneNumbersService struct{ client *Client }

// Mode is where calls of a number go.
type Mode string

// The modes that Exotel documents.
const (
	ModePSTN Mode = "pstn" // the telephone network; what a number without a mode does
	ModeFlow Mode = "flow" // a flow, as for StreamKit (Voice AI)
)

// OrDefault is ModePSTN where there is no mode.
func (m Mode) OrDefault() Mode { return cmp.Or(m, ModePSTN) }

// MapPhoneNumberRequest is a number and where its calls go.
type MapPhoneNumberRequest struct {
	// PhoneNumber: E.164, such as +912247788868. It belongs to the account and
	// is mapped to no trunk yet.
	PhoneNumber string `json:"phone_number"`
	// Mode: empty for the vendor's default, which behaves as ModePSTN.
	Mode Mode `json:"mode,omitempty"`
}

// Validate checks that the number is one (a live account refuses "123456" and
// answers 404 to an empty one; vendor's live tests, August 2025), and the mode.
func (r MapPhoneNumberRequest) Validate() error {
	switch {
	case !isE164(r.PhoneNumber):
		return errors.New("phone_number must be E.164: + and 7 to 15 digits, the first not 0")
	case r.Mode != "" && r.Mode != ModePSTN && r.Mode != ModeFlow:
		return errors.New("mode must be pstn or flow")
	}
	return nil
}

// PhoneNumber is a number that is mapped to a trunk. Only ID is certain to be there.
type PhoneNumber struct {
	ID          string // of the mapping; digits
	PhoneNumber string // E.164
	TrunkSID    string
	Mode        Mode   // empty where Exotel says null; see Mode.OrDefault
	DateCreated string // RFC 3339
	DateUpdated string // RFC 3339

	// Raw is the mapping as Exotel sent it, with what this struct doesn't know.
	Raw json.RawMessage
}

func (p PhoneNumber) key() string { return p.ID }

// UnmarshalJSON is as lenient as a Trunk's.
func (p *PhoneNumber) UnmarshalJSON(data []byte) error {
	o, err := parseObject(data)
	if err != nil {
		return err
	}
	*p = PhoneNumber{
		ID:          o.scalar("id"),
		PhoneNumber: o.text("phone_number"),
		TrunkSID:    o.text("trunk_sid"),
		Mode:        Mode(o.text("mode")),
		DateCreated: o.text("date_created"),
		DateUpdated: o.text("date_updated"),
		Raw:         slices.Clone(data),
	}
	return nil
}

// SamePhoneNumber compares two numbers by their digits.
func SamePhoneNumber(a, b string) bool { return digits(a) == digits(b) }

func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// is tells whether an answer is about a number, as far as it says.
func (p PhoneNumber) is(number string) bool {
	return p.PhoneNumber == "" || SamePhoneNumber(p.PhoneNumber, number)
}

// Map maps a number to a trunk. ErrDuplicate says that it is mapped already,
// perhaps to this very trunk by an earlier call, perhaps to another: List tells.
// After ErrOutcomeUnknown, call Map again with the same.
func (s *PhoneNumbersService) Map(ctx context.Context, trunkSID string, r MapPhoneNumberRequest) (*PhoneNumber, error) {
	req := ofTrunk("map phone number", http.MethodPost, trunkSID, "phone-numbers")
	req.body, req.fault = r, cmp.Or(req.fault, r.Validate())
	return one(ctx, s.client, req, func(p PhoneNumber) bool { return p.is(r.PhoneNumber) })
}

// PhoneNumberPage is a page of numbers, newest first.
type PhoneNumberPage struct {
	PhoneNumbers []PhoneNumber
	Unreadable   int          // how many more there are that can't be read
	Next         *PageOptions // the page after this one; nil where this is the last
}

// List returns one page of a trunk's numbers.
func (s *PhoneNumbersService) List(ctx context.Context, trunkSID string, o PageOptions) (*PhoneNumberPage, error) {
	page, err := list[PhoneNumber](ctx, s.client, listPhoneNumbers(trunkSID), o)
	if err != nil {
		return nil, err
	}
	return &PhoneNumberPage{page.entries, page.unreadable, page.next}, nil
}

// All walks over all of a trunk's numbers, as TrunksService.All does over trunks.
func (s *PhoneNumbersService) All(ctx context.Context, trunkSID string) iter.Seq2[PhoneNumber, error] {
	return all[PhoneNumber](ctx, s.client, listPhoneNumbers(trunkSID), PageOptions{})
}

func listPhoneNumbers(trunkSID string) request {
	return ofTrunk("list phone numbers", http.MethodGet, trunkSID, "phone-numbers")
}

// UpdateMode changes where a number's calls go. The number is the one that the
// id stands for, and the mode isn't empty: Exotel wants both.
func (s *PhoneNumbersService) UpdateMode(ctx context.Context, trunkSID, id string, r MapPhoneNumberRequest) (*PhoneNumber, error) {
	req := ofTrunk("update phone number", http.MethodPut, trunkSID, "phone-numbers", id)
	req.body, req.fault = r, cmp.Or(req.fault, r.Validate())
	if r.Mode == "" {
		req.fault = cmp.Or(req.fault, errors.New("mode is empty"))
	}
	return one(ctx, s.client, req, func(p PhoneNumber) bool { return p.ID == id && p.is(r.PhoneNumber) })
}

// Unmap takes a number from its trunk. Unverified: only the vendor's Postman
// file has it (121659e, 2026), and a third party's code that uses it.
func (s *PhoneNumbersService) Unmap(ctx context.Context, trunkSID, id string) error {
	req := ofTrunk("unmap phone number", http.MethodDelete, trunkSID, "phone-numbers")
	return remove(ctx, s.client, req, "id", id)
}
