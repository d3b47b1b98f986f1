package exotel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// WhitelistedIPsService says from which addresses a trunk takes calls. Exotel
// calls that its ACL. Take it from a Client.
type WhitelistedIPsService struct{ client *Client }

// The masks that a live account takes (vendor's live tests, August 2025). Pages
// of January 2026 say 1 to 32.
const (
	MinMask = 16
	MaxMask = 32
)

// WhitelistIPRequest is an address, or a network by one of its addresses.
type WhitelistIPRequest struct {
	IP   string `json:"ip"`   // IPv4
	Mask int    `json:"mask"` // 16 to 32; 32 for one address
}

// WhitelistPrefix is the request for a network, or for one address where it has
// all 32 bits. Bits of the address outside the mask are cleared.
func WhitelistPrefix(p netip.Prefix) WhitelistIPRequest {
	if p.Addr().Is4In6() {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	p = p.Masked()
	return WhitelistIPRequest{IP: p.Addr().String(), Mask: p.Bits()}
}

// Validate checks the request against Exotel's rules. A private address passes:
// a live account took 192.168.1.1 (vendor's live tests, August 2025).
func (r WhitelistIPRequest) Validate() error {
	addr, err := netip.ParseAddr(r.IP)
	switch {
	case err != nil || !addr.Is4():
		return errors.New("ip must be an IPv4 address")
	case r.Mask < MinMask || r.Mask > MaxMask:
		return errors.New("mask must be 16 to 32")
	}
	return nil
}

func (r WhitelistIPRequest) prefix() (netip.Prefix, bool) { return prefixOf(r.IP, r.Mask, true) }

// WhitelistedIP is an address or network from which a trunk takes calls. Only ID
// is certain to be there.
type WhitelistedIP struct {
	ID           string // digits
	IP           string // as Exotel sent it
	Mask         int    // zero where Exotel said none
	TrunkSID     string
	FriendlyName string
	DateCreated  string // RFC 3339
	DateUpdated  string // RFC 3339

	// Raw is the entry as Exotel sent it, with what this struct doesn't know.
	Raw json.RawMessage
}

func (w WhitelistedIP) key() string { return w.ID }

// UnmarshalJSON is as lenient as a Trunk's.
func (w *WhitelistedIP) UnmarshalJSON(data []byte) error {
	o, err := parseObject(data)
	if err != nil {
		return err
	}
	*w = WhitelistedIP{
		ID:           o.scalar("id"),
		IP:           o.text("ip"),
		Mask:         mask(o.scalar("mask")),
		TrunkSID:     o.text("trunk_sid"),
		FriendlyName: o.text("friendly_name"),
		DateCreated:  o.text("date_created"),
		DateUpdated:  o.text("date_updated"),
		Raw:          slices.Clone(data),
	}
	return nil
}

// mask reads 24, "24" and "/24". What is out of range is none.
func mask(text string) int {
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "/"), 10, 8)
	if err != nil || n > MaxMask {
		return 0
	}
	return int(n)
}

// Prefix is the network, its bits outside the mask cleared, so that it can be
// compared. The mask is read as the number that Exotel documents and was seen to
// send, or out of an ip that is written 198.51.100.0/24; without any it is 32,
// as documented. False where there is no IPv4 network, or two of them.
func (w WhitelistedIP) Prefix() (netip.Prefix, bool) { return prefixOf(w.IP, w.Mask, w.Mask != 0) }

func prefixOf(ip string, mask int, hasMask bool) (netip.Prefix, bool) {
	ip = strings.TrimSpace(ip)
	if strings.Contains(ip, "/") {
		p, err := netip.ParsePrefix(ip)
		return p.Masked(), err == nil && p.Addr().Is4() && (!hasMask || mask == p.Bits())
	}
	if !hasMask {
		mask = MaxMask
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil || !addr.Is4() || mask < 0 || mask > MaxMask {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, mask).Masked(), true
}

// is tells whether an answer is about what was asked, as far as it says.
func (w WhitelistedIP) is(r WhitelistIPRequest) bool {
	got, readable := w.Prefix()
	asked, _ := r.prefix()
	return w.IP == "" || readable && got == asked
}

// Add lets a trunk take calls from an address or a network. ErrDuplicate says
// that the address is there already, but not with which mask: List tells. After
// ErrOutcomeUnknown, call Add again with the same.
func (s *WhitelistedIPsService) Add(ctx context.Context, trunkSID string, r WhitelistIPRequest) (*WhitelistedIP, error) {
	req := ofTrunk("whitelist ip", http.MethodPost, trunkSID, "whitelisted-ips")
	req.body, req.fault = r, cmp.Or(req.fault, r.Validate())
	return one(ctx, s.client, req, func(w WhitelistedIP) bool { return w.is(r) })
}

// WhitelistedIPPage is a page of addresses and networks, newest first.
type WhitelistedIPPage struct {
	WhitelistedIPs []WhitelistedIP
	Unreadable     int          // how many more there are that can't be read
	Next           *PageOptions // the page after this one; nil where this is the last
}

// List returns one page of a trunk's whitelist.
func (s *WhitelistedIPsService) List(ctx context.Context, trunkSID string, o PageOptions) (*WhitelistedIPPage, error) {
	page, err := list[WhitelistedIP](ctx, s.client, listWhitelistedIPs(trunkSID), o)
	if err != nil {
		return nil, err
	}
	return &WhitelistedIPPage{page.entries, page.unreadable, page.next}, nil
}

// All walks over all of a trunk's whitelist, as TrunksService.All does over trunks.
func (s *WhitelistedIPsService) All(ctx context.Context, trunkSID string) iter.Seq2[WhitelistedIP, error] {
	return all[WhitelistedIP](ctx, s.client, listWhitelistedIPs(trunkSID), PageOptions{})
}

func listWhitelistedIPs(trunkSID string) request {
	return ofTrunk("list whitelisted ips", http.MethodGet, trunkSID, "whitelisted-ips")
}

// Update changes an entry. Unverified: only the vendor's Postman file has it
// (121659e, 2026).
func (s *WhitelistedIPsService) Update(ctx context.Context, trunkSID, id string, r WhitelistIPRequest) (*WhitelistedIP, error) {
	req := ofTrunk("update whitelisted ip", http.MethodPut, trunkSID, "whitelisted-ips", id)
	req.body, req.fault = r, cmp.Or(req.fault, r.Validate())
	return one(ctx, s.client, req, func(w WhitelistedIP) bool { return w.ID == id && w.is(r) })
}

// Remove takes an entry away. Unverified: only the vendor's Postman file has it
// (121659e, 2026).
func (s *WhitelistedIPsService) Remove(ctx context.Context, trunkSID, id string) error {
	req := ofTrunk("remove whitelisted ip", http.MethodDelete, trunkSID, "whitelisted-ips")
	return remove(ctx, s.client, req, "id", id)
}
