package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// written is a file with these lines.
func written(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signups.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSignupsAreSentAgainOnce(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	path := written(t,
		`{"signup_id":"acme-60","company":"Acme","phone_numbers":["+912247788890"]}`,
		`{"signup_id":"acme-61","company":"Acme"}`, "",
		`{"signup_id":"acme-62"}`, "no JSON",
		`{"signup_id":"acme-42","company":"Another"}`, `{"signup_id":"acme-63","company":"Acme","source":"the \"list\""}`)
	l.trunkctl(t, "", "replay", path).wants(t, exitDeclined, `^$`, `6 signups, 0 of them sent before\nSend 6 signups\?`)
	l.trunkctl(t, "", "replay", path, "--yes", "--reason", "a test").wants(t, exitLeft, `^2 complete, 0 taken and pending, 4 refused\n$`,
		`(?s)"on":"acme-60","who":"asha","why":"a test","outcome":"created".*line 4: .*company must not be empty.*line 5: it is not a JSON object.*line 6: .*other content.*line 7: .*source must be`)
	if record := l.record(t, "acme-60"); record.Status != provision.StatusActive || len(record.Steps) != 1 || record.Source != "trunkctl" {
		t.Errorf("got %+v", record)
	}
	l.trunkctl(t, "", "replay", path, "--yes").wants(t, exitLeft, `^0 complete, 0 taken and pending, 4 refused\n$`, `6 signups, 2 of them sent before`)
	// Killed in the middle of a line of the state: that signup is sent once more.
	state := path + ".replayed"
	if err := os.Truncate(state, 12); err != nil {
		t.Fatal(err)
	}
	l.trunkctl(t, "", "replay", path, "--yes").wants(t, exitLeft, `^1 complete`, `6 signups, 1 of them sent before`)
	other := written(t, `{"signup_id":"acme-70","company":"Acme"}`)
	l.trunkctl(t, "", "replay", other, "--state", state, "--yes").wants(t, exitUsage, `^$`, `the state of another file`)
	l.trunkctl(t, "", "replay", other+".no", "--yes").wants(t, exitUsage, `^$`, `no such file`)
}

// Ctrl-C in the middle: what has begun is finished and noted, and nothing is held.
func TestReplayThatIsInterruptedGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	const signups = 60 // beyond the budget's burst, so that it takes its time
	var lines []string
	for n := range signups {
		lines = append(lines, fmt.Sprintf(`{"signup_id":"acme-%d","company":"Acme"}`, 100+n))
	}
	path := written(t, lines...)
	command, stderr := l.command(t, "replay", path, "--yes")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); strings.Count(stderr.String(), "created") < 3 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // its code is looked at
	if code := command.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	content, err := os.ReadFile(path + ".replayed")
	if err != nil {
		t.Fatal(err)
	}
	sent := strings.Count(string(content), "\n")
	if sent < 3 || sent == signups {
		t.Errorf("%d sent", sent)
	}
	complete := 0
	for record, err := range l.table.All(t.Context()) {
		switch {
		case err != nil:
			t.Fatal(err)
		case record.Status == provision.StatusPending && record.LeaseUntil.After(time.Now()):
			t.Errorf("%s is held", record.SignupID)
		case record.Source == "trunkctl":
			complete++
		}
	}
	if complete != sent {
		t.Errorf("%d are on disk, %d noted", complete, sent)
	}
	l.trunkctl(t, "", "replay", path).wants(t, exitDeclined, `^$`, fmt.Sprintf(`60 signups, %d of them sent before`, sent))
}

// The restore drill: the table is lost, or as it was when only some of the signups were
// there, and what was exported, or what the CRM has, is sent again. Every record comes
// back with the trunk that it had.
func TestLostTableComesBack(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
	const signups, older = 10, 4
	var lines []string
	for n := range signups {
		lines = append(lines, fmt.Sprintf(`{"signup_id":"acme-%d","company":"Acme","whitelisted_ips":["9.9.9.%d"]}`, n, n))
	}
	c.trunkctl(t, "replay", written(t, lines...), "--yes").wants(t, exitOK, `10 complete`, ``)
	exported := strings.TrimSpace(c.trunkctl(t, "export").out)
	before := map[string]string{}
	for _, trunk := range c.fake.Trunks() {
		before[trunk.Name] = trunk.SID
	}
	for name, test := range map[string]struct {
		there int
		lines []string
	}{
		"nothing, and an export":                 {0, []string{exported}},
		"nothing, and the CRM's list":            {0, lines},
		"an older point in time, and an export":  {older, []string{exported}},
		"an older point in time, and CRM's list": {older, lines},
	} {
		restored := c.withEmptyTable(t)
		if test.there > 0 {
			restored.trunkctl(t, "replay", written(t, lines[:test.there]...), "--yes").wants(t, exitOK, ` 0 refused`, ``)
			restored.trunkctl(t, "audit", "--fix", "--yes").wants(t, exitLeft, `orphan`, ``)
		}
		restored.trunkctl(t, "audit").wants(t, exitLeft, fmt.Sprintf(`(orphan .*\n){%d}$`, signups-test.there), fmt.Sprintf(`%[1]d of %[1]d findings`, signups-test.there))
		restored.trunkctl(t, "replay", written(t, test.lines...), "--yes", "--reason", "restore").wants(t, exitOK, ` 0 refused`, `"outcome":"adopted"`)
		restored.trunkctl(t, "audit", "--fix", "--yes").wants(t, exitOK, ``, ``) // what the search would have found
		restored.trunkctl(t, "audit", "--lines").wants(t, exitOK, `nothing is wrong`, ``)
		for n := range signups {
			record, err := restored.table.Get(t.Context(), fmt.Sprint("acme-", n))
			if err != nil || record.TrunkSID != before[record.TrunkName] || len(c.fake.Line(record.TrunkSID).WhitelistedIPs) != 1 {
				t.Errorf("%s: acme-%d: %+v, %v", name, n, record, err)
			}
		}
		if n := len(c.fake.Trunks()); n != signups {
			t.Errorf("%s: %d trunks", name, n)
		}
	}
}

// A trunk of another name is no orphan that a delivery would meet, and a signup that was
// rejected must not get one by a restore.
func TestExportBringsBackWhatAPersonDecided(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
	byHand := c.fake.Add(exotel.Trunk{Name: "Head_Office", DomainName: exotel.DomainName(exoteltest.DefaultAccountSID)})
	gone := `{"signup_id":"acme-3","company":"Acme","status":"active","trunk_sid":"trmum1gone"}`
	path := written(t, `{"signup_id":"acme-1","company":"Acme","status":"active","trunk_sid":"`+byHand+`"}`,
		`{"signup_id":"acme-2","company":"Acme","status":"rejected"}`, gone)
	c.trunkctl(t, "replay", path, "--yes").wants(t, exitLeft, `^1 complete, 0 taken and pending, 1 refused\n$`, `(?s)1 more are of signups that were ended for good, or dry.*line 3: there is no such trunk: trmum1gone`)
	if record, err := c.table.Get(t.Context(), "acme-1"); err != nil || record.TrunkSID != byHand {
		t.Errorf("%+v, %v", record, err)
	}
	c.trunkctl(t, "show", "acme-2").wants(t, exitNotFound, ``, ``)
	if n := len(c.fake.Trunks()); n != 1 {
		t.Errorf("%d trunks", n)
	}
}

// A dry signup was to show something of a system that is gone. It is listed, and sent
// nowhere; the audit has nothing to say of it.
func TestDrySignupsAreListedAndNotSentAgain(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	pending := l.pending(t, "smoke:1")
	l.trunkctl(t, "", "adopt", "smoke:1", l.record(t, "acme-42").TrunkSID, "--yes").wants(t, exitNotNow, `^$`, `a dry signup gets no trunk`)
	exported := strings.Split(strings.TrimSpace(l.trunkctl(t, "", "export").out), "\n")
	l.trunkctl(t, "", "retry", "smoke:1", "--yes").wants(t, exitOK, `(?s)status +dry\b`, `"outcome":"dry"`)
	l.trunkctl(t, "", "list", "--status", "dry").wants(t, exitOK, `^SIGNUP.*\nsmoke:1 +dry +- +`+pending.TrunkName+` .*\n$`, `^$`)
	l.trunkctl(t, "", "audit").wants(t, exitOK, `nothing is wrong`, `^$`)
	for name, lines := range map[string][]string{
		"as it was": exported, "as it is": strings.Split(strings.TrimSpace(l.trunkctl(t, "", "export").out), "\n"), "by hand": {`{"signup_id":"smoke:2","company":"A"}`},
	} {
		e := l.trunkctl(t, "", "replay", written(t, lines...), "--yes")
		e.wants(t, exitOK, ` 0 taken and pending, 0 refused\n$`, `1 more are of signups that were ended for good, or dry, and left out`)
		if strings.Contains(e.err, "smoke:") {
			t.Errorf("%s: %s", name, e.err)
		}
	}
	l.trunkctl(t, "", "import", "--yes", written(t, `{"signup_id":"smoke:3","company":"A","trunk_sid":"trmum1a"}`)).wants(t, exitUsage, `^$`, `line 1: the signup is dry`)
	if page, err := l.exotel.Trunks.List(t.Context(), exotel.ListOptions{}); err != nil || len(page.Trunks) != 2 {
		t.Errorf("%+v, %v; want those of the two samples", page, err)
	}
}

func TestTrunksMadeByHandAreImported(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	one, two := l.trunk(t, "Head_Office"), l.trunk(t, "Branch")
	taken := l.record(t, "acme-42").TrunkSID
	l.trunkctl(t, "", "import", "--yes", written(t,
		`{"signup_id":"acme-70","company":"Acme","trunk_sid":"`+one+`"}`, `{"signup_id":"acme-71","company":"Acme","trunk_sid":"`+one+`"}`,
		`{"signup_id":"acme-72","company":"Acme","trunk_sid":"`+taken+`"}`, `{"signup_id":"acme-73","company":"Acme"}`, `{"signup_id":"acme 74","company":"Acme","trunk_sid":"x"}`,
	)).wants(t, exitUsage, `^$`, `(?s)line 5: .*signup_id.*line 2: acme-70 has the trunk.*line 3: acme-42 has the trunk.*line 4: trunk_sid is missing.*4 lines can't be used; nothing was done`)
	path := written(t, `{"signup_id":"acme-70","company":"Acme","trunk_sid":"`+one+`"}`, `{"signup_id":"acme-71","company":"Acme","trunk_sid":"`+two+`","whitelisted_ips":["9.9.9.9"]}`,
		`{"signup_id":"acme-72","company":"Acme","trunk_sid":"trmum1nothing"}`)
	for range 2 {
		l.trunkctl(t, "", "import", path, "--yes").wants(t, exitLeft, `^2 complete, 0 taken and pending, 1 refused\n$`, `there is no such trunk: trmum1nothing`)
	}
	if record := l.record(t, "acme-71"); record.TrunkSID != two || record.Status != provision.StatusActive {
		t.Errorf("got %+v", record)
	}
	if page, err := l.exotel.Trunks.List(t.Context(), exotel.ListOptions{}); err != nil || len(page.Trunks) != 4 {
		t.Errorf("%+v, %v", page, err)
	}
	l.trunkctl(t, "", "audit").wants(t, exitOK, `nothing is wrong`, `^$`)
}

// rejected keeps what a sender sent, and returns its id.
func (l local) rejected(t *testing.T, source, payload string, faults ...provision.Fault) string {
	t.Helper()
	letter := provision.DeadLetter{Source: source, Payload: payload, Faults: faults, ReceivedAt: time.Now()}
	if err := l.table.KeepDeadLetter(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	return provision.DeadLetterID(letter.Key())
}

func TestRejectsAreReadAgainOnceTheMappingIsMended(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	missing := provision.Fault{Field: "company", Detail: "is missing"}
	mendable := l.rejected(t, "zoho", `{"signup_id":"572","firm":"Acme\u001b[31m"}`, missing)
	useless := l.rejected(t, "zoho", `{"signup_id":"573"}`, missing)
	broken := l.rejected(t, "salesforce-outbound", `{"Id":"1","Name":"A"}`, provision.Fault{Field: "event", Detail: "has a field twice"})
	l.trunkctl(t, "", "rejects").wants(t, exitOK, `(?s)ID +RECEIVED.*zoho#\w+ .* 1 +company is missing.*salesforce-outbound#`, `^$`)
	l.trunkctl(t, "", "rejects", "list", "--source", "zoho", "-o", "json").wants(t, exitOK, `(?s)"payload": "{\\"signup_id\\":\\"572`, `^$`)
	l.trunkctl(t, "", "rejects", "show", mendable).wants(t, exitOK, `(?s)fault +company is missing\npayload +\{"signup_id":"572"`, `^$`)
	l.trunkctl(t, "", "rejects", "show", "zoho#none").wants(t, exitNotFound, `^$`, `zoho#none`)
	l.trunkctl(t, "", "rejects", "replay", "--yes").wants(t, exitUsage, `^$`, `ids, or --all`)
	l.trunkctl(t, "", "rejects", "replay", "--yes", mendable).wants(t, exitLeft, `1 refused`, `company is missing`)
	mapping := `SOURCES_OVERRIDES={"zoho":{"company":"firm && 'Acme'"}}`
	e := execute(t, "", []string{"TRUNKCTL_LOCAL=" + l.dir, mapping}, "rejects", "replay", "--all", "--yes")
	e.wants(t, exitLeft, `1 complete, 0 taken and pending, 2 refused`, `(?s)"on":"`+mendable+` zoho:572".*"outcome":"created".*it was broken when it came`)
	if record := l.record(t, "zoho:572"); record.Status != provision.StatusActive || record.Source != "zoho" {
		t.Errorf("got %+v", record)
	}
	if left := l.trunkctl(t, "", "rejects"); strings.Contains(left.out, mendable) || !strings.Contains(left.out, useless) || !strings.Contains(left.out, broken) {
		t.Errorf("left:\n%s", left.out)
	}
	l.trunkctl(t, "", "rejects", "drop", useless, broken, "--yes", "--reason", "tests").wants(t, exitOK, `^$`, `"command":"rejects drop","on":"`+useless+`","who":"asha"`)
	l.trunkctl(t, "", "rejects", "drop", useless, "--yes").wants(t, exitNotFound, `^$`, useless)
	l.trunkctl(t, "", "rejects").wants(t, exitOK, `^ID +RECEIVED +TIMES +FAULTS\n$`, `^$`)
}
