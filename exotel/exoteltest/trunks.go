package exoteltest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// trunk is one that exists.
type trunk struct {
	sid, name, domain, nso string
	created                time.Time
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

// Add puts a trunk there as if it had been made before; an empty SID gets a
// new one. It returns the SID.
func (s *Server) Add(t exotel.Trunk) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.SID == "" {
		t.SID = s.newTrunkSID(t.Name)
	}
	s.trunks = append(s.trunks, trunk{sid: t.SID, name: t.Name, domain: t.DomainName, nso: t.NSOCode, created: time.Now()})
	return t.SID
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

// createTrunk follows the recorded refusals (TRUNK_ERRORS_README, August 2025)
// in the order of the codes. An empty name is accepted, as it was live.
func (s *Server) createTrunk(r *http.Request, body []byte) reply {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return refuse(r, http.StatusUnsupportedMediaType, 1011, "unsupported content type", kind)
	}
	var fields map[string]*string
	if err := json.Unmarshal(body, &fields); err != nil {
		return refuse(r, http.StatusBadRequest, 1007, "Invalid request body,failed parsing ", err.Error())
	}
	for _, field := range mandatory {
		if fields[field.name] == nil {
			return refuse(r, http.StatusBadRequest, 1001, "Mandatory Parameter missing", field.label+" is mandatory")
		}
	}
	name, nso, domain := *fields["trunk_name"], *fields["nso_code"], *fields["domain_name"]
	if fault := invalid(name, nso, domain); fault != "" {
		return refuse(r, http.StatusBadRequest, 1002, "Invalid parameter", fault)
	}
	if slices.ContainsFunc(s.trunks, func(t trunk) bool { return t.name == name }) {
		return s.duplicate(r, "Unable to create trunk with name "+name)
	}
	made := trunk{sid: s.newTrunkSID(name), name: name, domain: domain, nso: nso, created: time.Now()}
	s.trunks = append(s.trunks, made)
	return succeed(r, s.describe(made))
}

func invalid(name, nso, domain string) string {
	switch {
	case len(name) > 16:
		return "Maximum allowed length for TrunkName is 16"
	case !legalName.MatchString(name):
		return "Allowed characters for TrunkName is alphanumeric and _"
	case !strings.HasSuffix(domain, ".pstn.exotel.com"):
		return "Domain name should end with .pstn.exotel.com"
	case nso != "ANY-ANY":
		return "Nso code is invalid"
	}
	return ""
}

// duplicate says 409 inside, and outside what was chosen.
func (s *Server) duplicate(r *http.Request, description string) reply {
	inner := result(http.StatusConflict, errorData(1008, "Duplicate resource", description), nil)
	return reply{s.dupStatus, wrap(r, s.dupStatus, inner)}
}

func (s *Server) describe(t trunk) object {
	path := fmt.Sprintf("/v2/accounts/%s/trunks/%s/", s.account, t.sid)
	created := t.created.UTC().Format(time.RFC3339)
	return object{
		"trunk_name": t.name, "date_created": created, "date_updated": created, "trunk_sid": t.sid,
		"status": "active", "domain_name": t.domain, "auth_type": "IP-WHITELIST", "registration_enabled": "disabled",
		"edge_preference": "auto", "nso_code": t.nso, "secure_trunking": "disabled",
		"destination_uris": path + "destination-uris", "whitelisted_ips": path + "whitelisted-ips",
		"credentials": path + "credentials", "phone_numbers": path + "phone-numbers",
	}
}

// maxPageSize stands for the server's maximum, whose value nobody documents.
const maxPageSize = 50

func (s *Server) listTrunks(r *http.Request) reply {
	query := r.URL.Query()
	size := number(query.Get("page_size"), maxPageSize, maxPageSize)
	visible := s.listed(query.Get("trunk_sid"))
	offset := min(number(query.Get("offset"), 0, len(visible)), len(visible))
	results := make([]object, 0, size)
	for _, t := range slices.Backward(visible[max(0, len(visible)-offset-size) : len(visible)-offset]) {
		results = append(results, result(http.StatusOK, nil, s.describe(t)))
	}
	answer := reply{http.StatusOK, wrap(r, http.StatusOK, results)}
	if len(results) > 0 { // an empty list has no metadata (recorded, credentials)
		answer.envelope["metadata"] = s.metadata(offset, size, len(visible))
	}
	return answer
}

// listed are the trunks that a list shows, oldest first.
func (s *Server) listed(sid string) []trunk {
	visible := s.trunks
	for len(visible) > 0 && time.Since(visible[len(visible)-1].created) < s.listLag {
		visible = visible[:len(visible)-1]
	}
	if sid == "" {
		return visible
	}
	i := slices.IndexFunc(visible, func(t trunk) bool { return t.sid == sid })
	return visible[max(0, i) : i+1] // none where there is none
}

func (s *Server) metadata(offset, size, total int) object {
	uri := func(offset int) any {
		if offset < 0 || offset >= total {
			return nil
		}
		query := url.Values{"offset": {strconv.Itoa(offset)}, "page_size": {strconv.Itoa(size)}}
		return fmt.Sprintf("/v2/accounts/%s/trunks?%s", s.account, query.Encode())
	}
	return object{"page_size": size, "first_page_uri": uri(0), "prev_page_uri": uri(offset - size), "next_page_uri": uri(offset + size)}
}

// number reads a query value: the default where it is absent, unreadable or not
// positive, the limit where it is over it.
func number(text string, otherwise, limit int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return otherwise
	}
	return min(n, limit)
}

func (s *Server) deleteTrunk(r *http.Request) reply {
	sid := r.URL.Query().Get("trunk_sid")
	i := slices.IndexFunc(s.trunks, func(t trunk) bool { return t.sid == sid })
	if i < 0 {
		return refuse(r, http.StatusNotFound, 1000, "Not Found", "Not Found")
	}
	gone := s.trunks[i]
	s.trunks = slices.Delete(s.trunks, i, i+1)
	return succeed(r, s.describe(gone))
}

func nameIn(body []byte) string {
	var fields struct {
		TrunkName string `json:"trunk_name"`
	}
	_ = json.Unmarshal(body, &fields) // a body that can't be read has no name
	return fields.TrunkName
}
