package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/verify"
	"github.com/trunkhook/trunkhook/internal/secrets"
)

// Made here: 43 characters.
var made = strings.Repeat("newer-", 7) + "x"

var madeBefore = strings.Repeat("older-", 7) + "x"

func TestDroppingLeavesTheNewestOfEachWay(t *testing.T) {
	t.Parallel()
	const uuidBefore = "ffffffff-4b5a-6978-8796-a5b4c3d2e1f0"
	for name, test := range map[string]struct {
		source       string
		stored, left []string
	}{
		"a token and a signing secret":         {"api", []string{"t2", aSigning, "t1", "whsec_b2xk"}, []string{"t2", aSigning}},
		"a public key beside a signing secret": {"generic", []string{aSigning, aPublic, "whsec_b2xk", "t1"}, []string{aSigning, aPublic, "t1"}},
		"tokens":                               {"leadsquared", []string{made, madeBefore}, []string{made}},
		"a token and the same as a form's":     {"zoho", []string{"t2", "t1"}, []string{"t2"}},
		"passwords and a token":                {"freshsales", []string{"crm:new", "crm:old", "t2", "t1"}, []string{"crm:new", "t2"}},
		"a bearer and a password":              {"auth0", []string{"t2", "t1", "auth0:old"}, []string{"t2", "auth0:old"}},
		"a client secret and a token":          {"hubspot", []string{made, madeBefore, aUUID, uuidBefore}, []string{made, aUUID}},
		"a client secret that is rotated":      {"hubspot", []string{aUUID, made, uuidBefore}, []string{aUUID, made}},
		"what could be either":                 {"hubspot", []string{made, "of our own", "another", madeBefore}, []string{made, "of our own", "another"}},
		"keys alone":                           {"hubspot-subscriptions", []string{"k2", "k1"}, []string{"k2"}},
		"what can match nothing":               {"close", []string{"no hex", aHexKey, "0bad"}, []string{aHexKey}},
		"with a line break":                    {"pipedrive", []string{"crm:new\n", "crm:old"}, []string{"crm:new\n"}},
	} {
		text, _ := json.Marshal(map[string][]string{test.source: test.stored, "shopify": {"s2", "s1"}})
		v := vault{"S": string(text)}
		out, err := use(t, v, nil, "-drop", test.source)
		sources, _ := secrets.ParseSources(v["S"])
		if err != nil || !slices.Equal(sources[test.source], test.left) || len(sources["shopify"]) != 2 {
			t.Errorf("%s: left %q, want %q; %v", name, sources[test.source], test.left, err)
		}
		if unsure := strings.Contains(out, "can't be told"); unsure != (name == "what could be either") {
			t.Errorf("%s: said %s", name, out)
		}
	}
}

func TestNoSourceIsClosedByAccident(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ source, stored string }{
		"nothing that is usable": {"close", `{"close":["hunter2"]}`},
		"empty":                  {"close", `{"close":[]}`},
		"not there":              {"close", `{}`},
		"no such source":         {"hunter2", `{"hunter2":["a"]}`},
		"an event's source":      {"cognito", `{"cognito":["a"]}`},
	} {
		v := vault{"S": test.stored}
		if _, err := use(t, v, nil, "-drop", test.source); err == nil || v["S"] != test.stored || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, stored %s", name, err, v["S"])
		}
	}
	v := vault{"S": `{"close":["` + aHexKey + `"],"gone":["a","b"],"api":["x"]}`}
	for _, source := range []string{"close", "gone"} {
		if out, err := use(t, v, nil, "-drop", source, "-all"); err != nil || !strings.Contains(out, "closed") {
			t.Errorf("%s: said %s, %v", source, out, err)
		}
	}
	if v["S"] != `{"api":["x"]}` {
		t.Errorf("left %s", v["S"])
	}
}

// Of a kind whose keys look like anything, what could be a token stays.
func TestWhatTheLooksDontTellStays(t *testing.T) {
	t.Parallel()
	ways := newWays([]verify.Options{optionsOf("hmac"), {Kind: "token"}})
	k := newest(ways, []string{made, "key-of-billing-2", madeBefore, "key-of-billing-1"})
	if !slices.Equal(k.secrets, []string{made, "key-of-billing-2", "key-of-billing-1"}) || k.unsure != 2 || !slices.Equal(k.names, []string{"token"}) {
		t.Errorf("%+v", k)
	}
}
