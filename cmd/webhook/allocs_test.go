//go:build !race

package main

import "testing"

// What a replay may allocate, with the SDK: a tenth more than it did when this was
// written (docs/benchmarks.md). The SDK's part is more than half, so that a new version
// may need another figure.
//
//nolint:paralleltest // allocations are counted while nothing else runs
func TestAllocationsOfAReplay(t *testing.T) {
	const most = 735
	replay := newReplay(t)
	if allocations := testing.AllocsPerRun(100, func() { replay.run(t) }); allocations > most {
		t.Errorf("%v allocations, more than %v", allocations, most)
	}
}
