package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	gatewayevents "github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/events"
	"github.com/trunkhook/trunkhook/handler"
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
	s.printf("trunkhook runs on http://%s\n\n  table   %s/%s (%d active signups)\n  Exotel  %s\n  log     %s/log.jsonl\n", addr, o.dataDir, v.tableFile, known, v.where, o.dataDir)
	if v.warning != "" {
		s.printf("\n  WARNING: %s\n", v.warning)
	}
}

const sampleFile = "signup.json"

// sample sends the sample signup, twice.
func (s *story) sample(ctx context.Context, h *handler.Handler) error {
	content, err := events.Files.ReadFile(sampleFile)
	if err != nil {
		return err
	}
	var event gatewayevents.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(content, &event); err != nil {
		return fmt.Errorf("events/%s is broken: %w", sampleFile, err)
	}
	for _, title := range []string{"The sample signup of events/" + sampleFile + ":", "The same once more:"} {
		s.printf("\n%s\n", title)
		ctx, cancel := context.WithTimeout(ctx, functionTimeout)
		answer, _ := h.Handle(ctx, event) // its error is always nil
		cancel()
		s.printf("  %-13s HTTP %d %s\n", "answered", answer.StatusCode, answer.Body)
	}
	return nil
}

func (s *story) yourTurn(addr string) {
	s.printf(`
Send your own:
  curl -sS http://%[1]s/signups -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/json' -d '{"signup_id": "acme-43", "company": "Acme Telecom"}'

Look one up:
  curl -sS http://%[1]s/signups/acme-43 -H 'Authorization: Bearer %[2]s'

Or sign it, from a program (docs/examples has it in Go, Node, Python and bash):
  TRUNKHOOK_URL=http://%[1]s TRUNKHOOK_TOKEN=%[2]s TRUNKHOOK_SIGNING_SECRET=%[3]s python3 docs/examples/signup.py acme-44 'Acme Telecom'

Ctrl-C stops it.
`, addr, bearer, signing)
}

// tell says what a delivery or a try came to, step by step.
func (s *story) tell(who string, r provision.Result) {
	var b strings.Builder
	for _, step := range r.Steps {
		fmt.Fprintf(&b, "  %-13s %-11s %8s  %s\n", step.Start.Local().Format("15:04:05.000"), stepName(step, r.Outcome), milliseconds(step.Duration), stepEnd(step))
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
	return map[string]string{
		provision.StepClaim: "claimed", provision.StepPin: "pinned", provision.StepRecord: "recorded", provision.StepRelease: "given back",
		provision.StepBudget: "budgeted",
		"create trunk":       "created", "list trunks": "listed",
	}[step.Name]
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

func (n *narrator) Reconcile(ctx context.Context) (provision.Pass, error) {
	pass, err := n.Engine.Reconcile(ctx)
	for _, result := range pass.Results {
		n.story.tell("retry", result)
	}
	return pass, err
}
