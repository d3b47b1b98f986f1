package exoteltest

import (
	"slices"
	"strconv"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Line is what a trunk has, all in the order in which it was made.
type Line struct {
	PhoneNumbers    []exotel.PhoneNumber
	WhitelistedIPs  []exotel.WhitelistedIP
	DestinationURIs []exotel.DestinationURI
	Credentials     []Credential
	Settings        []exotel.Setting
}

// Credential is one with its password, which the API never shows.
type Credential struct {
	exotel.Credential
	Password string
}

// Line is a copy of what the trunk has now, lag or not. It is empty where there
// is no such trunk.
func (s *Server) Line(trunkSID string) Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.trunk(trunkSID)
	if t == nil {
		return Line{}
	}
	var l Line
	for _, p := range t.phones {
		l.PhoneNumbers = append(l.PhoneNumbers, exotel.PhoneNumber{ID: p.id, PhoneNumber: p.number, TrunkSID: t.sid, Mode: exotel.Mode(p.mode)})
	}
	for _, a := range t.addresses {
		l.WhitelistedIPs = append(l.WhitelistedIPs, exotel.WhitelistedIP{ID: a.id, IP: a.ip, Mask: a.mask, TrunkSID: t.sid})
	}
	for _, d := range t.destinations {
		l.DestinationURIs = append(l.DestinationURIs, exotel.DestinationURI{
			ID: d.id, Destination: d.uri, Type: "public", Priority: d.priority, Weight: d.weight, TrunkSID: t.sid,
		})
	}
	for _, u := range t.users {
		l.Credentials = append(l.Credentials, Credential{
			exotel.Credential{ID: u.id, UserName: u.name, FriendlyName: u.friendlyName, TrunkSID: t.sid}, u.password,
		})
	}
	for _, v := range t.settings {
		l.Settings = append(l.Settings, exotel.Setting{Name: v.name, Value: v.value})
	}
	return l
}

// line is what a trunk has, each oldest first.
type line struct {
	phones       []*phone
	addresses    []*address
	destinations []*destination
	users        []*user
	settings     []*setting
}

// thing is one of what a trunk has.
type thing interface {
	made() time.Time
	key() string // what a DELETE names
	describe(trunkSID string) object
}

// entry is what all things but settings have.
type entry struct {
	id string
	times
}

func (e entry) key() string { return e.id }

// newEntry numbers the things of each kind on from those recorded.
func (s *Server) newEntry(resource string) entry {
	s.lastID[resource]++
	return entry{strconv.Itoa(s.lastID[resource]), now()}
}

func listThings[T thing](s *Server, q query, things []T) reply {
	return page(q, listed(s, q.op, things), func(e T) object { return e.describe(q.line.sid) })
}

// removeThing is the DELETE of all things (Postman file; documented of
// credentials): it answers with what is gone. What the API does without a key
// nobody knows.
func removeThing[T thing](q query, things *[]T, name, label string) reply {
	key := q.URL.Query().Get(name)
	if key == "" {
		return missing(q.Request, label)
	}
	i := slices.IndexFunc(*things, func(e T) bool { return e.key() == key })
	if i < 0 {
		return notFound(q.Request)
	}
	gone := (*things)[i]
	*things = slices.Delete(*things, i, i+1)
	return succeed(q.Request, gone.describe(q.line.sid))
}

// theThing is the one whose id stands in the path; ok is false where there is none.
func theThing[T thing](q query, things []T) (found T, ok bool) {
	i := slices.IndexFunc(things, func(e T) bool { return e.key() == q.id })
	if i < 0 {
		return found, false
	}
	return things[i], true
}

// orNull is null for an empty text, as the API says it of a mode or a name.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
