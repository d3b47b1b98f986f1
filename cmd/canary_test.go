package cmd_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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

	mu        sync.Mutex
	passwords map[string]string // that were seen on their way, beside those that are kept
}

func newCage(t *testing.T) *cage {
	t.Helper()
	c := &cage{cloud: newCloud(t), secrets: map[string]string{}, passwords: map[string]string{}}
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

// sees notes a password on its way.
func (c *cage) sees(password string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passwords[fmt.Sprintf("password %d", len(c.passwords)+1)] = password
}

// clean looks through all that came out: answers, output, and the table.
func (c *cage) clean() {
	c.t.Helper()
	for _, parameter := range c.keeper.Parameters() {
		c.sees(parameter.Value)
	}
	made := canary.For(c.passwords)
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
		if found := append(c.watch.In(text), made.In(text)...); len(found) > 0 {
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

// lineUp is a signup that asks for all options.
func (c *cage) lineUp(id string) events.APIGatewayV2HTTPRequest {
	line := wholeLine()
	for i := range line.PhoneNumbers { // each is unique in the account
		line.PhoneNumbers[i].PhoneNumber = fmt.Sprintf("+9122%08d", mathrand.IntN(1e8))
	}
	event := postLine(id, line)
	event.Headers["authorization"] = "Bearer " + c.secrets["bearer"]
	return event
}

// Passwords are made by the processes, kept, and sent to Exotel; whatever becomes
// of that, none of them is seen.
func TestProcessesTellNoPassword(t *testing.T) {
	t.Parallel()
	c := newCage(t)
	p, reconciler := c.begin("webhook", unlimited, "REPLY_WITHIN=4s"), c.begin("reconciler", unlimited)
	faults := []exoteltest.Fault{
		{},
		exoteltest.LoseAnswer, exoteltest.HTML, exoteltest.HTMLAfter, exoteltest.CutOff, exoteltest.EmptySID, exoteltest.Huge,
		exoteltest.Fail(400), exoteltest.Fail(401), exoteltest.Fail(403), exoteltest.FailAfter(503), exoteltest.RateLimit("1"),
	}
	for i, fault := range faults {
		c.fake.Inject(exoteltest.CreateCredential, fault)
		event := c.lineUp(fmt.Sprintf("acme-%d", i))
		c.send(p, event)
		c.fake.Inject(exoteltest.UpdateCredential, fault)
		c.send(p, event) // where it is listed now, it is given its password anew
		c.send(reconciler, pass)
		shown := event
		shown.Body, shown.RawPath, shown.RequestContext.HTTP.Method = "", fmt.Sprintf("/signups/acme-%d", i), "GET"
		if status := c.send(p, shown); status != 200 {
			t.Errorf("status of signup %d: %d", i, status)
		}
	}
	if n := len(c.keeper.Parameters()); n != len(faults) {
		t.Errorf("%d passwords for %d signups", n, len(faults))
	}
	if n := c.fake.Count(exoteltest.UpdateCredential); n == 0 {
		t.Error("no credential was given its password anew")
	}
	c.clean()
}

// What stands between us and Systems Manager, or Exotel, says back what it heard.
func TestProcessesTellNoPasswordThatIsRepeated(t *testing.T) {
	t.Parallel()
	c := newCage(t)
	heard := func(r *http.Request, field string) string {
		body, _ := io.ReadAll(r.Body)
		var fields map[string]any
		_ = json.Unmarshal(body, &fields) // without any, nothing is noted
		if password, _ := fields[field].(string); password != "" {
			c.sees(password)
		}
		return string(body)
	}
	quoted := func(kind string) func(*http.Request) (int, string) {
		return func(r *http.Request) (int, string) {
			return 400, fmt.Sprintf(`{"__type":%q,"message":%q}`, kind, heard(r, "Value"))
		}
	}
	for name, answer := range map[string]func(*http.Request) (int, string){
		"a refusal":   quoted("ValidationException"),
		"a throttle":  quoted("ThrottlingException"),
		"a page":      func(r *http.Request) (int, string) { return 502, "<html>" + heard(r, "Value") + "</html>" },
		"broken JSON": func(r *http.Request) (int, string) { return 200, "{" + heard(r, "Value") },
	} {
		p := c.begin("webhook", unlimited, "REPLY_WITHIN=4s", "AWS_ENDPOINT_URL_SSM="+repeating(t, answer))
		if status := c.send(p, c.lineUp(rand.Text())); status != 202 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if len(c.passwords) == 0 {
		t.Error("no password was heard")
	}
	if n := c.fake.Count(exoteltest.CreateCredential); n != 0 {
		t.Errorf("%d credentials were sent whose password isn't kept", n)
	}
	vendor := lambdatest.StartProxy(t, c.fake.URL, kindOfVendor)
	echo := func(status int, body string) lambdatest.Fault {
		return lambdatest.Fault{Lost: true, Answer: lambdatest.AnswerEcho, Status: status, Body: body}
	}
	p := c.begin("webhook", unlimited, "REPLY_WITHIN=4s", "EXOTEL_BASE_URL="+vendor.URL)
	for _, fault := range []lambdatest.Fault{
		echo(200, "%s"), echo(502, "<html>%s</html>"), echo(401, `{"message":%q}`),
		echo(400, `{"request_id":"a","http_code":400,"response":{"code":400,"status":"failure","error_data":{"code":1002,"message":"Invalid parameter","description":%q}}}`),
		echo(400, `{"request_id":"a","http_code":400,"response":{"code":400,"status":"failure","error_data":{"code":1002,"message":%q,"description":""}}}`),
		echo(409, `{"request_id":%q,"http_code":409,"response":{"code":409,"status":"failure","error_data":{"code":1008,"message":"Duplicate resource","description":%q}}}`),
		echo(200, `{"request_id":"a","http_code":200,"response":{"code":200,"status":"success","data":%s}}`),
	} {
		vendor.Inject(addCredential, fault)
		event := c.lineUp(rand.Text())
		c.send(p, event)
		c.send(p, event)
	}
	if n := vendor.Waiting(); n != 0 {
		t.Errorf("%d faults were met by no call", n)
	}
	c.clean()
}

func TestProcessesTellNothingOfBadSettings(t *testing.T) {
	t.Parallel()
	c := newCage(t)
	for _, change := range []string{"EXOTEL_BASE_URL=https://%s:%[1]s@api.exotel.com", "EXOTEL_BASE_URL=%s", "PUBLIC_URL=https://x/?%s", "AWS_ENDPOINT_URL_DYNAMODB=%s", "TRUNK_PREFIX=%s", "REPLY_WITHIN=%s", "EXOTEL_CALLS_PER_MINUTE=%s", "SIGNUPS_TABLE=%s x"} {
		p := c.begin("webhook", fmt.Sprintf(change, c.secrets["token"]))
		if err := p.Exited(time.Minute); err == nil || strings.Count(p.Output(), "\n") != 1 {
			t.Errorf("%s: %v, %s", change, err, p.Output())
		}
	}
	c.clean()
}
