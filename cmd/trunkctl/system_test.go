package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/door"
	"github.com/trunkhook/trunkhook/ledger/remote"
	"github.com/trunkhook/trunkhook/provision"
)

// programs is the folder with the two binaries, built once.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "trunkctl-test-")
	if err != nil {
		return "", err
	}
	for _, name := range []string{"local", "trunkctl"} {
		if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, name), "../"+name).CombinedOutput(); err != nil {
			return dir, errors.New(string(out))
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := programs(); dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// local is a running system of make run's, with the samples that it begins with.
type local struct {
	dir    string
	key    door.Key
	table  *remote.Client
	exotel *exotel.Client
}

func startLocal(t *testing.T) local {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	l := local{dir: t.TempDir()}
	command := exec.Command(filepath.Join(bin, "local"))
	command.Env = append(os.Environ(), "ADDR=127.0.0.1:0", "DATA_DIR="+l.dir, "EXOTEL_SECRET_FILE=", "TRUNK_PREFIX=", "EXOTEL_CALLS_PER_MINUTE=", "EXOTEL_BASE_URL=")
	var screen bytes.Buffer
	command.Stdout, command.Stderr = &screen, &screen
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		if err := <-ended; err != nil {
			t.Errorf("the system ended with %v", err)
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if l.key, err = door.Find(l.dir); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the system isn't ready: %v", err)
		}
	}
	about, err := l.key.Ask(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.table = remote.New(l.key.URL, l.key.Token)
	if l.exotel, err = exotel.New(exotel.Config{
		APIKey: exoteltest.DefaultAPIKey, APIToken: exoteltest.DefaultAPIToken, AccountSID: exoteltest.DefaultAccountSID, BaseURL: about.ExotelURL,
	}); err != nil {
		t.Fatal(err)
	}
	return l
}

// pending leaves a signup that is due in an hour.
func (l local) pending(t *testing.T, id string) provision.Record {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	s := provision.Signup{ID: id, Company: "Acme Telecom", Source: "api"}
	claim := provision.Claim{Signup: s, TrunkName: provision.TrunkName("dev", id), AccountSID: exoteltest.DefaultAccountSID, Owner: "killed", Now: now, LeaseUntil: now.Add(time.Minute)}
	if _, holds, err := l.table.Claim(t.Context(), claim); err != nil || !holds {
		t.Fatal(holds, err)
	}
	record, holds, err := l.table.Release(t.Context(), provision.Release{SignupID: id, Owner: "killed", Now: now, DueAt: now.Add(time.Hour), LastError: "exotel: create trunk: outcome unknown"})
	if err != nil || !holds {
		t.Fatal(holds, err)
	}
	return record
}

// trunk makes one by hand.
func (l local) trunk(t *testing.T, name string) string {
	t.Helper()
	trunk, err := l.exotel.Trunks.Create(t.Context(), exotel.CreateTrunkRequest{TrunkName: name, NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName(exoteltest.DefaultAccountSID)})
	if err != nil {
		t.Fatal(err)
	}
	return trunk.SID
}

func (l local) record(t *testing.T, id string) provision.Record {
	t.Helper()
	record, err := l.table.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// ended is what a command came to.
type ended struct {
	code     int
	out, err string
}

// trunkctl runs the binary on the local system.
func (l local) trunkctl(t *testing.T, stdin string, args ...string) ended {
	t.Helper()
	return execute(t, stdin, []string{"TRUNKCTL_LOCAL=" + l.dir}, args...)
}

// screen is what is written while somebody reads it.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// command is the binary on the local system, to be started, and its standard error.
func (l local) command(t *testing.T, args ...string) (*exec.Cmd, *screen) {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	command, stderr := exec.CommandContext(t.Context(), filepath.Join(bin, "trunkctl"), args...), new(screen)
	command.Env, command.Stderr = []string{"USER=asha", "TRUNKCTL_LOCAL=" + l.dir}, stderr
	return command, stderr
}

// execute runs the binary in that environment, where the SDK of AWS looks nowhere else.
func execute(t *testing.T, stdin string, env []string, args ...string) ended {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(bin, "trunkctl"), args...)
	command.Env = append([]string{"USER=asha", "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true"}, env...)
	command.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err = command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ended{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}
