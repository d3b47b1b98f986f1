//go:build !race

package sources_test

import "testing"

// What 20 kB from HubSpot may allocate on their way to a signup: a tenth more than
// they did when this was written (docs/benchmarks.md).
//
//nolint:paralleltest // allocations are counted while nothing else runs
func TestAllocationsOfAMapping(t *testing.T) {
	s, body := source(t, "hubspot"), []byte(contact())
	allocations := testing.AllocsPerRun(20, func() {
		if events, err := s.Read("application/json", body); err != nil || len(events) != 1 || events[0].Fault != nil {
			t.Error(events, err)
		}
	})
	if allocations > 1640 {
		t.Errorf("%v allocations", allocations)
	}
}
