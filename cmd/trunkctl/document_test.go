package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
	"github.com/trunkhook/trunkhook/provision/audit"
)

// operations is docs/operations.md.
func operations(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// codes are the examples that don't end with 0, as the document's own system stands.
var codes = map[string]int{"trunkctl audit": exitLeft}

// Every example of the document is run, in its order, by a shell, on a system that has
// what they are about.
func TestExamplesOfTheDocumentDoWhatTheySay(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	for _, id := range []string{"acme-50", "acme-51", "acme-52"} {
		l.pending(t, id)
	}
	l.trunk(t, l.pending(t, "acme-53").TrunkName) // the audit's
	imported := l.trunk(t, "Head_Office")
	missing := provision.Fault{Field: "company", Detail: "is missing"}
	work := t.TempDir()
	if err := os.WriteFile(filepath.Join(work, "trunks.jsonl"), fmt.Appendf(nil, `{"signup_id": "acme-70", "company": "Acme Telecom", "trunk_sid": %q}`+"\n", imported), 0o600); err != nil {
		t.Fatal(err)
	}
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	env := []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + work, "USER=asha", "TRUNKCTL_LOCAL=" + l.dir, "TRUNK_SID=" + l.trunk(t, "made_by_hand"),
		"REJECT=" + l.rejected(t, "zoho", `{"signup_id":"572","account":"Acme"}`, missing), "OTHER_REJECT=" + l.rejected(t, "zoho", `{}`, missing),
	}
	examples := regexp.MustCompile(`(?m)^    (trunkctl .*)$`).FindAllStringSubmatch(operations(t), -1)
	for _, example := range examples {
		command := exec.CommandContext(t.Context(), "sh", "-c", example[1])
		command.Env, command.Dir = env, work
		var out bytes.Buffer
		command.Stdout, command.Stderr = &out, &out
		_ = command.Run() // its code is looked at
		if code := command.ProcessState.ExitCode(); code != codes[example[1]] {
			t.Errorf("%s: exit code %d, want %d\n%s", example[1], code, codes[example[1]], out.String())
		}
	}
	for id, want := range map[string]provision.Status{
		"acme-50": provision.StatusActive, "acme-51": provision.StatusRejected, "acme-52": provision.StatusDeleting, "acme-53": provision.StatusActive,
		"acme-70": provision.StatusActive, "zoho:572": provision.StatusActive,
	} {
		if record := l.record(t, id); record.Status != want {
			t.Errorf("%s is %s", id, record.Status)
		}
	}
	if page, err := l.exotel.Trunks.List(t.Context(), exotel.ListOptions{}); err != nil || len(page.Trunks) != 6 {
		t.Errorf("%+v, %v; want those of two samples, acme-50, -53, -70 and zoho:572", page, err)
	}
}

// Each command, exit code and finding stands in the document.
func TestDocumentHasAllCommands(t *testing.T) {
	t.Parallel()
	document := operations(t)
	for _, command := range []string{"list", "show", "retry", "reject", "adopt", "delete", "import", "rejects", "rejects show", "rejects replay", "rejects drop", "replay", "export", "audit", "audit --fix"} {
		if !regexp.MustCompile(`(?m)^    trunkctl ` + command + `\b`).MatchString(document) {
			t.Errorf("no example of %s", command)
		}
	}
	help := local{}.trunkctl(t, "", "--help").out
	for _, line := range regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)?) `).FindAllStringSubmatch(help, -1) {
		if !strings.Contains(document, "trunkctl "+line[1]) && line[1] != "rejects list" {
			t.Errorf("the document lacks %s", line[1])
		}
	}
	for _, kind := range []audit.Kind{
		audit.KindOrphan, audit.KindUnrecorded, audit.KindLeftover, audit.KindSecond, audit.KindMissing, audit.KindDiffering, audit.KindUnfinished, audit.KindShared,
		audit.KindDoubledNumber, audit.KindDoubledAddress, audit.KindDoubledDestination, audit.KindNumberInTwo, audit.KindLacking,
	} {
		if !strings.Contains(document, "`"+string(kind)+"`") {
			t.Errorf("the document lacks the finding %s", kind)
		}
	}
	for _, code := range []int{exitOK, exitFailed, exitUsage, exitNotFound, exitLeft, exitNotNow, exitDeclined} {
		if !strings.Contains(document, fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("the document lacks the exit code %d", code)
		}
	}
}

// No screen shows a secret of the system's.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	l.pending(t, "acme-50")
	var passwords []string
	files, err := filepath.Glob(filepath.Join(l.dir, "passwords", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		passwords = append(passwords, string(content))
	}
	for _, args := range [][]string{
		{"list"},
		{"list", "-o", "json"},
		{"show", "northwind-7"},
		{"show", "northwind-7", "-o", "json"},
		{"export"},
		{"audit", "--lines"},
		{"audit", "-o", "json"},
		{"retry", "acme-50", "--yes"},
		{"adopt", "acme-50", "trmum1x", "--yes"},
		{"rejects"},
		{"--help"},
		{"list", "--local", l.dir + "x"},
	} {
		e := l.trunkctl(t, "", args...)
		for _, secret := range append(passwords, l.key.Token, exoteltest.DefaultAPIToken, exoteltest.DefaultAPIKey) {
			if strings.Contains(e.out+e.err, secret) {
				t.Errorf("%v shows a secret", args)
			}
		}
	}
}
