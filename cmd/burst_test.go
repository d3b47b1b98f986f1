package cmd_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/provision"
)

// pace is that of a burst: how many signups come, each of them twice, and how many
// times as fast as in life.
type pace struct {
	signups, faster int
	alone           bool // on the machine, so that the rate is more the budget's than the machine's
}

// burstPace is BURST_SIGNUPS at sixty times the real pace, or what each run of the
// tests can bear beside all others.
func burstPace(t *testing.T) pace {
	t.Helper()
	value := os.Getenv("BURST_SIGNUPS")
	if value == "" {
		return pace{signups: 400, faster: 20}
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		t.Fatalf("BURST_SIGNUPS is %q", value)
	}
	return pace{signups: n, faster: 60, alone: true}
}

// The burst once more, with real processes and a real table: many times as fast,
// and so are the vendor's limits. (provision has it at its real pace.)
func TestBurstOverRealProcessesIsDrainedAtTheRateOfTheBudget(t *testing.T) {
	t.Parallel()
	pace := burstPace(t)
	budget, signups := 180*pace.faster, pace.signups
	c := newCloud(t)
	calls := "EXOTEL_CALLS_PER_MINUTE=" + strconv.Itoa(budget)
	var processes []*lambdatest.Process
	for range 4 {
		processes = append(processes, c.start("webhook", calls, "AWS_LAMBDA_LOG_LEVEL=WARN"))
	}
	reconciler := c.start("reconciler", calls)
	limits := exoteltest.VendorLimits
	limits.Per /= time.Duration(pace.faster)
	limits.BurstPer /= time.Duration(pace.faster)
	// A second's limit is one of a moment here, in which a machine that was busy lets all
	// come at once that is under way: a call of each webhook, and eight of the pass.
	limits.Burst += len(processes) + 8
	c.fake.SetLimits(limits)

	ids := signupIDs(signups)
	requests := slices.Concat(ids, ids)
	rand.Shuffle(len(requests), func(i, j int) { requests[i], requests[j] = requests[j], requests[i] })
	start := time.Now()
	answered := make(chan map[int]int, 1)
	go func() { answered <- deliverAll(t, processes, requests) }()
	time.Sleep(time.Second / 2)
	c.drain(reconciler, 5*time.Minute)
	statuses := <-answered
	delivered := time.Since(start)
	c.drain(reconciler, 5*time.Minute) // what came after the last pass

	made := c.fake.Calls()
	took := made[len(made)-1].At.Sub(made[0].At)
	share := float64(len(made)) / took.Minutes() / float64(budget)
	t.Logf("| processes, %d times as fast | %d in %.1f s | %s | %d | %d | %d | %.1f %% of %d a second | %.1f s |", pace.faster,
		len(requests), delivered.Seconds(), listed(statuses), len(c.fake.Trunks()), len(made), c.fake.Refused(), 100*share, budget/60, took.Seconds())
	if c.fake.Refused() != 0 {
		t.Errorf("%d times 429", c.fake.Refused())
	}
	// How near it comes to the whole budget is told in virtual time; a slow machine has no
	// such rate. Less than a half is another fault than that.
	if pace.alone && share < 0.5 {
		t.Errorf("drained at %.1f %% of the budget", 100*share)
	}
	if statuses[200]+statuses[201]+statuses[202] != len(requests) {
		t.Errorf("answers %v", statuses)
	}
	c.eachHasItsTrunk(ids)
}

// eachHasItsTrunk: none is lost, and none has two.
func (c *cloud) eachHasItsTrunk(ids []string) {
	c.t.Helper()
	byName := map[string]string{}
	for _, trunk := range c.fake.Trunks() {
		byName[trunk.Name] = trunk.SID
	}
	if n := len(c.fake.Trunks()); n != len(ids) || len(byName) != n {
		c.t.Errorf("%d trunks of %d names for %d signups", n, len(byName), len(ids))
	}
	for id, sid := range c.sids(ids) {
		if sid == "" || sid != byName[provision.TrunkName("tst", id)] {
			c.t.Errorf("%s has %q", id, sid)
		}
	}
}

// listed is how often there was which answer.
func listed(statuses map[int]int) string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		parts = append(parts, fmt.Sprintf("%d: %d", status, statuses[status]))
	}
	return strings.Join(parts, ", ")
}
