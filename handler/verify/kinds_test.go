package verify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/handler/verify"
)

// accepts checks header values of one header against a vector's own.
func accepts(t *testing.T, name, header string, values map[string]bool) {
	t.Helper()
	v := vectors[name]
	kind := newKind(t, verify.Options{Kind: v.kind})
	for value, want := range values {
		if got := kind(with(v.request(), header, value)); got != want {
			t.Errorf("%s, %s %.60q: %v", name, header, value, got)
		}
	}
}

// A signature of another version or key, or none; the first rows are the
// standard-webhooks repository's own.
func TestStandardWebhooksSignatures(t *testing.T) {
	t.Parallel()
	valid := repoSigned[len("v1,"):]
	accepts(t, "standard webhooks v1", "Webhook-Signature", map[string]bool{
		"v1,":                                    false,
		"v1,dawfeoifkpqwoekfpqoekf":              false,
		"":                                       false,
		"v1," + repoOther:                        false,
		"v2," + valid:                            false,
		"v1a," + valid:                           false,
		"V1," + valid:                            false,
		valid:                                    false,
		repoSigned[:20]:                          false,
		repoSigned + "=":                         false,
		repoSigned + "," + repoSigned:            false, // a header that came twice
		strings.TrimRight(repoSigned, "="):       false,
		signedV1a:                                false, // with no public key
		signedV1a + " " + repoSigned:             true,
		"v1, " + repoSigned:                      true,
		strings.Repeat("v1,x ", 15) + repoSigned: true,
		strings.Repeat("v1,x ", 16) + repoSigned: false,
		strings.Repeat(" ", 16) + repoSigned:     false,
		repoSigned + " " + strings.Repeat("v1,x ", 99): true,
		repoSigned + " " + strings.Repeat("x", 5000):   false,
	})
	accepts(t, "standard webhooks v1a", "Webhook-Signature", map[string]bool{
		"v1a,":                                  false,
		signedV1a[4:]:                           false,
		"v1," + signedV1a[4:]:                   false,
		repoSigned:                              false, // with no symmetric key
		repoSigned + " " + signedV1a:            true,
		strings.Repeat("v1a,x ", 9) + signedV1a: true,
		strings.Repeat("v1a,"+strings.Repeat("A", 86)+"== ", 3) + signedV1a: true,
		strings.Repeat("v1a,"+strings.Repeat("A", 86)+"== ", 4) + signedV1a: false, // the costly ones
		strings.Replace(signedV1a, "Ag==", "Ah==", 1):                       false, // other bits, same bytes
	})
}

func TestStandardWebhooksHeaders(t *testing.T) {
	t.Parallel()
	v := vectors["standard webhooks v1"].request()
	for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
		if verify.StandardWebhooks(with(v, name, "")) {
			t.Errorf("taken without %s", name)
		}
		mixed := with(with(v, strings.Replace(name, "Webhook", "Svix", 1), v.Header.Get(name)), name, "")
		if verify.StandardWebhooks(mixed) {
			t.Errorf("taken with Svix's name of %s", name)
		}
	}
	if verify.StandardWebhooks(with(v, "Webhook-Id", repoID+","+repoID)) {
		t.Error("taken with an id that came twice")
	}
	both := with(with(with(v, "Svix-Id", "other"), "Svix-Timestamp", repoTime), "Svix-Signature", "v1,"+repoOther)
	if !verify.StandardWebhooks(both) {
		t.Error("refused because of Svix's headers")
	}
}

// Above all no HMAC with the public key, which everybody may know.
func TestStandardWebhooksSecrets(t *testing.T) {
	t.Parallel()
	confused, err := verify.SignStandardWebhook("whsec_"+public[len("whpk_"):], repoID, vectors["standard webhooks v1"].request().Now, []byte(repoBody))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ signature, secret string }{
		{repoSigned, ""},
		{repoSigned, "whsec_"},
		{repoSigned, "whsec_###"},
		{repoSigned, "whsec_" + repoSecret},
		{repoSigned, repoSecret[len("whsec_"):]},
		{repoSigned, "whpk_" + repoSecret[len("whsec_"):]},
		{repoSigned, "WHSEC_" + repoSecret[len("whsec_"):]},
		{signedV1a, "whpk_"},
		{signedV1a, public[len("whpk_"):]},
		{signedV1a, "whsk_" + seed},
		{signedV1a, "whsec_" + public[len("whpk_"):]},
		{signedV1a, public[:20]},
		{confused, public},
	} {
		r := vector{"", 1614265330, test.secret, "", "", repoHeaders("Webhook", test.signature), repoBody}.request()
		if verify.StandardWebhooks(r) {
			t.Errorf("%s signs %s", test.secret, test.signature)
		}
	}
	for _, secret := range []string{"", "whsec_", "whsec_###", "whsk_", "whsk_" + seed[:20], public, repoSecret[len("whsec_"):]} {
		if got, err := verify.SignStandardWebhook(secret, "a", now, nil); err == nil || got != "" {
			t.Errorf("%q signed: %s", secret, got)
		}
	}
}

// Both forms of a private key sign the same, whatever the public half says.
func TestPrivateKeyWithItsPublicHalf(t *testing.T) {
	t.Parallel()
	private, err := base64.StdEncoding.DecodeString(seed)
	if err != nil {
		t.Fatal(err)
	}
	long := "whsk_" + base64.StdEncoding.EncodeToString(append(private, make([]byte, 32)...))
	got, err := verify.SignStandardWebhook(long, repoID, vectors["standard webhooks v1a"].request().Now, []byte(repoBody))
	if err != nil || got != signedV1a {
		t.Errorf("got %s, %v", got, err)
	}
}

// One string, two keys: base64 for Standard Webhooks, itself for Stripe.
func TestStripeDoesNotDecodeItsSecret(t *testing.T) {
	t.Parallel()
	key := "signuptrunk-test-secret-01"
	header, _, err := verify.Sign(verify.Options{Kind: "stripe"}, key, now, "POST", "", []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	accepts(t, "stripe, own, the same secret", "Stripe-Signature", map[string]bool{header.Get("Stripe-Signature"): false})
}

func TestStripeSignatures(t *testing.T) {
	t.Parallel()
	const valid = "8e506ff8d28ee6cd3a330f7694e0eeb24bb010f0ffe88487331572ec4f3a587d"
	other := strings.Repeat("0", 64)
	accepts(t, "stripe, own, the same secret", "Stripe-Signature", map[string]bool{
		"v1=" + valid + ",t=1700000000":                                 true,
		"t=1700000000,v1=" + other + ",v1=" + valid:                     true,
		"t=1700000000,v1=" + valid + ",v0=" + other:                     true,
		"t=1700000000,v1=" + valid + ",v1=" + other:                     true,
		"t=1700000000," + strings.Repeat("v1=x,", 14) + "v1=" + valid:   true,
		"t=1700000000," + strings.Repeat("v1=x,", 15) + "v1=" + valid:   false,
		"t=1700000000,v0=" + valid:                                      false,
		"t=1700000000,v1=" + strings.ToUpper(valid):                     false,
		"t=1700000000,v1=":                                              false,
		"t=1700000000,v1":                                               false,
		"t=1700000000":                                                  false,
		"t=1700000000,v1=" + valid[:63]:                                 false,
		"t=1700000001,v1=" + valid:                                      false,
		"t=,v1=" + valid:                                                false,
		"v1=" + valid:                                                   false,
		"t=1700000000,t=1700000000,v1=" + valid:                         false,
		"t=1700000000,v1=" + valid + ",t=1700000000,v1=" + valid:        false, // a header that came twice
		"t=1700000000,v1=" + valid + "," + strings.Repeat("v1=x,", 999): false,
		"":    false,
		valid: false,
	})
}

func TestHubSpotSignatures(t *testing.T) {
	t.Parallel()
	const valid = "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="
	accepts(t, "hubspot v3, Python library", "X-HubSpot-Signature-v3", map[string]bool{
		"": false, valid[:43]: false, valid + "=": false, valid + "," + valid: false, strings.ToLower(valid): false,
		"RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=": false, // of another time
	})
	// Other than the official library, which lets NaN through and has no end.
	accepts(t, "hubspot v3, Python library", "X-HubSpot-Request-Timestamp", map[string]bool{
		"": false, "NaN": false, "abc": false, "1693657560": false, "1693657560001": false, "1693657560000,1693657560000": false,
	})
	accepts(t, "hubspot v2, GET of the page", "X-HubSpot-Signature-Version", map[string]bool{"": false, "v1": false, "v3": false, "v2": true, "v2,v2": false})
	accepts(t, "hubspot v1, the page", "X-HubSpot-Signature-Version", map[string]bool{"": false, "v1": true, "v2": false})
	// The old headers are sent beside v3's, and don't stand in for them.
	old := vectors["hubspot v1, the page"].request()
	for _, kind := range []string{"hubspot-v2", "hubspot-v3"} {
		if newKind(t, verify.Options{Kind: kind})(old) {
			t.Errorf("%s takes v1", kind)
		}
	}
}

func TestHubSpotURLs(t *testing.T) {
	t.Parallel()
	for name, urls := range map[string]map[string]bool{
		"hubspot v3, Python library": {
			hubSpotURL: true, "": false, hubSpotURL + "?": false, hubSpotURL + "/": false, "http://www.example.com/webhook_uri": false,
			"https%3A%2F%2Fwww.example.com%2Fwebhook_uri": true, "https%253A//www.example.com/webhook_uri": false, "https%3a//www.example.com/webhook_uri": false,
		},
		"hubspot v3, query signed decoded": {queryURL: true, strings.Replace(queryURL, "%3A", ":", 1): true, strings.Replace(queryURL, "src", "%73rc", 1): false},
		"hubspot v2, GET of the page":      {hubSpotURL: true, "": false, hubSpotURL + "?": false, "https%3A%2F%2Fwww.example.com%2Fwebhook_uri": false},
	} {
		for url, want := range urls {
			r := vectors[name].request()
			r.URL = url
			if got := newKind(t, verify.Options{Kind: vectors[name].kind})(r); got != want {
				t.Errorf("%s, %s: %v", name, url, got)
			}
		}
	}
	r := vectors["hubspot v3, Python library"].request()
	r.Method = "PUT"
	if newKind(t, verify.Options{Kind: "hubspot-v3"})(r) {
		t.Error("taken with another method")
	}
}

// What HubSpot signs has no borders: the end of the URL may be the beginning of
// the body.
func TestHubSpotBodyThatMovesIntoTheURL(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"hubspot-v2", "hubspot-v3"} {
		s := senders[kind]
		r := s.send(t, []byte(`[{"a":"\"",[1]}]`))
		r.URL, r.Body = r.URL+`[{"a":"\"",`, []byte(`[1]}]`)
		if newKind(t, s.options)(r) {
			t.Errorf("%s: taken", kind)
		}
	}
}

// Whoever has seen the hash of the page's example can go on hashing where it
// ends, without the secret.
func TestHubSpotHashThatIsContinued(t *testing.T) {
	t.Parallel()
	v := vectors["hubspot v1, the page"].request()
	seen, err := hex.DecodeString(v.Header.Get("X-HubSpot-Signature"))
	if err != nil {
		t.Fatal(err)
	}
	length := len(hubSpotSecret) + len(contactBody)
	padding := append([]byte{0x80}, make([]byte, (119-length%64)%64)...)
	padding = binary.BigEndian.AppendUint64(padding, uint64(length)*8)
	const more = `,{"objectId":666}`
	hash := sha256.New()
	state := slices.Concat([]byte("sha\x03"), seen, make([]byte, 64), binary.BigEndian.AppendUint64(nil, uint64(length+len(padding))))
	if err := hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	hash.Write([]byte(more))

	v.Body = slices.Concat([]byte(contactBody), padding, []byte(more))
	if whole := sha256.Sum256(append([]byte(hubSpotSecret), v.Body...)); !bytes.Equal(whole[:], hash.Sum(nil)) {
		t.Fatal("it is no continuation")
	}
	if newKind(t, verify.Options{Kind: "hubspot-v1"})(with(v, "X-HubSpot-Signature", hex.EncodeToString(hash.Sum(nil)))) {
		t.Error("taken")
	}
}

func TestCloseKeys(t *testing.T) {
	t.Parallel()
	v := vectors["close, own"].request()
	kind := newKind(t, verify.Options{Kind: "close"})
	for secret, want := range map[string]bool{
		closeKey: true, strings.ToUpper(closeKey): true, closeKey[:62]: false, closeKey[:63]: false, "": false, "zz": false, "whsec_" + closeKey: false,
	} {
		v.Secrets = []string{secret}
		if kind(v) != want {
			t.Errorf("%q: %v", secret, !want)
		}
	}
}

func TestGenericHMACSignatures(t *testing.T) {
	t.Parallel()
	const valid = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	accepts(t, "github, documentation", "X-Hub-Signature-256", map[string]bool{
		"sha256=" + valid: true, valid: false, "sha1=" + valid: false, "SHA256=" + valid: false, "sha256=" + strings.ToUpper(valid): false, "sha256=": false,
		"sha256=sha256=" + valid: false, "sha256=" + valid + ",sha256=" + valid: false, "sha256= " + valid: false, "": false,
	})
	accepts(t, "shopify, own", "X-Shopify-Hmac-SHA256", map[string]bool{
		"": false, "bKDophsiDD2vbtDAmkwDNDJM5b4JDuFhV7TBKTgEICA": false, "bKDophsiDD2vbtDAmkwDNDJM5b4JDuFhV7TBKTgEICB=": false,
		"6ca0e8a61b220c3daf6ed0c09a4c0334324ce5be090ee16157b4c12938042020": false,
	})
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	kind := newKind(t, verify.Options{Kind: "basic"})
	secrets := []string{"", ":", "user:", "nobody", "whsec_b2xk:x", "pipedrive:pass:word", ":alone"}
	for authorization, want := range map[string]bool{
		"Basic " + base64Of("pipedrive:pass:word"):        true,
		"basic  " + base64Of("pipedrive:pass:word") + " ": true,
		"Basic " + base64Of(":alone"):                     true,
		"Basic " + base64Of("user:"):                      false,
		"Basic " + base64Of(":"):                          false,
		"Basic " + base64Of("nobody"):                     false,
		"Basic " + base64Of("nobody:"):                    false,
		"Basic " + base64Of("whsec_b2xk:x"):               false,
		"Basic " + base64Of("pipedrive:pass"):             false,
		"Basic " + base64Of("pipedrive:pass:word2"):       false,
		"Basic " + base64Of("Pipedrive:pass:word"):        false,
		"Basic pipedrive:pass:word":                       false,
		"Bearer " + base64Of("pipedrive:pass:word"):       false,
		"Bearer pipedrive:pass:word":                      false,
		"Basic":                                           false,
		"Basic ":                                          false,
		"":                                                false,
		"Basic ###":                                       false,
		"Basic " + strings.Repeat(base64Of("pipedrive:pass:word"), 2):                            false,
		"Basic " + base64Of("pipedrive:pass:word") + ",Basic " + base64Of("pipedrive:pass:word"): false,
	} {
		if got := kind(verify.Request{Now: now, Secrets: secrets, Header: headers("Authorization", authorization)}); got != want {
			t.Errorf("%s: %v", authorization, got)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	secrets := []string{"", "older", "secret-token", "whsec_b2xk", public, "whsk_" + seed}
	const form = "application/x-www-form-urlencoded; charset=UTF-8"
	for name, test := range map[string]struct {
		kinds  string // that take it
		header []string
		body   string
	}{
		"bearer":                          {"bearer token form", []string{"Authorization", "Bearer secret-token"}, ""},
		"older one":                       {"bearer token form", []string{"Authorization", "Bearer older"}, ""},
		"bearer in lower case":            {"bearer token form", []string{"Authorization", "bearer  secret-token "}, ""},
		"X-Webhook-Token":                 {"token form", []string{"X-Webhook-Token", "secret-token"}, ""},
		"X-Webhook-Token, Authorization":  {"token form", []string{"X-Webhook-Token", "secret-token", "Authorization", "Basic eDp5"}, ""},
		"X-Webhook-Token, another bearer": {"token form", []string{"X-Webhook-Token", "secret-token", "Authorization", "Bearer x"}, ""},
		"X-Webhook-Token with a scheme":   {"", []string{"X-Webhook-Token", "Bearer secret-token"}, ""},
		"static header":                   {"header", []string{"X-Api-Key", "secret-token"}, ""},
		"static header with a scheme":     {"", []string{"X-Api-Key", "Bearer secret-token"}, ""},
		"form field":                      {"form", []string{"Content-Type", form}, "a=b&token=secret-token"},
		"form field, escaped":             {"form", []string{"Content-Type", form}, "tok%65n=secret%2Dtoken&x"},
		"form field in a JSON body":       {"", []string{"Content-Type", "application/json"}, "token=secret-token"},
		"form field, type not said":       {"", nil, "token=secret-token"},
		"form field, type is none":        {"", []string{"Content-Type", ";;"}, "token=secret-token"},
		"form field twice":                {"", []string{"Content-Type", form}, "token=secret-token&token=secret-token"},
		"form field, then another":        {"", []string{"Content-Type", form}, "token=secret-token&%74oken=x"},
		"form field of another name":      {"", []string{"Content-Type", form}, "Token=secret-token&token2=secret-token&secret-token"},
		"form field, broken":              {"", []string{"Content-Type", form}, "token=secret-token%"},
		"form field, empty":               {"", []string{"Content-Type", form}, "token=&"},
		"form field, whole body":          {"", []string{"Content-Type", form}, "secret-token"},
		"two, joined":                     {"", []string{"Authorization", "Bearer secret-token,Bearer secret-token", "X-Webhook-Token", "secret-token,older", "X-Api-Key", "secret-token, older"}, ""},
		"none":                            {"", nil, ""},
		"empty":                           {"", []string{"Authorization", "Bearer ", "X-Webhook-Token", "", "X-Api-Key", "", "Content-Type", form}, "token="},
		"another":                         {"", []string{"Authorization", "Bearer Secret-token", "X-Webhook-Token", "secret-toke", "X-Api-Key", "secret-tokenn"}, ""},
		"one that signs":                  {"", []string{"Authorization", "Bearer whsec_b2xk", "X-Webhook-Token", "whsec_b2xk", "X-Api-Key", "whsec_b2xk", "Content-Type", form}, "token=whsec_b2xk"},
		"a public key":                    {"", []string{"Authorization", "Bearer " + public, "X-Webhook-Token", public, "X-Api-Key", public}, ""},
		"a private key":                   {"", []string{"Authorization", "Bearer whsk_" + seed, "X-Webhook-Token", "whsk_" + seed, "X-Api-Key", "whsk_" + seed}, ""},
		"no scheme":                       {"", []string{"Authorization", "secret-token"}, ""},
		"another scheme":                  {"", []string{"Authorization", "Token secret-token"}, ""},
	} {
		for kind, o := range map[string]verify.Options{
			"bearer": {Kind: "bearer"}, "token": {Kind: "token"}, "header": {Kind: "header", Header: "X-API-Key"}, "form": {Kind: "form", Field: "token"},
		} {
			want := slices.Contains(strings.Fields(test.kinds), kind)
			r := verify.Request{Now: now, Secrets: secrets, Method: "POST", Header: headers(test.header...), Body: []byte(test.body)}
			if newKind(t, o)(r) != want {
				t.Errorf("%s, kind %s: %v", name, kind, !want)
			}
		}
	}
}

func TestSignedFormKeepsItsOtherFields(t *testing.T) {
	t.Parallel()
	s := senders["form"]
	for body, want := range map[string]string{
		formed:                 "signup_id=42&account=Northwind+Telecom&token=f+%26+3f%3D9a",
		"":                     "token=f+%26+3f%3D9a",
		"token=a&&x=%&token=b": "x=%&token=f+%26+3f%3D9a",
	} {
		if r := s.send(t, []byte(body)); string(r.Body) != want || !newKind(t, s.options)(r) {
			t.Errorf("%q became %q", body, r.Body)
		}
	}
}

// Five minutes either way, to the millisecond, of every kind that signs a time.
func TestTimestampsMayBeFiveMinutesOff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s sender) {
		kind := newKind(t, s.options)
		r := s.send(t, s.content())
		for offset, fresh := range map[int]bool{-300_000: true, -300_001: false, 300_000: true, 300_001: false, 0: true, 86_400_000: false, -1_700_000_000_000: false} {
			late := r
			late.Now = now.Add(-time.Duration(offset) * time.Millisecond)
			if got := kind(late); got != (fresh || !s.dated) {
				t.Errorf("off by %d ms: %v", offset, got)
			}
		}
	})
}

func TestClosedWithoutSecrets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s sender) {
		kind := newKind(t, s.options)
		r := s.send(t, s.content())
		for _, secrets := range [][]string{nil, {}, {""}, {"", ""}, {"whsec_", "whpk_", "whsk_", ":"}} {
			r.Secrets = secrets
			if kind(r) {
				t.Errorf("taken with secrets %q", secrets)
			}
			if kind(verify.Request{Now: now, Secrets: secrets}) {
				t.Errorf("nothing is taken with secrets %q", secrets)
			}
		}
		if kind(verify.Request{}) {
			t.Error("the zero request is taken")
		}
		if err := s.options.CheckSecret(""); err == nil {
			t.Error("an empty secret is taken")
		}
		if _, _, err := verify.Sign(s.options, "", now, "POST", address, nil); err == nil {
			t.Error("an empty secret signs")
		}
	})
}

// A header that came twice, apart or joined, is no proof; nor is one that is
// missing or too long.
func TestHeadersThatCameTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s sender) {
		kind := newKind(t, s.options)
		r := s.send(t, s.content())
		for name := range maps.Keys(r.Header) {
			value := r.Header.Get(name)
			for what, other := range map[string]verify.Request{
				"without":  with(r, name, ""),
				"joined":   with(r, name, value+","+value),
				"too long": with(r, name, value+strings.Repeat(" ", 5000)),
			} {
				if kind(other) {
					t.Errorf("taken %s: %s", what, name)
				}
			}
			twice := with(r, name, value)
			twice.Header.Add(name, value)
			if kind(twice) {
				t.Errorf("taken with two headers %s", name)
			}
		}
	})
}

// Each kind's request is refused by every other kind with the same secret, save
// where one kind is the other with more ways in.
func TestKindsDoNotStandInForEachOther(t *testing.T) {
	t.Parallel()
	related := map[string]string{"bearer": "token form", "token": "bearer form"}
	for name, s := range senders {
		r := s.send(t, s.content())
		for other, o := range senders {
			if o.options.Kind == s.options.Kind || slices.Contains(strings.Fields(related[s.options.Kind]), o.options.Kind) {
				continue
			}
			if newKind(t, o.options)(r) {
				t.Errorf("%s takes what %s signed", other, name)
			}
		}
	}
}
