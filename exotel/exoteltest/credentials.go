package exoteltest

import (
	"regexp"
	"slices"
	"time"
)

// user is a credential.
type user struct {
	entry
	name, password, friendlyName string
}

// describe never shows the password.
func (u *user) describe(trunkSID string) object {
	return u.in(object{"id": u.id, "trunk_sid": trunkSID, "user_name": u.name, "friendly_name": orNull(u.friendlyName)})
}

func (s *Server) aboutCredentials(q query) reply {
	switch q.op {
	case CreateCredential:
		return s.createCredential(q)
	case UpdateCredential:
		return s.updateCredential(q)
	case DeleteCredential:
		return removeThing(q, &q.line.users, "id", "Id")
	default:
		users := slices.Clone(q.line.users)
		if id := q.URL.Query().Get("id"); id != "" {
			users = slices.DeleteFunc(users, func(u *user) bool { return u.id != id })
		}
		return listThings(s, q, users)
	}
}

func (s *Server) createCredential(q query) reply {
	fields, refused := fieldsOf(q)
	switch {
	case refused != nil:
		return *refused
	case fields["user_name"] == nil || *fields["user_name"] == "":
		return missing(q.Request, "UserName") // mandatory as documented; the text is not
	case fields["password"] == nil || *fields["password"] == "":
		return missing(q.Request, "Password")
	}
	made := &user{}
	if refused := s.fill(q, made, fields); refused != nil {
		return *refused
	}
	made.entry = s.newEntry(credentials)
	q.line.users = append(q.line.users, made)
	return succeed(q.Request, made.describe(q.line.sid))
}

func (s *Server) updateCredential(q query) reply {
	u, ok := theThing(q, q.line.users)
	if !ok {
		return notFound(q.Request)
	}
	fields, refused := fieldsOf(q)
	if refused != nil {
		return *refused
	}
	if refused := s.fill(q, u, fields); refused != nil {
		return *refused
	}
	u.updated = time.Now()
	return succeed(q.Request, u.describe(q.line.sid))
}

var word = regexp.MustCompile(`^[A-Za-z0-9_]*$`)

// fill changes what the body has. The text about a friendly name is the vendor's,
// spelling included (third-party notes, 2025); that of the others is made after it.
func (s *Server) fill(q query, u *user, fields map[string]*string) *reply {
	changed := *u
	for name, field := range map[string]*string{"user_name": &changed.name, "password": &changed.password, "friendly_name": &changed.friendlyName} {
		if fields[name] != nil {
			*field = *fields[name]
		}
	}
	var answer reply
	switch {
	case len(changed.friendlyName) > 32:
		answer = invalid(q.Request, "Maximum allowed length for FriendlyName is 32")
	case !word.MatchString(changed.friendlyName):
		answer = invalid(q.Request, "Allowed characters for FriendlyName is alphanumberic and _")
	case !word.MatchString(changed.password):
		answer = invalid(q.Request, "Allowed characters for Password is alphanumberic and _")
	case s.uniqueUsers && slices.ContainsFunc(q.line.users, func(other *user) bool { return other != u && other.name == changed.name }):
		answer = s.duplicate(q.Request, "Unable to create credentials with user_name "+changed.name)
	default:
		*u = changed
		return nil
	}
	return &answer
}
