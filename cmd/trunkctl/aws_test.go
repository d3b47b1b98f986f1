package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/provision"
)

// The outputs that trunkctl reads are those that the template has.
func TestOutputsAreTheTemplates(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Outputs map[string]yaml.Node `yaml:"Outputs"`
	}
	if err := yaml.Unmarshal(content, &template); err != nil {
		t.Fatal(err)
	}
	for output, name := range variables {
		if _, ok := template.Outputs[output]; !ok {
			t.Errorf("the template has no output %s, for %s", output, name)
		}
	}
	given, err := fromOutputs(`[{"OutputKey":"SignupsTable","OutputValue":"signups"},{"OutputKey":"TrunkPrefix","OutputValue":"pr"},{"OutputKey":"Url","OutputValue":"x"}]`)
	if err != nil || given["SIGNUPS_TABLE"] != "signups" || given["TRUNK_PREFIX"] != "pr" || len(given) != 2 {
		t.Errorf("got %v, %v", given, err)
	}
	for _, outputs := range []string{"no JSON", "[]", `[{"OutputKey":"Url","OutputValue":"x"}]`} {
		if _, err := fromOutputs(outputs); err == nil {
			t.Errorf("%s was taken", outputs)
		}
	}
}

func TestWhatIsMissingInTheEnvironmentIsNamed(t *testing.T) {
	t.Parallel()
	keys := []string{"AWS_ACCESS_KEY_ID=A", "AWS_SECRET_ACCESS_KEY=CANARY"}
	for name, test := range map[string]struct {
		env  []string
		want string
	}{
		"credentials": {[]string{"AWS_REGION=eu-west-1", "SIGNUPS_TABLE=signups", "EXOTEL_SECRET_ID=x"}, "there are no AWS credentials"},
		"a secret":    {append([]string{"AWS_REGION=eu-west-1", "SIGNUPS_TABLE=signups"}, keys...), "EXOTEL_SECRET_ID is not set"},
		"a region":    {append([]string{"SIGNUPS_TABLE=signups", "EXOTEL_SECRET_ID=x"}, keys...), "AWS_REGION is not set"},
		"a system":    {keys, `which system\?`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := execute(t, "", test.env, "list")
			e.wants(t, exitUsage, `^$`, test.want)
			if strings.Contains(e.err, "CANARY") {
				t.Error("the key is on the screen")
			}
		})
	}
}

// cloud is a deployed system: a table, a secret, an Exotel, and who knows whose
// credentials are whose.
type cloud struct {
	env   []string
	table *ledger.Ledger
	fake  *exoteltest.Server
}

func startCloud(t *testing.T) cloud {
	t.Helper()
	engine, fake, secrets := dynamotest.Start(t), exoteltest.Start(t), lambdatest.StartSecretsManager(t)
	secrets.Set("exotel", `{"api_key":"`+exoteltest.DefaultAPIKey+`","api_token":"`+exoteltest.DefaultAPIToken+`","account_sid":"`+exoteltest.DefaultAccountSID+`","subdomain":"api.exotel.com"}`)
	identities := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/asha</Arn><UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	t.Cleanup(identities.Close)
	name := engine.CreateTable(t)
	return cloud{
		table: ledger.New(engine.Client(), name), fake: fake,
		env: []string{
			"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL_DYNAMODB=" + engine.Endpoint,
			"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + secrets.URL, "AWS_ENDPOINT_URL_STS=" + identities.URL, "AWS_ENDPOINT_URL=http://127.0.0.1:1",
			"EXOTEL_BASE_URL=" + fake.URL, "EXOTEL_SECRET_ID=exotel", "SIGNUPS_TABLE=" + name, "TRUNK_PREFIX=pr",
			"EXOTEL_CALLS_PER_MINUTE=6000", // nobody wants to wait for 180
		},
	}
}

// withEmptyTable is the same with another table, as after a restore from nothing.
func (c cloud) withEmptyTable(t *testing.T) cloud {
	t.Helper()
	engine := dynamotest.Start(t)
	name := engine.CreateTable(t)
	c.table, c.env = ledger.New(engine.Client(), name), append(slices.Clone(c.env), "SIGNUPS_TABLE="+name)
	return c
}

func (c cloud) trunkctl(t *testing.T, args ...string) ended {
	t.Helper()
	return execute(t, "", c.env, args...)
}

func TestDeployedSystemIsWorkedOn(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
	past := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Hour)
	for _, id := range []string{"acme-50", "acme-51"} {
		claim := provision.Claim{
			Signup: provision.Signup{ID: id, Company: "Acme Telecom"}, TrunkName: provision.TrunkName("pr", id),
			AccountSID: exoteltest.DefaultAccountSID, Owner: "killed", Now: past, LeaseUntil: past,
		}
		if _, holds, err := c.table.Claim(t.Context(), claim); err != nil || !holds {
			t.Fatal(holds, err)
		}
	}
	c.trunkctl(t, "list").wants(t, exitOK, `(?s)acme-50 +pending.*acme-51 +pending`, `^$`)
	c.trunkctl(t, "retry", "acme-50", "--yes", "--reason", "a test").wants(t, exitOK, `status +active`, `"who":"arn:aws:iam::123456789012:user/asha","why":"a test","outcome":"created"`)
	c.fake.Add(exotel.Trunk{Name: provision.TrunkName("pr", "acme-51"), DomainName: exotel.DomainName(exoteltest.DefaultAccountSID)})
	c.trunkctl(t, "audit", "--fix", "--yes").wants(t, exitOK, `unrecorded +acme-51`, `"outcome":"mended"`)
	c.trunkctl(t, "export").wants(t, exitOK, `(?s)("signup_id":"acme-5[01]".*"status":"active".*){2}`, `^$`)
	if n := len(c.fake.Trunks()); n != 2 {
		t.Errorf("%d trunks", n)
	}
}
