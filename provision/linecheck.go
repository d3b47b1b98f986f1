package provision

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/trunkhook/trunkhook/exotel"
)

// What one signup may ask for. Exotel documents no limits; these keep a signup
// within a pass or two of the call budget, and its item small.
const (
	maxNumbers      = 50
	maxIPs          = 50
	maxDestinations = 20
	maxCredentials  = 10
	// MaxSteps is what a signup may have in all, whatever later deliveries add: one
	// first delivery may ask for so many, and DynamoDB's expressions take them.
	MaxSteps = maxNumbers + maxIPs + maxDestinations + maxCredentials + 1
)

var (
	e164         = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	userName     = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	friendlyName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	notFriendly  = regexp.MustCompile(`[^A-Za-z0-9_]`)
)

// normalised is the form in which a line is stored and compared: what would be the
// same thing at Exotel is the same text, and stands there once. What can't be used
// stays as it is, for validate to name.
func (l Line) normalised() Line {
	l.PhoneNumbers = each(l.PhoneNumbers, func(n PhoneNumber) PhoneNumber {
		if n.Mode == "" {
			n.Mode = exotel.ModePSTN
		}
		return n
	})
	l.WhitelistedIPs = each(l.WhitelistedIPs, func(text string) string {
		if prefix, ok := parsePrefix(text); ok {
			return prefixText(prefix)
		}
		return text
	})
	l.DestinationURIs = each(l.DestinationURIs, exotel.NormalDestination)
	l.Credentials = each(l.Credentials, func(c Credential) Credential {
		if c.FriendlyName == "" {
			name := notFriendly.ReplaceAllString(c.UserName, "_")
			c.FriendlyName = name[:min(len(name), 32)]
		}
		return c
	})
	return l
}

// each is the list with every element made so, each once.
func each[T comparable](list []T, do func(T) T) []T {
	var made []T
	for _, element := range list {
		if element = do(element); !slices.Contains(made, element) {
			made = append(made, element)
		}
	}
	return made
}

// parsePrefix reads an address or a prefix; of a prefix the bits behind its mask
// mean nothing.
func parsePrefix(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err == nil
}

// prefixText is the normal form: an address that is alone stands without its bits.
func prefixText(prefix netip.Prefix) string {
	if prefix.IsSingleIP() {
		return prefix.Addr().String()
	}
	return prefix.String()
}

// validate names every element that can't be used, as it came.
func (l Line) validate(invalid *InvalidError) {
	limit := func(field string, n, most int) {
		if n > most {
			invalid.Add(field, fmt.Sprintf("must be at most %d", most))
		}
	}
	limit("phone_numbers", len(l.PhoneNumbers), maxNumbers)
	limit("whitelisted_ips", len(l.WhitelistedIPs), maxIPs)
	limit("destination_uris", len(l.DestinationURIs), maxDestinations)
	limit("credentials", len(l.Credentials), maxCredentials)
	faults(invalid, "phone_numbers", l.PhoneNumbers, PhoneNumber.fault)
	faults(invalid, "whitelisted_ips", l.WhitelistedIPs, prefixFault)
	faults(invalid, "destination_uris", l.DestinationURIs, destinationFault)
	faults(invalid, "credentials", l.Credentials, Credential.fault)
	if l.CallerID != "" && !e164.MatchString(l.CallerID) {
		invalid.Add("caller_id", notE164)
	}
	twice(invalid, "phone_numbers", l.PhoneNumbers, func(n PhoneNumber) string { return n.PhoneNumber })
	twice(invalid, "credentials", l.Credentials, func(c Credential) string { return c.UserName })
}

// faults adds what is wrong with the elements of a list, each by its place.
func faults[T any](invalid *InvalidError, field string, list []T, fault func(T) string) {
	for i, element := range list[:min(len(list), MaxSteps)] {
		if detail := fault(element); detail != "" {
			invalid.Add(fmt.Sprintf("%s[%d]", field, i), detail)
		}
	}
}

// twice names an element that asks for something else than another one of its key.
func twice[T comparable](invalid *InvalidError, field string, list []T, key func(T) string) {
	first := make(map[string]T)
	for i, element := range list {
		if other, there := first[key(element)]; there && other != element {
			invalid.Add(fmt.Sprintf("%s[%d]", field, i), "contradicts another one")
		}
		first[key(element)] = element
	}
}

const notE164 = "must be in E.164 form: + and 7 to 15 digits"

func (n PhoneNumber) fault() string {
	switch {
	case !e164.MatchString(n.PhoneNumber):
		return notE164
	case n.Mode != "" && n.Mode != exotel.ModePSTN && n.Mode != exotel.ModeFlow:
		return "must have the mode pstn or flow"
	}
	return ""
}

func (c Credential) fault() string {
	switch {
	case len(c.UserName) > 64 || !userName.MatchString(c.UserName):
		return "must have a user_name of 1 to 64 letters, digits or any of _ . -"
	case c.FriendlyName != "" && (len(c.FriendlyName) > 32 || !friendlyName.MatchString(c.FriendlyName)):
		return "must have a friendly_name of 1 to 32 letters, digits or _"
	}
	return ""
}

// notPublic are addresses that nobody calls from across the internet, so that
// letting them in is a mistake (RFC 6890).
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("224.0.0.0/3"),
}

// minPrefix: a wider one is refused by Exotel ("mask should be in-between 16 and
// 32", recorded August 2025).
const minPrefix = 16

func prefixFault(text string) string {
	prefix, ok := parsePrefix(text)
	switch {
	case !ok || !prefix.Addr().Is4():
		return "must be an IPv4 address or a prefix such as 198.51.100.0/24"
	case prefix.Bits() < minPrefix:
		return "must be a prefix of 16 to 32 bits"
	case slices.ContainsFunc(notPublic, prefix.Overlaps):
		return "must be public: not private, loopback, link-local or multicast"
	}
	return ""
}

func destinationFault(text string) string {
	if err := exotel.ValidateDestination(text); err != nil {
		return strings.TrimPrefix(err.Error(), "destination ")
	}
	return ""
}
