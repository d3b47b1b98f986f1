//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	gatewayevents "github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/events"
	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/sender"
	"github.com/trunkhook/trunkhook/provision"
)

// signupsOf are the signups that the samples become.
var signupsOf = map[string]string{
	"auth0": "auth0:northwind:auth0|507f1f77bcf86cd799439020", "clerk": "clerk:user_2pQrStUvWxYz0123456789abcd", "close": "close:lead_DDD",
	"freshsales": "freshsales:70001234567", "generic": "generic:acme-42", "hubspot": "hubspot:8675309:4021",
	"hubspot-subscriptions": "hubspot:8675309:9007199254740993", "leadsquared": "leadsquared:a311900c-0e56-4601-b580-f931645e7b32",
	"pipedrive": "pipedrive:7654321:512", "salesforce-flow": "salesforce:00D5g000004AbCdEAK:0015g00000XyZ12AAF",
	"salesforce-outbound": "salesforce:00D5g000004AbCdEAK:0015g00000XyZ12AAF", "shopify": "shopify:7061234567890",
	"stripe": "stripe:cus_SIGNUP0001", "zoho": "zoho:5725767000000412001",
}

// everySource sends each sample as its sender would.
func everySource(t *testing.T, s *stack) {
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range set.Names() {
		id, ok := signupsOf[name]
		if !ok {
			t.Errorf("what becomes of the sample of %s isn't written down here", name)
			continue
		}
		s.untilActive(t, id, func() {
			if status, body := s.sendSample(t, set, name); status != http.StatusOK && status != http.StatusAccepted {
				t.Fatalf("%s: %d %s", name, status, body)
			}
		})
		active(t, s, id)
	}
}

// untilActive sends a signup, and again while it is pending: all together ask for more
// than the call budget has at once. It asks as often as senders are told to: each try
// looks first what is there, and so takes a share of the budget even if it adds nothing.
func (s *stack) untilActive(t *testing.T, id string, send func()) {
	t.Helper()
	for range 60 {
		send()
		if record, err := s.ledger.Get(t.Context(), id); err == nil && record.Status == provision.StatusActive {
			return
		}
		time.Sleep(2 * time.Second)
	}
	t.Fatalf("%s isn't active", id)
}

func (s *stack) sendSample(t *testing.T, set sources.Set, source string) (int, string) {
	t.Helper()
	content, err := events.Files.ReadFile("webhook-" + source + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var event gatewayevents.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(content, &event); err != nil {
		t.Fatal(err)
	}
	secret, err := sender.SecretOf(sender.Secrets(), source)
	if err != nil {
		t.Fatal(err)
	}
	event.Headers = map[string]string{"content-type": event.Headers["content-type"]}
	if err := sender.Sign(&event, set, secret, time.Now(), publicURL); err != nil {
		t.Fatal(err)
	}
	return s.post(t, event)
}

// post is one HTTP request to the deployed API, as it stands in the event.
func (s *stack) post(t *testing.T, event gatewayevents.APIGatewayV2HTTPRequest) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+event.RawPath, strings.NewReader(event.Body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range event.Headers {
		r.Header.Set(name, value)
	}
	resp, text := request(t, r)
	return resp.StatusCode, text
}

// everyEvent invokes the function as EventBridge and Cognito would.
func everyEvent(t *testing.T, s *stack) {
	for event, id := range map[string]string{
		"event-eventbridge-auth0":      signupsOf["auth0"],
		"event-eventbridge-salesforce": signupsOf["salesforce-flow"],
		"event-eventbridge-shopify":    signupsOf["shopify"],
		"event-eventbridge-stripe":     signupsOf["stripe"],
		"event-cognito":                "cognito:ap-south-1_AbCdEf123:6f9619ff-8b86-4011-b42d-00c04fc964ff",
	} {
		answer := s.python(t, "invoke", "events/"+event+".json")
		record, err := s.ledger.Get(t.Context(), id)
		if err != nil {
			t.Errorf("%s: %v; answered %s", event, err, answer)
			continue
		}
		if echoed := strings.Contains(answer, "PostConfirmation_ConfirmSignUp"); echoed != (event == "event-cognito") {
			t.Errorf("%s: answered %s", event, answer)
		}
		t.Logf("%s: %s", record.SignupID, record.Status)
	}
}
