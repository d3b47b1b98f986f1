package cmd_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/canary"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

// cage is a cloud whose secrets are random, and all that came out of it.
type cage struct {
	*cloud
	watch   *canary.Watch
	secrets map[string]string
	out     []string
}

func newCage(t *testing.T) *cage {
	t.Helper()
	c := &cage{cloud: newCloud(t), secrets: map[string]string{}}
	for _, name := range []string{"key", "token", "bearer", "signing", "access", "session"} {
		c.secrets[name] = rand.Text()
	}
	c.secrets["signing"] = base64.StdEncoding.EncodeToString([]byte(c.secrets["signing"]))
	c.watch = canary.For(c.secrets)
	c.rotate(c.secrets["key"], c.secrets["token"])
	c.cloud.secrets.Set(sourcesSecret, fmt.Sprintf(`{"api":[%q,%q]}`, c.secrets["bearer"], "whsec_"+c.secrets["signing"]))
	return c
}

// begin starts a function at debug level, with credentials that are watched too.
func (c *cage) begin(command string, change ...string) *lambdatest.Process {
	c.t.Helper()
	return c.start(command, append([]string{"AWS_SECRET_ACCESS_KEY=" + c.secrets["access"], "AWS_SESSION_TOKEN=" + c.secrets["session"], "REPLY_WITHIN=700ms"}, change...)...)
}

// send keeps whatever comes back, as it is on the wire.
func (c *cage) send(p *lambdatest.Process, event any) int {
	c.t.Helper()
	raw, err := p.Invoke(c.t.Context(), event, 8*time.Second)
	c.out = append(c.out, fmt.Sprintf("%s %v", raw, err))
	var answer events.APIGatewayV2HTTPResponse
	_ = json.Unmarshal(raw, &answer) // the reconciler's is no such thing
	return answer.StatusCode
}

func (c *cage) signUp(id string) events.APIGatewayV2HTTPRequest {
	event := post(id)
	event.Headers["authorization"] = "Bearer " + c.secrets["bearer"]
	return event
}

// clean looks through all that came out: answers, output, and the table.
func (c *cage) clean() {
	c.t.Helper()
	items, err := c.engine.Client().Scan(c.t.Context(), &dynamodb.ScanInput{TableName: &c.table})
	if err != nil {
		c.t.Fatal(err)
	}
	table, err := json.Marshal(items.Items)
	if err != nil {
		c.t.Fatal(err)
	}
	places := map[string]string{"an answer": strings.Join(c.out, "\n"), "the table": string(table)}
	for i, p := range c.started {
		places[fmt.Sprintf("the output of process %d", i)] = p.Output()
	}
	for place, text := range places {
		if found := c.watch.In(text); len(found) > 0 {
			c.t.Errorf("%s holds the %v: %.3000s", place, found, text)
		}
		if strings.Contains(text, "Signature=") || strings.Contains(text, "AWS4-HMAC") {
			c.t.Errorf("%s holds a signature: %.3000s", place, text)
		}
	}
}

// repeating is a proxy that answers with a part of the request.
func repeating(t *testing.T, answer func(r *http.Request) (int, string)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body := answer(r)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

var pass = map[string]any{"source": "aws.scheduler"}

func TestProcessesTellNoSecret(t *testing.T) {
	t.Parallel()
	c := newCage(t)
	p, reconciler := c.begin("webhook"), c.begin("reconciler")
	for _, fault := range []exoteltest.Fault{{}, exoteltest.LoseAnswer, exoteltest.HTML, exoteltest.Fail(400), exoteltest.Fail(401), exoteltest.Fail(403), exoteltest.RateLimit("1")} {
		c.fake.Inject(exoteltest.Create, fault)
		c.send(p, c.signUp(rand.Text()))
	}
	if status := c.send(p, c.signUp("acme-42")); status >= 300 {
		t.Errorf("with the right token: %d", status)
	}
	c.send(reconciler, pass)
	for _, change := range []func(*events.APIGatewayV2HTTPRequest){
		func(e *events.APIGatewayV2HTTPRequest) { e.Headers["authorization"] += "x" },
		func(e *events.APIGatewayV2HTTPRequest) {
			e.Headers["authorization"] = "Bearer whsec_" + c.secrets["signing"]
		},
		func(e *events.APIGatewayV2HTTPRequest) {
			e.Headers["authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte("api:"+c.secrets["bearer"]))
		},
		func(e *events.APIGatewayV2HTTPRequest) { e.Body = "{" + c.secrets["bearer"] },
		func(e *events.APIGatewayV2HTTPRequest) {
			e.Body = fmt.Sprintf(`{"signup_id":[%q],"company":%q}`, c.secrets["token"], c.secrets["key"]+"\n")
		},
		func(e *events.APIGatewayV2HTTPRequest) {
			e.RawQueryString = "token=" + c.secrets["bearer"]
			e.RawPath = "/nowhere"
		},
	} {
		event := c.signUp("acme-43")
		change(&event)
		if status := c.send(p, event); status < 400 {
			t.Errorf("%+v: %d", event, status)
		}
	}
	c.send(p, "no event at all: "+c.secrets["bearer"])
	c.send(p, map[string]any{"headers": c.secrets["bearer"], "requestContext": c.secrets["token"]})
	c.clean()
}

func TestProcessesTellNothingOfBrokenSecrets(t *testing.T) {
	t.Parallel()
	c := newCage(t)
	key, token, bearer := c.secrets["key"], c.secrets["token"], c.secrets["bearer"]
	for exotelText, sourcesText := range map[string]string{
		key + token: bearer,
		fmt.Sprintf(`{"api_key":{%q:1},"api_token":[%q]}`, key, token):                                              fmt.Sprintf(`{"api":%q}`, bearer),
		fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":%q}`, key, token, token, token):      fmt.Sprintf(`{%q:["",""]}`, bearer),
		fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":"a b","subdomain":"api.exotel.com"}`, key, token):   fmt.Sprintf(`{"api":[%q,"whsec_%s%%"]}`, bearer, c.secrets["signing"]),
		fmt.Sprintf(`{"api_key":"%s:","api_token":%q,"account_sid":"a","subdomain":"api.exotel.com"}`, key, token):  fmt.Sprintf(`{"api":[%q]}x%s`, bearer, bearer),
		fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":"a","subdomain":"api.exotel.com"`, key, token+`"x`): fmt.Sprintf(`{"api":[%q`, bearer),
	} {
		c.cloud.secrets.Set(exotelSecret, exotelText)
		c.cloud.secrets.Set(sourcesSecret, sourcesText)
		c.send(c.begin("webhook"), c.signUp("acme-42"))
		c.send(c.begin("reconciler"), pass)
	}
	c.clean()
}

func TestProcessesTellNothingThatAProxyRepeats(t *testing.T) {
	t.Parallel()
	headers := func(r *http.Request) string {
		all, _ := json.Marshal(r.Header)
		return string(all)
	}
	c := newCage(t)
	problem := repeating(t, func(r *http.Request) (int, string) {
		return 400, fmt.Sprintf(`{"__type":"InvalidSignatureException","message":%q}`, headers(r))
	})
	broken := repeating(t, func(*http.Request) (int, string) { return 200, `{"SecretString":"` + c.secrets["token"] })
	page := repeating(t, func(r *http.Request) (int, string) { return 502, "<html>" + headers(r) + "</html>" })
	envelope := repeating(t, func(r *http.Request) (int, string) {
		return 401, fmt.Sprintf(`{"request_id":%q,"http_code":401,"response":{"code":401,"error_data":{"code":1010,"message":%q}}}`, r.Header.Get("Authorization"), headers(r))
	})
	for _, change := range []string{
		"AWS_ENDPOINT_URL_DYNAMODB=" + problem, "AWS_ENDPOINT_URL_DYNAMODB=" + page, "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + problem, "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + broken,
		"EXOTEL_BASE_URL=" + envelope, "EXOTEL_BASE_URL=" + page,
	} {
		c.send(c.begin("webhook", change), c.signUp("acme-42"))
		c.send(c.begin("reconciler", change), pass)
	}
	c.clean()
}

func TestProcessesTellNothingOfBadSettings(t *testing.T) {
	t.Parallel()
	c := newCage(t)
	for _, change := range []string{"EXOTEL_BASE_URL=https://%s:%[1]s@api.exotel.com", "EXOTEL_BASE_URL=%s", "PUBLIC_URL=https://x/?%s", "AWS_ENDPOINT_URL_DYNAMODB=%s", "TRUNK_PREFIX=%s", "REPLY_WITHIN=%s", "EXOTEL_CALLS_PER_MINUTE=%s", "SIGNUPS_TABLE=%s x"} {
		p := c.begin("webhook", fmt.Sprintf(change, c.secrets["token"]))
		if err := p.Exited(10 * time.Second); err == nil || strings.Count(p.Output(), "\n") != 1 {
			t.Errorf("%s: %v, %s", change, err, p.Output())
		}
	}
	c.clean()
}
