//go:build !race

package exotel

import "testing"

// What Exotel's answers to a create may allocate: a tenth more than they did when this
// was written (docs/benchmarks.md).
//
//nolint:paralleltest // allocations are counted while nothing else runs
func TestAllocationsOfAnAnswer(t *testing.T) {
	for file, most := range map[string]float64{"create_success.json": 109, "duplicate_inner.json": 76} {
		body := vendor(t, file)
		allocations := testing.AllocsPerRun(100, func() { _, _ = decode(200, body, oneTrunk(new(Trunk))) })
		if allocations > most {
			t.Errorf("%s: %v allocations, more than %v", file, allocations, most)
		}
	}
}
