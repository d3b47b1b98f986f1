package figures_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/figures"
	"github.com/trunkhook/trunkhook/internal/metrics/metricstest"
	"github.com/trunkhook/trunkhook/provision"
)

// everything is a line's counts where there is something of all.
var everything = figures.Counts{
	Outcome: provision.OutcomeCreated, Source: "api",
	Vendor: provision.Figures{
		Calls: 9, Errors: 8, Unauthorized: 7, RateLimited: 6, Refused: 5, Unknown: 4, BudgetSpent: 3,
		Latencies: []time.Duration{1500 * time.Microsecond, time.Second},
	},
	RequestDuration: 2500 * time.Microsecond, BadSignatures: 1, UnusableEvents: 2, NotTaken: 10, ColdStarts: 11,
}

func written(write func(ctx context.Context, log figures.Log)) []byte {
	var out bytes.Buffer
	write(context.Background(), figures.Log{Logger: slog.New(slog.NewJSONHandler(&out, nil)), Function: "webhook"})
	return out.Bytes()
}

func lineOf(c figures.Counts) []byte {
	return written(func(ctx context.Context, log figures.Log) { log.Write(ctx, slog.LevelDebug, "request", nil, c) })
}

func backlogLine(b figures.Backlog) []byte {
	return written(func(ctx context.Context, log figures.Log) { log.WriteBacklog(ctx, b) })
}

func TestEveryCountIsAMetric(t *testing.T) {
	t.Parallel()
	got, err := metricstest.Totals(lineOf(everything))
	want := map[string]float64{
		"Signups Outcome=created": 1, "Signups Source=api": 1, "VendorCalls": 9, "VendorErrors": 8, "VendorUnauthorized": 7, "VendorThrottled": 6,
		"CreatesRefused": 5, "UnknownOutcomes": 4, "BudgetWaits": 3, "VendorLatency": 1001.5, "RequestDuration": 2.5,
		"BadSignatures": 1, "UnusableEvents": 2, "NotTaken": 10, "ColdStarts": 11,
	}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v\n got %v\nwant %v", err, got, want)
	}
}

func TestZerosOfTheBacklogAreWritten(t *testing.T) {
	t.Parallel()
	for _, b := range []figures.Backlog{{}, {Pending: 3, Stuck: 1, Oldest: 90 * time.Minute}} {
		got, err := metricstest.Totals(backlogLine(b))
		want := map[string]float64{"PendingSignups": float64(b.Pending), "StuckSignups": float64(b.Stuck), "OldestPendingSignup": b.Oldest.Seconds()}
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
}

func TestLineWithNothingToCountIsAsItWas(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := figures.Log{Logger: slog.New(slog.NewJSONHandler(&out, nil)), Function: "webhook"}
	log.Write(t.Context(), slog.LevelDebug, "pass", nil, figures.Counts{Source: "api", Outcome: "batch"})
	log.Write(t.Context(), slog.LevelInfo, "pass", nil, figures.Counts{Source: "api", Outcome: "batch"})
	if text := out.String(); strings.Count(text, "\n") != 1 || strings.Contains(text, "FunctionName") || strings.Contains(text, "_aws") {
		t.Errorf("logged %s", text)
	}
}

func TestNoFunctionNoMetrics(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := figures.Log{Logger: slog.New(slog.NewJSONHandler(&out, nil))}
	log.WriteBacklog(t.Context(), figures.Backlog{Pending: 1})
	log.Write(t.Context(), slog.LevelDebug, "request", nil, everything)
	log.Write(t.Context(), slog.LevelInfo, "request", []slog.Attr{slog.Int("status", 201)}, everything)
	if text := out.String(); strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, `"msg":"request","status":201}`+"\n") {
		t.Errorf("logged %s", text)
	}
}

// An old record may say anything of where its signup came from, or nothing.
func TestWhatIsNoSourcesNameIsNoDimension(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"", ":x", "Acme GmbH", "a\nb", strings.Repeat("a", 33), "ä"} {
		got, err := metricstest.Totals(lineOf(figures.Counts{Outcome: provision.OutcomeAdopted, Source: source}))
		if want := map[string]float64{"Signups Outcome=adopted": 1}; err != nil || !maps.Equal(got, want) {
			t.Errorf("%q: got %v, %v, want %v", source, got, err, want)
		}
	}
}

func TestEverySourceThatIsBuiltInIsADimension(t *testing.T) {
	t.Parallel()
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range append(set.Names(), "api", "jwt", "trunkctl") {
		got, err := metricstest.Totals(lineOf(figures.Counts{Outcome: provision.OutcomeAdopted, Source: source}))
		if err != nil || got["Signups Source="+source] != 1 {
			t.Errorf("%s: %v, %v", source, got, err)
		}
	}
}

// rows are those of the document's table of metrics, each as its cells.
func rows(t *testing.T) (rows [][]string, text string) {
	t.Helper()
	document, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(document), "\n## Metrics\n")
	text, _, _ = strings.Cut(after, "\n## ")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| `") {
			cells := strings.Split(strings.Trim(strings.ReplaceAll(line, "`", ""), "|\n "), " | ")
			rows = append(rows, cells)
		}
	}
	return rows, text
}

func TestDocumentHasTheMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	var documented []string
	table, _ := rows(t)
	for _, cells := range table {
		documented = append(documented, fmt.Sprintf("%s in %s by %s", cells[0], cells[1], cells[2]))
	}
	sets := make(map[string][]string)
	for _, line := range [][]byte{lineOf(everything), backlogLine(figures.Backlog{})} {
		points, err := metricstest.Extract(line)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range points {
			key := p.Name + " in " + p.Unit
			sets[key] = append(sets[key], strings.Join(slices.Sorted(maps.Keys(p.Dimensions)), ", "))
		}
	}
	var are []string
	for key, by := range sets {
		are = append(are, key+" by "+strings.Join(by, "; "))
	}
	slices.Sort(documented)
	slices.Sort(are)
	if !slices.Equal(documented, are) {
		t.Errorf("documented\n%s\nthere are\n%s", strings.Join(documented, "\n"), strings.Join(are, "\n"))
	}
}

// Each combination of dimensions is paid for; the document says how many there are at most.
func TestDocumentCountsTheCombinations(t *testing.T) {
	t.Parallel()
	table, text := rows(t)
	webhook, reconciler, outcomes := 0, 0, 0
	for _, cells := range table {
		lines := strings.Split(cells[3], ", ")
		switch {
		case cells[0] == figures.Signups:
			_, list, _ := strings.Cut(cells[4], "Outcome: ")
			for outcome := range strings.SplitSeq(list, ", ") {
				got, err := metricstest.Totals(lineOf(figures.Counts{Outcome: provision.Outcome(outcome)}))
				if err != nil || got["Signups Outcome="+outcome] != 1 {
					t.Errorf("the outcome %q: %v, %v", outcome, got, err)
				}
				outcomes++
			}
			continue
		case slices.Contains(lines, "request"):
			webhook++
		}
		if slices.Contains(lines, "reconciled") || slices.Contains(lines, "metrics") {
			reconciler++
		}
	}
	want := fmt.Sprintf("at most %d combinations (%d of the webhook function, %d of the reconciler, %d outcomes of each)", webhook+reconciler+2*outcomes, webhook, reconciler, outcomes)
	if outcomes == 0 || !strings.Contains(text, want) {
		t.Errorf("the document doesn't say %q", want)
	}
}
