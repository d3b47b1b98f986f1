package sources_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/provision"
)

// bodies are one event of each source, with the record's id and the company's
// name left open, both in JSON.
var bodies = map[string]string{
	"hubspot":                `{"portal-id":8675309,"is-contact":true,"vid":%s,"properties":{"company":{"value":%s}}}`,
	"hubspot-subscriptions":  `[{"portalId":8675309,"subscriptionType":"contact.creation","objectId":%s,"unused":%s}]`,
	"salesforce-flow":        `{"organizationId":"00D5g000004AbCdEAK","recordId":%s,"accountName":%s}`,
	"pipedrive":              `{"meta":{"entity":"deal","company_id":"7654321","entity_id":%s},"data":{"status":"won","title":%s}}`,
	"zoho":                   `{"signup_id":%s,"account":%s}`,
	"leadsquared":            `{"ProspectStage":"Customer","ProspectID":%s,"Company":%s}`,
	"freshsales":             `{"signup_id":%s,"company":%s}`,
	"close":                  `{"event":{"object_type":"lead","action":"created","data":{"id":%s,"name":%s}}}`,
	"stripe":                 `{"livemode":true,"type":"checkout.session.completed","data":{"object":{"payment_status":"paid","customer":%s,"customer_details":{"name":%s}}}}`,
	"shopify":                `{"admin_graphql_api_id":"gid://shopify/Customer/1","id":%s,"default_address":{"company":%s}}`,
	"clerk":                  `{"type":"user.created","data":{"id":%s,"public_metadata":{"company":%s}}}`,
	"auth0":                  `{"type":"user.created","a0tenant":"northwind","data":{"object":{"user_id":%s,"app_metadata":{"company":%s}}}}`,
	"generic":                `{"signup_id":%s,"company":%s}`,
	"cognito":                `{"triggerSource":"PostConfirmation_ConfirmSignUp","userPoolId":"p","request":{"userAttributes":{"sub":%s,"custom:company":%s}}}`,
	"eventbridge-salesforce": `{"source":"aws.partner/salesforce.com/00D5g000004AbCdEAK/0YL","detail-type":"Trunk_Signup__e","detail":{"payload":{"Account_Id__c":%s,"Account_Name__c":%s}}}`,
	"eventbridge-stripe":     `{"source":"aws.partner/stripe.com/ed_1","detail":{"livemode":true,"type":"checkout.session.completed","data":{"object":{"customer":%s,"customer_details":{"name":%s}}}}}`,
	"eventbridge-shopify":    `{"source":"aws.partner/shopify.com/1/x","detail":{"payload":{"admin_graphql_api_id":"gid://shopify/Customer/1","id":%s,"default_address":{"company":%s}}}}`,
	"eventbridge-auth0":      `{"source":"aws.partner/auth0.com/x/y","detail":{"type":"user.created","a0tenant":"northwind","data":{"object":{"user_id":%s,"app_metadata":{"company":%s}}}}}`,
}

// outbound is an Outbound Message with the notifications given.
func outbound(notifications ...string) string {
	return `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Body>` +
		`<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D5g000004AbCdEAK</OrganizationId><ActionId>04k</ActionId><SessionId>LIVE</SessionId>` +
		strings.Join(notifications, "") + `</notifications></e:Body></e:Envelope>`
}

func notification(id, company string) string {
	return `<Notification><Id>04l</Id><sObject xsi:type="sf:Account" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>` + escaped(id) + `</sf:Id><sf:Name>` + escaped(company) + `</sf:Name></sObject></Notification>`
}

func escaped(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		panic(err)
	}
	return b.String()
}

func quoted(text string) string {
	content, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(content)
}

func source(t testing.TB, name string) *sources.Source {
	t.Helper()
	for _, s := range load(t).All() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no source %s", name)
	return nil
}

// faults are the fields at fault in an event, joined.
func faults(e sources.Event) string {
	var invalid *provision.InvalidError
	if !errors.As(e.Fault, &invalid) {
		return ""
	}
	var fields []string
	for _, fault := range invalid.Faults {
		fields = append(fields, fault.Field)
	}
	return strings.Join(fields, " ")
}

// What is unusable is refused for the field that is at fault, in every source
// alike, and is kept.
func TestUnusableEventsNameTheirFault(t *testing.T) {
	t.Parallel()
	const good, acme = `"a-1"`, `"Acme"`
	cases := map[string]struct{ id, company, faults string }{
		"usual":                   {good, acme, ""},
		"a large number":          {`9007199254740993`, acme, ""},
		"no company":              {good, `null`, "company"},
		"company of spaces":       {good, `"  "`, "company"},
		"company too long":        {good, quoted(strings.Repeat("ü", 257)), "company"},
		"company with a break":    {good, `"A\nB"`, "company"},
		"company with NUL":        {good, `"A\u0000B"`, "company"},
		"company is a number":     {good, `42`, "company"},
		"company is a list":       {good, `["Acme"]`, "company"},
		"company is an object":    {good, `{"name":"Acme"}`, "company"},
		"id with a space":         {`"a 1"`, acme, "id"},
		"id with spaces around":   {`" a-1 "`, acme, "id"},
		"id with a line break":    {`"a-1\n"`, acme, "id"},
		"id with a slash":         {`"a/1"`, acme, "id"},
		"id of a counter":         {`"#a"`, acme, "id"},
		"id not ASCII":            {`"ä"`, acme, "id"},
		"id with NUL":             {`"a\u0000"`, acme, "id"},
		"id not merged":           {`"${!Leads.Id}"`, acme, "id"},
		"id too long":             {quoted(strings.Repeat("a", 128)), acme, "id"},
		"id is a fraction":        {`4021.5`, acme, "id"},
		"id is written otherwise": {`4e3`, acme, "id"},
		"id is negative":          {`-1`, acme, "id"},
		"id is true":              {`true`, acme, "id"},
		"id is a list":            {`["a-1"]`, acme, "id"},
		"id is an object":         {`{"a":1}`, acme, "id"},
		"both":                    {`"a 1"`, `42`, "id company"},
	}
	for name, body := range bodies {
		s := source(t, name)
		if name == "hubspot-subscriptions" {
			continue // it makes up the company from the id
		}
		for what, test := range cases {
			checkOne(t, name+", "+what, s, "application/json", fmt.Sprintf(body, test.id, test.company), test.faults)
		}
	}
	s := source(t, "salesforce-outbound")
	for what, test := range cases {
		var id, company string
		if json.Unmarshal([]byte(test.id), &id) == nil && json.Unmarshal([]byte(test.company), &company) == nil && !strings.Contains(test.id+test.company, `\u0000`) && strings.TrimSpace(id) == id {
			checkOne(t, "salesforce-outbound, "+what, s, "text/xml", outbound(notification(id, company)), test.faults)
		}
	}
}

func checkOne(t *testing.T, what string, s *sources.Source, contentType, body, want string) {
	t.Helper()
	events, err := s.Read(contentType, []byte(body))
	if err != nil || len(events) != 1 {
		t.Errorf("%s: %d events, %v", what, len(events), err)
		return
	}
	e := events[0]
	if got := faults(e); got != want || e.Ignored {
		t.Errorf("%s: at fault %q (%v), want %q; ignored %v", what, got, e.Fault, want, e.Ignored)
	}
	if kept := e.Raw != nil; kept != (want != "") || kept && !json.Valid(e.Raw) {
		t.Errorf("%s: kept %s", what, e.Raw)
	}
	if want == "" && e.Signup.Validate() != nil {
		t.Errorf("%s: %v", what, e.Signup.Validate())
	}
}

// An event without its record's id is refused, not one signup for all.
func TestEventsWithoutAnIDAreRefused(t *testing.T) {
	t.Parallel()
	for name, body := range bodies {
		for _, id := range []string{"null", `""`} {
			checkOne(t, name+" with id "+id, source(t, name), "application/json", fmt.Sprintf(body, id, `"Acme"`), "id")
		}
	}
	checkOne(t, "salesforce-outbound", source(t, "salesforce-outbound"), "text/xml", outbound(notification("", "Acme")), "id")
	checkOne(t, "salesforce-flow without organisation", source(t, "salesforce-flow"), "", `{"recordId":"0015g00000XyZ12AAF","accountName":"A"}`, "id")
	checkOne(t, "zoho form", source(t, "zoho"), "application/x-www-form-urlencoded", `account=Acme`, "id")
}

// What the customer types never chooses the id.
func TestCustomersDoNotChooseTheirID(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"stripe":  `{"livemode":true,"type":"checkout.session.completed","data":{"object":{"id":"cs_1","client_reference_id":"hubspot:1","customer":null,"custom_fields":[{"key":"id","text":{"value":"x"}},{"key":"company","text":{"value":"Acme"}}]}}}`,
		"clerk":   `{"type":"user.created","data":{"id":"user_1","unsafe_metadata":{"id":"x","signup_id":"x","company":"Acme"}}}`,
		"cognito": `{"triggerSource":"PostConfirmation_ConfirmSignUp","userPoolId":"p","request":{"userAttributes":{"sub":"s-1","custom:company":"Acme"},"clientMetadata":{"sub":"x","signup_id":"x"}}}`,
	} {
		events, err := source(t, name).Read("application/json", []byte(body))
		want := map[string]string{"stripe": "stripe:cs_1", "clerk": "clerk:user_1", "cognito": "cognito:p:s-1"}[name]
		if err != nil || len(events) != 1 || events[0].Fault != nil || events[0].Signup.ID != want || events[0].Signup.Company != "Acme" {
			t.Errorf("%s: %+v, %v", name, events, err)
		}
	}
}

func TestPartlyUnusableBatchesKeepTheGoodOnes(t *testing.T) {
	t.Parallel()
	body := `[
		{"portalId":1,"subscriptionType":"contact.creation","objectId":1},
		{"portalId":1,"subscriptionType":"contact.creation","objectId":"a b"},
		null, 42, [],
		{"portalId":1,"subscriptionType":"contact.deletion","objectId":2},
		{"portalId":1,"subscriptionType":"contact.creation","objectId":9007199254740993}]`
	events, err := source(t, "hubspot-subscriptions").Read("application/json", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s/%v/%s", e.Signup.ID, e.Ignored, faults(e)))
	}
	want := "hubspot:1:1/false/ /false/id /false/event /false/event /false/event /true/ hubspot:1:9007199254740993/false/"
	if joined := strings.Join(got, " "); joined != want {
		t.Errorf("got  %s\nwant %s", joined, want)
	}
}

func TestReadRefusesWholeBodies(t *testing.T) {
	t.Parallel()
	many := func(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+",", n), ",") }
	for what, test := range map[string]struct{ source, contentType, body, want string }{
		"broken JSON":           {"pipedrive", "application/json", `{"meta":`, "broken at byte"},
		"a key twice":           {"pipedrive", "application/json", `{"a":1,"a":2}`, "A key stands twice"},
		"no object":             {"pipedrive", "application/json", `[]`, "must be an object"},
		"a text":                {"stripe", "application/json", `"x"`, "must be an object"},
		"no list":               {"hubspot-subscriptions", "application/json", `{}`, "must hold a list"},
		"1 MB of lists":         {"hubspot", "application/json", strings.Repeat("[", 1<<20), "nests deeper"},
		"1 MB of objects":       {"hubspot", "application/json", strings.Repeat(`{"a":`, 1<<18), "nests deeper"},
		"1 MB of zeros":         {"hubspot-subscriptions", "application/json", "[" + many(1<<19, "0") + "]", "more than 50000 values"},
		"a form's field twice":  {"zoho", "application/x-www-form-urlencoded", `signup_id=1&signup_id=2`, "stands twice"},
		"the same, escaped":     {"zoho", "application/x-www-form-urlencoded", `signup_id=1&signup%5fid=2`, "stands twice"},
		"a broken form":         {"zoho", "application/x-www-form-urlencoded", `signup_id=%zz`, "broken"},
		"a form not in UTF-8":   {"zoho", "application/x-www-form-urlencoded", `account=%ff`, "UTF-8"},
		"a form of 1001 fields": {"zoho", "application/x-www-form-urlencoded", strings.Repeat("&", 1000), "more than 1000"},
		"a DTD":                 {"salesforce-outbound", "text/xml", `<!DOCTYPE a SYSTEM "http://127.0.0.1/">` + outbound(notification("1", "A")), "DTD"},
		"a billion laughs":      {"salesforce-outbound", "text/xml", `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>` + outbound(`<x>&b;</x>`), "DTD"},
		"an unknown entity":     {"salesforce-outbound", "text/xml", outbound(`<x>&b;</x>`), "broken"},
		"another encoding":      {"salesforce-outbound", "text/xml", `<?xml version="1.0" encoding="UTF-16"?>` + outbound(notification("1", "A")), "broken"},
		"deep XML":              {"salesforce-outbound", "text/xml", outbound(strings.Repeat("<a>", 1<<18)), "nests deeper"},
		"1 MB of elements":      {"salesforce-outbound", "text/xml", outbound(strings.Repeat("<a/>", 1<<18)), "more than 20000"},
		"a long organisation":   {"salesforce-outbound", "text/xml", strings.Replace(outbound(notification("1", "A")), "00D5", strings.Repeat("0", 129), 1), "OrganizationId is too long"},
		"a long action":         {"salesforce-outbound", "text/xml", strings.Replace(outbound(notification("1", "A")), "04k", strings.Repeat("0", 129), 1), "ActionId is too long"},
		"cut off XML":           {"salesforce-outbound", "text/xml", outbound(notification("1", "A"))[:300], "broken"},
		"an instruction":        {"salesforce-outbound", "text/xml", outbound(`<?php x?>`), "instructions"},
		"many attributes":       {"salesforce-outbound", "text/xml", outbound("<a" + manyAttributes(33) + "/>"), "more than 32 attributes"},
		"two roots":             {"salesforce-outbound", "text/xml", "<a/><a/>", "one root"},
		"no XML":                {"salesforce-outbound", "text/xml", "hello", "one root"},
		"no envelope":           {"salesforce-outbound", "text/xml", "<a/>", "SOAP 1.1 envelope"},
		"another namespace":     {"salesforce-outbound", "text/xml", strings.ReplaceAll(outbound(notification("1", "A")), "2005/09/outbound", "2005/09/inbound"), "one notifications"},
		"a prefix not bound":    {"salesforce-outbound", "text/xml", `<e:Envelope><e:Body/></e:Envelope>`, "broken"},
		"two organisations":     {"salesforce-outbound", "text/xml", outbound(`<OrganizationId>2</OrganizationId>`, notification("1", "A")), "one OrganizationId"},
		"no object of a bus":    {"eventbridge-stripe", "", `[]`, "must be a JSON object"},
	} {
		events, err := source(t, test.source).Read(test.contentType, []byte(test.body))
		var refused sources.BodyError
		if events != nil || !errors.As(err, &refused) || !strings.Contains(refused.Detail, test.want) {
			t.Errorf("%s: %d events, %v; want %q", what, len(events), err, test.want)
		}
	}
}

// What one delivery may not make signups of is kept, every event of it once and
// whole, in a few lists that each fit into what is kept of a dead letter.
func TestEventsBeyondTheMostAreKept(t *testing.T) {
	t.Parallel()
	sub := func(i int) string {
		return fmt.Sprintf(`{"portalId":1,"subscriptionType":"contact.creation","objectId":%d,"note":"<\"é\u2028"}`, i)
	}
	soap := func(i int) string { return notification(strconv.Itoa(i), "A") }
	list := func(n int, one func(int) string, between string) string {
		var all []string
		for i := range n {
			all = append(all, one(i+1))
		}
		return strings.Join(all, between)
	}
	hubspot, salesforce := regexp.MustCompile(`"objectId":(\d+)`), regexp.MustCompile(`"sObject":\{"Id":"(\d+)"`)
	for what, test := range map[string]struct {
		source, body string
		ids          *regexp.Regexp
		sent         int
		faults       []string // of the events beyond; nil where there may be any
	}{
		"as many as may be": {"hubspot-subscriptions", "[" + list(100, sub, ",") + "]", hubspot, 100, []string{}},
		"one more":          {"hubspot-subscriptions", "[" + list(101, sub, ",") + "]", hubspot, 101, []string{"101 to 101 are beyond the 100 that one delivery may hold"}},
		"some more":         {"hubspot-subscriptions", "[" + list(137, sub, ",") + "]", hubspot, 137, []string{"101 to 137 are beyond the 100 that one delivery may hold"}},
		"a full body":       {"hubspot-subscriptions", "[" + list(2500, sub, ",") + "]", hubspot, 2500, nil},
		"notifications":     {"salesforce-outbound", outbound(list(137, soap, "")), salesforce, 137, []string{"101 to 137 are beyond the 100 that one delivery may hold"}},
	} {
		s := source(t, test.source)
		contentType := map[bool]string{true: "text/xml", false: "application/json"}[test.source == "salesforce-outbound"]
		events, err := s.Read(contentType, []byte(test.body))
		if err != nil || len(events) < 100 {
			t.Errorf("%s: %d events, %v", what, len(events), err)
			continue
		}
		for i, e := range events[:100] {
			if e.Fault != nil || e.Ignored || !strings.HasSuffix(e.Signup.ID, ":"+strconv.Itoa(i+1)) {
				t.Errorf("%s: event %d is %+v", what, i, e)
			}
		}
		beyond, next := events[100:], 101
		for i, e := range beyond {
			var kept []json.RawMessage
			var invalid *provision.InvalidError
			letter := provision.DeadLetter{Payload: string(e.Raw)}
			if json.Unmarshal([]byte(letter.Kept()), &kept) != nil || e.Ignored || e.Signup.ID != "" || !errors.As(e.Fault, &invalid) || invalid.Faults[0].Field != "events" {
				t.Fatalf("%s: %.100s, %v", what, e.Raw, e.Fault)
			}
			if test.faults != nil && invalid.Faults[0].Detail != test.faults[i] {
				t.Errorf("%s: %v", what, e.Fault)
			}
			for _, one := range kept {
				if id := test.ids.FindSubmatch(one); id == nil || string(id[1]) != strconv.Itoa(next) {
					t.Fatalf("%s: %s is kept in place of event %d", what, one, next)
				}
				next++
			}
		}
		if next != test.sent+1 || test.faults != nil && len(beyond) != len(test.faults) || len(beyond) > 10 {
			t.Errorf("%s: %d events in %d lists", what, next-1, len(beyond))
		}
	}
}

// The many events that the smallest body can hold make no more lists than a large
// one's.
func TestTheMostEventsThatABodyCanHoldAreFewLists(t *testing.T) {
	t.Parallel()
	for what, one := range map[string]string{"objects": "{}", "no objects": "0"} {
		events, err := source(t, "hubspot-subscriptions").Read("", []byte("["+strings.TrimSuffix(strings.Repeat(one+",", 49_999), ",")+"]"))
		if err != nil || len(events) > 110 {
			t.Errorf("%s: %d events, %v", what, len(events), err)
		}
	}
}

func manyAttributes(n int) (text string) {
	for i := range n {
		text += fmt.Sprintf(` a%d=""`, i)
	}
	return text
}

// Salesforce is told Ack for all of a message or for none: one notification that
// can't be read must neither cost the others nor be lost.
func TestOneBrokenNotificationLeavesTheOthersAlone(t *testing.T) {
	t.Parallel()
	for what, broken := range map[string]string{
		"a record's field twice": strings.ReplaceAll(notification("0015g00000XyZ12AAF", "A"), "<sf:Name>", "<sf:Id>2</sf:Id><sf:Name>"),
		"two records":            strings.ReplaceAll(notification("0015g00000XyZ12AAF", "A"), "<sObject", "<sObject/><sObject"),
		"no record":              "<Notification><Id>04l</Id></Notification>",
		"two ids":                strings.ReplaceAll(notification("0015g00000XyZ12AAF", "A"), "<Id>", "<Id>x</Id><Id>"),
	} {
		good := notification("0015g00000XyZ13AAF", "Good")
		events, err := source(t, "salesforce-outbound").Read("text/xml", []byte(outbound(good, broken, good)))
		if err != nil || len(events) != 3 {
			t.Errorf("%s: %d events, %v", what, len(events), err)
			continue
		}
		for _, i := range []int{0, 2} {
			if events[i].Fault != nil || events[i].Ignored || events[i].Signup.Company != "Good" {
				t.Errorf("%s: a good one is %+v", what, events[i])
			}
		}
		var invalid *provision.InvalidError
		if bad := events[1]; bad.Ignored || !errors.As(bad.Fault, &invalid) || !strings.Contains(string(bad.Raw), "04l") || strings.Contains(string(bad.Raw), "LIVE") {
			t.Errorf("%s: the broken one is ignored %v, %v, kept as %s", what, bad.Ignored, bad.Fault, bad.Raw)
		}
	}
}

func TestReadTakesTheContentTypesOfItsSource(t *testing.T) {
	t.Parallel()
	object, form, message := `{"signup_id":"1","company":"A"}`, `signup_id=1&company=A`, outbound(notification("1", "A"))
	for _, test := range []struct {
		source, contentType, body string
		taken                     bool
	}{
		{"generic", "application/json", object, true},
		{"generic", "Application/JSON; charset=UTF-8", object, true},
		{"generic", "application/json; charset", object, true},
		{"generic", "application/cloudevents+json", object, true},
		{"generic", "", object, true},
		{"generic", "text/plain", object, false},
		{"generic", "text/html+json", object, false},
		{"generic", "application/x-www-form-urlencoded", form, false},
		{"generic", ";", object, false},
		{"zoho", "application/json", object, true},
		{"zoho", "application/x-www-form-urlencoded", form, true},
		{"zoho", "text/plain", " \n" + object, true},
		{"zoho", "text/plain;charset=UTF-8", form, true},
		{"zoho", "", object, true},
		{"zoho", "", form, true},
		{"zoho", "text/xml", message, false},
		{"zoho", "multipart/form-data; boundary=x", form, false},
		{"salesforce-outbound", "text/xml", message, true},
		{"salesforce-outbound", "", message, true},
		{"salesforce-outbound", "application/json", object, false},
	} {
		events, err := source(t, test.source).Read(test.contentType, []byte(test.body))
		if taken := err == nil && len(events) == 1 && events[0].Fault == nil; taken != test.taken || !taken && !errors.Is(err, sources.ErrContentType) {
			t.Errorf("%s, %q, %.30s: taken %v, %v", test.source, test.contentType, test.body, taken, err)
		}
	}
}

func TestAnEmptyBatchHasNoEvents(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"hubspot-subscriptions": "[]", "salesforce-outbound": outbound()} {
		if events, err := source(t, name).Read("", []byte(body)); err != nil || len(events) != 0 {
			t.Errorf("%s: %v, %v", name, events, err)
		}
	}
}

// No secret of a sender is kept or mapped.
func TestSecretsAreDropped(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct{ source, contentType, body string }{
		"a session":       {"salesforce-outbound", "text/xml", outbound(notification("", ""))},
		"a form's token":  {"zoho", "application/x-www-form-urlencoded", "token=LIVE"},
		"a token in JSON": {"zoho", "application/json", `{"token":"LIVE"}`},
	} {
		events, err := source(t, test.source).Read(test.contentType, []byte(test.body))
		if err != nil || len(events) != 1 || events[0].Raw == nil {
			t.Fatalf("%s: %v, %v", what, events, err)
		}
		if shown := string(events[0].Raw) + fmt.Sprint(events[0].Values(), events[0].Fault); strings.Contains(shown, "LIVE") {
			t.Errorf("%s: %s", what, shown)
		}
	}
}

// Faults repeat no value.
func TestFaultsRepeatNothing(t *testing.T) {
	t.Parallel()
	for name, body := range bodies {
		events, err := source(t, name).Read("", []byte(fmt.Sprintf(body, `"SECRET VALUE"`, `["SECRET VALUE"]`)))
		if err != nil || len(events) != 1 || events[0].Fault == nil || strings.Contains(events[0].Fault.Error(), "SECRET") {
			t.Errorf("%s: %v, %v", name, events, err)
		}
	}
}

// Two records meet at one signup only if they are one: whatever id and company
// come, an id that is taken tells exactly which record it was.
func TestIDsTellRecordsApart(t *testing.T) {
	t.Parallel()
	s := source(t, "pipedrive")
	text := rapid.OneOf(rapid.StringMatching(`[a-z:|.]{0,6}`), rapid.StringMatching(`[0-9]{1,3}`), rapid.String())
	read := func(t *rapid.T, company, entity string) (string, bool) {
		body := fmt.Sprintf(`{"meta":{"entity":"deal","company_id":%s,"entity_id":%s},"data":{"status":"won","title":"A"}}`, quoted(company), quoted(entity))
		events, err := s.Read("", []byte(body))
		if err != nil || len(events) != 1 {
			t.Fatalf("%s: %v", body, err)
		}
		return events[0].Signup.ID, events[0].Fault == nil
	}
	rapid.Check(t, func(t *rapid.T) {
		company, entity := text.Draw(t, "company"), text.Draw(t, "entity")
		company2, entity2 := text.Draw(t, "other company"), text.Draw(t, "other entity")
		id, ok := read(t, company, entity)
		id2, ok2 := read(t, company2, entity2)
		if ok && !provision.ValidSignupID(id) {
			t.Fatalf("%q is no signup id", id)
		}
		if same := company == company2 && entity == entity2; ok && ok2 && (id == id2) != same {
			t.Fatalf("%q and %q of %q:%q and %q:%q", id, id2, company, entity, company2, entity2)
		}
	})
}

// A form gives what was put into it, or is refused.
func TestFormsComeOutAsTheyWentIn(t *testing.T) {
	t.Parallel()
	s := source(t, "zoho")
	rapid.Check(t, func(t *rapid.T) {
		company := rapid.StringMatching(`[^\x00-\x20\x7f-\xa0]{1,40}`).Draw(t, "company")
		form := url.Values{"signup_id": {"1"}, "company": {company}}
		events, err := s.Read("application/x-www-form-urlencoded", []byte(form.Encode()))
		if err != nil || events[0].Signup.Company != strings.TrimSpace(company) {
			t.Fatalf("%q: %v, %v", company, events, err)
		}
	})
}
