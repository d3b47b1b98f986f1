package exoteltest

import (
	"net/netip"
	"slices"
	"time"
)

// address is one, or a network, from which a trunk takes calls.
type address struct {
	entry
	ip   string
	mask int
}

func (a *address) describe(trunkSID string) object {
	return a.in(object{"id": a.id, "mask": a.mask, "trunk_sid": trunkSID, "ip": a.ip, "friendly_name": nil})
}

func (s *Server) aboutWhitelistedIPs(q query) reply {
	switch q.op {
	case WhitelistIP:
		return s.whitelistIP(q)
	case UpdateWhitelistedIP:
		return s.updateWhitelistedIP(q)
	case RemoveWhitelistedIP:
		return removeThing(q, &q.line.addresses, "id", "Id")
	default:
		return listThings(s, q, q.line.addresses)
	}
}

// readAddress follows the recorded refusals; the mask is 32 where there is none
// (documented).
func readAddress(q query) (ip string, mask int, refused *reply) {
	type CreateWhitelistipsRequest struct { // the vendor's name: it stands in a recorded error
		IP   *string `json:"ip"`
		Mask *uint8  `json:"mask"`
	}
	var fields CreateWhitelistipsRequest
	if refused := readBody(q, &fields); refused != nil {
		return "", 0, refused
	}
	mask = 32
	if fields.Mask != nil {
		mask = int(*fields.Mask)
	}
	if fields.IP == nil {
		answer := missing(q.Request, "Ip")
		return "", 0, &answer
	}
	var answer reply
	switch addr, err := netip.ParseAddr(*fields.IP); {
	case err != nil || !addr.Is4():
		answer = invalid(q.Request, "Invalid ip")
	case mask < 16 || mask > 32:
		answer = invalid(q.Request, "mask should be in-between 16 and 32")
	default:
		return *fields.IP, mask, nil
	}
	return "", 0, &answer
}

// taken is whether the trunk has the address in another entry. Whether the mask
// counts is documented nowhere; the recorded refusal names the address alone.
func (l *line) taken(ip string, except *address) bool {
	return slices.ContainsFunc(l.addresses, func(a *address) bool { return a != except && a.ip == ip })
}

func (s *Server) whitelistIP(q query) reply {
	ip, mask, refused := readAddress(q)
	switch {
	case refused != nil:
		return *refused
	case q.line.taken(ip, nil):
		return s.duplicate(q.Request, "Unable to Whitelist-ip with ip "+ip)
	}
	made := &address{s.newEntry(whitelistedIPs), ip, mask}
	q.line.addresses = append(q.line.addresses, made)
	return succeed(q.Request, made.describe(q.line.sid))
}

func (s *Server) updateWhitelistedIP(q query) reply {
	a, ok := theThing(q, q.line.addresses)
	if !ok {
		return notFound(q.Request)
	}
	ip, mask, refused := readAddress(q)
	switch {
	case refused != nil:
		return *refused
	case q.line.taken(ip, a):
		return s.duplicate(q.Request, "Unable to Whitelist-ip with ip "+ip)
	}
	a.ip, a.mask, a.updated = ip, mask, time.Now()
	return succeed(q.Request, a.describe(q.line.sid))
}

// whitelists tells whether calls from the address are taken.
func (l *line) whitelists(addr netip.Addr) bool {
	return slices.ContainsFunc(l.addresses, func(a *address) bool {
		return netip.PrefixFrom(netip.MustParseAddr(a.ip), a.mask).Contains(addr)
	})
}
