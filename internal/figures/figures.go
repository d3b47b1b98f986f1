// Package figures names the metrics of trunkhook, and says which of them a log line
// carries. docs/operations.md has the same table for people.
package figures

import (
	"log/slog"
	"time"

	"github.com/trunkhook/trunkhook/internal/metrics"
	"github.com/trunkhook/trunkhook/provision"
)

// The metrics, by name.
const (
	Signups             = "Signups"
	UnknownOutcomes     = "UnknownOutcomes"
	VendorCalls         = "VendorCalls"
	VendorErrors        = "VendorErrors"
	VendorUnauthorized  = "VendorUnauthorized"
	VendorThrottled     = "VendorThrottled"
	CreatesRefused      = "CreatesRefused"
	VendorLatency       = "VendorLatency"
	BudgetWaits         = "BudgetWaits"
	RequestDuration     = "RequestDuration"
	BadSignatures       = "BadSignatures"
	UnusableEvents      = "UnusableEvents"
	NotTaken            = "NotTaken"
	ColdStarts          = "ColdStarts"
	PendingSignups      = "PendingSignups"
	StuckSignups        = "StuckSignups"
	OldestPendingSignup = "OldestPendingSignup"
)

// The dimensions. All three have few values: names of functions, the engine's outcomes,
// the configured sources.
const (
	FunctionName = "FunctionName"
	Outcome      = "Outcome"
	Source       = "Source"
)

var (
	byFunction = [][]string{{FunctionName}}
	bySignup   = [][]string{{FunctionName, Outcome}, {FunctionName, Source}}
	byOutcome  = bySignup[:1] // where the source isn't known
	oneSignup  = []metrics.Metric{{Name: Signups, Unit: metrics.Count, Value: 1}}
)

// Counts are what one line has to tell. What is zero is not told.
type Counts struct {
	Outcome provision.Outcome // what a signup came to; counted if the engine has such an outcome
	Source  string            // of that signup, as configured; never what a stranger sent
	Vendor  provision.Figures

	RequestDuration time.Duration
	BadSignatures   int
	UnusableEvents  int
	NotTaken        int
	ColdStarts      int
}

// ofSignup tells whether the outcome is a signup's, by the engine. No other becomes a dimension.
func (c Counts) ofSignup() bool {
	switch c.Outcome {
	case provision.OutcomeCreated, provision.OutcomeAdopted, provision.OutcomeCompleted, provision.OutcomeReplayed, provision.OutcomePending,
		provision.OutcomeInProgress, provision.OutcomeConflict, provision.OutcomeRejected, provision.OutcomeDeleting, provision.OutcomeDeleted,
		provision.OutcomeDry:
		return true
	}
	return false
}

// hasSource tells whether the source has the form of a source's name. A record may have
// none, and in one that an older version made of an operator's file it is what the file
// said; a dimension that CloudWatch doesn't take would cost the line all its metrics.
func (c Counts) hasSource() bool { return provision.ValidSource(c.Source) }

// withDimensions adds those of the line, for the function of that name.
func (c Counts) withDimensions(attrs []slog.Attr, function string) []slog.Attr {
	attrs = append(attrs, slog.String(FunctionName, function))
	if c.ofSignup() {
		attrs = append(attrs, slog.String(Outcome, string(c.Outcome)))
		if c.hasSource() {
			attrs = append(attrs, slog.String(Source, c.Source))
		}
	}
	return attrs
}

// groups are the counts as metrics; none where there is nothing to count.
func (c Counts) groups() []metrics.Group {
	groups := make([]metrics.Group, 0, 2)
	if counted := c.counted(); len(counted) > 0 {
		groups = append(groups, metrics.Group{Dimensions: byFunction, Metrics: counted})
	}
	switch {
	case !c.ofSignup():
	case !c.hasSource():
		groups = append(groups, metrics.Group{Dimensions: byOutcome, Metrics: oneSignup})
	default:
		groups = append(groups, metrics.Group{Dimensions: bySignup, Metrics: oneSignup})
	}
	return groups
}

func (c Counts) counted() []metrics.Metric {
	counted := make([]metrics.Metric, 0, 8)
	count := func(name string, n int) {
		if n > 0 {
			counted = append(counted, metrics.Metric{Name: name, Unit: metrics.Count, Value: float64(n)})
		}
	}
	if c.RequestDuration > 0 {
		counted = append(counted, metrics.Metric{Name: RequestDuration, Unit: metrics.Milliseconds, Value: milliseconds(c.RequestDuration)})
	}
	count(ColdStarts, c.ColdStarts)
	count(BadSignatures, c.BadSignatures)
	count(UnusableEvents, c.UnusableEvents)
	count(NotTaken, c.NotTaken)
	count(VendorCalls, c.Vendor.Calls)
	if c.Vendor.Calls > 0 {
		counted = append(counted, metrics.Metric{Name: VendorLatency, Unit: metrics.Milliseconds, Values: latencies(c.Vendor.Latencies)})
	}
	count(VendorErrors, c.Vendor.Errors)
	count(VendorUnauthorized, c.Vendor.Unauthorized)
	count(VendorThrottled, c.Vendor.RateLimited)
	count(CreatesRefused, c.Vendor.Refused)
	count(UnknownOutcomes, c.Vendor.Unknown)
	count(BudgetWaits, c.Vendor.BudgetSpent)
	return counted
}

func latencies(durations []time.Duration) []float64 {
	values := make([]float64, len(durations))
	for i, d := range durations {
		values[i] = milliseconds(d)
	}
	return values
}

// milliseconds are to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Backlog is what is left to do: how many signups are pending, how many of them for a
// day, and for how long the oldest.
type Backlog struct {
	Pending, Stuck int
	Oldest         time.Duration
}

func (b Backlog) group() metrics.Group {
	return metrics.Group{Dimensions: byFunction, Metrics: []metrics.Metric{
		{Name: PendingSignups, Unit: metrics.Count, Value: float64(b.Pending)},
		{Name: StuckSignups, Unit: metrics.Count, Value: float64(b.Stuck)},
		{Name: OldestPendingSignup, Unit: metrics.Seconds, Value: b.Oldest.Seconds()},
	}}
}
