package simulation_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// stats are what a run of many schedules met.
type stats struct {
	schedules int
	calls     int                        // at any port
	trunks    int                        // made for signups
	things    map[provision.StepKind]int // of lines, added to trunks
	doubled   int                        // of them, because the table was wiped
	together  int                        // calls to the vendor for a trunk that somebody else was asking for
	virtual   time.Duration              // in all
	slowest   time.Duration              // from the end of the faults until all was settled
	faults    [faultKinds]int
	writes    map[string]int // that held
	outcomes  map[provision.Outcome]int
	settled   map[provision.Status]int // how signups with a line ended
	deleted   int                      // trunks
	watched   int                      // trunks that came while their signup was being deleted
	resent    int                      // destinations and credentials, after the wait
	alarms    map[provision.Alarm]int
}

func newStats() *stats {
	return &stats{things: map[provision.StepKind]int{}, settled: map[provision.Status]int{}, writes: map[string]int{}, outcomes: map[provision.Outcome]int{}, alarms: map[provision.Alarm]int{}}
}

func (s *stats) add(other *stats) {
	s.schedules += other.schedules
	s.calls += other.calls
	s.trunks += other.trunks
	s.together += other.together
	s.virtual += other.virtual
	s.slowest = max(s.slowest, other.slowest)
	for f, n := range other.faults {
		s.faults[f] += n
	}
	s.doubled += other.doubled
	s.resent += other.resent
	s.deleted += other.deleted
	s.watched += other.watched
	addCounts(s.things, other.things)
	addCounts(s.settled, other.settled)
	addCounts(s.writes, other.writes)
	addCounts(s.outcomes, other.outcomes)
	addCounts(s.alarms, other.alarms)
}

func addCounts[K comparable](to, from map[K]int) {
	for key, n := range from {
		to[key] += n
	}
}

// String is for people.
func (s *stats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d schedules, %.0f days of virtual time, %d calls, %d trunks made; settled at the latest %v after the faults ended\n",
		s.schedules, s.virtual.Hours()/24, s.calls, s.trunks, s.slowest.Round(time.Second))
	for f := noFault + 1; f < faultKinds; f++ {
		fmt.Fprintf(&b, "  fault: %-32s %d\n", f, s.faults[f])
	}
	printCounts(&b, "added", s.things)
	fmt.Fprintf(&b, "  %-38s %d\n", "marked once more, after the wait", s.resent)
	fmt.Fprintf(&b, "  %-38s %d\n", "there twice, by a wiped table", s.doubled)
	fmt.Fprintf(&b, "  %-38s %d\n", "trunks deleted", s.deleted)
	fmt.Fprintf(&b, "  %-38s %d\n", "made while being deleted", s.watched)
	printCounts(&b, "a line ended", s.settled)
	printCounts(&b, "written", s.writes)
	printCounts(&b, "told", s.outcomes)
	printCounts(&b, "alarm", s.alarms)
	return b.String()
}

func printCounts[K ~string](b *strings.Builder, what string, counts map[K]int) {
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(b, "  %-38s %d\n", what+": "+string(key), counts[key])
	}
}

// checkCoverage: a fault that never happens proves nothing, nor does an end that
// is never reached.
func (s *stats) checkCoverage(t *testing.T) {
	t.Helper()
	for f := noFault + 1; f < faultKinds; f++ {
		if s.faults[f] == 0 {
			t.Errorf("no schedule met the fault %q", f)
		}
	}
	for _, outcome := range []provision.Outcome{
		provision.OutcomeCreated, provision.OutcomeAdopted, provision.OutcomeReplayed, provision.OutcomePending,
		provision.OutcomeInProgress, provision.OutcomeConflict, provision.OutcomeRejected, provision.OutcomeCompleted,
		provision.OutcomeDeleting, provision.OutcomeDeleted,
	} {
		if s.outcomes[outcome] == 0 {
			t.Errorf("nobody was told %q", outcome)
		}
	}
	for _, write := range []string{"claim", "claim of an import", "take over", "pin", "activate", "release", "release to the search", "reject", "extend", "attach", "mark", "delete", "bury", "restart"} {
		if s.writes[write] == 0 {
			t.Errorf("nothing was written by %q", write)
		}
	}
	if s.deleted == 0 || s.watched == 0 {
		t.Errorf("%d trunks were deleted, %d came while their signup was being deleted", s.deleted, s.watched)
	}
	s.checkLineCoverage(t)
}

func (s *stats) checkLineCoverage(t *testing.T) {
	t.Helper()
	for _, kind := range []provision.StepKind{provision.KindPhoneNumber, provision.KindWhitelistedIP, provision.KindDestinationURI, provision.KindCredential, provision.KindCallerID} {
		if s.things[kind] == 0 {
			t.Errorf("no trunk was given a %s", kind)
		}
	}
	if s.settled[provision.StatusActive] == 0 || s.settled[provision.StatusIncomplete] == 0 || s.resent == 0 {
		t.Errorf("lines ended %v, %d things were sent again", s.settled, s.resent)
	}
}
