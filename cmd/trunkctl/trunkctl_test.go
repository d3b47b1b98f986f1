package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// wants checks a command's end, and a part of each of its streams.
func (e ended) wants(t *testing.T, code int, out, err string) {
	t.Helper()
	if e.code != code || !regexp.MustCompile(out).MatchString(e.out) || !regexp.MustCompile(err).MatchString(e.err) {
		t.Errorf("exit code %d, want %d\nout:\n%s\nwant %s\nerr:\n%s\nwant %s", e.code, code, e.out, out, e.err, err)
	}
}

func TestSignupsAreListedAndShown(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	l.pending(t, "acme-50")
	l.trunkctl(t, "", "list").wants(t, exitOK, `(?s)SIGNUP +STATUS.*acme-42 +active +trmum1\w+ +dev_\w+.*acme-50 +pending +- .*outcome unknown.*northwind-7`, `^$`)
	l.trunkctl(t, "", "list", "--status", "pending").wants(t, exitOK, `^SIGNUP.*\nacme-50 .*\n$`, `^$`)
	var records []provision.Record
	if err := json.Unmarshal([]byte(l.trunkctl(t, "", "list", "-o", "json").out), &records); err != nil || len(records) != 3 {
		t.Errorf("%d records, %v", len(records), err)
	}
	l.trunkctl(t, "", "show", "northwind-7").wants(t, exitOK, `(?s)status +active.*STEP +VALUE.*phone_number.*credential .*done.*passwords`, `^$`)
	var record provision.Record
	if err := json.Unmarshal([]byte(l.trunkctl(t, "", "show", "northwind-7", "--output", "json").out), &record); err != nil || len(record.Steps) == 0 {
		t.Errorf("%+v, %v", record, err)
	}
	exported := l.trunkctl(t, "", "export")
	exported.wants(t, exitOK, `(?s)"signup_id":"acme-42".*"signup_id":"northwind-7"`, `^$`)
	if n := strings.Count(exported.out, "\n"); n != 3 {
		t.Errorf("%d lines", n)
	}
}

func TestExitCodesSayWhatHappened(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	l.pending(t, "acme-50")
	l.trunkctl(t, "", "show", "nobody").wants(t, exitNotFound, `^$`, `^trunkctl: nobody: no such signup\n$`)
	l.trunkctl(t, "", "retry", "nobody", "-y").wants(t, exitNotFound, `^$`, `no such signup`)
	l.trunkctl(t, "", "adopt", "acme-50", "trmum1nothing", "-y").wants(t, exitNotFound, `^$`, `there is no such trunk`)
	l.trunkctl(t, "", "retry", "acme-42", "--yes").wants(t, exitNotNow, `^$`, `the signup is settled: it is active`)
	l.trunkctl(t, "n\n", "retry", "acme-50").wants(t, exitDeclined, `^$`, `Try acme-50 now\? \[y/N\]`)
	l.trunkctl(t, "", "retry", "acme-50").wants(t, exitDeclined, `^$`, `--yes confirms`)
	l.trunkctl(t, "", "reject", "acme-50", "-y").wants(t, exitUsage, ``, `--reason`)
	l.trunkctl(t, "", "list", "--status", "done").wants(t, exitUsage, `^$`, `no such status`)
	l.trunkctl(t, "", "no-such-command").wants(t, exitUsage, ``, `unexpected argument`)
	l.trunkctl(t, "", "list", "--outputs", "[]").wants(t, exitUsage, `^$`, `one of them`)
	l.trunkctl(t, "", "list", "--local", "/no/such/folder").wants(t, exitUsage, `^$`, `make run starts one`)
	l.trunkctl(t, "", "--help").wants(t, exitOK, `(?s)list.*audit`, `^$`)
	nowhere := local{}
	nowhere.trunkctl(t, "", "list").wants(t, exitUsage, `^$`, `which system\?`)
	if record := l.record(t, "acme-50"); record.Status != provision.StatusPending {
		t.Errorf("got %+v", record)
	}
}

func TestChangesAreDoneOnceConfirmedAndLogged(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	for _, id := range []string{"acme-50", "acme-51", "acme-52"} {
		l.pending(t, id)
	}
	byHand := l.trunk(t, "made_by_hand")
	l.trunkctl(t, "y\n", "retry", "acme-50", "--reason", "ticket 7").wants(t, exitOK, `(?s)status +active.*trunk +trmum1`,
		`"msg":"change","command":"retry","on":"acme-50","who":"asha","why":"ticket 7","outcome":"created"`)
	l.trunkctl(t, "", "reject", "acme-51", "--reason", "a test of ours", "--yes").wants(t, exitOK, `(?s)status +rejected.*last error +a test of ours`,
		`"command":"reject","on":"acme-51","who":"asha","why":"a test of ours","outcome":"rejected"`)
	l.trunkctl(t, "", "adopt", "acme-52", byHand, "--yes").wants(t, exitOK, `trunk +`+byHand, `"command":"adopt".*"outcome":"adopted"`)
	l.trunkctl(t, "", "adopt", "acme-52", byHand, "--yes").wants(t, exitNotNow, `^$`, `"error":"the signup is settled`)
	if record := l.record(t, "acme-52"); record.TrunkSID != byHand {
		t.Errorf("got %+v", record)
	}
}

func TestAuditFindsAndMendsInTheLocalSystem(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	l.trunkctl(t, "", "audit", "--lines").wants(t, exitOK, `: 2 trunks, 0 of them foreign; 2 signups.*\nnothing is wrong`, `^$`)
	l.trunk(t, l.pending(t, "acme-50").TrunkName)
	gone := l.record(t, "acme-42").TrunkSID
	if _, err := l.exotel.Trunks.Delete(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	foreign := l.trunk(t, "Head_Office")
	l.trunkctl(t, "", "audit").wants(t, exitLeft, `(?s)1 of them foreign.*missing +acme-42.*replace.*unrecorded +acme-50.*adopt`, `2 of 2 findings`)
	l.trunkctl(t, "n\n", "audit", "--fix").wants(t, exitDeclined, `missing`, `Mend 2 of 2 findings\? \[y/N\]`)
	l.trunkctl(t, "", "audit", "--fix", "--yes", "--reason", "after the outage").wants(t, exitOK, `2 mended`,
		`(?s)"command":"audit","on":"missing acme-42 `+gone+`: replace","who":"asha","why":"after the outage","outcome":"mended".*unrecorded acme-50`)
	l.trunkctl(t, "", "audit", "-o", "json").wants(t, exitOK, `"findings": \[\]`, `^$`)
	if again := l.record(t, "acme-42"); again.TrunkSID == gone || again.Status != provision.StatusActive {
		t.Errorf("got %+v", again)
	}
	if page, err := l.exotel.PhoneNumbers.List(t.Context(), foreign, exotel.PageOptions{}); err != nil || len(page.PhoneNumbers) != 0 {
		t.Errorf("the foreign trunk: %v", err)
	}
}

// Ctrl-C at a question is a no at once.
func TestQuestionIsInterrupted(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	l.pending(t, "acme-50")
	command, stderr := l.command(t, "retry", "acme-50")
	answers, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Close()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); !strings.Contains(stderr.String(), "[y/N]") && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // its code is looked at
	if code := command.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(stderr.String(), "trunkctl: interrupted") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if record := l.record(t, "acme-50"); record.Attempts != 1 {
		t.Errorf("got %+v", record)
	}
}
