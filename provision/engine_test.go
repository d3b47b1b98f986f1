package provision_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// accounts keeps the credentials of a fake, as a secret would.
type accounts struct {
	mu       sync.Mutex
	secret   exotel.Config // what the secret holds now
	open     *provision.Account
	opened   exotel.Config // what open was made with
	down     error
	reopened int
	unready  bool // Ready has nothing

	transport http.RoundTripper // nil for the network
}

func (a *accounts) Ready() *provision.Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.unready || a.down != nil {
		return nil
	}
	account, _ := a.current()
	return account
}

func (a *accounts) Open(context.Context) (*provision.Account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.current()
}

func (a *accounts) Reopen(_ context.Context, refused *provision.Account) (*provision.Account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reopened++
	if a.opened != a.secret {
		a.open = nil
	}
	return a.current()
}

func (a *accounts) current() (*provision.Account, error) {
	if a.down != nil {
		return nil, a.down
	}
	if a.open == nil {
		config := a.secret
		if a.transport != nil {
			config.HTTPClient = &http.Client{Transport: a.transport}
		}
		client, err := exotel.New(config)
		if err != nil {
			return nil, err
		}
		a.open, a.opened = provision.OpenAccount(client), a.secret
	}
	return a.open, nil
}

// world is an engine with a table and a vendor.
type world struct {
	fake     *exoteltest.Server
	ledger   *memory
	accounts *accounts
	engine   *provision.Engine
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{fake: exoteltest.Start(t), ledger: newMemory()}
	w.accounts = &accounts{secret: w.fake.Config()}
	w.engine = &provision.Engine{Ledger: w.ledger, Accounts: w.accounts, Prefix: "th"}
	return w
}

var acme = provision.Signup{ID: "acme-42", Company: "Acme Telecom", Source: "api"}

// deliver is one delivery that is answered within half a second, in a process
// that may be stopped after one.
func (w *world) deliver(t *testing.T, s provision.Signup) provision.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	result, err := w.engine.Provision(ctx, s, 500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (w *world) stored(t *testing.T) provision.Record {
	t.Helper()
	record, err := w.ledger.Get(t.Context(), acme.ID)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// oneTrunk checks the promise: one trunk at Exotel, and the record names it.
func (w *world) oneTrunk(t *testing.T) {
	t.Helper()
	trunks, record := w.fake.Trunks(), w.stored(t)
	if len(trunks) != 1 || record.Status != provision.StatusActive || record.TrunkSID != trunks[0].SID || trunks[0].Name != record.TrunkName {
		t.Errorf("trunks %+v, record %+v", trunks, record)
	}
}

func steps(r provision.Result) string {
	names := make([]string, len(r.Steps))
	for i, step := range r.Steps {
		names[i] = step.Name
	}
	return strings.Join(names, ", ")
}

func TestNewSignupIsClaimedCreatedAndRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	result := w.deliver(t, acme)
	if result.Outcome != provision.OutcomeCreated || steps(result) != "claim, create trunk, record" || result.Problem != nil {
		t.Errorf("got %s by %s, problem %+v", result.Outcome, steps(result), result.Problem)
	}
	if r := result.Record; r.TrunkName != provision.TrunkName("th", "acme-42") || r.AccountSID != "exoteltest" || r.DomainName != "exoteltest.pstn.exotel.com" || r.Attempts != 1 || len(r.Trunk) == 0 {
		t.Errorf("record %+v", r)
	}
	for _, step := range result.Steps {
		if step.Vendor && (step.RequestID == "" || step.HTTPStatus != 200) {
			t.Errorf("step %+v", step)
		}
	}
	w.oneTrunk(t)
	if w.ledger.writes != 2 || len(w.fake.Calls()) != 1 {
		t.Errorf("%d writes and %d calls, want 2 and 1", w.ledger.writes, len(w.fake.Calls()))
	}
}

func TestReplayCostsOneWriteAndNoCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.deliver(t, acme)
	again := acme
	again.Company, again.Source = "  Acme Telecom ", "hubspot"
	result := w.deliver(t, again)
	if result.Outcome != provision.OutcomeReplayed || result.Record.TrunkSID != first.Record.TrunkSID || steps(result) != "claim" {
		t.Errorf("got %+v", result)
	}
	if w.ledger.writes != 3 || len(w.fake.Calls()) != 1 {
		t.Errorf("%d writes and %d calls", w.ledger.writes, len(w.fake.Calls()))
	}
}

func TestOtherContentIsAConflictAndTheFirstStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(t, acme)
	other := acme
	other.Company = "Somebody else"
	if result := w.deliver(t, other); result.Outcome != provision.OutcomeConflict || result.Record.Company != "Acme Telecom" {
		t.Errorf("got %+v", result)
	}
	w.oneTrunk(t)
}

func TestInvalidSignupLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.engine.Provision(t.Context(), provision.Signup{}, time.Second)
	var invalid *provision.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Faults) != 2 || w.ledger.writes != 0 {
		t.Errorf("%d writes, error %v", w.ledger.writes, err)
	}
}

func TestClaimThatFailsPromisesNothing(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]failure{"not done": failBefore, "done, answer lost": failAfter} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.ledger.failing["claim"] = fails
			if _, err := w.engine.Provision(t.Context(), acme, time.Second); !errors.Is(err, provision.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
			if len(w.fake.Calls()) != 0 {
				t.Error("the vendor was called without a claim")
			}
		})
	}
}

// Whatever goes wrong with the create, the delivery is told "pending", the
// lease is given back, and a redelivery finishes with one trunk.
func TestEveryFaultOfTheCreateIsMendedByARedelivery(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault exoteltest.Fault
		alarm provision.Alarm
		then  provision.Outcome
	}{
		"answer lost":     {exoteltest.LoseAnswer, "", provision.OutcomeAdopted},
		"request lost":    {exoteltest.LoseRequest, "", provision.OutcomeCreated},
		"hang before":     {exoteltest.Hang, "", provision.OutcomeCreated},
		"hang after":      {exoteltest.HangAfter, "", provision.OutcomeAdopted},
		"processed late":  {exoteltest.ProcessLate(5 * time.Second), "", provision.OutcomeAdopted},
		"503 before":      {exoteltest.Fail(503), "", provision.OutcomeCreated},
		"503 after":       {exoteltest.FailAfter(503), "", provision.OutcomeAdopted},
		"HTML":            {exoteltest.HTML, "", provision.OutcomeCreated},
		"HTML after":      {exoteltest.HTMLAfter, "", provision.OutcomeAdopted},
		"cut off":         {exoteltest.CutOff, "", provision.OutcomeAdopted},
		"empty sid":       {exoteltest.EmptySID, "", provision.OutcomeAdopted},
		"huge body":       {exoteltest.Huge, "", provision.OutcomeAdopted},
		"slow body":       {exoteltest.Slow, "", provision.OutcomeAdopted},
		"rate limited":    {exoteltest.RateLimit("30"), "", provision.OutcomeCreated},
		"refused":         {exoteltest.Fail(400), provision.AlarmRefused, provision.OutcomeCreated},
		"forbidden":       {exoteltest.Fail(403), provision.AlarmAccount, provision.OutcomeCreated},
		"not found":       {exoteltest.Fail(404), provision.AlarmAccount, provision.OutcomeCreated},
		"refused after":   {exoteltest.FailAfter(400), provision.AlarmRefused, provision.OutcomeAdopted},
		"unauthorized":    {exoteltest.Fail(401), provision.AlarmCredentials, provision.OutcomeCreated},
		"forbidden after": {exoteltest.FailAfter(403), provision.AlarmAccount, provision.OutcomeAdopted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.fake.Inject(exoteltest.Create, test.fault)
				first := w.provisionWithin(t, 4*time.Second)
				if first.Outcome != provision.OutcomePending || first.Problem == nil || first.Problem.Alarm != test.alarm {
					t.Fatalf("first: %s, problem %+v; want pending with alarm %q", first.Outcome, first.Problem, test.alarm)
				}
				record := w.stored(t)
				if record.Status != provision.StatusPending || !record.LeaseUntil.IsZero() || record.LastError == "" || record.DueAt.Before(record.UpdatedAt) {
					t.Errorf("after the first try: %+v", record)
				}
				time.Sleep(test.fault.Late)
				if second := w.provisionWithin(t, 4*time.Second); second.Outcome != test.then || second.Record.Attempts != 2 {
					t.Errorf("second: %s after %s, problem %+v; want %s", second.Outcome, steps(second), second.Problem, test.then)
				}
				w.oneTrunk(t)
			})
		})
	}
}

func TestRateLimitSetsWhenToComeBack(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{"30": 30 * time.Second, "": time.Minute} {
		w := newWorld(t)
		w.fake.Inject(exoteltest.Create, exoteltest.RateLimit(header))
		result := w.deliver(t, acme)
		if result.RetryAfter != want || result.Record.DueAt.Sub(result.Record.UpdatedAt) != want {
			t.Errorf("Retry-After %q: come back in %v, record %+v", header, result.RetryAfter, result.Record)
		}
	}
}

func TestDuplicateInBothFormsIsAdopted(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 409} {
		w := newWorld(t)
		w.fake.SetDuplicateStatus(status)
		w.fake.Add(exotel.Trunk{Name: provision.TrunkName("th", acme.ID), DomainName: "exoteltest.pstn.exotel.com"})
		for i := range 60 { // newer ones, so that it is on the second page
			w.fake.Add(exotel.Trunk{Name: fmt.Sprintf("other%d", i)})
		}
		result := w.deliver(t, acme)
		if result.Outcome != provision.OutcomeAdopted || steps(result) != "claim, create trunk, list trunks, list trunks, record" {
			t.Errorf("%d: %s by %s, %+v", status, result.Outcome, steps(result), result.Problem)
		}
		if sid := w.fake.Trunks()[60].SID; result.Record.TrunkSID != sid {
			t.Errorf("adopted %s, want %s", result.Record.TrunkSID, sid)
		}
	}
}

func TestForeignTrunkIsNotAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.Add(exotel.Trunk{Name: provision.TrunkName("th", acme.ID), DomainName: "somebody.pstn.exotel.com"})
	result := w.deliver(t, acme)
	if result.Outcome != provision.OutcomePending || result.Problem.Alarm != provision.AlarmForeign || result.Record.TrunkSID != "" {
		t.Errorf("got %s, %+v", result.Outcome, result.Problem)
	}
}

func TestDuplicateThatIsNotListedIsReportedAfterFiveTries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.SetListLag(time.Hour)
	w.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
	for try := range 6 {
		result := w.deliver(t, acme)
		wantAlarm := provision.Alarm("")
		if try >= 4 {
			wantAlarm = provision.AlarmNotListed
		}
		if result.Outcome != provision.OutcomePending || result.Problem.Alarm != wantAlarm {
			t.Errorf("try %d: %s, %+v", try+1, result.Outcome, result.Problem)
		}
	}
	w.fake.SetListLag(0)
	if result := w.deliver(t, acme); result.Outcome != provision.OutcomeAdopted {
		t.Errorf("once listed: %s, %+v", result.Outcome, result.Problem)
	}
	w.oneTrunk(t)
}

func TestRotatedKeyIsFetchedOnceAndTheCallRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deliver(t, provision.Signup{ID: "before", Company: "A"})
	w.fake.SetCredentials("new-key", "new-token")
	w.accounts.secret = w.fake.Config()
	result := w.deliver(t, acme)
	if result.Outcome != provision.OutcomeCreated || steps(result) != "claim, create trunk, create trunk, record" || w.accounts.reopened != 1 {
		t.Errorf("%s by %s, reopened %d times", result.Outcome, steps(result), w.accounts.reopened)
	}
}

func TestWrongSecretKeepsTheSignupUntilItIsMended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.SetCredentials("new-key", "new-token")
	result := w.deliver(t, acme)
	if result.Outcome != provision.OutcomePending || result.Problem.Alarm != provision.AlarmCredentials || w.accounts.reopened != 1 || w.fake.Count(exoteltest.Create) != 1 {
		t.Errorf("%s, %+v; reopened %d times, %d creates", result.Outcome, result.Problem, w.accounts.reopened, w.fake.Count(exoteltest.Create))
	}
	w.accounts.secret = w.fake.Config()
	if result := w.deliver(t, acme); result.Outcome != provision.OutcomeCreated {
		t.Errorf("once mended: %s, %+v", result.Outcome, result.Problem)
	}
	w.oneTrunk(t)
}

func TestSecretOfAnotherAccountMakesNoSecondTrunkThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
	w.deliver(t, acme)
	right := w.accounts.secret
	w.accounts.secret.AccountSID = "another"
	w.accounts.open = nil
	calls := len(w.fake.Calls())
	result := w.deliver(t, acme)
	if result.Outcome != provision.OutcomePending || result.Problem.Alarm != provision.AlarmMismatch || len(w.fake.Calls()) != calls {
		t.Errorf("%s, %+v, %d calls", result.Outcome, result.Problem, len(w.fake.Calls())-calls)
	}
	w.accounts.secret, w.accounts.open = right, nil
	w.deliver(t, acme)
	w.oneTrunk(t)
}

func TestNameIsTheFirstClaimsWhateverThePrefixSaysLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
	w.deliver(t, acme)
	w.engine.Prefix = "xx"
	if result := w.deliver(t, acme); result.Outcome != provision.OutcomeAdopted {
		t.Errorf("got %s", result.Outcome)
	}
	w.oneTrunk(t)
}

func TestSignupIsTakenWhileTheSecretsStoreIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts.down = errors.New("secrets store down")
	result := w.deliver(t, acme)
	if result.Outcome != provision.OutcomePending || result.Problem.Alarm != provision.AlarmNoSecret || w.stored(t).AccountSID != "" {
		t.Errorf("%s, %+v, record %+v", result.Outcome, result.Problem, w.stored(t))
	}
	w.accounts.down, w.accounts.unready = nil, true
	result = w.deliver(t, acme)
	if result.Outcome != provision.OutcomeCreated || steps(result) != "claim, pin account, create trunk, record" {
		t.Errorf("%s by %s", result.Outcome, steps(result))
	}
	w.oneTrunk(t)
}

func TestAccountThatCannotBePinnedIsNotUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts.unready = true
	w.ledger.failing["pin"] = failBefore
	if result := w.deliver(t, acme); result.Outcome != provision.OutcomePending || len(w.fake.Calls()) != 0 {
		t.Errorf("%s, %d calls", result.Outcome, len(w.fake.Calls()))
	}
}

func TestRecordThatFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fails failure
		first provision.Outcome
		then  provision.Outcome
	}{
		"not done":          {failBefore, provision.OutcomePending, provision.OutcomeAdopted},
		"done, answer lost": {failAfter, provision.OutcomeCreated, provision.OutcomeReplayed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.ledger.failing["activate"] = test.fails
			if first := w.deliver(t, acme); first.Outcome != test.first {
				t.Errorf("first: %s, %+v", first.Outcome, first.Problem)
			}
			if second := w.deliver(t, acme); second.Outcome != test.then {
				t.Errorf("second: %s, %+v", second.Outcome, second.Problem)
			}
			w.oneTrunk(t)
		})
	}
}

func TestReleaseThatFailsLeavesTheLeaseToRunOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
	w.ledger.failing["release"] = failBefore
	if first := w.deliver(t, acme); first.Outcome != provision.OutcomePending {
		t.Fatalf("first: %s", first.Outcome)
	}
	if second := w.deliver(t, acme); second.Outcome != provision.OutcomeInProgress || second.RetryAfter <= 0 {
		t.Errorf("during the lease: %+v", second)
	}
	w.engine.Now = func() time.Time { return time.Now().Add(time.Minute) }
	if third := w.deliver(t, acme); third.Outcome != provision.OutcomeAdopted {
		t.Errorf("after it: %s, %+v", third.Outcome, third.Problem)
	}
	w.oneTrunk(t)
}

// A process that was frozen after its claim must not send: somebody else may
// be sending by now.
func TestNothingIsSentOnceTheLeaseHasRunOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var calls int
	w.engine.Now = func() time.Time {
		if calls++; calls > 1 { // after the claim's
			return time.Now().Add(time.Hour)
		}
		return time.Now()
	}
	if result := w.deliver(t, acme); result.Outcome != provision.OutcomePending || len(w.fake.Calls()) != 0 {
		t.Errorf("%s, %d calls: %v", result.Outcome, len(w.fake.Calls()), w.fake.Calls())
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// garbled is the body with every trunk_sid gone.
func garbled(body io.ReadCloser) io.ReadCloser {
	text, _ := io.ReadAll(body)
	return io.NopCloser(strings.NewReader(strings.ReplaceAll(string(text), "trunk_sid", "x")))
}

func TestFiftyDeliveriesAtOnceMakeOneTrunk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.SetLatency(20 * time.Millisecond)
	outcomes := make(chan provision.Outcome, 50)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { outcomes <- w.deliver(t, acme).Outcome })
	}
	all.Wait()
	close(outcomes)
	count := map[provision.Outcome]int{}
	for outcome := range outcomes {
		count[outcome]++
	}
	if count[provision.OutcomeCreated] != 1 || count[provision.OutcomeInProgress]+count[provision.OutcomeReplayed] != 49 {
		t.Errorf("outcomes %v", count)
	}
	if n := w.fake.Count(exoteltest.Create); n != 1 {
		t.Errorf("%d creates", n)
	}
	w.oneTrunk(t)
}

func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.engine.Status(t.Context(), acme.ID); !errors.Is(err, provision.ErrNotFound) || errors.Is(err, provision.ErrUnavailable) {
		t.Errorf("before: %v", err)
	}
	w.deliver(t, acme)
	if record, err := w.engine.Status(t.Context(), acme.ID); err != nil || record.Status != provision.StatusActive {
		t.Errorf("after: %+v, %v", record, err)
	}
}
