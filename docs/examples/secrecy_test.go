package main_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
)

// Everybody on a machine can read the command lines of its processes. The one
// example that starts others must give them its secrets some other way.
func TestBashExampleKeepsSecretsOffCommandLines(t *testing.T) {
	t.Parallel()
	e := examples["bash"]
	e.require(t)
	s := start(t)
	encoded := strings.TrimPrefix(s.settings.secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	path := "PATH=" + noting(t, dir, log) + ":" + os.Getenv("PATH")
	s.vendor.Inject(exoteltest.Create, exoteltest.RateLimit("1"))
	e.run(t, s.settings, "acme|1", company, path).signup(t)
	bearing := s.settings
	bearing.secret = ""
	e.run(t, bearing, "acme|1", company, path).signup(t)

	lines, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{encoded, hex.EncodeToString(key), string(key), "Bearer", "v1,"} {
		if strings.Contains(string(lines), part) {
			t.Errorf("%q is on a command line:\n%s", part, lines)
		}
	}
	for _, call := range []string{"curl -sS", "openssl dgst", "/signups/acme%7C1"} {
		if !strings.Contains(string(lines), call) {
			t.Errorf("%q was not noted:\n%s", call, lines)
		}
	}
}

// noting makes programs that write their command lines to a log, and then are the
// real ones.
func noting(t *testing.T, dir, log string) string {
	t.Helper()
	for _, program := range []string{"curl", "openssl", "od", "tr", "cut", "cksum", "date", "grep", "tail", "mktemp", "rm", "sleep", "cat"} {
		file, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		script := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"%s $*\" >>'%s'\nexec '%s' \"$@\"\n", program, log, file)
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
