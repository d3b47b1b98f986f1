package exoteltest

import (
	"net/http"
	"slices"
	"time"
)

// setting is one that a trunk has.
type setting struct {
	name, value string
	times
}

func (v *setting) key() string { return v.name }

func (v *setting) describe(trunkSID string) object {
	return v.in(object{"name": v.name, "value": v.value, "trunk_sid": trunkSID})
}

func (s *Server) aboutSettings(q query) reply {
	switch q.op {
	case SetSettings:
		return s.setSettings(q)
	case RemoveSetting:
		return removeThing(q, &q.line.settings, "name", "Name")
	default:
		return listThings(s, q, q.line.settings)
	}
}

// setSettings replaces what is there. How the vendor refuses a setting isn't
// documented; it is done as with destinations.
func (s *Server) setSettings(q query) reply {
	var body struct {
		Settings []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"settings"`
	}
	if refused := readBody(q, &body); refused != nil {
		return *refused
	}
	if len(body.Settings) == 0 {
		return missing(q.Request, "Settings")
	}
	var results []object
	for _, wanted := range body.Settings {
		if wanted.Name != "trunk_external_alias" || !e164.MatchString(wanted.Value) {
			results = append(results, result(http.StatusBadRequest, errorData(1002, "Invalid parameter", "Invalid setting"), nil))
			continue
		}
		results = append(results, result(http.StatusOK, nil, q.line.set(wanted.Name, wanted.Value).describe(q.line.sid)))
	}
	return several(q, results, false)
}

func (l *line) set(name, value string) *setting {
	i := slices.IndexFunc(l.settings, func(v *setting) bool { return v.name == name })
	if i < 0 {
		l.settings = append(l.settings, &setting{name, value, now()})
		return l.settings[len(l.settings)-1]
	}
	l.settings[i].value, l.settings[i].updated = value, time.Now()
	return l.settings[i]
}
