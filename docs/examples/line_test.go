package main_test

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
)

// The bodies that the bash example shows are taken, and it waits for all that the
// last one asks for.
func TestBashExampleSignsUpForALine(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("signup.sh")
	if err != nil {
		t.Fatal(err)
	}
	bodies := regexp.MustCompile(`(?m)^# .*bash signup\.sh '(.*)'$`).FindAllSubmatch(script, -1)
	if len(bodies) != 2 {
		t.Fatalf("it shows %d bodies", len(bodies))
	}
	s := start(t)
	s.vendor.Inject(exoteltest.WhitelistIP, exoteltest.RateLimit("3"))
	var answer struct {
		Status string
		SID    string `json:"trunk_sid"`
		Steps  []struct{ Step, Value, Status string }
	}
	for _, body := range bodies {
		e := example{examples["bash"].programs, func(*testing.T, string, string) []string { return []string{"bash", "signup.sh", string(body[1])} }}
		e.require(t)
		end := e.run(t, s.settings, "", "")
		if err := json.Unmarshal([]byte(end.stdout), &answer); err != nil || end.code != 0 || answer.Status != "active" {
			t.Fatalf("exit code %d\n%s\n%s", end.code, end.stdout, end.stderr)
		}
	}
	line := s.vendor.Line(answer.SID)
	if len(answer.Steps) != 2 || answer.Steps[0].Status != "done" || answer.Steps[1].Status != "done" || len(line.PhoneNumbers) != 1 || len(line.WhitelistedIPs) != 1 {
		t.Errorf("got %+v; Exotel has %+v", answer, line)
	}
}
