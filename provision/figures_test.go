package provision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// numbers are figures without the times.
func numbers(f provision.Figures) string {
	return fmt.Sprintf("calls %d errors %d unauthorized %d limited %d refused %d unknown %d spent %d times %d",
		f.Calls, f.Errors, f.Unauthorized, f.RateLimited, f.Refused, f.Unknown, f.BudgetSpent, len(f.Latencies))
}

func TestFiguresOfACallThatFails(t *testing.T) {
	t.Parallel()
	create, remove, look := exotel.OpCreateTrunk, exotel.OpDeleteTrunk, "list trunks"
	for name, test := range map[string]struct {
		op   string
		kind exotel.Kind
		want provision.Figures
	}{
		"duplicate":                {create, exotel.ErrDuplicate, provision.Figures{}},
		"unauthorized":             {create, exotel.ErrUnauthorized, provision.Figures{Errors: 1, Unauthorized: 1}},
		"rate limited":             {create, exotel.ErrRateLimited, provision.Figures{Errors: 1, RateLimited: 1}},
		"create invalid":           {create, exotel.ErrInvalid, provision.Figures{Errors: 1, Refused: 1}},
		"create forbidden":         {create, exotel.ErrForbidden, provision.Figures{Errors: 1, Refused: 1}},
		"create not found":         {create, exotel.ErrNotFound, provision.Figures{Errors: 1, Refused: 1}},
		"create unknown":           {create, exotel.ErrOutcomeUnknown, provision.Figures{Errors: 1, Unknown: 1}},
		"create not sent":          {create, exotel.ErrNotSent, provision.Figures{Errors: 1}},
		"delete unknown":           {remove, exotel.ErrOutcomeUnknown, provision.Figures{Errors: 1, Unknown: 1}},
		"deleted before":           {remove, exotel.ErrNotFound, provision.Figures{}},
		"delete forbidden":         {remove, exotel.ErrForbidden, provision.Figures{Errors: 1}},
		"a look without an answer": {look, exotel.ErrOutcomeUnknown, provision.Figures{Errors: 1}},
		"a look at nothing":        {look, exotel.ErrNotFound, provision.Figures{Errors: 1}},
		"a look that is refused":   {look, exotel.ErrUnauthorized, provision.Figures{Errors: 1, Unauthorized: 1}},
	} {
		err := &exotel.Error{Op: test.op, Kind: test.kind}
		step := provision.Step{Name: test.op, Vendor: true, Changes: test.op != look, Duration: time.Second, Err: err}
		test.want.Calls, test.want.Latencies = 1, []time.Duration{time.Second}
		if got := (provision.Result{Steps: []provision.Step{step}}).Figures(); numbers(got) != numbers(test.want) || got.Latencies[0] != time.Second {
			t.Errorf("%s: got %s, want %s", name, numbers(got), numbers(test.want))
		}
	}
}

func TestStepsOfTheLedgerAreNoCalls(t *testing.T) {
	t.Parallel()
	result := provision.Result{Steps: []provision.Step{
		{Name: provision.StepClaim, Err: errors.New("throttled")},
		{Name: provision.StepBudget},
		{Name: provision.StepBudget, Err: errors.New("throttled")},
		{Name: provision.StepBudget, Err: fmt.Errorf("so: %w", &provision.SpentError{})},
	}}
	if got, want := numbers(result.Figures()), numbers(provision.Figures{BudgetSpent: 1}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What the figures say was done is what the vendor has seen.
func TestFiguresOfATryAreWhatTheVendorSaw(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given func(w *world)
		want  provision.Figures
	}{
		"created":         {func(*world) {}, provision.Figures{}},
		"answer lost":     {func(w *world) { w.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer) }, provision.Figures{Errors: 1, Unknown: 1}},
		"request lost":    {func(w *world) { w.fake.Inject(exoteltest.Create, exoteltest.LoseRequest) }, provision.Figures{Errors: 1, Unknown: 1}},
		"rate limited":    {func(w *world) { w.fake.Inject(exoteltest.Create, exoteltest.RateLimit("1")) }, provision.Figures{Errors: 1, RateLimited: 1}},
		"wrong key":       {func(w *world) { w.fake.SetCredentials("new", "new") }, provision.Figures{Errors: 1, Unauthorized: 1}},
		"refused":         {func(w *world) { w.fake.Inject(exoteltest.Create, exoteltest.Fail(415)) }, provision.Figures{Errors: 1, Refused: 1}},
		"made before":     {func(w *world) { w.addTrunk(acme.ID) }, provision.Figures{}},
		"list fails once": {func(w *world) { w.addTrunk(acme.ID); w.fake.Inject(exoteltest.List, exoteltest.Fail(500)) }, provision.Figures{Errors: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			test.given(w)
			got := w.deliver(t, acme).Figures()
			test.want.Calls = len(w.fake.Calls())
			test.want.Latencies = got.Latencies
			if numbers(got) != numbers(test.want) || got.Calls == 0 || len(got.Latencies) != got.Calls {
				t.Errorf("got %s, want %s", numbers(got), numbers(test.want))
			}
		})
	}
}

func TestCallsThatNobodyAnswersAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.Close()
	got := w.deliver(t, acme).Figures()
	if got.Calls < 1 || got.Errors != got.Calls || got.Unknown != 0 {
		t.Errorf("got %s", numbers(got))
	}
}

// With room for one call, the second signup is put off without one.
func TestSignupThatTheBudgetHasNoRoomForIsCounted(t *testing.T) {
	t.Parallel()
	budgeted(t, 1, func(t *testing.T, w *world) {
		first, second := w.deliver(t, acme).Figures(), w.deliver(t, provision.Signup{ID: "other", Company: "B"}).Figures()
		if first.Calls != 1 || first.BudgetSpent != 0 || second.Calls != 0 || second.BudgetSpent != 1 {
			t.Errorf("first %s, second %s", numbers(first), numbers(second))
		}
	})
}

// passThatSearches is a pass that finds a trunk on the third page and makes others, and
// how many calls the vendor had seen before it.
func (w *world) passThatSearches(t *testing.T) (pass provision.Pass, calls int) {
	t.Helper()
	w.addTrunk(acme.ID)
	w.addOthers(120)
	w.seek(t, acme.ID)
	w.queued(t, 3)
	calls = len(w.fake.Calls())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pass, err := w.engine.Reconcile(ctx)
	if err != nil || pass.Err != nil {
		t.Fatal(err, pass.Err)
	}
	return pass, calls
}

// Over all lines of a pass, each call that the vendor saw is counted once: those of the
// search, which are for no one signup, in the line of the pass.
func TestLinesOfAPassCountEachCallOnce(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		pass, calls := w.passThatSearches(t)
		counted, ofThePass := 0, 0
		for _, line := range pass.LogLines() {
			counted += line.Figures.Calls
			if line.Message == "pass" {
				ofThePass = line.Figures.Calls
			}
			if (line.Message == "reconciled") != (line.Outcome != "") {
				t.Errorf("a line %q of outcome %q", line.Message, line.Outcome)
			}
		}
		gets := 0
		for _, call := range w.fake.Calls()[calls:] {
			if call.Op == exoteltest.List {
				gets++
			}
		}
		if seen := len(w.fake.Calls()) - calls; counted != seen || ofThePass != gets || gets < 3 {
			t.Errorf("%d calls are counted and %d seen; %d are of the pass, with %d pages", counted, seen, ofThePass, gets)
		}
	})
}

// Exotel asks for the ids of requests, those of the search's too.
func TestEveryCallOfAPassIsLoggedWithItsRequest(t *testing.T) {
	t.Parallel()
	searched(t, func(t *testing.T, w *world, _ *pages) {
		pass, calls := w.passThatSearches(t)
		var out bytes.Buffer
		pass.Log(t.Context(), slog.New(slog.NewJSONHandler(&out, nil)))
		if seen, logged := len(w.fake.Calls())-calls, strings.Count(out.String(), `"request_id":"`); logged != seen || seen == 0 {
			t.Errorf("%d calls, %d of them with a request's id in\n%s", seen, logged, out.String())
		}
	})
}

// A table that is lost in the middle of a try ends it with an error; its calls count.
func TestCallsOfATryThatFailsAreThePasss(t *testing.T) {
	t.Parallel()
	strict(t, func(t *testing.T, w *world) {
		w.queued(t, 1)
		w.ledger.before["activate"] = func(records map[string]provision.Record) { clear(records) }
		pass, err := w.engine.Reconcile(t.Context())
		lines := pass.LogLines()
		if err != nil || pass.Failed != 1 || len(lines) != 1 || lines[0].Figures.Calls != 1 {
			t.Errorf("%+v, %v", lines, err)
		}
	})
}
