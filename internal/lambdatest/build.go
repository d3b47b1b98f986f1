package lambdatest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

var builds sync.Map // command -> func() (string, error)

// Build builds a command as it is deployed (static, stripped, no RPC), for this
// machine, once for each test process, and returns the file.
func Build(t testing.TB, command string) string {
	t.Helper()
	once, _ := builds.LoadOrStore(command, sync.OnceValues(func() (string, error) { return build(command) }))
	file, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// built is a folder for as long as the test process lives; Clean removes it.
var built = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "trunkhook-bootstrap-") })

// Clean removes what was built; call it at the end of TestMain.
func Clean() {
	if dir, err := built(); err == nil {
		_ = os.RemoveAll(dir)
	}
}

func build(command string) (string, error) {
	dir, err := built()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, command, "bootstrap")
	_, here, _, _ := runtime.Caller(0)
	goBuild := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w", "-o", file, "./cmd/"+command)
	goBuild.Dir = filepath.Join(filepath.Dir(here), "..", "..")
	goBuild.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := goBuild.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/%s: %w\n%s", command, err, output)
	}
	return file, nil
}
