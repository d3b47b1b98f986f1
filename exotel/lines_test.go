package exotel

import (
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// saying is a client whose vendor gives this recorded answer.
func saying(t *testing.T, status int, file string) *Client {
	t.Helper()
	return leaking(t, status, nil, string(vendor(t, file)))
}

func want[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestPhoneNumbersAsTheVendorSendsThem(t *testing.T) {
	t.Parallel()
	p, err := saying(t, 200, "phone_number_mapped.json").PhoneNumbers.Map(t.Context(), aTrunk, MapPhoneNumberRequest{PhoneNumber: aNumber})
	if err != nil {
		t.Fatal(err)
	}
	want(t, *p, PhoneNumber{
		ID: "41512", PhoneNumber: aNumber, TrunkSID: aTrunk, DateCreated: "2026-01-23T10:26:54Z", DateUpdated: "2026-01-23T10:26:54Z", Raw: p.Raw,
	})
	if p.Mode.OrDefault() != ModePSTN {
		t.Errorf("a mode of null behaves as %q", p.Mode.OrDefault())
	}
	p, err = saying(t, 200, "phone_number_updated.json").PhoneNumbers.UpdateMode(t.Context(), aTrunk, "41523", aMapping)
	if err != nil || p.Mode != ModeFlow {
		t.Errorf("updated: %+v, %v", p, err)
	}
	page, err := saying(t, 200, "phone_numbers_list.json").PhoneNumbers.List(t.Context(), aTrunk, PageOptions{})
	if err != nil || len(page.PhoneNumbers) != 1 || page.PhoneNumbers[0].ID != "41523" || page.Unreadable != 0 || page.Next != nil {
		t.Errorf("listed: %+v, %v", page, err)
	}
}

func TestWhitelistAsTheVendorSendsIt(t *testing.T) {
	t.Parallel()
	w, err := saying(t, 200, "whitelisted_ip.json").WhitelistedIPs.Add(t.Context(), aTrunk, anAddress)
	if err != nil {
		t.Fatal(err)
	}
	if prefix, ok := w.Prefix(); !ok || prefix != netip.MustParsePrefix(someAddress+"/32") {
		t.Errorf("prefix %v, %v", prefix, ok)
	}
	want(t, *w, WhitelistedIP{
		ID: "1153", IP: someAddress, Mask: 32, TrunkSID: aTrunk, DateCreated: "2026-01-23T11:37:36Z", DateUpdated: "2026-01-23T11:37:36Z", Raw: w.Raw,
	})
	for file, id := range map[string]string{"whitelisted_ips_list.json": "1154", "list_in_data.json": "wl_xyz789abc012"} {
		all, err := walked(saying(t, 200, file).WhitelistedIPs.All(t.Context(), aTrunk))
		if err != nil || len(all) != 1 || all[0].ID != id {
			t.Errorf("%s: %+v, %v", file, all, err)
		}
	}
}

func TestDestinationsAsTheVendorSendsThem(t *testing.T) {
	t.Parallel()
	results, err := saying(t, 200, "destination_added.json").DestinationURIs.Add(t.Context(), aTrunk, destinations)
	if err != nil || len(results) != 1 || results[0].Err != nil {
		t.Fatalf("%+v, %v", results, err)
	}
	want(t, *results[0].URI, DestinationURI{
		ID: "2543", Destination: "sip:44.248.146.11:5061;transport=tls", Type: "public", Priority: 0, Weight: 1, TrunkSID: aTrunk,
		DateCreated: "2026-01-23T13:38:32Z", DateUpdated: "2026-01-23T13:38:32Z", Raw: results[0].URI.Raw,
	})
	for file, text := range map[string]string{
		"destination_not_whitelisted.json": "Destination not whitelisted", "destination_invalid.json": "not a valid Ip or Fqdn",
	} {
		for _, status := range []int{200, 207} {
			results, err := saying(t, status, file).DestinationURIs.Add(t.Context(), aTrunk, destinations)
			if err != nil || len(results) != 1 || results[0].URI != nil || results[0].Destination != destinations[0] {
				t.Fatalf("%s with %d: %+v, %v", file, status, results, err)
			}
			var failed *Error
			if !errors.As(results[0].Err, &failed) || failed.Kind != ErrInvalid || failed.Code != 1002 || !strings.Contains(failed.Message, text) ||
				failed.Op != "add destination uris" || failed.HTTPStatus != 207 || failed.RequestID == "" {
				t.Errorf("%s with %d: %#v", file, status, failed)
			}
		}
		// A page of the vendor's calls this a 400.
		_, err := saying(t, 400, file).DestinationURIs.Add(t.Context(), aTrunk, destinations)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "code 1002") {
			t.Errorf("%s with 400: %v", file, err)
		}
	}
	all, err := walked(saying(t, 200, "destinations_list.json").DestinationURIs.All(t.Context(), aTrunk))
	if err != nil || len(all) != 2 || all[0].ID != "2544" || all[1].ID != "2543" {
		t.Errorf("listed: %+v, %v", all, err)
	}
}

func TestCredentialsAsTheVendorSendsThem(t *testing.T) {
	t.Parallel()
	c, err := saying(t, 200, "credential.json").Credentials.Create(t.Context(), aTrunk, aCredential)
	if err != nil {
		t.Fatal(err)
	}
	want(t, *c, Credential{
		ID: "1234", UserName: "voice_ai_user", FriendlyName: "voice_ai_platform", TrunkSID: "trmum1exampleonly000000000000",
		DateCreated: "2026-01-23T11:37:36Z", DateUpdated: "2026-01-23T11:37:36Z", Raw: c.Raw,
	})
	page, err := saying(t, 200, "credentials_list.json").Credentials.List(t.Context(), aTrunk, CredentialListOptions{})
	if err != nil || len(page.Credentials) != 1 || page.Total != 1 || page.Next != nil {
		t.Errorf("listed: %+v, %v", page, err)
	}
	page, err = saying(t, 200, "credentials_empty.json").Credentials.List(t.Context(), aTrunk, CredentialListOptions{})
	if err != nil || len(page.Credentials) != 0 || page.Unreadable != 0 || page.Next != nil {
		t.Errorf("none listed: %+v, %v", page, err)
	}
	// One without an id can't be deleted or updated; that it is there must be told.
	all, err := walked(saying(t, 200, "credentials_with_password.json").Credentials.All(t.Context(), aTrunk))
	if len(all) != 0 || !errors.Is(err, ErrOutcomeUnknown) || strings.Contains(err.Error(), "Xk9m") {
		t.Errorf("with a password: %+v, %v", all, err)
	}
}

func TestSettingsAsTheVendorSendsThem(t *testing.T) {
	t.Parallel()
	results, err := saying(t, 200, "settings_set.json").Settings.Set(t.Context(), aTrunk, aCallerID)
	if err != nil {
		t.Fatal(err)
	}
	want(t, results, []SettingResult{{CallerIDAlias, aNumber, nil}})
	all, err := walked(saying(t, 200, "settings_set.json").Settings.All(t.Context(), aTrunk))
	if err != nil || len(all) != 1 || all[0].Setting != aCallerID[0] || all[0].TrunkSID != aTrunk {
		t.Errorf("listed: %+v, %v", all, err)
	}
}

// Nothing documents what trunk-maps answers: whatever objects come are given.
func TestTrunkMapsInWhateverForm(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]TrunkMap{
		`{"http_code":200,"response":{"code":200,"data":{"trunk_sid":"a","exophone":"+91","extra":1}}}`:      {TrunkSID: "a", PhoneNumber: "+91"},
		`{"http_code":200,"response":[{"code":200,"data":{"id":7,"trunk_sid":"a","phone_number":"+91"}}]}`:   {ID: "7", TrunkSID: "a", PhoneNumber: "+91"},
		`{"http_code":200,"response":{"code":200,"data":[{"trunk":{"sid":"a"}}]}}`:                           {},
		`{"http_code":200,"response":[{"code":200,"data":{"id":"1","mode":"flow","phone_number":["+91"]}}]}`: {ID: "1", Mode: ModeFlow},
	} {
		page, err := leaking(t, 200, nil, body).TrunkMaps.List(t.Context(), theTrunkOfThis)
		if err != nil || len(page.TrunkMaps) != 1 || page.Unreadable != 0 {
			t.Errorf("%s: %+v, %v", body, page, err)
			continue
		}
		got := page.TrunkMaps[0]
		if !json.Valid(got.Raw) || len(got.Raw) < 10 {
			t.Errorf("%s: Raw %q", body, got.Raw)
		}
		got.Raw = nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", body, got, want)
		}
	}
}

// The recorded refusals, as far as they are about what a trunk has.
func TestRefusalsOfTheVendor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		file   string
		op     string
		kind   Kind
		text   string
	}{
		"number mapped already":        {200, "phone_number_duplicate.json", "map phone number", ErrDuplicate, "DidTrunkMapping"},
		"number mapped already, 409":   {409, "phone_number_duplicate.json", "map phone number", ErrDuplicate, "DidTrunkMapping"},
		"unknown trunk, 2026":          {404, "phone_number_unknown_trunk.json", "map phone number", ErrNotFound, "Not Found"},
		"unknown trunk, 2025":          {403, "forbidden.json", "whitelist ip", ErrForbidden, "Authorization failed"},
		"address whitelisted already":  {200, "whitelisted_ip_duplicate.json", "whitelist ip", ErrDuplicate, "44.248.146.10"},
		"mask of another type":         {400, "mask_type.json", "whitelist ip", ErrInvalid, "of type uint8"},
		"bad key, about destinations":  {401, "unauthorized.json", "add destination uris", ErrUnauthorized, "Authorization failed"},
		"too many, about credentials":  {429, "rate_limited.json", "create credential", ErrRateLimited, "Too many requests"},
		"unknown trunk, about caller":  {404, "not_found.json", "set settings", ErrNotFound, "Not Found"},
		"content type, about a number": {415, "content_type.json", "update phone number", ErrInvalid, "unsupported content type"},
	} {
		_, err := operations[test.op].call(t.Context(), saying(t, test.status, test.file), aTrunk, "41523")
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An id that comes as a number one day is the same id.
func TestIdsAreTextsOrNumbers(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{`"41512"`: "41512", `41512`: "41512", `null`: "", `true`: "", `[1]`: "", `""`: "", `90071992547409931`: "90071992547409931"} {
		var p PhoneNumber
		if err := json.Unmarshal([]byte(`{"id":`+raw+`}`), &p); err != nil || p.ID != want {
			t.Errorf("%s: %q, %v; want %q", raw, p.ID, err, want)
		}
	}
}

// What the answer is about must be what was asked, else who knows what was made.
func TestAnswerAboutSomethingElseIsUnknown(t *testing.T) {
	t.Parallel()
	one := func(data string) string {
		return `{"http_code":200,"response":{"code":200,"status":"success","data":` + data + `}}`
	}
	for name, body := range map[string]string{
		"map phone number":       one(`{"id":"1","phone_number":"+911111111111"}`),
		"update phone number":    one(`{"id":"1","phone_number":"+919876543210"}`),
		"whitelist ip":           one(`{"id":"1","ip":"44.248.146.12","mask":32}`),
		"update whitelisted ip":  one(`{"id":"1","ip":"44.248.146.11","mask":32}`),
		"update destination uri": one(`{"id":"1"}`),
		"create credential":      one(`{"id":"1","user_name":"somebody_else"}`),
		"update credential":      one(`{"id":"1"}`),
		"unmap phone number":     one(`{"id":"1"}`),
		"remove whitelisted ip":  one(`{"id":1}`),
		"remove destination uri": one(`{"id":"1"}`),
		"delete credential":      one(`{"id":"1"}`),
		"remove setting":         one(`{"name":"other"}`),
		"update trunk":           one(`{"trunk_sid":"other"}`),
		"add destination uris":   `{"http_code":200,"response":[{"code":200,"data":{"id":"1","destination":"sip:other.example.com:5060"}}]}`,
		"set settings":           `{"http_code":200,"response":[{"code":200,"data":{"name":"other","value":"x"}}]}`,
	} {
		if _, err := operations[name].call(t.Context(), leaking(t, 200, nil, body), aTrunk, "41523"); !errors.Is(err, ErrOutcomeUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a DELETE of the Postman file answers is documented nowhere.
func TestDeletedWhateverTheAnswerHolds(t *testing.T) {
	t.Parallel()
	for name, o := range operations {
		if o.method() != "DELETE" || name == "delete trunk" {
			continue
		}
		for _, data := range []string{`null`, `{}`, `{"id":"41523","name":"41523"}`, `{"id":41523}`, `"deleted"`, `[]`} {
			body := `{"http_code":200,"response":{"code":200,"status":"success","data":` + data + `}}`
			if _, err := o.call(t.Context(), leaking(t, 200, nil, body), aTrunk, "41523"); err != nil {
				t.Errorf("%s, answered with %s: %v", name, data, err)
			}
		}
		for _, body := range []string{``, `{"http_code":200}`, `{"http_code":200,"response":[]}`, `{"http_code":200,"response":[{"code":400}]}`} {
			if _, err := o.call(t.Context(), leaking(t, 200, nil, body), aTrunk, "41523"); err == nil && body != `{"http_code":200}` {
				t.Errorf("%s, answered with %q: no error", name, body)
			}
		}
	}
}

func TestRequestsThatMustFailAreNotSent(t *testing.T) {
	t.Parallel()
	client, _ := scripted(t)
	ctx := t.Context()
	second := func(_ any, err error) error { return err }
	minus := -1
	for name, err := range map[string]error{
		"empty number":            second(client.PhoneNumbers.Map(ctx, aTrunk, MapPhoneNumberRequest{})),
		"short number":            second(client.PhoneNumbers.Map(ctx, aTrunk, MapPhoneNumberRequest{PhoneNumber: "+12345"})),
		"number without a plus":   second(client.PhoneNumbers.Map(ctx, aTrunk, MapPhoneNumberRequest{PhoneNumber: "919876543210"})),
		"number with dashes":      second(client.PhoneNumbers.Map(ctx, aTrunk, MapPhoneNumberRequest{PhoneNumber: "+91-9876543210"})),
		"number that is too long": second(client.PhoneNumbers.Map(ctx, aTrunk, MapPhoneNumberRequest{PhoneNumber: "+1234567890123456"})),
		"number with a line end":  second(client.PhoneNumbers.Map(ctx, aTrunk, MapPhoneNumberRequest{PhoneNumber: aNumber + "\n"})),
		"unknown mode":            second(client.PhoneNumbers.Map(ctx, aTrunk, MapPhoneNumberRequest{PhoneNumber: aNumber, Mode: "bot"})),
		"update without a mode":   second(client.PhoneNumbers.UpdateMode(ctx, aTrunk, "1", MapPhoneNumberRequest{PhoneNumber: aNumber})),
		"no ip":                   second(client.WhitelistedIPs.Add(ctx, aTrunk, WhitelistIPRequest{Mask: 32})),
		"IPv6":                    second(client.WhitelistedIPs.Add(ctx, aTrunk, WhitelistIPRequest{IP: "2001:db8::1", Mask: 32})),
		"ip in a prefix":          second(client.WhitelistedIPs.Add(ctx, aTrunk, WhitelistIPRequest{IP: "8.8.8.0/24", Mask: 24})),
		"octet over 255":          second(client.WhitelistedIPs.Add(ctx, aTrunk, WhitelistIPRequest{IP: "999.1.1.1", Mask: 32})),
		"mask 15":                 second(client.WhitelistedIPs.Add(ctx, aTrunk, WhitelistIPRequest{IP: someAddress, Mask: 15})),
		"mask 33":                 second(client.WhitelistedIPs.Add(ctx, aTrunk, WhitelistIPRequest{IP: someAddress, Mask: 33})),
		"no mask":                 second(client.WhitelistedIPs.Update(ctx, aTrunk, "1", WhitelistIPRequest{IP: someAddress})),
		"no destination":          second(client.DestinationURIs.Add(ctx, aTrunk, nil)),
		"bad destination":         second(client.DestinationURIs.Add(ctx, aTrunk, []string{"sip.acme.com:5060", "10.0.0.1:5060"})),
		"destination twice":       second(client.DestinationURIs.Add(ctx, aTrunk, []string{"sip.acme.com:5060", "SIP.acme.com:5060;transport=udp"})),
		"negative weight":         second(client.DestinationURIs.Update(ctx, aTrunk, "1", UpdateDestinationRequest{Weight: &minus})),
		"no change of one":        second(client.DestinationURIs.Update(ctx, aTrunk, "1", UpdateDestinationRequest{})),
		"no user":                 second(client.Credentials.Create(ctx, aTrunk, CreateCredentialRequest{Password: "longer_than_8"})),
		"no password":             second(client.Credentials.Create(ctx, aTrunk, CreateCredentialRequest{UserName: "user"})),
		"no change of a user":     second(client.Credentials.Update(ctx, aTrunk, "1", UpdateCredentialRequest{})),
		"no settings":             second(client.Settings.Set(ctx, aTrunk, nil)),
		"caller id that is none":  second(client.Settings.Set(ctx, aTrunk, []Setting{{CallerIDAlias, "anonymous"}})),
		"setting without a value": second(client.Settings.Set(ctx, aTrunk, []Setting{{"x", ""}})),
		"setting of two lines":    second(client.Settings.Set(ctx, aTrunk, []Setting{{"x", "a\nb"}})),
		"setting twice":           second(client.Settings.Set(ctx, aTrunk, []Setting{{"x", "a"}, {"x", "b"}})),
		"no exophone":             second(client.TrunkMaps.List(ctx, TrunkMapOptions{TrunkSID: aTrunk})),
		"trunk without a change":  second(client.Trunks.Update(ctx, aTrunk, UpdateTrunkRequest{})),
		"trunk of a bad name":     second(client.Trunks.Update(ctx, aTrunk, UpdateTrunkRequest{TrunkName: "a-b"})),
	} {
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != ErrInvalid || failed.Op == "" || failed.Message == "" || strings.ContainsAny(failed.Message, "\r\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPrefixOfAWhitelistedIP(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"ip":"8.8.8.0","mask":24}`:      "8.8.8.0/24",
		`{"ip":"8.8.8.8","mask":24}`:      "8.8.8.0/24",
		`{"ip":"8.8.8.8","mask":"32"}`:    "8.8.8.8/32",
		`{"ip":"8.8.8.8","mask":"/16"}`:   "8.8.0.0/16",
		`{"ip":"8.8.8.8"}`:                "8.8.8.8/32",
		`{"ip":"8.8.8.8","mask":null}`:    "8.8.8.8/32",
		`{"ip":"8.8.8.0/24"}`:             "8.8.8.0/24",
		`{"ip":"8.8.8.0/24","mask":24}`:   "8.8.8.0/24",
		`{"ip":"8.8.8.0/24","mask":32}`:   "",
		`{"ip":"8.8.8.8","mask":8}`:       "8.0.0.0/8", // the prose of January 2026 allows it
		`{"ip":"2001:db8::1","mask":32}`:  "",
		`{"ip":"::ffff:8.8.8.8"}`:         "",
		`{"ip":"","mask":32}`:             "",
		`{"ip":7,"mask":32}`:              "",
		`{"ip":"8.8.8.8.8","mask":32}`:    "",
		`{"ip":"8.8.8.0/33"}`:             "",
		`{"ip":" 8.8.8.8 ","mask":32}`:    "8.8.8.8/32",
		`{"ip":"010.8.8.8","mask":32}`:    "",
		`{"ip":"2001:db8::/32","mask":0}`: "",
	} {
		var w WhitelistedIP
		if err := json.Unmarshal([]byte(body), &w); err != nil {
			t.Fatal(err)
		}
		prefix, ok := w.Prefix()
		if ok != (want != "") || ok && prefix.String() != want {
			t.Errorf("%s: %v, %v; want %q", body, prefix, ok, want)
		}
	}
}

func TestWhitelistPrefix(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]WhitelistIPRequest{
		"8.8.8.0/24":         {"8.8.8.0", 24},
		"8.8.8.8/24":         {"8.8.8.0", 24},
		"9.9.9.9/32":         {"9.9.9.9", 32},
		"::ffff:8.8.8.8/120": {"8.8.8.0", 24},
	} {
		if got := WhitelistPrefix(netip.MustParsePrefix(text)); got != want || got.Validate() != nil {
			t.Errorf("%s: %+v, %v; want %+v", text, got, got.Validate(), want)
		}
	}
	for _, none := range []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("::ffff:8.8.8.8/90"), {}} {
		if got := WhitelistPrefix(none); got.Validate() == nil {
			t.Errorf("%v: %+v passes", none, got)
		}
	}
}

func TestSamePhoneNumber(t *testing.T) {
	t.Parallel()
	for other, want := range map[string]bool{aNumber: true, "919876543210": true, "+91 98765-43210": true, "+919876543211": false, "": false} {
		if SamePhoneNumber(aNumber, other) != want {
			t.Errorf("%q: want %v", other, want)
		}
	}
}
