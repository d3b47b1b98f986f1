package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/handler/verify"
	"github.com/trunkhook/trunkhook/internal/secrets"
)

// vault is Secrets Manager.
type vault map[string]string

func (v vault) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	text, ok := v[*in.SecretId]
	if !ok {
		return nil, errors.New("ResourceNotFoundException")
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: &text}, nil
}

func (v vault) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	v[*in.SecretId] = *in.SecretString
	return &secretsmanager.PutSecretValueOutput{}, nil
}

// person answers questions, in order.
type person struct {
	t       *testing.T
	answers []string
	hidden  []string // questions whose answers aren't shown
}

func (p *person) ask(context.Context, string) (string, error) {
	p.t.Helper()
	if len(p.answers) == 0 {
		p.t.Fatal("asked too much")
	}
	answer := p.answers[0]
	p.answers = p.answers[1:]
	return answer, nil
}

func (p *person) askHidden(ctx context.Context, question string) (string, error) {
	p.hidden = append(p.hidden, question)
	return p.ask(ctx, question)
}

const outputs = `[{"OutputKey":"Url","OutputValue":"https://x"},{"OutputKey":"ExotelSecret","OutputValue":"E"},{"OutputKey":"SourcesSecret","OutputValue":"S"}]`

// use runs the program on a vault.
func use(t *testing.T, v vault, p *person, args ...string) (string, error) {
	t.Helper()
	o, err := parse(append([]string{"-outputs", outputs}, args...))
	if err != nil {
		return "", err
	}
	o.docs = "../../docs/sources.md"
	var out strings.Builder
	err = o.do(t.Context(), store{v}, strings.NewReader(""), func() (prompter, error) { return p, nil }, &out)
	return out.String(), err
}

func credentials(fake *exoteltest.Server) string {
	c := fake.Config()
	return fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":"api.in.exotel.com"}`, c.APIKey, c.APIToken, c.AccountSID)
}

func TestNewStackIsAskedForAndOpened(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	v := vault{"E": "{}", "S": "{}"}
	c := fake.Config()
	p := &person{t: t, answers: []string{c.APIKey, c.APIToken, c.AccountSID, "2"}}
	out, err := use(t, v, p, "-exotel-url", fake.URL)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.hidden) != 1 || !strings.Contains(p.hidden[0], "token") {
		t.Errorf("hidden: %v", p.hidden)
	}
	if !strings.Contains(v["E"], `"subdomain":"api.in.exotel.com"`) || !strings.Contains(v["E"], c.APIToken) || strings.Contains(out, c.APIToken) {
		t.Errorf("stored %s, said %s", v["E"], out)
	}
	sources, err := secrets.ParseSources(v["S"])
	if err != nil || len(sources["api"]) != 2 {
		t.Fatalf("stored %s, %v", v["S"], err)
	}
	for i, signs := range []bool{false, true} {
		secret := sources["api"][i]
		if strings.HasPrefix(secret, "whsec_") != signs || verify.CheckSecret(secret) != nil || !strings.Contains(out, secret) {
			t.Errorf("secret %d of %v", i, sources["api"])
		}
	}
	before := v["S"]
	if _, err := use(t, v, &person{t: t, answers: []string{""}}, "-exotel-url", fake.URL); err != nil || v["S"] != before || !strings.Contains(v["E"], c.APIToken) {
		t.Errorf("again, without a key: %v, %s, %s", err, v["S"], v["E"])
	}
}

func TestCredentialsThatExotelRefusesAreNotStored(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	v := vault{"E": "{}", "S": "{}"}
	for name, answers := range map[string][]string{
		"wrong token": {"key-of-mine", "hunter2hunter2", "acme1", "1"}, "no token": {"key-of-mine", "", "acme1", "1"}, "no region": {"key-of-mine", "hunter2hunter2", "acme1", "3"},
	} {
		_, err := use(t, v, &person{t: t, answers: answers}, "-exotel-url", fake.URL)
		if err == nil || v["E"] != "{}" || v["S"] != "{}" || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, stored %s and %s", name, err, v["E"], v["S"])
		}
	}
}

func TestFilesAreStoredAsTheyAre(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	v := vault{"E": "{}", "S": "{}"}
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, sources := credentials(fake), `{"api":["one"],"hubspot":["two"]}`
	if _, err := use(t, v, nil, "-exotel-url", fake.URL, "-exotel-file", file("e", good), "-sources-file", file("s", sources)); err != nil || v["E"] != good || v["S"] != sources {
		t.Errorf("%v, stored %s and %s", err, v["E"], v["S"])
	}
	for name, args := range map[string][]string{
		"no such file": {"-exotel-file", filepath.Join(dir, "none")},
		"no JSON":      {"-exotel-file", file("1", "hunter2")},
		"lacks a key":  {"-exotel-file", file("2", `{"api_key":"hunter2"}`)},
		"no lists":     {"-sources-file", file("3", `{"api":"hunter2"}`)},
		"not base64":   {"-sources-file", file("4", `{"stripe":["whsec_###"],"api":["good","whsec_###hunter2"]}`)},
		"empty":        {"-sources-file", file("5", `{"api":["hunter2"],"zoho":[" "]}`)},
		"no password":  {"-sources-file", file("6", `{"a-source-of-another-build":["hunter2"],"pipedrive":["crm:good","hunter2"]}`)},
		"no hex":       {"-sources-file", file("7", `{"close":["hunter2"]}`)},
	} {
		_, err := use(t, v, nil, append(args, "-exotel-url", fake.URL)...)
		if says := map[string]string{
			"no lists": "api", "not base64": "secret 2 of source api", "empty": "secret 1 of source zoho",
			"no password": "secret 2 of source pipedrive: it is not user:password", "no hex": "secret 1 of source close",
		}[name]; err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v doesn't say %q", name, err, says)
		}
		if err == nil || v["E"] != good || v["S"] != sources || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, stored %s and %s", name, err, v["E"], v["S"])
		}
	}
}

func TestRotatingASourcesSecret(t *testing.T) {
	t.Parallel()
	v := vault{"S": `{"api":["old","whsec_b2xk"],"hubspot":["x"]}`}
	out, err := use(t, v, nil, "-add", "api")
	if err != nil {
		t.Fatal(err)
	}
	sources, _ := secrets.ParseSources(v["S"])
	if got := sources["api"]; len(got) != 3 || got[1] != "old" || !strings.Contains(out, got[0]) || len(got[0]) != 43 {
		t.Errorf("added: %v", got)
	}
	fresh := sources["api"][0]
	if _, err := use(t, v, nil, "-add", "api", "-signing"); err != nil {
		t.Fatal(err)
	}
	if _, err := use(t, v, nil, "-drop", "api"); err != nil {
		t.Fatal(err)
	}
	sources, _ = secrets.ParseSources(v["S"])
	if got := sources["api"]; len(got) != 2 || !strings.HasPrefix(got[0], "whsec_") || got[0] == "whsec_b2xk" || got[1] != fresh || sources["hubspot"][0] != "x" {
		t.Errorf("dropped: %v", sources)
	}
	if _, err := use(t, v, nil, "-drop", "pipedrive"); err == nil {
		t.Error("dropped from a source that has none")
	}
}

// Stripe, HubSpot and Shopify show secrets of their own making.
func TestSecretThatASenderShowsIsAskedForAndPutInFront(t *testing.T) {
	t.Parallel()
	const fresh, old = "whsec_hunter2hunter2hunter2", "whsec_oldoldoldold"
	v := vault{"S": `{"api":["x"],"stripe":["` + old + `"]}`}
	p := &person{t: t, answers: []string{fresh}}
	out, err := use(t, v, p, "-set", "stripe")
	sources, _ := secrets.ParseSources(v["S"])
	if err != nil || !slices.Equal(sources["stripe"], []string{fresh, old}) || len(sources["api"]) != 1 {
		t.Errorf("stored %s, %v", v["S"], err)
	}
	if len(p.hidden) != 1 || !strings.Contains(p.hidden[0], "Source stripe takes the endpoint's signing secret") || strings.Contains(out, "hunter2") || !strings.Contains(out, "at once") {
		t.Errorf("hidden: %v, said %s", p.hidden, out)
	}
	before := v["S"]
	for source, answer := range map[string]string{"stripe": "", "api": "whsec_###hunter2", "close": "hunter2hunter2", "pipedrive": "hunter2"} {
		if _, err := use(t, v, &person{t: t, answers: []string{answer}}, "-set", source); err == nil || v["S"] != before ||
			strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "source "+source+" takes ") {
			t.Errorf("%q for %s: %v, stored %s", answer, source, err, v["S"])
		}
	}
	for _, source := range []string{"hunter2", "cognito"} { // nothing is asked
		if _, err := use(t, v, &person{t: t}, "-set", source); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", source, err)
		}
	}
	if _, err := use(t, v, &person{t: t, answers: []string{old}}, "-set", "stripe"); err != nil {
		t.Fatal(err)
	}
	if sources, _ = secrets.ParseSources(v["S"]); !slices.Equal(sources["stripe"], []string{old, fresh}) {
		t.Errorf("one that is there already: %v", sources["stripe"])
	}
}

// A function that runs has to notice, and it doesn't ask for what is closed.
func TestItIsSaidWhenASecretBeginsToWork(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ stored, says string }{
		"one that is open": {`{"api":["old"]}`, "at once"},
		"one that was not": {`{"api":[]}`, "within 5 minutes"},
	} {
		if out, err := use(t, vault{"S": test.stored}, nil, "-add", "api"); err != nil || !strings.Contains(out, test.says) {
			t.Errorf("%s: said %s, %v", name, out, err)
		}
	}
	if out, err := use(t, vault{"S": "{}"}, &person{t: t, answers: []string{""}}); err != nil || !strings.Contains(out, "within 5 minutes") {
		t.Errorf("the first: said %s, %v", out, err)
	}
}

func TestBrokenSecretIsNotOverwritten(t *testing.T) {
	t.Parallel()
	v := vault{"S": "hunter2"}
	if _, err := use(t, v, nil, "-add", "api"); err == nil || v["S"] != "hunter2" || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v, stored %s", err, v["S"])
	}
}

func TestOutputsOfAnotherStack(t *testing.T) {
	t.Parallel()
	for _, outputs := range []string{"", "nonsense", "[]", `[{"OutputKey":"Url","OutputValue":"x"}]`} {
		if _, err := parse([]string{"-outputs", outputs}); err == nil {
			t.Errorf("%q is taken", outputs)
		}
	}
}
