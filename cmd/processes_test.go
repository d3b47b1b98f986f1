// Package cmd_test runs the two Lambda functions as AWS does: as processes, on
// events, against a DynamoDB engine, a Secrets Manager, a Systems Manager and a fake Exotel.
package cmd_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/provision"
)

func TestMain(m *testing.M) {
	code := m.Run()
	lambdatest.Clean()
	os.Exit(code)
}

// The secrets' ids, and what must never be seen in any output.
const (
	exotelSecret  = "trunkhook/exotel"
	sourcesSecret = "trunkhook/sources"
	bearer        = "canary-bearer-0123456789"
	token         = "canary-token-0123456789"
)

// cloud is all that the functions need.
type cloud struct {
	t       *testing.T
	engine  dynamotest.Engine
	table   string
	ledger  *ledger.Ledger
	secrets *lambdatest.SecretsManager
	keeper  *lambdatest.SystemsManager // of passwords
	fake    *exoteltest.Server

	mu      sync.Mutex
	started []*lambdatest.Process
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	engine := dynamotest.Start(t)
	table := engine.CreateTable(t)
	c := &cloud{
		t: t, engine: engine, table: table, ledger: ledger.New(engine.Client(), table),
		secrets: lambdatest.StartSecretsManager(t), keeper: lambdatest.StartSystemsManager(t), fake: exoteltest.Start(t),
	}
	c.rotate("canary-key-0123456789", token)
	c.secrets.Set(sourcesSecret, fmt.Sprintf(`{"api":[%q]}`, bearer))
	t.Cleanup(c.noSecretSeen)
	return c
}

// rotate makes Exotel accept these credentials only, and stores them.
func (c *cloud) rotate(key, token string) {
	c.fake.SetCredentials(key, token)
	c.store(key, token)
}

func (c *cloud) store(key, token string) {
	c.secrets.Set(exotelSecret, fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":"exoteltest","subdomain":"api.exotel.com"}`, key, token))
}

// noSecretSeen looks through all that the processes wrote: for the secrets, for
// what Basic authentication and signatures make of them, and for passwords.
func (c *cloud) noSecretSeen() {
	canaries := []string{"canary"}
	for shift := range 3 { // base64 of a text depends on where in it the text begins
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + "canary-"))
		canaries = append(canaries, encoded[shift+1:8])
	}
	for _, parameter := range c.keeper.Parameters() {
		canaries = append(canaries, parameter.Value)
	}
	for _, p := range c.started {
		for _, canary := range canaries {
			if output := p.Output(); strings.Contains(output, canary) {
				c.t.Errorf("a secret was logged (%s):\n%s", canary, output)
			}
		}
	}
}

func (c *cloud) start(command string, change ...string) *lambdatest.Process {
	c.t.Helper()
	return c.startThrough(nil, command, change...)
}

// startThrough is start, with a proxy in front of the Runtime API.
func (c *cloud) startThrough(proxy *lambdatest.Proxy, command string, change ...string) *lambdatest.Process {
	c.t.Helper()
	env := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_ENDPOINT_URL_DYNAMODB": c.engine.Endpoint, "AWS_ENDPOINT_URL_SECRETS_MANAGER": c.secrets.URL, "AWS_ENDPOINT_URL_SSM": c.keeper.URL,
		"SIGNUPS_TABLE": c.table, "EXOTEL_SECRET_ID": exotelSecret, "SOURCES_SECRET_ID": sourcesSecret,
		"EXOTEL_BASE_URL": c.fake.URL, "TRUNK_PREFIX": "tst", "REPLY_WITHIN": "3s", "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
	}
	for _, pair := range change {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	p := lambdatest.StartThrough(c.t, proxy, lambdatest.Build(c.t, command), env)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = append(c.started, p)
	return p
}

const timeout = 4 * time.Second

func post(id string) events.APIGatewayV2HTTPRequest {
	event := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RawPath: "/signups", Body: fmt.Sprintf(`{"signup_id":%q,"company":"Acme Telecom"}`, id),
		Headers: map[string]string{"authorization": "Bearer " + bearer, "content-type": "application/json"},
	}
	event.RequestContext.HTTP.Method, event.RequestContext.Stage = "POST", "$default"
	return event
}

func get(id string) events.APIGatewayV2HTTPRequest {
	event := post(id)
	event.RawPath, event.Body, event.RequestContext.HTTP.Method = "/signups/"+id, "", "GET"
	return event
}

// shown is a signup as the API shows it, or a problem, whose status is a number.
type shown struct {
	Status   any    `json:"status"`
	TrunkSID string `json:"trunk_sid"`
}

func invoke(t *testing.T, p *lambdatest.Process, event events.APIGatewayV2HTTPRequest) (int, shown) {
	t.Helper()
	return invokeFor(t, p, event, timeout)
}

func invokeFor(t *testing.T, p *lambdatest.Process, event events.APIGatewayV2HTTPRequest, timeout time.Duration) (int, shown) {
	t.Helper()
	raw, err := p.Invoke(t.Context(), event, timeout)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Output())
	}
	var answer events.APIGatewayV2HTTPResponse
	var s shown
	if err := errors.Join(json.Unmarshal(raw, &answer), json.Unmarshal([]byte(answer.Body), &s)); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return answer.StatusCode, s
}

// oneTrunk checks the promise for one signup.
func (c *cloud) oneTrunk(id string) {
	c.t.Helper()
	record, err := c.ledger.Get(c.t.Context(), id)
	if err != nil {
		c.t.Fatal(err)
	}
	var sids []string
	for _, trunk := range c.fake.Trunks() {
		if trunk.Name == provision.TrunkName("tst", id) {
			sids = append(sids, trunk.SID)
		}
	}
	if record.Status != provision.StatusActive || len(sids) != 1 || record.TrunkSID != sids[0] {
		c.t.Errorf("trunks %v, record %+v", sids, record)
	}
}

func TestNewReplayAndStatus(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	p := c.start("webhook")
	if status, _ := invoke(t, p, get("acme-42")); status != 404 {
		t.Errorf("status before: %d", status)
	}
	status, first := invoke(t, p, post("acme-42"))
	if status != 201 || first.Status != "active" || first.TrunkSID == "" {
		t.Errorf("new: %d %+v", status, first)
	}
	if status, again := invoke(t, p, post("acme-42")); status != 200 || again != first {
		t.Errorf("replay: %d %+v", status, again)
	}
	if status, later := invoke(t, c.start("webhook"), get("acme-42")); status != 200 || later != first {
		t.Errorf("status from another process: %d %+v", status, later)
	}
	if n := len(c.fake.Calls()); n != 1 {
		t.Errorf("%d calls to Exotel", n)
	}
	c.oneTrunk("acme-42")
}

func TestFiftyDuplicatesOverSeveralProcessesMakeOneTrunk(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.fake.SetLatency(50 * time.Millisecond)
	var processes []*lambdatest.Process
	for range 5 {
		processes = append(processes, c.start("webhook"))
	}
	var mu sync.Mutex
	statuses := map[int]int{}
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			status, _ := invoke(t, processes[i%len(processes)], post("acme-42"))
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	all.Wait()
	if statuses[201] != 1 || statuses[200]+statuses[202] != 49 {
		t.Errorf("statuses %v", statuses)
	}
	if n := c.fake.Count(exoteltest.Create); n != 1 {
		t.Errorf("%d creates", n)
	}
	c.oneTrunk("acme-42")
}

func TestLostAnswerIsAdoptedOnRedelivery(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	p := c.start("webhook")
	c.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
	if status, first := invoke(t, p, post("acme-42")); status != 202 || first.Status != "pending" || first.TrunkSID != "" {
		t.Errorf("first: %d %+v", status, first)
	}
	if status, again := invoke(t, p, post("acme-42")); status != 201 || again.Status != "active" {
		t.Errorf("redelivery: %d %+v", status, again)
	}
	c.oneTrunk("acme-42")
}

// The process is killed after Exotel made the trunk and before it could say so.
func TestKilledProcessIsFinishedByTheReconciler(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	p := c.start("webhook")
	c.fake.Inject(exoteltest.Create, exoteltest.HangAfter)
	ended := make(chan error, 1)
	go func() {
		_, err := p.Invoke(t.Context(), post("acme-42"), timeout)
		ended <- err
	}()
	until(t, func() bool { return len(c.fake.Trunks()) == 1 })
	p.Kill()
	if err := <-ended; !errors.Is(err, lambdatest.ErrExited) {
		t.Fatal(err)
	}
	reconciler := c.start("reconciler")
	pass := func() {
		t.Helper()
		if _, err := reconciler.Invoke(t.Context(), map[string]any{"source": "aws.scheduler"}, 30*time.Second); err != nil {
			t.Fatalf("%v\n%s", err, reconciler.Output())
		}
	}
	pass() // too early: the lease still runs
	if line := reconciler.LastLine(t); line["PendingSignups"] != 1.0 || line["OldestPendingSignup"].(float64) <= 0 || line["FunctionName"] != "test" || line["_aws"] == nil {
		t.Errorf("metrics %v", line)
	}
	if record, err := c.ledger.Get(t.Context(), "acme-42"); err != nil || record.Status != provision.StatusPending || record.Attempts != 1 {
		t.Errorf("during the lease: %+v, %v", record, err)
	}
	time.Sleep(timeout + 2*time.Second)
	pass()
	c.oneTrunk("acme-42")
	if line := reconciler.LastLine(t); line["PendingSignups"] != 0.0 || line["OldestPendingSignup"] != 0.0 {
		t.Errorf("metrics %v", line)
	}
	if !strings.Contains(reconciler.Output(), `"message":"pass","finished":1,`) {
		t.Errorf("logged %s", reconciler.Output())
	}
}

func until(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("never happened")
}

func TestRotatedKeyIsPickedUpWithinTheSameRequest(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	p := c.start("webhook")
	invoke(t, p, post("before"))
	fetches := c.secrets.Fetches()
	c.rotate("canary-key-9876543210", "canary-token-9876543210")
	if status, s := invoke(t, p, post("acme-42")); status != 201 {
		t.Errorf("%d %+v", status, s)
	}
	if n := c.secrets.Fetches() - fetches; n != 1 {
		t.Errorf("%d fetches", n)
	}
	c.oneTrunk("acme-42")
}

func TestWrongSecretKeepsSignupsPendingUntilItIsMended(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.store("canary-wrong", "canary-wrong")
	p := c.start("webhook")
	if status, s := invoke(t, p, post("acme-42")); status != 202 || s.Status != "pending" {
		t.Errorf("wrong: %d %+v", status, s)
	}
	if last := p.LastLine(t); last["alarm"] != "credentials_refused" || last["level"] != "ERROR" {
		t.Errorf("logged %v", last)
	}
	c.store("canary-key-0123456789", token)
	if status, s := invoke(t, p, post("acme-42")); status != 201 {
		t.Errorf("mended: %d %+v", status, s)
	}
	c.oneTrunk("acme-42")
}

func TestSecretsManagerDownAtStart(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.secrets.SetDown(true)
	p := c.start("webhook")
	if status, _ := invoke(t, p, post("acme-42")); status != 503 {
		t.Errorf("with nothing to check a token against: %d", status)
	}
	c.secrets.SetDown(false)
	if status, s := invoke(t, p, post("acme-42")); status != 201 {
		t.Errorf("up again: %d %+v", status, s)
	}
	c.oneTrunk("acme-42")
}

func TestSenderIsAnsweredByReplyWithinAndToldWhereToAsk(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	p := c.start("webhook", "REPLY_WITHIN=1s", "PUBLIC_URL=https://hooks.example.com/v1/")
	invoke(t, p, get("nobody")) // warm
	c.fake.Inject(exoteltest.Create, exoteltest.Hang)
	start := time.Now()
	raw, err := p.Invoke(t.Context(), post("acme-42"), timeout)
	took := time.Since(start)
	var answer events.APIGatewayV2HTTPResponse
	if err := errors.Join(err, json.Unmarshal(raw, &answer)); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != 202 || answer.Headers["Location"] != "https://hooks.example.com/v1/signups/acme-42" || took > 3*time.Second { // without the setting it would take 3.5 s
		t.Errorf("%d %v after %v", answer.StatusCode, answer.Headers, took)
	}
}

func TestReconcilerFailsWhereTheTableDoes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	p := c.start("reconciler", "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1")
	if raw, err := p.Invoke(t.Context(), map[string]any{}, 30*time.Second); err == nil {
		t.Errorf("no error, but %s", raw)
	}
}

func TestTableDownPromisesNothing(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	p := c.start("webhook", "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1")
	if status, s := invoke(t, p, post("acme-42")); status != 503 {
		t.Errorf("%d %+v", status, s)
	}
	if n := len(c.fake.Calls()); n != 0 {
		t.Errorf("%d calls to Exotel without a claim", n)
	}
}

func TestSettingsAtFaultEndTheProcessWithOneLine(t *testing.T) {
	t.Parallel()
	for command, names := range map[string][]string{
		"webhook":    {"SIGNUPS_TABLE", "EXOTEL_SECRET_ID", "SOURCES_SECRET_ID"},
		"reconciler": {"SIGNUPS_TABLE", "EXOTEL_SECRET_ID"},
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			p := lambdatest.Start(t, lambdatest.Build(t, command), nil)
			err := p.Exited(time.Minute)
			if err == nil || err.Error() != "exit status 1" || strings.Count(p.Output(), "\n") != 1 {
				t.Errorf("%v: %s", err, p.Output())
			}
			for _, name := range names {
				if !strings.Contains(p.Output(), name) {
					t.Errorf("%s is not named: %s", name, p.Output())
				}
			}
		})
	}
}

func TestAccountIsTheSecretsOwn(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	invoke(t, c.start("webhook"), post("acme-42"))
	if got, want := c.fake.Trunks()[0].DomainName, exotel.DomainName("exoteltest"); got != want {
		t.Errorf("domain %s, want %s", got, want)
	}
}
