package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	gatewayevents "github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/events"
	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/internal/sender"
	"github.com/trunkhook/trunkhook/provision"
)

// story tells a person at a terminal what happens.
type story struct {
	mu  sync.Mutex
	out io.Writer
}

func newStory(out io.Writer) *story { return &story{out: out} }

func (s *story) printf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, format, args...)
}

func (s *story) begin(addr string, o options, known int, v vendor) {
	s.printf("trunkhook runs on http://%s, and shows itself there in a browser\n\n  table   %s/%s (%d active signups)\n  Exotel  %s\n  log     %s/log.jsonl\n  SIP     %s/%s (a file for the password of each credential)\n",
		addr, o.dataDir, v.tableFile, known, v.where, o.dataDir, o.dataDir, v.passwords)
	if v.warning != "" {
		s.printf("\n  WARNING: %s\n", v.warning)
	}
}

// samples are sent at the first start.
var samples = []struct{ title, file string }{
	{"The sample signup of events/signup.json:", "signup.json"},
	{"The same once more:", "signup.json"},
	{"One that asks for numbers, addresses, destinations, a credential and a caller id, events/signup-line.json:", "signup-line.json"},
}

// sample sends the sample signups.
func (s *story) sample(ctx context.Context, h *handler.Handler) error {
	for _, sample := range samples {
		content, err := events.Files.ReadFile(sample.file)
		if err != nil {
			return err
		}
		var event gatewayevents.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(content, &event); err != nil {
			return fmt.Errorf("events/%s is broken: %w", sample.file, err)
		}
		s.printf("\n%s\n", sample.title)
		ctx, cancel := context.WithTimeout(ctx, functionTimeout)
		answer, _ := h.Handle(ctx, event) // its error is always nil
		cancel()
		s.printf("  %-13s HTTP %d %s\n", "answered", answer.StatusCode, answer.Body)
	}
	return nil
}

func (s *story) yourTurn(addr, dataDir string) {
	s.printf(`
Send your own:
  curl -sS http://%[1]s/signups -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/json' -d '{"signup_id": "acme-43", "company": "Acme Telecom"}'

Or one with a number, and an address that may call (send it again with more, and they are added):
  curl -sS http://%[1]s/signups -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/json' -d '{"signup_id": "acme-45", "company": "Acme Telecom", "phone_numbers": ["+912247788880"], "whitelisted_ips": ["9.9.9.9"]}'

Look one up:
  curl -sS http://%[1]s/signups/acme-43 -H 'Authorization: Bearer %[2]s'

Or sign it, from a program (docs/examples has it in Go, Node, Python and bash):
  TRUNKHOOK_URL=http://%[1]s TRUNKHOOK_TOKEN=%[2]s TRUNKHOOK_SIGNING_SECRET=%[3]s python3 docs/examples/signup.py acme-44 'Acme Telecom'

Webhooks of CRMs go to http://%[1]s/webhooks/<source>. Each source has an example secret here:
%[4]s
  make send SOURCE=hubspot      sends one, signed as HubSpot would

What an operator does:
  go run ./cmd/trunkctl --local %[5]s list      (docs/operations.md has the other commands)

Ctrl-C stops it.
`, addr, bearer, signing, exampleSecrets(), dataDir)
}

// exampleSecrets are those of the webhooks' sources, a line each.
func exampleSecrets() string {
	secrets := sender.Secrets()
	var b strings.Builder
	for _, source := range slices.Sorted(maps.Keys(secrets)) {
		if source != "api" {
			fmt.Fprintf(&b, "  %-22s %s\n", source, secrets[source][0])
		}
	}
	return b.String()
}

// tell says what a delivery or a try came to, step by step. A share of the call
// budget that was had is not worth a line.
func (s *story) tell(who string, r provision.Result) {
	var b strings.Builder
	for _, step := range r.Steps {
		if step.Name == provision.StepBudget && step.Err == nil {
			continue
		}
		fmt.Fprintf(&b, "  %-13s %-16s %8s  %s\n", step.Start.Local().Format("15:04:05.000"), stepName(step, r.Outcome), milliseconds(step.Duration), stepEnd(step))
	}
	fmt.Fprintf(&b, "  %-13s %s: %s", who, r.Record.SignupID, r.Outcome)
	if r.Record.TrunkSID != "" {
		fmt.Fprintf(&b, ", trunk_sid %s", r.Record.TrunkSID)
	}
	if r.Problem != nil {
		fmt.Fprintf(&b, "; %v", r.Problem.Err)
	}
	s.printf("%s\n", b.String())
}

// stepName is the step in the past tense.
func stepName(step provision.Step, outcome provision.Outcome) string {
	switch {
	case step.Name == provision.StepClaim && outcome == provision.OutcomeReplayed:
		return "looked up" // the claim was refused, and told why
	case step.Name == provision.StepClaim && (outcome == provision.OutcomeInProgress || outcome == provision.OutcomeConflict):
		return "not claimed"
	case step.Vendor && step.Err != nil:
		return step.Name
	}
	return cmp.Or(pastTense[step.Name], step.Name)
}

var pastTense = map[string]string{ //nolint:gosec // names of steps
	provision.StepClaim: "claimed", provision.StepExtend: "extended", provision.StepPin: "pinned", provision.StepAttach: "trunk recorded",
	provision.StepMark: "marked as sent", provision.StepPassword: "password kept", provision.StepRecord: "recorded", provision.StepRelease: "given back",
	provision.StepProve: "recorded as dry",
	"create trunk":      "created", "list trunks": "listed",
	"map phone number": "number mapped", "update phone number": "number changed", "list phone numbers": "numbers listed",
	"whitelist ip": "ip whitelisted", "list whitelisted ips": "ips listed",
	"add destination uris": "destinations set", "list destination uris": "uris listed",
	"create credential": "credential made", "update credential": "credential set", "list credentials": "users listed",
	"set settings": "caller id set",
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func stepEnd(step provision.Step) string {
	switch {
	case step.Err != nil:
		return step.Err.Error()
	case step.Vendor:
		return fmt.Sprintf("HTTP %d, Exotel's request %s", step.HTTPStatus, step.RequestID)
	}
	return ""
}

// narrator is the engine, with its story told.
type narrator struct {
	*provision.Engine
	story *story
}

func (n *narrator) Provision(ctx context.Context, s provision.Signup, within time.Duration) (provision.Result, error) {
	result, err := n.Engine.Provision(ctx, s, within)
	if err == nil {
		n.story.tell("delivery", result)
	}
	return result, err
}

func (n *narrator) Delete(ctx context.Context, signupID string, generation int, reason string, within time.Duration) (provision.Result, error) {
	result, err := n.Engine.Delete(ctx, signupID, generation, reason, within)
	if err == nil {
		n.story.tell("deletion", result)
	}
	return result, err
}

func (n *narrator) Reconcile(ctx context.Context) (provision.Pass, error) {
	pass, err := n.Engine.Reconcile(ctx)
	for _, result := range pass.Results {
		n.story.tell("retry", result)
	}
	return pass, err
}
