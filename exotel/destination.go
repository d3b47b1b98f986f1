package exotel

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// ValidateDestination checks that a destination is host:port, with
// ;transport=udp, tcp or tls behind it or nothing, which means UDP. The host is a
// name with a dot in it, or a public IPv4 address: Exotel refuses others ("not a
// valid Ip or Fqdn"; of private and documentation addresses it is known, prose of
// January 2026). Whether a name resolves, and whether an address is whitelisted
// on the trunk, only Exotel can say. The error doesn't repeat the destination.
func ValidateDestination(s string) error {
	address, parameter, hasParameter := strings.Cut(s, ";")
	host, port, hasPort := strings.Cut(address, ":")
	addr, notAddress := netip.ParseAddr(host)
	switch {
	case hasParameter && !slices.Contains([]string{"transport=udp", "transport=tcp", "transport=tls"}, parameter):
		return errors.New("a destination's transport must be udp, tcp or tls, written host:port;transport=tls")
	case !hasPort || !isPort(port):
		return errors.New("a destination must be host:port, the port 1 to 65535")
	case notAddress == nil && !isPublic(addr):
		return errors.New("a destination's address must be a public one: Exotel refuses private and reserved addresses")
	case notAddress != nil && !isFQDN(host):
		return errors.New("a destination's host must be a full domain name or an IPv4 address")
	}
	return nil
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && text[0] != '0'
}

// reserved are the blocks for special purposes (IANA, RFC 6890 and later) that
// netip's own predicates leave out.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // carriers' NAT
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation (RFC 5737)
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation (RFC 5737)
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation (RFC 5737)
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
}

func isPublic(addr netip.Addr) bool {
	return addr.Is4() && addr.IsGlobalUnicast() && !addr.IsPrivate() &&
		!slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// DestinationAddr is the address of a destination whose host is one: it must be
// whitelisted on the trunk first. False where the host is a name.
func DestinationAddr(s string) (netip.Addr, bool) {
	d, ok := readDestination(s)
	if !ok {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(d.host)
	return addr, err == nil
}

// SameDestination tells whether two destinations lead to the same: as they are
// asked for, or as Exotel sends them, with "sip:" in front. Case, a transport
// that is UDP said or unsaid, and parameters besides the transport don't count.
func SameDestination(a, b string) bool {
	one, ok := readDestination(a)
	other, alsoOK := readDestination(b)
	if !ok || !alsoOK {
		return a == b
	}
	return one == other
}

// NormalDestination is the destination in the form in which those that
// SameDestination takes for the same are the same text: lower case, without "sip:",
// with its port, and with its transport unless that is UDP. What can't be read stays
// as it is.
func NormalDestination(s string) string {
	d, ok := readDestination(s)
	switch {
	case !ok:
		return s
	case d.transport == "udp":
		return d.host + ":" + d.port
	}
	return d.host + ":" + d.port + ";transport=" + d.transport
}

// destination is one in its normal form.
type destination struct {
	host      string // lower case, no dot at its end
	port      string // no zeros in front
	transport string // lower case
}

// readDestination is lenient: what Exotel has on its list, it took.
func readDestination(s string) (d destination, ok bool) {
	s, d.transport, d.port = strings.ToLower(strings.TrimSpace(s)), "udp", "5060"
	if rest, found := strings.CutPrefix(s, "sips:"); found {
		s, d.transport, d.port = rest, "tls", "5061"
	}
	address, parameters, _ := strings.Cut(strings.TrimPrefix(s, "sip:"), ";")
	for parameter := range strings.SplitSeq(parameters, ";") {
		if value, found := strings.CutPrefix(strings.TrimSpace(parameter), "transport="); found && value != "" {
			d.transport = value
		}
	}
	if d.transport == "tls" {
		d.port = "5061"
	}
	host, port, hasPort := strings.Cut(address, ":")
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return destination{}, false
		}
		d.port = strconv.FormatUint(n, 10)
	}
	d.host = strings.TrimSuffix(host, ".")
	return d, d.host != ""
}
