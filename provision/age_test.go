package provision_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// How long it is pending counts from when it became pending again, not from when the
// customer signed up.
func TestExtensionOfAnOldSignupIsYoung(t *testing.T) {
	t.Parallel()
	inLineBubble(t, func(t *testing.T, w *world, _ *passwords) {
		bare := wholeLine
		bare.Line = provision.Line{}
		w.order(t, bare)
		time.Sleep(90 * 24 * time.Hour)
		w.fake.Inject(exoteltest.MapPhoneNumber, exoteltest.Fail(http.StatusServiceUnavailable))
		result := w.order(t, wholeLine)
		if result.Outcome != provision.OutcomePending || result.Problem == nil || result.Problem.Alarm != "" {
			t.Errorf("%s, %+v", result.Outcome, result.Problem)
		}
		if in := time.Until(w.stored(t).DueAt); in > 5*time.Second {
			t.Errorf("due in %v", in)
		}
		backlog, err := w.ledger.Backlog(t.Context(), time.Now().Add(-provision.StuckAfter))
		if err != nil || backlog.Pending != 1 || backlog.Stuck != 0 || time.Since(backlog.Oldest) > time.Minute {
			t.Errorf("backlog %+v, %v", backlog, err)
		}
	})
}
