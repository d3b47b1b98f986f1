package exoteltest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// trunk is one that exists, with all that it has.
type trunk struct {
	sid, name, domain, nso, auth string
	times

	line // what it has
}

// times are those of a trunk, or of something that it has.
type times struct{ created, updated time.Time }

func now() times { return times{time.Now(), time.Now()} }

// in puts them into what the API says.
func (t times) in(data object) object {
	data["date_created"] = t.created.UTC().Format(time.RFC3339)
	data["date_updated"] = t.updated.UTC().Format(time.RFC3339)
	return data
}

// Trunks are those that exist, newest first, lag or not.
func (s *Server) Trunks() []exotel.Trunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]exotel.Trunk, 0, len(s.trunks))
	for _, t := range slices.Backward(s.trunks) {
		list = append(list, exotel.Trunk{SID: t.sid, Name: t.name, DomainName: t.domain, NSOCode: t.nso, Status: "active"})
	}
	return list
}

// TrunkCount is how many exist.
func (s *Server) TrunkCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.trunks)
}

// Add puts a trunk there as if it had been made before; an empty SID gets a
// new one. It returns the SID.
func (s *Server) Add(t exotel.Trunk) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.SID == "" {
		t.SID = s.newTrunkSID(t.Name)
	}
	s.trunks = append(s.trunks, &trunk{sid: t.SID, name: t.Name, domain: t.DomainName, nso: t.NSOCode, auth: ipWhitelist, times: now()})
	return t.SID
}

// ipWhitelist is the way of a new trunk to know who calls (recorded).
const ipWhitelist = "IP-WHITELIST"

// trunk is nil where there is none.
func (s *Server) trunk(sid string) *trunk {
	i := slices.IndexFunc(s.trunks, func(t *trunk) bool { return t.sid == sid })
	if i < 0 {
		return nil
	}
	return s.trunks[i]
}

func (s *Server) unknownTrunk(r *http.Request) reply {
	if s.unknownStatus == http.StatusForbidden {
		return refuse(r, http.StatusForbidden, 1003, "Authorization failed", "Authorization failed")
	}
	return notFound(r)
}

// newTrunkSID is of the form of both recorded ones: trmum1, 18 hex digits, 1a1n.
// It is the same again for the same trunks made in the same order.
func (s *Server) newTrunkSID(name string) string {
	s.made++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", s.made, name))
	return "trmum1" + hex.EncodeToString(sum[:9]) + "1a1n"
}

// mandatory are the fields of a create and what Exotel calls them in errors.
var mandatory = []struct{ name, label string }{
	{"trunk_name", "TrunkName"}, {"nso_code", "NsoCode"}, {"domain_name", "DomainName"},
}

var legalName = regexp.MustCompile(`^[A-Za-z0-9_]*$`)

// fieldsOf reads a body of strings. Where it can't, the answer says why.
func fieldsOf(q query) (fields map[string]*string, refused *reply) {
	if refused := readBody(q, &fields); refused != nil {
		return nil, refused
	}
	return fields, nil
}

// readBody refuses as recorded (TRUNK_ERRORS_README, August 2025).
func readBody(q query, target any) (refused *reply) {
	if kind, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type")); kind != "application/json" {
		answer := refuse(q.Request, http.StatusUnsupportedMediaType, 1011, "unsupported content type", kind)
		return &answer
	}
	if err := json.Unmarshal(q.body, target); err != nil {
		answer := refuse(q.Request, http.StatusBadRequest, 1007, "Invalid request body,failed parsing ", err.Error())
		return &answer
	}
	return nil
}

// createTrunk follows the recorded refusals (TRUNK_ERRORS_README, August 2025)
// in the order of the codes. An empty name is accepted, as it was live.
func (s *Server) createTrunk(q query) reply {
	fields, refused := fieldsOf(q)
	if refused != nil {
		return *refused
	}
	for _, field := range mandatory {
		if fields[field.name] == nil {
			return missing(q.Request, field.label)
		}
	}
	t := &trunk{name: *fields["trunk_name"], nso: *fields["nso_code"], domain: *fields["domain_name"], auth: ipWhitelist, times: now()}
	if refused := s.refuseTrunk(q, t); refused != nil {
		return *refused
	}
	t.sid = s.newTrunkSID(t.name)
	s.trunks = append(s.trunks, t)
	return succeed(q.Request, s.describe(t))
}

// refuseTrunk is nil where a trunk may be so.
func (s *Server) refuseTrunk(q query, t *trunk) *reply {
	var answer reply
	fault := faultIn(t)
	switch {
	case fault != "":
		answer = invalid(q.Request, fault)
	case slices.ContainsFunc(s.trunks, func(other *trunk) bool { return other.sid != t.sid && other.name == t.name }):
		answer = s.duplicate(q.Request, "Unable to create trunk with name "+t.name)
	default:
		return nil
	}
	return &answer
}

func faultIn(t *trunk) string {
	switch {
	case len(t.name) > 16:
		return "Maximum allowed length for TrunkName is 16"
	case !legalName.MatchString(t.name):
		return "Allowed characters for TrunkName is alphanumeric and _"
	case !strings.HasSuffix(t.domain, ".pstn.exotel.com"):
		return "Domain name should end with .pstn.exotel.com"
	case t.nso != "ANY-ANY":
		return "Nso code is invalid"
	}
	return ""
}

// updateTrunk changes what the body has (Postman file: partial).
func (s *Server) updateTrunk(q query) reply {
	old := s.trunk(q.trunk)
	if old == nil {
		return s.unknownTrunk(q.Request)
	}
	fields, refused := fieldsOf(q)
	if refused != nil {
		return *refused
	}
	changed := *old
	for name, field := range map[string]*string{"trunk_name": &changed.name, "nso_code": &changed.nso, "auth_type": &changed.auth} {
		if fields[name] != nil {
			*field = *fields[name]
		}
	}
	if refused := s.refuseTrunk(q, &changed); refused != nil {
		return *refused
	}
	changed.updated = time.Now()
	*old = changed
	return succeed(q.Request, s.describe(old))
}

// duplicate says 409 inside, and outside what was chosen.
func (s *Server) duplicate(r *http.Request, description string) reply {
	inner := result(http.StatusConflict, errorData(1008, "Duplicate resource", description), nil)
	return reply{s.dupStatus, wrap(r, s.dupStatus, inner)}
}

func (s *Server) describe(t *trunk) object {
	path := fmt.Sprintf("/v2/accounts/%s/trunks/%s/", s.account, t.sid)
	return t.in(object{
		"trunk_name": t.name, "trunk_sid": t.sid,
		"status": "active", "domain_name": t.domain, "auth_type": t.auth, "registration_enabled": "disabled",
		"edge_preference": "auto", "nso_code": t.nso, "secure_trunking": "disabled",
		"destination_uris": path + destinationURIs, "whitelisted_ips": path + whitelistedIPs,
		"credentials": path + credentials, "phone_numbers": path + phoneNumbers,
	})
}

func (s *Server) listTrunks(q query) reply {
	visible := listed(s, List, s.trunks)
	if sid := q.URL.Query().Get("trunk_sid"); sid != "" {
		visible = slices.DeleteFunc(visible, func(t *trunk) bool { return t.sid != sid })
	}
	return page(q, visible, s.describe)
}

// deleteTrunk takes all that the trunk has with it.
func (s *Server) deleteTrunk(r *http.Request) reply {
	sid := r.URL.Query().Get("trunk_sid")
	i := slices.IndexFunc(s.trunks, func(t *trunk) bool { return t.sid == sid })
	if i < 0 {
		return notFound(r)
	}
	gone := s.trunks[i]
	s.trunks = slices.Delete(s.trunks, i, i+1)
	return succeed(r, s.describe(gone))
}

func nameIn(op Op, body []byte) string {
	var fields struct {
		TrunkName string `json:"trunk_name"`
	}
	if op == Create {
		_ = json.Unmarshal(body, &fields) // a body that can't be read has no name
	}
	return fields.TrunkName
}
