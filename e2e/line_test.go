//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	gatewayevents "github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/events"
)

// lineID is the signup of events/signup-line.json.
const lineID = "northwind-7"

// whole has all that a signup can ask for beside its trunk, by HTTP; then more of
// it, then something else.
func whole(t *testing.T, s *stack) {
	s.finish(t, lineID, sampleBody(t, "signup-line"))
	active(t, s, lineID)
	steps := s.steps(t, lineID)
	if len(steps) != 8 {
		t.Fatalf("the steps are %+v", steps)
	}
	password(t, s, steps[6])

	s.finish(t, lineID, sampleBody(t, "signup-line-more"))
	if more := s.steps(t, lineID); len(more) != 10 {
		t.Errorf("with more, they are %+v", more)
	}
	atExotel(t, s, "+912247788868 pstn", "+912247788869 flow", "+912247788870 pstn", "8.8.8.0/24", "9.9.9.9/32",
		"sip.acme.com:5061;transport=tls", "9.9.9.9:5060", "sip2.acme.com:5061;transport=tls", "northwind Head_office", "trunk_external_alias +912247788868")

	other := strings.Replace(sampleBody(t, "signup-line"), "flow", "pstn", 1)
	if a := s.postSignup(t, other); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"field":"phone_numbers"`) {
		t.Errorf("another mode: %d %s", a.status, a.body)
	}
}

// sampleBody is what an event of events/ sends.
func sampleBody(t *testing.T, name string) string {
	t.Helper()
	content, err := events.Files.ReadFile(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var event gatewayevents.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(content, &event); err != nil {
		t.Fatal(err)
	}
	return event.Body
}

func (s *stack) postSignup(t *testing.T, body string) answer {
	t.Helper()
	return s.send(t, http.MethodPost, "/signups", "Bearer "+s.bearer, body)
}

// finish sends a signup until it is active.
func (s *stack) finish(t *testing.T, id, body string) {
	t.Helper()
	s.untilActive(t, id, func() {
		if a := s.postSignup(t, body); a.status != http.StatusOK && a.status != http.StatusCreated && a.status != http.StatusAccepted {
			t.Fatalf("%s: %d %s", id, a.status, a.body)
		}
	})
}

// step is one as the API shows it.
type step struct {
	Step, Value, Status string
	PasswordAt          string `json:"password_at"`
}

// steps are those of an active signup, of which each must be done.
func (s *stack) steps(t *testing.T, id string) []step {
	t.Helper()
	var shown struct {
		Status string
		Steps  []step
	}
	a := s.send(t, http.MethodGet, "/signups/"+id, "Bearer "+s.bearer, "")
	if err := json.Unmarshal([]byte(a.body), &shown); err != nil || a.status != http.StatusOK || shown.Status != "active" ||
		slices.ContainsFunc(shown.Steps, func(s step) bool { return s.Status != "done" }) {
		t.Fatalf("%s: %d %s", id, a.status, a.body)
	}
	return shown.Steps
}

// password holds what is kept against what Exotel was given.
func password(t *testing.T, s *stack, credential step) {
	t.Helper()
	record, err := s.ledger.Get(t.Context(), lineID)
	if err != nil {
		t.Fatal(err)
	}
	want := s.outputs.must(t, "PasswordsPath") + "/" + record.TrunkName + "/northwind"
	if credential.Step != "credential" || credential.PasswordAt != want {
		t.Fatalf("the credential is %+v; its password should be at %s", credential, want)
	}
	var found struct{ Parameter struct{ Type, Value string } }
	in := map[string]any{"Name": want, "WithDecryption": true}
	if err := s.emulator.clients.SSM.Call(t.Context(), "GetParameter", in, &found); err != nil {
		t.Fatal(err)
	}
	sent := s.fake.Line(record.TrunkSID).Credentials
	if found.Parameter.Type != "SecureString" || !regexp.MustCompile(`^[A-Z2-7]{26}$`).MatchString(found.Parameter.Value) ||
		len(sent) != 1 || sent[0].Password != found.Parameter.Value {
		t.Errorf("kept is a %s of %d characters; what Exotel was given is the same: %t", found.Parameter.Type, len(found.Parameter.Value),
			len(sent) == 1 && sent[0].Password == found.Parameter.Value)
	}
	if item, err := json.Marshal(record); err != nil || strings.Contains(string(item), found.Parameter.Value) {
		t.Errorf("the password is in the item, or %v", err)
	}
}

// atExotel holds all that the trunk has against what it should have, each once.
func atExotel(t *testing.T, s *stack, want ...string) {
	t.Helper()
	record, err := s.ledger.Get(t.Context(), lineID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	line := s.fake.Line(record.TrunkSID)
	for _, number := range line.PhoneNumbers {
		got = append(got, number.PhoneNumber+" "+string(number.Mode))
	}
	for _, ip := range line.WhitelistedIPs {
		got = append(got, fmt.Sprintf("%s/%d", ip.IP, ip.Mask))
	}
	for _, destination := range line.DestinationURIs {
		got = append(got, strings.TrimPrefix(destination.Destination, "sip:"))
	}
	for _, credential := range line.Credentials {
		got = append(got, credential.UserName+" "+credential.FriendlyName)
	}
	for _, setting := range line.Settings {
		got = append(got, setting.Name+" "+setting.Value)
	}
	slices.Sort(got)
	slices.Sort(want)
	same(t, "what the trunk has", got, want)
}
