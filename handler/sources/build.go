package sources

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	// reserved are names with a meaning of their own: the API profile's source,
	// the namespace of users who sign up for themselves, and that of dry signups.
	reserved = []string{"api", "jwt", "smoke"}
)

const (
	defaultMaxEvents = 100
	mostMaxEvents    = 1000
	maxAbout         = 300
)

// builder makes a source of a file and notes every fault on the way.
type builder struct {
	name   string
	file   file
	faults *faults
}

func (b *builder) fault(field, format string, a ...any) {
	b.faults.add(b.name, field, fmt.Sprintf(format, a...))
}

func (b *builder) source() *Source {
	f := b.file
	s := &Source{
		Name: b.name, Namespace: f.Namespace, About: f.About, Reply: f.Reply,
		content: f.Content, event: f.Event, maxEvents: f.MaxEvents, idForm: f.IDForm, line: make(map[string]expression),
	}
	b.setDefaults(s)
	b.check(s)
	b.authenticate(s)
	b.compile(s)
	return s
}

func (b *builder) setDefaults(s *Source) {
	if s.Namespace == "" {
		s.Namespace = s.Name
	}
	if s.Reply == "" {
		s.Reply = ReplyJSON
	}
	if s.maxEvents == 0 {
		s.maxEvents = defaultMaxEvents
	}
	if s.idForm == "" {
		s.idForm = formPlain
	}
}

func (b *builder) check(s *Source) {
	if !sourceName.MatchString(s.Name) || slices.Contains(reserved, s.Name) {
		b.fault("", "its name must be 1 to 32 of a-z, 0-9 and -, and none of %s", strings.Join(reserved, ", "))
	}
	if !sourceName.MatchString(s.Namespace) || slices.Contains(reserved, s.Namespace) {
		b.fault("namespace", "must be 1 to 32 of a-z, 0-9 and -, and none of %s", strings.Join(reserved, ", "))
	}
	if s.About == "" || len(s.About) > maxAbout || strings.ContainsAny(s.About, "\r\n") {
		b.fault("about", "must be one line of at most %d bytes", maxAbout)
	}
	if s.maxEvents < 1 || s.maxEvents > mostMaxEvents {
		b.fault("max_events", "must be 1 to %d", mostMaxEvents)
	}
	b.oneOf("content", s.content, contentJSON, contentForm, contentFormOrJSON, contentSOAP, contentEventBridge)
	b.oneOf("reply", string(s.Reply), string(ReplyJSON), string(ReplyLeadSquared), string(ReplySalesforceAck), string(ReplyEcho))
	b.oneOf("id_form", s.idForm, formPlain, formSalesforce)
}

func (b *builder) oneOf(field, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		b.fault(field, "must be one of %s", strings.Join(allowed, ", "))
	}
}

// authenticate wants auth of what comes by HTTP, and of nothing else.
func (b *builder) authenticate(s *Source) {
	switch auth := b.file.Auth; {
	case len(s.event) == 0 && auth == nil:
		b.fault("auth", "is missing")
	case len(s.event) == 0:
		s.Auth = listOf(auth)
		b.checkAuth(s)
	case auth != nil:
		b.fault("auth", "is not for a source of events, which don't come by HTTP")
	}
}

// listOf is the list itself, or a list of the one thing that is none.
func listOf(value json.RawMessage) (list []json.RawMessage) {
	if json.Unmarshal(value, &list) != nil {
		return []json.RawMessage{value}
	}
	return list
}

// checkAuth looks at as much of auth as this package needs. The rest is package
// verify's to judge.
func (b *builder) checkAuth(s *Source) {
	if len(s.Auth) == 0 {
		b.fault("auth", "must name a kind")
	}
	for _, one := range s.Auth {
		var auth struct{ Kind, Field string }
		if json.Unmarshal(one, &auth) != nil || auth.Kind == "" {
			b.fault("auth", `must be {"kind": ...} or a list of those`)
			continue
		}
		if auth.Kind == "form" {
			s.secrets = append(s.secrets, auth.Field)
		}
	}
}

// compile compiles all expressions.
func (b *builder) compile(s *Source) {
	for _, field := range expressionFields {
		text := *b.file.expression(field)
		if text == "" {
			if field == fieldID || field == fieldCompany {
				b.fault(field, "is missing")
			}
			continue
		}
		e, err := compile(text)
		if err != nil {
			b.fault(field, "%v", err)
			continue
		}
		b.checkExpression(field, e)
		s.mappings = append(s.mappings, mapping{field, text, e})
		switch field {
		case fieldEach:
			s.each = e
		case fieldCancelled:
			s.cancelled = e
		case fieldMatch:
			s.match = e
		case fieldID:
			s.id = e.parts
		case fieldCompany:
			s.company = e
		default:
			s.line[field] = e
		}
	}
}

// checkExpression holds the rules that a field has beyond JMESPath's.
func (b *builder) checkExpression(field string, e compiled) {
	if field == fieldEach && b.file.Content != contentJSON {
		b.fault(field, "is for content json alone")
	}
	// join turns two parts into one that others make too, and to_string makes
	// "null" of what is missing: all events without an id would be one signup.
	if field == fieldID && (slices.Contains(e.functions, "join") || slices.Contains(e.functions, "to_string")) {
		b.fault(field, "must not call join() or to_string(): give the parts as a list, such as [portal, vid]")
	}
	if field == fieldEach || field == fieldMatch || field == fieldCompany {
		return
	}
	for _, key := range e.keys {
		if slices.Contains(b.file.CustomerTyped, key) {
			b.fault(field, "uses %s, which the customer types", key)
		}
	}
}

// checkTogether holds the sources of one namespace to ids of one build, so that
// they meet at the same signups and never by chance.
func checkTogether(all []*Source, faults *faults) {
	first := make(map[string]*Source)
	for _, s := range all {
		one, seen := first[s.Namespace]
		switch {
		case !seen:
			first[s.Namespace] = s
		case len(one.id) != len(s.id) || one.idForm != s.idForm:
			faults.add(s.Name, fieldID, fmt.Sprintf("has not as many parts, or not the same id_form, as that of %s, with which it shares the namespace", one.Name))
		}
	}
	for i, s := range all {
		for _, other := range all[:i] {
			if overlap(s.event, other.event) {
				faults.add(s.Name, "event", "can be the same events as those of "+other.Name)
			}
		}
	}
}

// overlap tells whether one event could fit two sources: on no key that both
// name do they ask for different things. Those that name none alike are of
// different shapes.
func overlap(a, b map[string]string) bool {
	shared := 0
	for key, text := range a {
		other, both := b[key]
		if !both {
			continue
		}
		if shared++; !strings.HasPrefix(text, other) && !strings.HasPrefix(other, text) {
			return false
		}
	}
	return shared > 0
}
