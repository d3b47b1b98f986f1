package exoteltest

import (
	"strconv"
)

// AddLine gives a trunk what it had before, in the form in which [Server.Line] shows
// it; an empty id becomes a new one. It does nothing where there is no such trunk.
func (s *Server) AddLine(trunkSID string, l Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.trunk(trunkSID)
	if t == nil {
		return
	}
	for _, p := range l.PhoneNumbers {
		t.phones = append(t.phones, &phone{s.oldEntry(phoneNumbers, p.ID), p.PhoneNumber, string(p.Mode)})
	}
	for _, a := range l.WhitelistedIPs {
		t.addresses = append(t.addresses, &address{s.oldEntry(whitelistedIPs, a.ID), a.IP, a.Mask})
	}
	for _, d := range l.DestinationURIs {
		t.destinations = append(t.destinations, &destination{s.oldEntry(destinationURIs, d.ID), d.Destination, d.Priority, d.Weight})
	}
	for _, u := range l.Credentials {
		t.users = append(t.users, &user{s.oldEntry(credentials, u.ID), u.UserName, u.Password, u.FriendlyName})
	}
	for _, v := range l.Settings {
		t.set(v.Name, v.Value)
	}
}

// oldEntry has an id of before, which no new one will have.
func (s *Server) oldEntry(resource, id string) entry {
	if n, err := strconv.Atoi(id); err == nil {
		s.lastID[resource] = max(s.lastID[resource], n)
	}
	if id == "" {
		return s.newEntry(resource)
	}
	return entry{id, now()}
}
