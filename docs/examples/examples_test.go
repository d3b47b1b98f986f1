package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	lambdatest.Clean()
	_ = os.RemoveAll(builtDir)
	os.Exit(code)
}

// An example is a program that signs up: how it is run, and what has to be here
// for that.
type example struct {
	programs []string
	command  func(t *testing.T, id, company string) []string
}

var examples = map[string]example{
	"bash": {[]string{"bash", "curl", "openssl"}, func(t *testing.T, id, company string) []string {
		body, err := json.Marshal(map[string]string{"signup_id": id, "company": company})
		if err != nil {
			t.Fatal(err)
		}
		return []string{"bash", "signup.sh", string(body)}
	}},
	"Go":     {[]string{"go"}, func(t *testing.T, id, company string) []string { return []string{goExample(t), id, company} }},
	"Node":   {[]string{"node"}, func(_ *testing.T, id, company string) []string { return []string{"node", "signup.mjs", id, company} }},
	"Python": {[]string{"python3"}, func(_ *testing.T, id, company string) []string { return []string{"python3", "signup.py", id, company} }},
}

// each runs a test for every example whose programs are here.
func each(t *testing.T, test func(t *testing.T, e example)) {
	t.Helper()
	for name, e := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e.require(t)
			test(t, e)
		})
	}
}

// require skips the test where a program isn't here, or fails it if REQUIRE_ENGINES=1.
func (e example) require(t *testing.T) {
	t.Helper()
	for _, program := range e.programs {
		_, err := exec.LookPath(program)
		switch {
		case err == nil:
		case os.Getenv("REQUIRE_ENGINES") == "1":
			t.Fatalf("there is no %s here", program)
		default:
			t.Skipf("there is no %s here", program)
		}
	}
}

var builtDir string

// built is the Go example as a file, for as long as the test process lives.
var built = sync.OnceValues(func() (file string, err error) {
	if builtDir, err = os.MkdirTemp("", "trunkhook-example-"); err != nil {
		return "", err
	}
	file = filepath.Join(builtDir, "signup")
	output, err := exec.Command("go", "build", "-buildvcs=false", "-o", file, "signup.go").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, output)
	}
	return file, err
})

func goExample(t *testing.T) string {
	t.Helper()
	file, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// settings are what an example reads from its environment.
type settings struct{ url, token, secret string }

// ended is how a run of an example did.
type ended struct {
	code           int
	took           time.Duration
	stdout, stderr string
}

// run lets an example sign up.
func (e example) run(t *testing.T, s settings, id, company string, more ...string) ended {
	t.Helper()
	command := e.command(t, id, company) // may have to be built, which takes its time
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	process := exec.CommandContext(ctx, command[0], command[1:]...)
	var stdout, stderr bytes.Buffer
	process.Stdout, process.Stderr = &stdout, &stderr
	process.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + t.TempDir(),
		"TRUNKHOOK_URL=" + s.url, "TRUNKHOOK_TOKEN=" + s.token, "TRUNKHOOK_SIGNING_SECRET=" + s.secret,
	}, more...)
	began := time.Now()
	err := process.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ended{process.ProcessState.ExitCode(), time.Since(began), stdout.String(), stderr.String()}
}

// signup is the answer that an example prints at last.
func (e ended) signup(t *testing.T) map[string]string {
	t.Helper()
	var signup map[string]string
	if err := json.Unmarshal([]byte(e.stdout), &signup); err != nil || e.code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", e.code, e.stdout, e.stderr)
	}
	return signup
}

const (
	company = `Ünïcode "Télécom" & $Söhne 🚀`
	nobody  = "whsec_bm90IHRoZSBrZXkgb2YgYW55Ym9keQ=="
)

func TestExamplesSignUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e example) {
		s := start(t)
		signing, bearing := s.settings, s.settings
		signing.url += "/" // a slash too many does no harm
		bearing.secret = ""
		first, again := e.run(t, signing, "acme|1", company).signup(t), e.run(t, bearing, "acme|1", company).signup(t)
		if first["status"] != "active" || first["trunk_sid"] == "" || first["company"] != company {
			t.Errorf("got %v", first)
		}
		if first["trunk_sid"] != again["trunk_sid"] || len(s.vendor.Trunks()) != 1 {
			t.Errorf("then %v; %d trunks", again, len(s.vendor.Trunks()))
		}
	})
}

// Everything at once: an outage, an answer that is lost although the signup was
// taken, a 202 whose Location is relative, and an outage while it is followed.
func TestExamplesPutUpWithWhatCanHappen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e example) {
		s := start(t)
		s.vendor.Inject(exoteltest.Create, exoteltest.RateLimit("8"))
		way := badWay(t, s.settings.url)
		s.settings.url = way.url
		signup := e.run(t, s.settings, "acme|1", company).signup(t)
		if signup["status"] != "active" || signup["trunk_sid"] == "" || len(s.vendor.Trunks()) != 1 {
			t.Errorf("got %v; %d trunks", signup, len(s.vendor.Trunks()))
		}
		want := "POST outage, POST lost, POST 202, GET outage, GET 200"
		if got := way.log(); !strings.HasPrefix(got, want) {
			t.Errorf("the way saw %s; want %s", got, want)
		}
	})
}

func TestExamplesEndWhereTheyAreRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e example) {
		s := start(t)
		wrong := s.settings
		wrong.secret = nobody
		for _, test := range []struct {
			settings      settings
			company, want string
		}{{wrong, company, "401"}, {s.settings, " ", "422"}} {
			end := e.run(t, test.settings, "acme|1", test.company)
			if end.code == 0 || end.stdout != "" || !strings.Contains(end.stderr, test.want) || end.took > 20*time.Second {
				t.Errorf("exit code %d after %v\n%s\n%s\nwant %s", end.code, end.took, end.stdout, end.stderr, test.want)
			}
		}
	})
}
