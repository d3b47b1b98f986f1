//go:build !race

package verify_test

import (
	"bytes"
	"testing"
)

// What authentication may allocate, with two secrets of which the second fits: a tenth
// more than it did when this was written (docs/benchmarks.md). HubSpot's third way signs
// two forms of an address.
//
//nolint:paralleltest // allocations are counted while nothing else runs
func TestAllocationsOfAuthentication(t *testing.T) {
	for name, s := range senders {
		most := 26.0
		if name == "hubspot-v3" {
			most = 56
		}
		r := s.send(t, bytes.Repeat([]byte("a=0123456789abcdef&"), 20_000/19))
		r.Secrets = append([]string{"whsec_b2xkZXIga2V5IG9mIHRoaXMgb25l"}, r.Secrets...)
		kind := newKind(t, s.options)
		allocations := testing.AllocsPerRun(100, func() {
			if !kind(r) {
				t.Errorf("%s: refused", name)
			}
		})
		if allocations > most {
			t.Errorf("%s: %v allocations, more than %v", name, allocations, most)
		}
	}
}
