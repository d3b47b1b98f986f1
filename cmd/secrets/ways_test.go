package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/secrets"
)

func TestASecretIsMadeOnlyWhereARandomOneMakesSense(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		fits func(string) bool // what is stored
		says string            // or else the error
	}{
		"a token":                            {[]string{"leadsquared"}, madeHere.MatchString, ""},
		"a token rather than one that signs": {[]string{"generic"}, madeHere.MatchString, ""},
		"a token rather than a password":     {[]string{"freshsales"}, madeHere.MatchString, ""},
		"a token beside a client secret":     {[]string{"hubspot"}, madeHere.MatchString, ""},
		"one that signs":                     {[]string{"generic", "-signing"}, startsWith("whsec_"), ""},
		"a password":                         {[]string{"pipedrive", "-user", "crm"}, startsWith("crm:"), ""},
		"a password rather than a token":     {[]string{"freshsales", "-user", "crm"}, startsWith("crm:"), ""},
		"a password without a user":          {[]string{"pipedrive"}, nil, "source pipedrive: it takes a user and a password; -add pipedrive -user NAME"},
		"Stripe's":                           {[]string{"stripe"}, nil, "source stripe: its sender makes the secret; -set stripe"},
		"Stripe's, signing":                  {[]string{"stripe", "-signing"}, nil, "source stripe: it takes no signing secret that is made here"},
		"Clerk's, which is Svix's":           {[]string{"clerk"}, nil, "source clerk: its sender makes the secret; -set clerk"},
		"Close's":                            {[]string{"close"}, nil, "source close: its sender makes the secret; -set close"},
		"HubSpot's":                          {[]string{"hubspot-subscriptions"}, nil, "source hubspot-subscriptions: its sender makes the secret; -set hubspot-subscriptions"},
		"a token that should sign":           {[]string{"zoho", "-signing"}, nil, "source zoho: it takes no signing secret"},
		"a token with a user":                {[]string{"zoho", "-user", "crm"}, nil, "source zoho: it takes no user and password"},
		"an event's":                         {[]string{"eventbridge-stripe"}, nil, "source eventbridge-stripe comes without HTTP"},
		"an unknown source's":                {[]string{"hunter2"}, nil, "there is no such source; there are api, auth0, "},
		"a whole pair as the user":           {[]string{"pipedrive", "-user", "crm:hunter2"}, nil, "-user is the user's name alone"},
		"no user":                            {[]string{"pipedrive", "-user", " "}, nil, "-user is the user's name alone"},
	} {
		v := vault{"S": "{}"}
		_, err := use(t, v, nil, append([]string{"-add"}, test.args...)...)
		list, _ := secrets.ParseSources(v["S"])
		stored := list[test.args[0]]
		switch {
		case test.fits != nil && (err != nil || len(stored) != 1 || !test.fits(stored[0])):
			t.Errorf("%s: %v, stored %s", name, err, v["S"])
		case test.fits == nil && (err == nil || v["S"] != "{}" || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s: %v, stored %s", name, err, v["S"])
		}
	}
}

func TestTheHintSaysWhereTheSecretGoes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args   []string
		answer string
		says   string
	}{
		"a token's headers":      {[]string{"-add", "leadsquared"}, "", "gets it: the header X-Webhook-Token, or Authorization: Bearer; see docs/sources.md#leadsquared-leadsquared"},
		"a form's field":         {[]string{"-add", "zoho"}, "", "X-Webhook-Token, or Authorization: Bearer, or the form's field token; see docs/sources.md#zoho-crm-zoho"},
		"a bearer's header":      {[]string{"-add", "auth0"}, "", "gets it: the header Authorization: Bearer; see docs/sources.md#auth0-auth0"},
		"a password":             {[]string{"-add", "salesforce-outbound", "-user", "crm"}, "", "gets it: as the Basic user and password; see docs/sources.md#salesforce-outbound-message-salesforce-outbound"},
		"a key of ours":          {[]string{"-add", "generic", "-signing"}, "", "gets it: as the key that it signs with; see docs/sources.md#your-own-systems-generic"},
		"the API's":              {[]string{"-add", "api"}, "", "see README.md#http"},
		"a password that exists": {[]string{"-set", "pipedrive"}, "crm:hunter2hunter2hunter2", "as the Basic user and password; see docs/sources.md#pipedrive-pipedrive"},
		"one of HubSpot's":       {[]string{"-set", "hubspot"}, aUUID, "has it already; how to set the rest up: docs/sources.md#hubspot-workflow-hubspot"},
		"one of Stripe's":        {[]string{"-set", "stripe"}, aStripe, "has it already; how to set the rest up: docs/sources.md#stripe-stripe"},
		"one of Clerk's":         {[]string{"-set", "clerk"}, aSigning, "has it already; how to set the rest up: docs/sources.md#clerk-clerk"},
	} {
		out, err := use(t, vault{"S": "{}"}, &person{t: t, answers: []string{test.answer}}, test.args...)
		if err != nil || !strings.Contains(out, test.says) {
			t.Errorf("%s: said %s, %v", name, out, err)
		}
	}
	if page := (options{docs: "no/such/page.md"}).page("zoho"); page != "docs/sources.md#secrets" {
		t.Errorf("without the page: %s", page)
	}
}

// docs/sources.md says, of each source, how its secret is put in.
func TestThePagesCommandsWork(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(content), "\n| who makes the secret |")
	if !found {
		t.Fatal("the page has no table of who makes the secrets")
	}
	name, command := regexp.MustCompile("`([a-z0-9-]+)`"), regexp.MustCompile(`ARGS="(-[^"]*)"`)
	var listed, added []string
	for _, row := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(row, "|")
		if len(cells) < 4 {
			break
		}
		args := command.FindStringSubmatch(cells[3])
		if args == nil {
			t.Errorf("no command in %s", row)
			continue
		}
		for _, match := range name.FindAllStringSubmatch(cells[2], -1) {
			source := match[1]
			listed = append(listed, source)
			if !strings.HasPrefix(args[1], "-add") {
				continue
			}
			added = append(added, source)
			if _, err := use(t, vault{"S": "{}"}, nil, strings.Fields(strings.ReplaceAll(args[1], "SOURCE", source))...); err != nil {
				t.Errorf("%s: %v", args[1], err)
			}
		}
	}
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range set.Names() {
		if !slices.Contains(listed, source) {
			t.Errorf("the table doesn't say who makes the secret of %s", source)
		}
		if slices.Contains(added, source) {
			continue
		}
		if _, err := use(t, vault{"S": "{}"}, nil, "-add", source); err == nil {
			t.Errorf("the table doesn't say that one of %s can be made", source)
		}
	}
}

func TestWhatWouldBePassedOverIsRefused(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"a secret on the command line": {"-set", "stripe", "hunter2"},
		"two steps":                    {"-add", "api", "-drop", "api"},
		"a step and a file":            {"-set", "stripe", "-sources-file", "hunter2"},
		"what -add alone has":          {"-set", "pipedrive", "-user", "crm"},
		"what -add alone has, too":     {"-drop", "api", "-signing"},
		"both that -add can make":      {"-add", "generic", "-signing", "-user", "crm"},
		"what -drop alone has":         {"-add", "api", "-all"},
	} {
		v := vault{"S": "{}"}
		if _, err := use(t, v, &person{t: t}, args...); err == nil || v["S"] != "{}" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, stored %s", name, err, v["S"])
		}
	}
}
