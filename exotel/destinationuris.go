package exotel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"slices"
)

// DestinationURIsService says where a trunk's incoming calls go. Take it from a
// Client.
type DestinationURIsService struct{ client *Client }

// Destination is where calls go, as it is asked for.
type Destination struct {
	// Destination: host:port, with ;transport=udp, tcp or tls behind it or
	// nothing, which means UDP. See ValidateDestination.
	Destination string `json:"destination"`
}

// DestinationURI is where a trunk's incoming calls go. Only ID is certain to be there.
type DestinationURI struct {
	ID          string // digits
	Destination string // as Exotel sent it: with "sip:" in front; see SameDestination
	Type        string // public
	Priority    int    // the lowest is tried first
	Weight      int    // share among those of one priority
	TrunkSID    string
	DateCreated string // RFC 3339
	DateUpdated string // RFC 3339

	// Raw is the entry as Exotel sent it, with what this struct doesn't know.
	Raw json.RawMessage
}

func (d DestinationURI) key() string { return d.ID }

// UnmarshalJSON is as lenient as a Trunk's.
func (d *DestinationURI) UnmarshalJSON(data []byte) error {
	o, err := parseObject(data)
	if err != nil {
		return err
	}
	*d = DestinationURI{
		ID:          o.scalar("id"),
		Destination: o.text("destination"),
		Type:        o.text("type"),
		Priority:    o.number("priority"),
		Weight:      o.number("weight"),
		TrunkSID:    o.text("trunk_sid"),
		DateCreated: o.text("date_created"),
		DateUpdated: o.text("date_updated"),
		Raw:         slices.Clone(data),
	}
	return nil
}

// DestinationResult is what became of one destination: it has a URI or an error.
type DestinationResult struct {
	Destination string // as it was asked for
	URI         *DestinationURI
	Err         error // an *Error
}

// Add adds destinations to a trunk, all in one call, and returns a result for
// each, in the order asked: Exotel may take some and refuse others (HTTP 207).
// A destination that is an address must be whitelisted first.
//
// It adds and never replaces: a destination that is there already is there twice
// afterwards (third-party notes on a live account, 2025), and no ErrDuplicate
// tells. So after ErrOutcomeUnknown, be it of the call or in a result, look
// through All with SameDestination before adding it again, and again after a
// pause: the first call may still be under way.
func (s *DestinationURIsService) Add(ctx context.Context, trunkSID string, destinations []string) ([]DestinationResult, error) {
	req := ofTrunk("add destination uris", http.MethodPost, trunkSID, "destination-uris")
	req.fault = cmp.Or(req.fault, validateDestinations(destinations))
	wanted := make([]Destination, len(destinations))
	for i, d := range destinations {
		wanted[i].Destination = d
	}
	req.body = map[string][]Destination{"destinations": wanted}
	outcomes, err := each(ctx, s.client, req, len(destinations), func(i int, d DestinationURI) bool {
		return SameDestination(d.Destination, destinations[i])
	})
	if err != nil {
		return nil, err
	}
	results := make([]DestinationResult, len(destinations))
	for i, o := range outcomes {
		results[i] = DestinationResult{destinations[i], o.entry, o.err}
	}
	return results, nil
}

// validateDestinations refuses what would be there twice as well.
func validateDestinations(destinations []string) error {
	if len(destinations) == 0 {
		return errors.New("there are no destinations")
	}
	for i, d := range destinations {
		if err := ValidateDestination(d); err != nil {
			return err
		}
		if slices.ContainsFunc(destinations[:i], func(other string) bool { return SameDestination(d, other) }) {
			return errors.New("a destination is there twice")
		}
	}
	return nil
}

// DestinationURIPage is a page of destinations, newest first.
type DestinationURIPage struct {
	DestinationURIs []DestinationURI
	Unreadable      int          // how many more there are that can't be read
	Next            *PageOptions // the page after this one; nil where this is the last
}

// List returns one page of a trunk's destinations.
func (s *DestinationURIsService) List(ctx context.Context, trunkSID string, o PageOptions) (*DestinationURIPage, error) {
	page, err := list[DestinationURI](ctx, s.client, listDestinationURIs(trunkSID), o)
	if err != nil {
		return nil, err
	}
	return &DestinationURIPage{page.entries, page.unreadable, page.next}, nil
}

// All walks over all of a trunk's destinations, as TrunksService.All does over trunks.
func (s *DestinationURIsService) All(ctx context.Context, trunkSID string) iter.Seq2[DestinationURI, error] {
	return all[DestinationURI](ctx, s.client, listDestinationURIs(trunkSID), PageOptions{})
}

func listDestinationURIs(trunkSID string) request {
	return ofTrunk("list destination uris", http.MethodGet, trunkSID, "destination-uris")
}

// UpdateDestinationRequest is what is to change of a destination; what is nil stays.
type UpdateDestinationRequest struct {
	Priority *int `json:"priority,omitempty"` // not negative; limits are documented nowhere
	Weight   *int `json:"weight,omitempty"`   // the same
}

// Validate checks that there is something to change.
func (r UpdateDestinationRequest) Validate() error {
	switch {
	case r == UpdateDestinationRequest{}:
		return errors.New("nothing is to change")
	case r.Priority != nil && *r.Priority < 0, r.Weight != nil && *r.Weight < 0:
		return errors.New("priority and weight must not be negative")
	}
	return nil
}

// Update changes a destination's priority or weight. Unverified: only the
// vendor's Postman file has it (121659e, 2026).
func (s *DestinationURIsService) Update(ctx context.Context, trunkSID, id string, r UpdateDestinationRequest) (*DestinationURI, error) {
	req := ofTrunk("update destination uri", http.MethodPut, trunkSID, "destination-uris", id)
	req.body, req.fault = r, cmp.Or(req.fault, r.Validate())
	return one(ctx, s.client, req, func(d DestinationURI) bool { return d.ID == id })
}

// Remove takes a destination away. Unverified: only the vendor's Postman file
// has it (121659e, 2026).
func (s *DestinationURIsService) Remove(ctx context.Context, trunkSID, id string) error {
	req := ofTrunk("remove destination uri", http.MethodDelete, trunkSID, "destination-uris")
	return remove(ctx, s.client, req, "id", id)
}
