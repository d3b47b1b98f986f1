package handler_test

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/handler/verify"
	"github.com/trunkhook/trunkhook/internal/sender"
)

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// signed is a request with the three headers of Standard Webhooks.
func signed(id, timestamp, signature, body string) events.APIGatewayV2HTTPRequest {
	event := post("/signups", "application/json", "", body)
	delete(event.Headers, "authorization")
	event.Headers["webhook-id"], event.Headers["webhook-timestamp"], event.Headers["webhook-signature"] = id, timestamp, signature
	return event
}

func sign(t testing.TB, secret, id string, at time.Time, body string) events.APIGatewayV2HTTPRequest {
	t.Helper()
	signature, err := verify.SignStandardWebhook(secret, id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return signed(id, strconv.FormatInt(at.Unix(), 10), signature, body)
}

func TestStandardWebhooks(t *testing.T) {
	t.Parallel()
	stamp := strconv.FormatInt(now.Unix(), 10)
	good := sign(t, signing, "msg_1", now, acme).Headers["webhook-signature"]
	other := sign(t, "whsec_"+base64Of("another key of 24 bytes."), "msg_1", now, acme).Headers["webhook-signature"]
	at := func(seconds int) events.APIGatewayV2HTTPRequest {
		return sign(t, signing, "msg_1", now.Add(time.Duration(seconds)*time.Second), acme)
	}
	for name, test := range map[string]struct {
		event  events.APIGatewayV2HTTPRequest
		accept bool
	}{
		"right":                   {signed("msg_1", stamp, good, acme), true},
		"among others":            {signed("msg_1", stamp, other+" v2,"+good[3:]+" v1a,xyz "+good, acme), true},
		"oldest":                  {at(-300), true},
		"newest":                  {at(300), true},
		"stale":                   {at(-301), false},
		"from the future":         {at(301), false},
		"another key":             {signed("msg_1", stamp, other, acme), false},
		"another body":            {signed("msg_1", stamp, good, acme+" "), false},
		"another id":              {signed("msg_2", stamp, good, acme), false},
		"another time":            {signed("msg_1", strconv.FormatInt(now.Unix()+1, 10), good, acme), false},
		"another version":         {signed("msg_1", stamp, "v2,"+good[3:], acme), false},
		"no version":              {signed("msg_1", stamp, good[3:], acme), false},
		"truncated":               {signed("msg_1", stamp, good[:20], acme), false},
		"empty signature":         {signed("msg_1", stamp, "v1,", acme), false},
		"no signature":            {signed("msg_1", stamp, "", acme), false},
		"no id":                   {sign(t, signing, "", now, acme), false},
		"no time":                 {signed("msg_1", "", good, acme), false},
		"time with a sign":        {signed("msg_1", "+"+stamp, good, acme), false},
		"time with a zero":        {signed("msg_1", "0"+stamp, good, acme), false},
		"time with a space":       {signed("msg_1", " "+stamp, good, acme), false},
		"time as a float":         {signed("msg_1", stamp+".0", good, acme), false},
		"time in milliseconds":    {signed("msg_1", stamp+"000", good, acme), false},
		"time beyond all numbers": {signed("msg_1", strings.Repeat("9", 30), good, acme), false},
		"17 signatures":           {signed("msg_1", stamp, strings.Repeat("v1,x ", 16)+good, acme), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			answer := w.send(t, test.event)
			if test.accept && answer.StatusCode != 201 || !test.accept && answer.StatusCode != 401 {
				t.Errorf("got %d %s", answer.StatusCode, answer.Body)
			}
			if !test.accept && len(w.fake.Calls()) != 0 {
				t.Error("Exotel was called")
			}
		})
	}
}

// Signed over the bytes that were sent, so decoded first.
func TestSignatureOverABodyInBase64(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	event := sign(t, signing, "msg_1", now, acme)
	event.Body, event.IsBase64Encoded = base64Of(acme), true
	if answer := w.send(t, event); answer.StatusCode != 201 {
		t.Errorf("got %d %s", answer.StatusCode, answer.Body)
	}
}

func TestBearer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secrets.cached["api"] = []string{"", "older-token", bearer, signing}
	for authorization, want := range map[string]int{
		"Bearer local":                        404,
		"bearer local":                        404,
		"Bearer  local ":                      404,
		"Bearer older-token":                  404,
		"":                                    401,
		"Bearer":                              401,
		"Bearer ":                             401,
		"local":                               401,
		"Basic local":                         401,
		"Bearer Local":                        401,
		"Bearer loca":                         401,
		"Bearer locall":                       401,
		"Bearer local,Bearer other":           401,
		"Bearer " + signing:                   401, // signs, and is no bearer
		"Bearer " + signing[6:]:               401,
		"Bearer " + strings.Repeat("x", 9000): 401,
	} {
		answer := w.send(t, get("/signups/nobody", authorization))
		if answer.StatusCode != want {
			t.Errorf("%.40q: %d, want %d", authorization, answer.StatusCode, want)
		}
		if want == 401 && (answer.Headers["Www-Authenticate"] != "" || answer.Headers["WWW-Authenticate"] != "Bearer" || strings.Contains(answer.Body, "detail")) {
			t.Errorf("%.40q: %v %s", authorization, answer.Headers, answer.Body)
		}
	}
}

func TestBearerSignsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secrets.cached["api"] = []string{"bG9jYWw="} // would be a key, had it the prefix
	event := sign(t, "whsec_bG9jYWw=", "msg_1", now, acme)
	if answer := w.send(t, event); answer.StatusCode != 401 {
		t.Errorf("got %d", answer.StatusCode)
	}
}

func TestSignatureDoesNotOpenTheStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	event := sign(t, signing, "msg_1", now, "")
	event.RawPath, event.RequestContext.HTTP.Method = "/signups/nobody", "GET"
	if answer := w.send(t, event); answer.StatusCode != 401 {
		t.Errorf("got %d", answer.StatusCode)
	}
}

func TestClosedSourceIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secrets.cached = map[string][]string{"hubspot": {"x"}}
	if answer := w.send(t, signUp(acme)); answer.StatusCode != 404 {
		t.Errorf("got %d", answer.StatusCode)
	}
}

func TestSecretThatWasJustRotatedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secrets.stored = map[string][]string{"api": {bearer, "new-token"}}
	if answer := w.send(t, post("/signups", "", "Bearer new-token", acme)); answer.StatusCode != 201 || w.secrets.renewed != 1 {
		t.Errorf("got %d after %d renewals", answer.StatusCode, w.secrets.renewed)
	}
	if answer := w.send(t, post("/signups", "", "Bearer wrong", acme)); answer.StatusCode != 401 {
		t.Errorf("got %d", answer.StatusCode)
	}
}

// An operator puts a source's first secret in, and the CRM sends at once.
func TestFirstSecretOfASourceOpensItAtOnce(t *testing.T) {
	t.Parallel()
	hook := readEvent(t, "../events/webhook-generic.json")
	wrong := readEvent(t, "../events/webhook-generic.json")
	wrong.Body += " "
	for name, test := range map[string]struct {
		event  events.APIGatewayV2HTTPRequest
		stored map[string][]string // what is there by now
		want   int
	}{
		"webhook":                    {hook, sender.Secrets(), 200},
		"webhook, wrong signature":   {wrong, sender.Secrets(), 401},
		"webhook, still closed":      {hook, map[string][]string{"hubspot": {"x"}}, 404},
		"signup":                     {signUp(acme), map[string][]string{"api": {bearer}}, 201},
		"signup, wrong token":        {signUp(acme), map[string][]string{"api": {"another"}}, 401},
		"signup, still closed":       {signUp(acme), map[string][]string{"hubspot": {"x"}}, 404},
		"status":                     {get("/signups/nobody", "Bearer wrong"), map[string][]string{"api": {bearer}}, 401},
		"webhook, the store is down": {hook, nil, 404},
	} {
		w := newWorld(t)
		w.secrets.cached, w.secrets.stored = map[string][]string{"zoho": {"x"}}, test.stored
		if test.stored == nil {
			w.secrets.noRenewal = errors.New("secrets store down")
		}
		if answer := w.send(t, test.event); answer.StatusCode != test.want || w.secrets.renewed != 1 {
			t.Errorf("%s: %d after %d renewals, want %d", name, answer.StatusCode, w.secrets.renewed, test.want)
		}
	}
	w := newWorld(t)
	unknown := readEvent(t, "../events/webhook-generic.json")
	unknown.RawPath = "/webhooks/nobody"
	if answer := w.send(t, unknown); answer.StatusCode != 404 || w.secrets.renewed != 0 {
		t.Errorf("a source that doesn't exist: %d after %d renewals", answer.StatusCode, w.secrets.renewed)
	}
}
