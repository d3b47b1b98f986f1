//go:build e2e

package e2e

import (
	"debug/elf"
	"path/filepath"
	"testing"
)

// static asserts that the functions are linked with nothing: what a build with cgo
// wants of the machine that it was made on is not what Lambda's has.
func static(t *testing.T, built string) {
	for _, function := range []string{"WebhookFunction", "ReconcilerFunction"} {
		file, err := elf.Open(filepath.Join(filepath.Dir(built), function, "bootstrap"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		for _, segment := range file.Progs {
			if segment.Type == elf.PT_INTERP {
				t.Errorf("%s is linked dynamically", function)
			}
		}
	}
}
