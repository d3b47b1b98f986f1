//go:build !race

package handler_test

import (
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/handler/sources"
)

// What a request may allocate, outside of the engine: a tenth more than it did when
// this was written (docs/benchmarks.md).
//
//nolint:paralleltest // allocations are counted while nothing else runs
func TestAllocationsOfARequest(t *testing.T) {
	h := benchHandler(sources.Set{})
	for name, test := range map[string]struct {
		event events.APIGatewayV2HTTPRequest
		most  float64
	}{
		"bearer": {signUp(acme), 57},
		"signed": {sign(t, signing, "msg_1", now, acme), 77},
		"status": {get("/signups/acme-42", "Bearer local"), 35},
	} {
		allocations := testing.AllocsPerRun(100, func() {
			if answer, _ := h.Handle(t.Context(), test.event); answer.StatusCode > 201 {
				t.Error(answer)
			}
		})
		if allocations > test.most {
			t.Errorf("%s: %v allocations, more than %v", name, allocations, test.most)
		}
	}
}
