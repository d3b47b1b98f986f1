package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/secrets"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// trunkRepeats is how often each journey is measured, on an account of its own.
const trunkRepeats = 5

// trunkCounts are how many trunks the account has.
var trunkCounts = []int{1, 100, 1_000, 10_000}

// scaleTrunks is about the vendor's list, which has no filter by name.
func (b *bench) scaleTrunks(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "\n### Trunks at the vendor\n\nOur own time (median of %d, without Exotel's), and calls to Exotel. Adopted: the answer of the create was lost, and the signup came again; "+
		"at once, or after all the other trunks had been made, so that it is on the last page.\n\n", trunkRepeats)
	row(out, "trunks", []string{"new: ms, calls", "adopted at once: ms, calls", "adopted from the last page: ms, calls"})
	row(out, "---", []string{"---", "---", "---"})
	for _, count := range trunkCounts {
		fmt.Fprintf(b.progress, "scale: %d trunks at the vendor\n", count)
		cells, err := b.amongTrunks(ctx, count)
		if err != nil {
			return fmt.Errorf("with %d trunks: %w", count, err)
		}
		row(out, thousands(count), cells)
	}
	return nil
}

// journeys are a signup that comes now, one whose trunk is the newest of the account, and
// one whose trunk is the oldest.
var journeys = []struct {
	prepare func(ctx context.Context, a *account, count int) error
	finish  func(ctx context.Context, a *account) error
}{
	{
		prepare: func(_ context.Context, a *account, count int) error { a.add(count); return nil },
		finish:  func(ctx context.Context, a *account) error { return a.active(ctx, provision.OutcomeCreated) },
	},
	{
		prepare: func(ctx context.Context, a *account, count int) error { a.add(count); return a.loseAnswer(ctx) },
		finish:  func(ctx context.Context, a *account) error { return a.active(ctx, provision.OutcomeAdopted) },
	},
	{
		prepare: func(ctx context.Context, a *account, count int) error {
			err := a.loseAnswer(ctx)
			a.add(count)
			return err
		},
		finish: func(ctx context.Context, a *account) error { return a.searched(ctx) },
	},
}

// account is an engine on an account of its own.
type account struct {
	fake     *exoteltest.Server
	recorder *recorder
	engine   *provision.Engine
	close    func()
}

func (b *bench) newAccount() (*account, error) {
	a := &account{fake: exoteltest.Offline(exoteltest.Options{}), recorder: &recorder{}}
	backend, err := forward(a.fake.URL, a.fake.Transport())
	if err != nil {
		return nil, err
	}
	url, shut, err := front{service: exotelAPI, operation: method, backend: backend, recorder: a.recorder}.serve(nil)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(b.temporary, "account.db")
	table, err := embedded.Open(path)
	if err != nil {
		shut()
		return nil, err
	}
	config := a.fake.Config()
	secret := fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":%q}`, config.APIKey, config.APIToken, config.AccountSID, exotel.Singapore)
	fetch := func(context.Context) (string, error) { return secret, nil }
	a.engine = &provision.Engine{
		Ledger: table, Prefix: "th",
		Accounts: secrets.NewExotel(fetch, secrets.ExotelOptions{BaseURL: url}, slog.New(slog.DiscardHandler)),
	}
	a.close = func() { shut(); a.fake.Close(); table.Close(); _ = os.Remove(path) }
	return a, nil
}

func (a *account) add(count int) {
	for i := range count {
		a.fake.Add(exotel.Trunk{Name: fmt.Sprintf("other_%d", i), DomainName: exotel.DomainName(exoteltest.DefaultAccountSID)})
	}
}

func (b *bench) amongTrunks(ctx context.Context, count int) ([]string, error) {
	var cells []string
	for _, journey := range journeys {
		var owns []time.Duration
		var calls int
		for range trunkRepeats {
			a, err := b.newAccount()
			if err != nil {
				return nil, err
			}
			var own time.Duration
			own, calls, err = a.measure(ctx, count, journey.prepare, journey.finish)
			a.close()
			if err != nil {
				return nil, err
			}
			owns = append(owns, own)
		}
		cells = append(cells, fmt.Sprintf("%s, %d", milliseconds(median(owns)), calls))
	}
	return cells, nil
}

// measure tells our own time and the calls of what finishes a journey.
func (a *account) measure(ctx context.Context, count int, prepare func(context.Context, *account, int) error, finish func(context.Context, *account) error) (own time.Duration, calls int, err error) {
	if err := prepare(ctx, a, count); err != nil {
		return 0, 0, err
	}
	a.recorder.take()
	began := time.Now()
	if err := finish(ctx, a); err != nil {
		return 0, 0, err
	}
	ended := time.Now()
	saw := a.recorder.take()
	return ended.Sub(began) - saw.waited(began, ended), len(saw.calls), nil
}

func (a *account) provision(ctx context.Context) (provision.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return a.engine.Provision(ctx, provision.Signup{ID: "acme-42", Company: "Acme Telecom"}, 30*time.Second)
}

func (a *account) loseAnswer(ctx context.Context) error {
	a.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
	result, err := a.provision(ctx)
	return expect(result.Record.Status == provision.StatusPending, err)
}

// active delivers the signup, which then has its trunk in that way.
func (a *account) active(ctx context.Context, how provision.Outcome) error {
	result, err := a.provision(ctx)
	return expect(result.Record.Status == provision.StatusActive && result.Outcome == how, err)
}

// searched delivers the signup, which a try ends that looks among the newest, or after
// it the reconciler's search.
func (a *account) searched(ctx context.Context) error {
	result, err := a.provision(ctx)
	if err != nil || result.Outcome == provision.OutcomeAdopted {
		return err
	}
	if _, err := a.engine.Reconcile(ctx); err != nil {
		return err
	}
	return a.active(ctx, provision.OutcomeReplayed)
}
