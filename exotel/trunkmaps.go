package exotel

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"slices"
)

// TrunkMapsService finds the trunk of a phone number. Take it from a Client.
//
// It is in the vendor's samples (121659e and 69b56c5, 2026), but what it answers
// is documented nowhere: this reads whatever comes, and Raw has it all.
type TrunkMapsService struct{ client *Client }

// TrunkMapOptions say which number's trunk is looked for.
type TrunkMapOptions struct {
	Exophone string // required: E.164
	TrunkSID string // only where it is mapped to this trunk
	PageSize int    // as in PageOptions; nobody documents that it has pages
	Offset   int    // the same
}

func (o TrunkMapOptions) request() request {
	req := request{op: "list trunk maps", path: []string{"trunk-maps"}, query: url.Values{"exophone": {o.Exophone}}}
	if o.TrunkSID != "" {
		req.query.Set("trunk_sid", o.TrunkSID)
	}
	if !isE164(o.Exophone) {
		req.fault = errors.New("exophone must be a phone number, E.164")
	}
	return req
}

func (o TrunkMapOptions) page() PageOptions {
	return PageOptions{PageSize: o.PageSize, Offset: o.Offset}
}

// at are the same options for another page.
func (o TrunkMapOptions) at(page *PageOptions) *TrunkMapOptions {
	if page == nil {
		return nil
	}
	o.PageSize, o.Offset = page.PageSize, page.Offset
	return &o
}

// TrunkMap says to which trunk a number is mapped. Nothing but Raw is certain to
// be there.
type TrunkMap struct {
	ID          string
	TrunkSID    string
	PhoneNumber string // phone_number or exophone
	Mode        Mode

	// Raw is the map as Exotel sent it.
	Raw json.RawMessage
}

func (m TrunkMap) key() string { return string(m.Raw) }

// UnmarshalJSON takes any object.
func (m *TrunkMap) UnmarshalJSON(data []byte) error {
	o, err := parseObject(data)
	if err != nil {
		return err
	}
	*m = TrunkMap{
		ID:          o.scalar("id"),
		TrunkSID:    o.text("trunk_sid"),
		PhoneNumber: o.text("phone_number"),
		Mode:        Mode(o.text("mode")),
		Raw:         slices.Clone(data),
	}
	if m.PhoneNumber == "" {
		m.PhoneNumber = o.text("exophone")
	}
	return nil
}

// TrunkMapPage is a page of maps.
type TrunkMapPage struct {
	TrunkMaps  []TrunkMap
	Unreadable int              // how many more there are that can't be read
	Next       *TrunkMapOptions // the page after this one; nil where this is the last
}

// List returns where a number is mapped. Whether a number without a trunk gives
// an empty list or ErrNotFound is documented nowhere.
func (s *TrunkMapsService) List(ctx context.Context, o TrunkMapOptions) (*TrunkMapPage, error) {
	page, err := list[TrunkMap](ctx, s.client, o.request(), o.page())
	if err != nil {
		return nil, err
	}
	return &TrunkMapPage{page.entries, page.unreadable, o.at(page.next)}, nil
}

// All walks over all pages of List.
func (s *TrunkMapsService) All(ctx context.Context, o TrunkMapOptions) iter.Seq2[TrunkMap, error] {
	return all[TrunkMap](ctx, s.client, o.request(), o.page())
}
