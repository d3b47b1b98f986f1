package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/passwords"
	"github.com/trunkhook/trunkhook/ledger/embedded"
)

// ofLine is what the tests look at in an answer.
type ofLine struct {
	Status string
	SID    string `json:"trunk_sid"`
	Steps  []struct {
		Step, Value, Status string
		PasswordAt          string `json:"password_at"`
	}
}

func (s system) signUp(t *testing.T, body string, want int) (answer ofLine) {
	t.Helper()
	status, text := s.curl(t, "POST", "/signups", body)
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != want {
		t.Fatalf("%s: %d %s, want %d", body, status, text, want)
	}
	return answer
}

// sample is what the first start sends.
const sample = `{"signup_id":"northwind-7","company":"Northwind Telecom"}`

func TestPasswordsAreKeptInFilesOfTheirOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, env(dir, "EXOTEL_CALLS_PER_MINUTE=0"))
	var at string
	for _, step := range s.signUp(t, sample, 200).Steps {
		at += step.PasswordAt
	}
	content, err := os.ReadFile(at)
	if err != nil || len(content) != 26 || filepath.Dir(at) != filepath.Join(dir, "passwords") {
		t.Fatalf("%s has %d characters, %v", at, len(content), err)
	}
	if info, err := os.Stat(at); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it is %v, %v", info.Mode(), err)
	}
	if log := read(t, filepath.Join(dir, "log.jsonl")); strings.Contains(s.screen.String()+log, string(content)) {
		t.Error("it is on the screen, or in the log")
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// The fake forgets all when it stops. A complete line, one of which Exotel refused
// something, and one that isn't done yet are there again when it starts.
func TestTheFakeIsRemindedOfLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, env(dir, "EXOTEL_CALLS_PER_MINUTE=0"))
	whole := s.signUp(t, sample, 200)
	incomplete := s.signUp(t, `{"signup_id":"acme-50","company":"A","whitelisted_ips":["8.8.4.4"],"destination_uris":["sip.acme.invalid:5060"]}`, 201)
	pending := s.signUp(t, `{"signup_id":"acme-51","company":"A","phone_numbers":["+912247788868","+912247788881"]}`, 202) // the first is the sample's
	if incomplete.Status != "incomplete" || pending.Status != "pending" {
		t.Fatalf("%+v\n%+v", incomplete, pending)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	v := vendor{isFake: true, fake: exoteltest.Start(t)}
	table, err := embedded.Open(filepath.Join(dir, "signups.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if active, err := v.remind(t.Context(), table, passwords.NewFiles(filepath.Join(dir, "passwords"))); err != nil || active != 2 {
		t.Fatalf("%d active, %v", active, err)
	}
	line := v.fake.Line(whole.SID)
	if password := read(t, whole.Steps[6].PasswordAt); len(line.Credentials) != 1 || line.Credentials[0].Password != password || line.Credentials[0].UserName != "northwind" {
		t.Errorf("the credentials are %+v", line.Credentials)
	}
	for what, same := range map[string]bool{
		"numbers": slices.EqualFunc(line.PhoneNumbers, []string{"+912247788868 pstn", "+912247788869 flow"}, func(p exotel.PhoneNumber, want string) bool {
			return p.ID != "" && p.PhoneNumber+" "+string(p.Mode) == want
		}),
		"addresses": slices.EqualFunc(line.WhitelistedIPs, []string{"8.8.8.0/24", "9.9.9.9/32"}, func(ip exotel.WhitelistedIP, want string) bool {
			prefix, ok := ip.Prefix()
			return ok && ip.ID != "" && prefix.String() == want
		}),
		"destinations": slices.EqualFunc(line.DestinationURIs, []string{"sip:9.9.9.9:5060", "sip:sip.acme.com:5061;transport=tls"}, func(d exotel.DestinationURI, want string) bool {
			return d.ID != "" && d.Destination == want
		}),
		"caller id": slices.Equal(line.Settings, []exotel.Setting{{Name: exotel.CallerIDAlias, Value: "+912247788868"}}),
	} {
		if !same {
			t.Errorf("the %s: %+v", what, line)
		}
	}
	if line := v.fake.Line(incomplete.SID); len(line.WhitelistedIPs) != 1 || len(line.DestinationURIs) != 0 {
		t.Errorf("the incomplete one has %+v", line)
	}
	if line := v.fake.Line(pending.SID); len(line.PhoneNumbers) != 1 || line.PhoneNumbers[0].PhoneNumber != "+912247788881" {
		t.Errorf("the pending one has %+v", line)
	}
}

func TestLineIsExtendedAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, env(dir, "EXOTEL_CALLS_PER_MINUTE=0"))
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, env(dir, "EXOTEL_CALLS_PER_MINUTE=0"))
	const more = `{"signup_id":"northwind-7","company":"Northwind Telecom","phone_numbers":["+912247788868","+912247788870"]}`
	if answer := second.signUp(t, more, 200); answer.Status != "active" || len(answer.Steps) != 9 || answer.Steps[2].Value != "+912247788870" || answer.Steps[2].Status != "done" {
		t.Errorf("got %+v", answer)
	}
	const other = `{"signup_id":"northwind-7","company":"Northwind Telecom","phone_numbers":[{"phone_number":"+912247788870","mode":"flow"}]}`
	if status, body := second.curl(t, "POST", "/signups", other); status != 422 || !strings.Contains(body, `"field":"phone_numbers"`) {
		t.Errorf("another mode: %d %s", status, body)
	}
}

// What runs on one's own machine has no CloudWatch to read metrics out of its log.
func TestLogOfTheLocalSystemHasNoMetrics(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, env(dir)).signUp(t, `{"signup_id":"metered","company":"Acme Telecom"}`, 201)
	log := read(t, filepath.Join(dir, "log.jsonl"))
	if !strings.Contains(log, `"outcome":"created"`) || strings.Contains(log, "_aws") || strings.Contains(log, "FunctionName") {
		t.Errorf("logged %s", log)
	}
}
