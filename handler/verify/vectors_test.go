package verify_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/handler/verify"
)

const (
	hubSpotSecret = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
	hubSpotURL    = "https://www.example.com/webhook_uri"
	queryURL      = "https://hooks.example.com/v1/signups/hubspot?src=hs%3Aapp"
	exampleBody   = `{'example_field':'example_value'}`
	contactBody   = `[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]`

	repoSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	repoID     = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	repoTime   = "1614265330"
	repoBody   = `{"test": 2432232314}`
	repoSigned = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	repoOther  = "Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="

	seed       = "VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
	public     = "whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g="
	signedV1a  = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
	sharedWhat = "whsec_c2lnbnVwdHJ1bmstdGVzdC1zZWNyZXQtMDE=" // Stripe's in one vector, Standard Webhooks' in another
	closeKey   = "058bfb6a3d8cfdc4da7c3be5901b16ae11da982b46a25fb2cd7016e97a140a1c"
)

// vector is a request of which somebody else, or another program, says that it
// verifies.
type vector struct {
	kind   string
	at     int64 // seconds
	secret string
	method string
	url    string
	header http.Header
	body   string
}

func (v vector) request() verify.Request {
	method := v.method
	if method == "" {
		method = "POST"
	}
	return verify.Request{Now: time.Unix(v.at, 0), Secrets: []string{v.secret}, Method: method, URL: v.url, Header: v.header, Body: []byte(v.body)}
}

func repoHeaders(prefix, signature string) http.Header {
	return headers(prefix+"-Id", repoID, prefix+"-Timestamp", repoTime, prefix+"-Signature", signature)
}

func v3Headers(timestamp, signature string) http.Header {
	return headers("X-HubSpot-Request-Timestamp", timestamp, "X-HubSpot-Signature-v3", signature)
}

func hashHeaders(version, signature string) http.Header {
	return headers("X-HubSpot-Signature-Version", version, "X-HubSpot-Signature", signature)
}

// Those of HubSpot's pages and libraries, of the standard-webhooks repository
// (b2fa7b87; v1a on its branch, 5fb2ce93) and of GitHub's documentation. The own
// ones were computed apart from this code.
var vectors = map[string]vector{
	"hubspot v3, Python library": {
		"hubspot-v3", 1693657560, hubSpotSecret, "", hubSpotURL,
		v3Headers("1693657560000", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="), exampleBody,
	},
	"hubspot v3, Ruby library": {
		"hubspot-v3", 1700000300, hubSpotSecret, "", hubSpotURL,
		v3Headers("1700000300000", "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="), exampleBody,
	},
	"hubspot v3, query signed as it is": {
		"hubspot-v3", 1700000300, hubSpotSecret, "", queryURL,
		v3Headers("1700000300000", "i/lhbAso74j29I0G0/LB3TQbgcbIUujiv37v/ymEcsc="), "[]",
	},
	"hubspot v3, query signed decoded": {
		"hubspot-v3", 1700000300, hubSpotSecret, "", queryURL,
		v3Headers("1700000300000", "PLSU58tv2OfDPgXwwvR6A+P2vzeBvuUvhU832GKKOQ0="), "[]",
	},
	"hubspot v2, GET of the page": {
		"hubspot-v2", 0, hubSpotSecret, "GET", hubSpotURL,
		hashHeaders("v2", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"), "",
	},
	"hubspot v2, POST of the libraries": {
		"hubspot-v2", 0, hubSpotSecret, "", hubSpotURL,
		hashHeaders("v2", "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"), `{"example_field":"example_value"}`,
	},
	"hubspot v1, the page": {
		"hubspot-v1", 0, hubSpotSecret, "", "",
		hashHeaders("v1", "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"), contactBody,
	},
	"standard webhooks v1":                {"standard-webhooks", 1614265330, repoSecret, "", "", repoHeaders("Webhook", repoSigned), repoBody},
	"standard webhooks v1, Svix's names":  {"standard-webhooks", 1614265330, repoSecret, "", "", repoHeaders("Svix", repoSigned), repoBody},
	"standard webhooks v1a":               {"standard-webhooks", 1614265330, public, "", "", repoHeaders("Webhook", signedV1a), repoBody},
	"standard webhooks v1a, Svix's names": {"standard-webhooks", 1614265330, public, "", "", repoHeaders("Svix", signedV1a), repoBody},
	"standard webhooks, among others": {
		"standard-webhooks", 1614265330, repoSecret, "", "",
		repoHeaders("Webhook", "v1,"+repoOther+" v2,"+repoOther+" "+repoSigned+" v1,"+repoOther), repoBody,
	},
	"standard webhooks, own": {
		"standard-webhooks", 1700000000, sharedWhat, "", "",
		headers("Webhook-Id", "msg_signup0001", "Webhook-Timestamp", "1700000000", "Webhook-Signature", "v1,UsP4McSpJdByVzJtGFvkhRZhQwpEJP3zSB4SzTXIyW4="), event,
	},
	"stripe, own, the same secret": {
		"stripe", 1700000000, sharedWhat, "", "",
		headers("Stripe-Signature", "t=1700000000,v1=8e506ff8d28ee6cd3a330f7694e0eeb24bb010f0ffe88487331572ec4f3a587d"), event,
	},
	"shopify, own": {
		"shopify", 0, "shpss_test", "", "",
		headers("X-Shopify-Hmac-SHA256", "bKDophsiDD2vbtDAmkwDNDJM5b4JDuFhV7TBKTgEICA="), event,
	},
	"close, own": {
		"close", 1544271440, closeKey, "", "",
		headers("close-sig-timestamp", "1544271440", "close-sig-hash", "1800406268575d5af3d9cba96e10338434d52bac185faa9665f26b574c8f5507"), event,
	},
	"github, documentation": {
		"github", 0, "It's a Secret to Everybody", "", "",
		headers("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"), "Hello, World!",
	},
}

func TestPublishedVectors(t *testing.T) {
	t.Parallel()
	for name, v := range vectors {
		kind := newKind(t, verify.Options{Kind: v.kind})
		if !kind(v.request()) {
			t.Errorf("%s: refused", name)
		}
		r := v.request()
		r.Body = append(r.Body, ' ')
		if kind(r) {
			t.Errorf("%s: taken with another body", name)
		}
		r = v.request()
		r.Secrets = []string{"another", "whsec_YW5vdGhlcg==", "616e6f74686572"}
		if kind(r) {
			t.Errorf("%s: taken with another secret", name)
		}
		r.Secrets = append(r.Secrets, v.secret, "last")
		if !kind(r) {
			t.Errorf("%s: refused with several secrets", name)
		}
	}
}

// GitHub's vector through the generic kind.
func TestGenericHMACOnAPublishedVector(t *testing.T) {
	t.Parallel()
	kind := newKind(t, verify.Options{Kind: "hmac", Header: "x-hub-signature-256", Prefix: "sha256=", Encoding: "hex"})
	if !kind(vectors["github, documentation"].request()) {
		t.Error("refused")
	}
}

func TestSignMakesThePublishedSignature(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]string{repoSecret: repoSigned, "whsk_" + seed: signedV1a} {
		if got, err := verify.SignStandardWebhook(secret, repoID, time.Unix(1614265330, 0), []byte(repoBody)); err != nil || got != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
	for name, header := range map[string]string{
		"hubspot v3, Python library": "X-Hubspot-Signature-V3", "hubspot v3, query signed decoded": "X-Hubspot-Signature-V3",
		"hubspot v2, GET of the page": "X-Hubspot-Signature", "hubspot v1, the page": "X-Hubspot-Signature",
		"stripe, own, the same secret": "Stripe-Signature", "shopify, own": "X-Shopify-Hmac-Sha256",
		"close, own": "Close-Sig-Hash", "github, documentation": "X-Hub-Signature-256",
	} {
		v := vectors[name].request()
		got, _, err := verify.Sign(verify.Options{Kind: vectors[name].kind}, v.Secrets[0], v.Now, v.Method, v.URL, v.Body)
		if err != nil || got.Get(header) != v.Header.Get(header) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}
