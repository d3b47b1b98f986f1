//go:build !race

package ledger_test

import (
	"testing"

	"github.com/trunkhook/trunkhook/ledger"
)

// What the writes of a new signup may allocate, without the SDK: a tenth more than
// they did when this was written (docs/benchmarks.md).
//
//nolint:paralleltest // allocations are counted while nothing else runs
func TestAllocationsOfAWrite(t *testing.T) {
	most := map[string]float64{"claim": 42, "activate": 80}
	for name, write := range writes(ledger.New(&echo{item: written}, "signups")) {
		allocations := testing.AllocsPerRun(100, func() {
			if _, holds, err := write(t.Context()); !holds || err != nil {
				t.Error(name, holds, err)
			}
		})
		if allocations > most[name] {
			t.Errorf("%s: %v allocations, more than %v", name, allocations, most[name])
		}
	}
}
