package cmd_test

import (
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// One is pending since yesterday, and one since an hour ago; Exotel refuses both.
func TestSignupThatIsPendingForADayIsCountedAsStuckAndStaysPending(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.fake.Inject(exoteltest.Create, exoteltest.Fail(400), exoteltest.Fail(400))
	for id, age := range map[string]time.Duration{"old": provision.StuckAfter + time.Minute, "young": time.Hour} {
		then := time.Now().Add(-age)
		claim := provision.Claim{Signup: provision.Signup{ID: id, Company: "A"}, TrunkName: provision.TrunkName("tst", id), AccountSID: "exoteltest", Owner: "killed", Now: then, LeaseUntil: then.Add(time.Second)}
		if _, holds, err := c.ledger.Claim(t.Context(), claim); err != nil || !holds {
			t.Fatal(err)
		}
	}
	reconciler := c.start("reconciler")
	pass := func() map[string]any {
		t.Helper()
		if _, err := reconciler.Invoke(t.Context(), map[string]any{}, 30*time.Second); err != nil {
			t.Fatalf("%v\n%s", err, reconciler.Output())
		}
		return reconciler.LastLine(t)
	}
	line := pass()
	if line["StuckSignups"] != 1.0 || line["PendingSignups"] != 2.0 || line["OldestPendingSignup"].(float64) < provision.StuckAfter.Seconds() {
		t.Errorf("metrics %v", line)
	}
	for _, id := range []string{"old", "young"} {
		if record, err := c.ledger.Get(t.Context(), id); err != nil || record.Status != provision.StatusPending || record.LastError == "" {
			t.Errorf("%+v, %v", record, err)
		}
	}
}
