//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/internal/sender"
	"github.com/trunkhook/trunkhook/ledger"
)

// stack is a deployed one, with an Exotel of its own.
type stack struct {
	emulator *emulator
	name     string
	prefix   string
	built    string // the built template
	fake     *exoteltest.Server
	outputs  outputs
	url      string
	ledger   *ledger.Ledger
	bearer   string
}

type outputs map[string]string

// build is sam build, for the architecture of this machine. It returns the
// built template.
func build(t *testing.T, e *emulator) string {
	t.Helper()
	defer lap(t, "sam build")()
	dir := t.TempDir()
	t.Setenv("CGO_ENABLED", "0")
	t.Setenv("GOFLAGS", variable(t, "E2E_GOFLAGS"))
	e.run(t, variable(t, "E2E_SAM"), "build", "--build-dir", dir, "--parameter-overrides", "Architecture="+architecture())
	return filepath.Join(dir, "template.yaml")
}

// deploy deploys a new stack, puts its secrets in, and makes its routes.
func deploy(t *testing.T, e *emulator, built, name, prefix string) *stack {
	t.Helper()
	s := &stack{emulator: e, name: name, prefix: prefix, built: built, fake: exoteltest.Start(t), bearer: "e2e-bearer-" + name}
	s.update(t)
	done := lap(t, "routes, which MiniStack doesn't take out of the template")
	s.python(t, "routes")
	done()
	s.putSecrets(t)
	s.url = fmt.Sprintf("%s/_aws/execute-api/%s/$default", e.url, s.outputs.must(t, "ApiId"))
	s.ledger = ledger.New(e.clients.DynamoDB, s.outputs.must(t, "SignupsTable"))
	return s
}

// publicURL is what senders would call, and what HubSpot signs.
const publicURL = "https://hooks.example.com"

// update is sam deploy, with the settings that an environment has, and others.
func (s *stack) update(t *testing.T, overrides ...string) {
	t.Helper()
	s.sam(t, "--no-confirm-changeset", overrides...)
	s.readOutputs(t)
}

// sam is sam deploy, as far as that option says.
func (s *stack) sam(t *testing.T, option string, overrides ...string) {
	t.Helper()
	defer lap(t, "sam deploy "+option+" "+s.name)()
	args := []string{
		"deploy", "--template-file", s.built, "--config-file", filepath.Join(dynamotest.Root(), "samconfig.toml"), "--stack-name", s.name,
		option, "--no-fail-on-empty-changeset", "--no-progressbar", "--parameter-overrides",
		"Architecture=" + architecture(), "TrunkPrefix=" + s.prefix, "ExotelBaseUrl=" + s.fake.URL,
		"PublicUrl=" + publicURL, "MetricMathAlarms=false", // which the emulator refuses
	}
	s.emulator.run(t, variable(t, "E2E_SAM"), append(args, overrides...)...)
}

// resources are the stack's physical ids, by logical ones.
func (s *stack) resources(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	if err := json.Unmarshal([]byte(s.python(t, "resources")), &found); err != nil || len(found) == 0 {
		t.Fatalf("%d resources: %v", len(found), err)
	}
	return found
}

// changes is the change set that waits, such as "Modify WebhookFunction". A version's
// logical id ends with a hash, which is cut; what would be replaced says so.
func (s *stack) changes(t *testing.T) map[string]bool {
	t.Helper()
	var list []struct{ Action, LogicalResourceId, ResourceType, Replacement string }
	if err := json.Unmarshal([]byte(s.python(t, "changes")), &list); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, c := range list {
		name := c.LogicalResourceId
		if before, _, is := strings.Cut(name, "Version"); is && c.ResourceType == "AWS::Lambda::Version" {
			name = before + "Version"
		}
		if c.Replacement == "True" || c.Replacement == "Conditional" {
			name += " with another"
		}
		found[c.Action+" "+name] = true
	}
	return found
}

// processed is the template as CloudFormation gets it.
func (s *stack) processed(t *testing.T) template {
	t.Helper()
	var p template
	raw := s.python(t, "template")
	if err := json.Unmarshal([]byte(raw), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func (s *stack) rawOutputs(t *testing.T) string {
	t.Helper()
	return s.emulator.run(t, variable(t, "E2E_SAM"), "list", "stack-outputs", "--stack-name", s.name, "--output", "json")
}

func (s *stack) readOutputs(t *testing.T) {
	t.Helper()
	var list []struct{ OutputKey, OutputValue string }
	if err := json.Unmarshal([]byte(s.rawOutputs(t)), &list); err != nil {
		t.Fatal(err)
	}
	s.outputs = outputs{}
	for _, output := range list {
		s.outputs[output.OutputKey] = output.OutputValue
	}
}

// putSecrets goes the way of make secrets, from files.
func (s *stack) putSecrets(t *testing.T) {
	t.Helper()
	defer lap(t, "make secrets, from files")()
	config := s.fake.Config()
	known := sender.Secrets()
	known["api"] = []string{s.bearer}
	sources, err := json.Marshal(known)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"exotel.json":  fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":"api.exotel.com"}`, config.APIKey, config.APIToken, config.AccountSID),
		"sources.json": string(sources),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.emulator.run(t, "go", "run", "./cmd/secrets", "-outputs", s.rawOutputs(t), "-exotel-url", s.fake.URL,
		"-exotel-file", filepath.Join(dir, "exotel.json"), "-sources-file", filepath.Join(dir, "sources.json"))
}

// answer is what a sender sees.
type answer struct {
	status int
	header http.Header
	body   string
	Status any    `json:"status"`
	SID    string `json:"trunk_sid"`
}

// send is one HTTP request to the deployed API.
func (s *stack) send(t *testing.T, method, path, authorization, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Content-Type", "application/json")
	resp, text := request(t, r)
	a := answer{status: resp.StatusCode, header: resp.Header, body: text}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatalf("%s %s: %d %s: %v", method, path, resp.StatusCode, text, err)
	}
	return a
}

// request sends it, and reads the whole answer.
func request(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func (s *stack) signUp(t *testing.T, id string) answer {
	t.Helper()
	return s.send(t, http.MethodPost, "/signups", "Bearer "+s.bearer, fmt.Sprintf(`{"signup_id":%q,"company":"Acme Telecom"}`, id))
}

// architecture is this machine's, as Lambda calls it.
func architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}
