package exoteltest

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// destination is where a trunk's incoming calls go.
type destination struct {
	entry
	uri              string // with sip: in front
	priority, weight int
}

func (d *destination) describe(trunkSID string) object {
	return d.in(object{
		"id": d.id, "destination": d.uri, "type": "public", "priority": d.priority, "weight": d.weight, "trunk_sid": trunkSID,
	})
}

func (s *Server) aboutDestinationURIs(q query) reply {
	switch q.op {
	case AddDestinationURIs:
		return s.addDestinationURIs(q)
	case UpdateDestinationURI:
		return s.updateDestinationURI(q)
	case RemoveDestinationURI:
		return removeThing(q, &q.line.destinations, "id", "Id")
	default:
		return listThings(s, q, q.line.destinations)
	}
}

// addDestinationURIs judges each for itself, and adds what it takes, be it there
// already or not.
func (s *Server) addDestinationURIs(q query) reply {
	var body struct {
		Destinations []struct {
			Destination string `json:"destination"`
		} `json:"destinations"`
	}
	if refused := readBody(q, &body); refused != nil {
		return *refused
	}
	if len(body.Destinations) == 0 {
		return missing(q.Request, "Destinations")
	}
	var results []object
	for _, wanted := range body.Destinations {
		if fault := q.line.refuseDestination(wanted.Destination); fault != "" {
			results = append(results, result(http.StatusBadRequest, errorData(1002, "Invalid parameter", fault), nil))
			continue
		}
		made := &destination{s.newEntry(destinationURIs), "sip:" + wanted.Destination, 0, 1}
		q.line.destinations = append(q.line.destinations, made)
		results = append(results, result(http.StatusOK, nil, made.describe(q.line.sid)))
	}
	return several(q, results, true)
}

// several answers about several things at once: 207 where one failed (recorded of
// destinations). What settings say has no count of failures.
func several(q query, results []object, countFailed bool) reply {
	failed := 0
	for _, r := range results {
		if r["status"] != "success" {
			failed++
		}
	}
	status := http.StatusOK
	if failed > 0 {
		status = http.StatusMultiStatus
	}
	answer := reply{status, wrap(q.Request, status, results)}
	counts := object{"total": len(results), "success": len(results) - failed}
	if countFailed {
		counts["failed"] = failed
	}
	answer.envelope["metadata"] = counts
	return answer
}

var (
	form     = regexp.MustCompile(`^([^:;]+):([1-9][0-9]{0,4})(;transport=(udp|tcp|tls))?$`)
	hostName = regexp.MustCompile(`(?i)^([a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{1,62}$`)
)

// unreachable are some of what the vendor refuses (prose of January 2026:
// private and documentation addresses).
var unreachable = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("224.0.0.0/3"), netip.MustParsePrefix("0.0.0.0/8"),
}

// refuseDestination is the recorded text of a refusal, or empty. A name resolves
// unless it ends with .invalid.
func (l *line) refuseDestination(wanted string) string {
	const unusable = "Destination is not a valid Ip or Fqdn"
	parts := form.FindStringSubmatch(wanted)
	if parts == nil {
		return unusable
	}
	host := parts[1]
	addr, err := netip.ParseAddr(host)
	if err != nil {
		if !hostName.MatchString(host) || strings.HasSuffix(strings.ToLower(host), ".invalid") {
			return unusable
		}
		return ""
	}
	for _, block := range unreachable {
		if !addr.Is4() || block.Contains(addr) {
			return unusable
		}
	}
	if !l.whitelists(addr) {
		return "Destination not whitelisted"
	}
	return ""
}

func (s *Server) updateDestinationURI(q query) reply {
	d, ok := theThing(q, q.line.destinations)
	if !ok {
		return notFound(q.Request)
	}
	var body struct {
		Priority *int `json:"priority"`
		Weight   *int `json:"weight"`
	}
	if refused := readBody(q, &body); refused != nil {
		return *refused
	}
	if body.Priority != nil {
		d.priority = *body.Priority
	}
	if body.Weight != nil {
		d.weight = *body.Weight
	}
	d.updated = time.Now()
	return succeed(q.Request, d.describe(q.line.sid))
}
