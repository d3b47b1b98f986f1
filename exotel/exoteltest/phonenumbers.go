package exoteltest

import (
	"regexp"
	"time"
)

// phone is a number that is mapped.
type phone struct {
	entry
	number string
	mode   string // empty for null
}

func (p *phone) describe(trunkSID string) object {
	return p.in(object{"id": p.id, "phone_number": p.number, "trunk_sid": trunkSID, "mode": orNull(p.mode)})
}

func (s *Server) aboutPhoneNumbers(q query) reply {
	switch q.op {
	case MapPhoneNumber:
		return s.mapPhoneNumber(q)
	case UpdatePhoneNumber:
		return s.updatePhoneNumber(q)
	case UnmapPhoneNumber:
		return removeThing(q, &q.line.phones, "id", "Id")
	default:
		return listThings(s, q, q.line.phones)
	}
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// readPhone follows the recorded refusals: an empty number, and one of more than
// 30 digits, are not found (TRUNK_ERRORS_README, August 2025).
func readPhone(q query) (number, mode string, refused *reply) {
	fields, refused := fieldsOf(q)
	if refused != nil {
		return "", "", refused
	}
	if fields["mode"] != nil {
		mode = *fields["mode"]
	}
	var answer reply
	switch p := fields["phone_number"]; {
	case p == nil:
		answer = missing(q.Request, "PhoneNumber")
	case *p == "" || len(*p) > 30:
		answer = notFound(q.Request)
	case !e164.MatchString(*p):
		answer = invalid(q.Request, "Invalid PhoneNumber")
	case mode != "" && mode != "pstn" && mode != "flow":
		answer = invalid(q.Request, "Invalid mode") // not a recorded text
	default:
		return *p, mode, nil
	}
	return "", "", &answer
}

// mapPhoneNumber: a number is mapped once in the account, be it to this trunk or
// to another.
func (s *Server) mapPhoneNumber(q query) reply {
	number, mode, refused := readPhone(q)
	if refused != nil {
		return *refused
	}
	for _, t := range s.trunks {
		for _, p := range t.phones {
			if p.number == number {
				return s.duplicate(q.Request, "Unable to create DidTrunkMapping with TrunkSid "+q.line.sid)
			}
		}
	}
	made := &phone{s.newEntry(phoneNumbers), number, mode}
	q.line.phones = append(q.line.phones, made)
	return succeed(q.Request, made.describe(q.line.sid))
}

func (s *Server) updatePhoneNumber(q query) reply {
	p, ok := theThing(q, q.line.phones)
	if !ok {
		return notFound(q.Request)
	}
	number, mode, refused := readPhone(q)
	switch {
	case refused != nil:
		return *refused
	case number != p.number: // documented: it must match; the text is not
		return invalid(q.Request, "Invalid PhoneNumber")
	}
	p.mode, p.updated = mode, time.Now()
	return succeed(q.Request, p.describe(q.line.sid))
}

// listTrunkMaps answers with what the number is mapped to. The form is a guess:
// nothing documents it.
func (s *Server) listTrunkMaps(q query) reply {
	values := q.URL.Query()
	number, sid := values.Get("exophone"), values.Get("trunk_sid")
	if number == "" {
		return missing(q.Request, "Exophone")
	}
	found := []object{}
	for _, t := range s.trunks {
		for _, p := range listed(s, q.op, t.phones) {
			if p.number == number && (sid == "" || sid == t.sid) {
				found = append(found, p.describe(t.sid))
			}
		}
	}
	return page(q, found, func(o object) object { return o })
}
