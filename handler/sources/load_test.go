package sources

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"
)

// shop is a file that is right.
const shop = `{"about":"A shop.","auth":{"kind":"standard-webhooks"},"content":"json","id":"[shop, customer.id]","company":"customer.name"}`

func dir(contents map[string]string) fstest.MapFS {
	fsys := make(fstest.MapFS)
	for name, content := range contents {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return fsys
}

// with is the shop's file with one more field, or another.
func with(fields string) string { return strings.Replace(shop, "{", "{"+fields+",", 1) }

func TestLoadTakesAFileThatAnOperatorAdds(t *testing.T) {
	t.Parallel()
	set, err := load(dir(map[string]string{"our-shop.json": shop, "schema.json": "not read"}), "")
	if err != nil {
		t.Fatal(err)
	}
	s, ok := set.Source("our-shop")
	if !ok || s.Namespace != "our-shop" || s.Reply != ReplyJSON || len(s.Auth) != 1 {
		t.Fatalf("%+v", s)
	}
	events, err := s.Read("", []byte(`{"shop":"a","customer":{"id":7,"name":"Acme"}}`))
	if err != nil || len(events) != 1 || events[0].Signup.ID != "our-shop:a:7" || events[0].Signup.Source != "our-shop" {
		t.Errorf("%+v, %v", events, err)
	}
}

func TestLoadRefusesFilesThatAreWrong(t *testing.T) {
	t.Parallel()
	without := func(part string) string { return strings.Replace(shop, part, "", 1) }
	for content, want := range map[string]string{
		`{`:                                             "source shop: The JSON is broken",
		with(`"about":"again"`):                         "A key stands twice",
		with(`"companny":"name"`):                       `unknown field "companny"`,
		with(`"max_events":"many"`):                     "max_events",
		with(`"namespace":"Shop:1"`):                    "source shop: namespace must be",
		with(`"namespace":"jwt"`):                       "namespace must be",
		with(`"namespace":"smoke"`):                     "namespace must be",
		with(`"max_events":1001`):                       "max_events must be",
		with(`"max_events":-1`):                         "max_events must be",
		with(`"reply":"xml"`):                           "reply must be one of",
		with(`"id_form":"hex"`):                         "id_form must be one of",
		with(`"match":"a["`):                            "match is no JMESPath",
		with(`"phone_numbers":"a.*"`):                   "phone_numbers uses",
		with(`"event":{"source":"aws"}`):                "auth is not for",
		without(`"about":"A shop.",`):                   "about must be",
		without(`"auth":{"kind":"standard-webhooks"},`): "auth is missing",
		strings.Replace(shop, `{"kind":"standard-webhooks"}`, `[]`, 1):                    "auth must name",
		strings.Replace(shop, `{"kind":"standard-webhooks"}`, `null`, 1):                  "auth must name",
		strings.Replace(shop, `{"kind":"standard-webhooks"}`, `["hmac"]`, 1):              "auth must be",
		strings.Replace(shop, `{"kind":"standard-webhooks"}`, `"hmac"`, 1):                "auth must be",
		strings.Replace(shop, `A shop.`, `A\nshop.`, 1):                                   "about must be one line",
		without(`"content":"json",`):                                                      "content must be one of",
		without(`"id":"[shop, customer.id]",`):                                            "id is missing",
		without(`,"company":"customer.name"`):                                             "company is missing",
		strings.Replace(shop, `[shop, customer.id]`, `join(':', [shop, customer.id])`, 1): "id must not call join()",
		strings.Replace(shop, `[shop, customer.id]`, `to_string(id)`, 1):                  "id must not call",
		strings.Replace(with(`"each":"a"`), `"json"`, `"form"`, 1):                        "each is for content json",
		with(`"customer_typed":["customer"]`):                                             "id uses customer, which the customer types",
		with(`"customer_typed":["x"],"whitelisted_ips":"a.x"`):                            "whitelisted_ips uses x",
		with(`"customer_typed":["x"],"cancelled":"a.x"`):                                  "cancelled uses x",
		with(`"cancelled":"a["`):                                                          "cancelled is no JMESPath",
	} {
		set, err := load(dir(map[string]string{"shop.json": content}), "")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "source shop: ") || strings.Contains(err.Error(), "\n") || set.Names() != nil {
			t.Errorf("%s: %v, want %q", content, err, want)
		}
	}
	for _, name := range []string{"api", "jwt", "smoke", "Shop", "a_b", "ä", "-a", strings.Repeat("a", 33)} {
		if _, err := load(dir(map[string]string{name + ".json": shop}), ""); err == nil {
			t.Errorf("%s is taken for a name", name)
		}
	}
}

func TestLoadRefusesFilesThatDoNotGoTogether(t *testing.T) {
	t.Parallel()
	event := func(rule string) string {
		return strings.Replace(shop, `"auth":{"kind":"standard-webhooks"}`, `"event":`+rule, 1)
	}
	single := strings.Replace(shop, `[shop, customer.id]`, `id`, 1)
	for name, test := range map[string]struct {
		a, b string
		want string
	}{
		"other parts":             {with(`"namespace":"x"`), strings.Replace(single, "{", `{"namespace":"x",`, 1), "as many parts"},
		"other form":              {with(`"namespace":"x"`), with(`"namespace":"x","id_form":"salesforce"`), "id_form"},
		"the other's name":        {shop, strings.Replace(single, "{", `{"namespace":"a",`, 1), "as many parts"},
		"one event for both":      {event(`{"source":"aws.partner/a"}`), event(`{"source":"aws.partner/a/b"}`), "same events"},
		"the same":                {event(`{"source":""}`), event(`{"source":"","x":""}`), "same events"},
		"other events":            {event(`{"source":"aws.partner/a/"}`), event(`{"source":"aws.partner/b/"}`), ""},
		"other shapes":            {event(`{"source":""}`), event(`{"triggerSource":""}`), ""},
		"namespaces of their own": {shop, single, ""},
	} {
		_, err := load(dir(map[string]string{"a.json": test.a, "b.json": test.b}), "")
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestLoadNamesAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := load(dir(map[string]string{"a.json": with(`"match":"a["`), "b.json": with(`"reply":"x"`), "c.json": "{", "d.json": shop}), `{"d":{"company":"x["},"e":{}}`)
	if err == nil {
		t.Fatal("all is taken")
	}
	for _, want := range []string{"source a: match ", "source b: reply ", "source c: ", "source d: company ", "source e: is overridden, but"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

func TestOverridesChangeExpressions(t *testing.T) {
	t.Parallel()
	set, err := Load(`{"zoho":{"company":"account_name","match":"stage=='won'"},"hubspot":{"id":"['8675309', hs_object_id]"},"salesforce-flow":{"match":""}}`)
	if err != nil {
		t.Fatal(err)
	}
	for source, test := range map[string]struct{ body, id, company string }{
		"zoho":            {`{"signup_id":"1","account_name":"Acme","account":"No","stage":"won"}`, "zoho:1", "Acme"},
		"hubspot":         {`{"hs_object_id":"4021","company":"Acme"}`, "hubspot:8675309:4021", "Acme"},
		"salesforce-flow": {`{"organizationId":"o","recordId":"r","accountName":"Acme","stage":"Open"}`, "salesforce:o:r", "Acme"},
	} {
		s, _ := set.Source(source)
		events, err := s.Read("application/json", []byte(test.body))
		if err != nil || len(events) != 1 || events[0].Signup.ID != test.id || events[0].Signup.Company != test.company {
			t.Errorf("%s: %+v, %v", source, events, err)
		}
	}
}

func TestOverridesThatAreWrongAreNamed(t *testing.T) {
	t.Parallel()
	for overrides, want := range map[string]string{
		`{`:                                      "the overrides can't be read: The JSON is broken",
		`[]`:                                     `must be {"source"`,
		`{"zoho":"company"}`:                     `must be {"source"`,
		`{"zoho":{"company":1}}`:                 `must be {"source"`,
		`{"zoho":{"company":"a","company":"b"}}`: "A key stands twice",
		`{"zohoo":{"company":"a"}}`:              "source zohoo: is overridden, but there is no such source",
		`{"zoho":{"auth":"none"}}`:               "source zoho: auth can't be overridden",
		`{"zoho":{"namespace":"a"}}`:             "source zoho: namespace can't be overridden",
		`{"zoho":{"company":"a["}}`:              "source zoho: company is no JMESPath expression",
		`{"zoho":{"company":""}}`:                "source zoho: company is missing",
		`{"zoho":{"id":"[a, b]"}}`:               "", // it is alone in its namespace
		`{"stripe":{"id":"[a, b]"}}`:             "as many parts",
		`{"stripe":{"id":"data.object.client_reference_id"}}`:            "source stripe: id uses client_reference_id, which the customer types",
		`{"clerk":{"whitelisted_ips":"data.unsafe_metadata.ips"}}`:       "source clerk: whitelisted_ips uses unsafe_metadata",
		`{"cognito":{"phone_numbers":"request.clientMetadata.numbers"}}`: "source cognito: phone_numbers uses clientMetadata",
		`{"clerk":{"company":"data.unsafe_metadata.company"}}`:           "",
		` `: "", `{}`: "", `null`: "",
	} {
		_, err := Load(overrides)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", overrides, err, want)
		}
	}
}

// An expression of an event that fails leaves the event's other fields and the
// batch's other events alone.
func TestAFailingExpressionIsTheEventsFault(t *testing.T) {
	t.Parallel()
	set, err := load(dir(map[string]string{"shop.json": with(`"each":"events","match":"starts_with(type, 'a')"`)}), "")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := set.Source("shop")
	events, err := s.Read("", []byte(`{"events":[{"type":1},{"type":"b"},{"type":"a","shop":"s","customer":{"id":1,"name":"A"}}]}`))
	if err != nil || len(events) != 3 || events[0].Fault == nil || !strings.Contains(events[0].Fault.Error(), "match can't be evaluated") || !events[1].Ignored || events[2].Fault != nil {
		t.Errorf("%+v, %v", events, err)
	}
	if values := events[0].Values(); len(values) != 3 || values[0].Field != "match" || values[0].Err == nil {
		t.Errorf("%+v", values)
	}
}

func TestFileKnowsItsExpressions(t *testing.T) {
	t.Parallel()
	var f file
	seen := make(map[*string]bool)
	for _, field := range expressionFields {
		seen[f.expression(field)] = true
	}
	if len(seen) != len(expressionFields) || seen[nil] || f.expression("auth") != nil {
		t.Errorf("%v", maps.Keys(seen))
	}
}

func TestLongIDIsSalesforces(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"00D5g000004AbCd":    "00D5g000004AbCdEAK",
		"0015g00000XyZ12":    "0015g00000XyZ12AAF",
		"ABCDEFGHIJKLMNO":    "ABCDEFGHIJKLMNO555",
		"abcdefghijklmno":    "abcdefghijklmnoAAA",
		"00D5g000004AbCdEAK": "00D5g000004AbCdEAK",
		"acme-42-acme-42":    "acme-42-acme-42",
		"4021":               "4021",
		"":                   "",
	} {
		if got := longID(id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}
