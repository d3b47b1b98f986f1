package sources_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/provision"
)

var update = flag.Bool("update", false, "write the golden mappings anew")

// contentTypes is as which a sample is sent, by its file's end.
var contentTypes = map[string]string{
	".json": "application/json", ".form": "application/x-www-form-urlencoded", ".xml": "text/xml; charset=utf-8",
}

// sample is a body as its sender sends it.
type sample struct {
	name        string
	source      *sources.Source
	contentType string
	body        []byte
}

// samples fails where there are none, so that nothing passes for nothing.
func samples(t testing.TB) []sample {
	t.Helper()
	files, err := filepath.Glob("testdata/samples/*")
	if err != nil {
		t.Fatal(err)
	}
	set := load(t)
	var found []sample
	for _, file := range files {
		if strings.HasSuffix(file, ".golden.json") {
			continue
		}
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		end := filepath.Ext(file)
		name := strings.TrimSuffix(filepath.Base(file), end)
		found = append(found, sample{name, sourceOf(t, set, name), contentTypes[end], body})
	}
	if len(found) == 0 {
		t.Fatal("no samples")
	}
	return found
}

func load(t testing.TB) sources.Set {
	t.Helper()
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// sourceOf is the source with the longest name that a sample's starts with.
func sourceOf(t testing.TB, set sources.Set, sample string) *sources.Source {
	t.Helper()
	var best *sources.Source
	for _, s := range set.All() {
		if (sample == s.Name || strings.HasPrefix(sample, s.Name+"-")) && (best == nil || len(s.Name) > len(best.Name)) {
			best = s
		}
	}
	if best == nil {
		t.Fatalf("no source for the sample %s", sample)
	}
	return best
}

func TestEverySampleHasItsGoldenMapping(t *testing.T) {
	t.Parallel()
	mapped := make(map[string]bool)
	for _, s := range samples(t) {
		events, err := s.source.Read(s.contentType, s.body)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		for _, e := range events {
			mapped[s.source.Name] = mapped[s.source.Name] || !e.Ignored && e.Fault == nil
		}
		got := golden(t, events)
		path := "testdata/samples/" + s.name + ".golden.json"
		if *update {
			if err := os.WriteFile(path, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", s.name, got, want)
		}
	}
	for _, s := range load(t).All() {
		if !mapped[s.Name] {
			t.Errorf("no sample makes a signup of source %s", s.Name)
		}
	}
}

func golden(t *testing.T, events []sources.Event) []byte {
	t.Helper()
	all := []map[string]any{}
	for _, e := range events {
		one := map[string]any{"signup_id": e.Signup.ID, "company": e.Signup.Company, "source": e.Signup.Source, "ignored": e.Ignored}
		if e.Cancelled {
			one["cancelled"] = true
		}
		if e.Fault != nil {
			one["fault"], one["raw"] = e.Fault.Error(), e.Raw
		}
		if steps := (provision.Record{Steps: e.Signup.Line.Steps()}).LineSteps(); len(steps) > 0 {
			one["line"] = steps
		}
		values := make(map[string]any)
		for _, v := range e.Values() {
			if values[v.Field] = v.Result; v.Err != nil {
				values[v.Field] = "error: " + v.Err.Error()
			}
		}
		one["values"] = values
		all = append(all, one)
	}
	content, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(content, '\n')
}

// Two ways out of one CRM meet at one signup for one record.
func TestWaysOutOfOneCRMMeet(t *testing.T) {
	t.Parallel()
	ids := make(map[string]string)
	for _, s := range samples(t) {
		if events, err := s.source.Read(s.contentType, s.body); err == nil && len(events) > 0 {
			ids[s.name] = events[0].Signup.ID
		}
	}
	for id, names := range map[string][]string{
		"hubspot:8675309:4021":                                              {"hubspot", "hubspot-chosen", "hubspot-subscriptions"},
		"salesforce:00D5g000004AbCdEAK:0015g00000XyZ12AAF":                  {"salesforce-flow", "salesforce-flow-short-ids", "salesforce-outbound", "eventbridge-salesforce"},
		"stripe:cus_SIGNUP0001":                                             {"stripe", "eventbridge-stripe"},
		"shopify:7061234567890":                                             {"shopify", "eventbridge-shopify"},
		"auth0:northwind:auth0|507f1f77bcf86cd799439020":                    {"auth0", "eventbridge-auth0"},
		"zoho:5725767000000412001":                                          {"zoho", "zoho-raw"},
		"leadsquared:a311900c-0e56-4601-b580-f931645e7b32":                  {"leadsquared", "leadsquared-form"},
		"pipedrive:7654321:512":                                             {"pipedrive"},
		"stripe:cs_live_a1GUESTTRUNK":                                       {"stripe-guest"},
		"generic:9007199254740993":                                          {"generic-wrapped"},
		"cognito:ap-south-1_AbCdEf123:6f9619ff-8b86-4011-b42d-00c04fc964ff": {"cognito"},
	} {
		for _, name := range names {
			if ids[name] != id {
				t.Errorf("%s: %q, want %q", name, ids[name], id)
			}
		}
	}
}

// The names that others rely on. More may be there: a source that somebody adds
// needs no Go.
func TestShippedSources(t *testing.T) {
	t.Parallel()
	set := load(t)
	want := []string{
		"auth0", "clerk", "close", "freshsales", "generic", "hubspot", "hubspot-subscriptions", "leadsquared", "pipedrive", "salesforce-flow",
		"salesforce-outbound", "shopify", "stripe", "zoho",
	}
	for _, name := range want {
		if _, found := set.Source(name); !found {
			t.Errorf("%s does not come by HTTP", name)
		}
	}
	for name, namespace := range map[string]string{
		"hubspot-subscriptions": "hubspot", "salesforce-flow": "salesforce", "salesforce-outbound": "salesforce", "eventbridge-salesforce": "salesforce",
		"eventbridge-stripe": "stripe", "eventbridge-shopify": "shopify", "eventbridge-auth0": "auth0",
	} {
		if s := sourceOf(t, set, name); s.Namespace != namespace {
			t.Errorf("%s has the namespace %s, want %s", name, s.Namespace, namespace)
		}
	}
	for _, s := range set.All() {
		if _, byHTTP := set.Source(s.Name); byHTTP != (len(s.Auth) > 0) {
			t.Errorf("%s by HTTP: %v, with %d ways to authenticate", s.Name, byHTTP, len(s.Auth))
		}
	}
}

// What comes without HTTP is told by its shape, and a request is never taken
// for it.
func TestForEventTellsByShape(t *testing.T) {
	t.Parallel()
	set := load(t)
	for _, s := range samples(t) {
		got, found := set.ForEvent(s.body)
		if byHTTP := len(s.source.Auth) > 0; found == byHTTP || found && got.Name != s.source.Name {
			t.Errorf("%s: found %v", s.name, found)
		}
	}
	requests, err := filepath.Glob("../../events/*.json")
	if err != nil || len(requests) == 0 {
		t.Fatalf("no requests: %v", err)
	}
	for _, file := range requests {
		payload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source, found := set.ForEvent(payload)
		if event := strings.HasPrefix(filepath.Base(file), "event-"); found != event {
			t.Errorf("%s: found %v (%v)", file, found, source)
		}
	}
	for _, payload := range []string{
		``, `{`, `null`, `[]`, `{}`, `"detail-type"`, `{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}`,
		`{"detail-type":"x","source":["aws.partner/stripe.com/"]}`, `{"source":"aws.partner/stripe.com/ed_1"}`,
		`{"requestContext":{},"source":"aws.partner/stripe.com/ed_1","detail-type":"x"}`,
		`{"queryStringParameters":{"triggerSource":"x","userPoolId":"y"},"requestContext":{}}`,
		`{"queryStringParameters":{"triggerSource":"x","userPoolId":"y"}}`,
	} {
		if s, found := set.ForEvent([]byte(payload)); found {
			t.Errorf("%s is taken for %s", payload, s.Name)
		}
	}
}
