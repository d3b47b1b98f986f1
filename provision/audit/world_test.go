package audit_test

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
	"github.com/trunkhook/trunkhook/provision/audit"
)

// world is a table and an account that can be set against each other, at the
// vendor's limits.
type world struct {
	fake   *exoteltest.Server
	client *exotel.Client
	table  *embedded.Ledger
	engine *provision.Engine
}

// account is one whose credentials never change.
type account struct{ *provision.Account }

func (a account) Ready() *provision.Account { return a.Account }

func (a account) Open(context.Context) (*provision.Account, error) { return a.Account, nil }

func (a account) Reopen(context.Context, *provision.Account) (*provision.Account, error) {
	return a.Account, nil
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fake := exoteltest.Offline(exoteltest.Options{})
		defer fake.Close()
		config := fake.Config()
		config.HTTPClient = &http.Client{Transport: fake.Transport()}
		client, err := exotel.New(config)
		if err != nil {
			t.Fatal(err)
		}
		table, err := embedded.Open(filepath.Join(t.TempDir(), "signups.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer table.Close()
		test(t, &world{fake, client, table, &provision.Engine{
			Ledger: table, Accounts: account{provision.OpenAccount(client)}, Prefix: "th",
		}})
	})
}

// deliver makes a signup complete.
func (w *world) deliver(t *testing.T, s provision.Signup) provision.Record {
	t.Helper()
	result, err := w.engine.Provision(t.Context(), s, time.Minute)
	if err != nil || result.Record.Status != provision.StatusActive {
		t.Fatalf("%s: %s, %v, %v", s.ID, result.Outcome, result.Problem, err)
	}
	return result.Record
}

func named(id string) provision.Signup { return provision.Signup{ID: id, Company: "Acme Telecom"} }

// claimed leaves a signup pending.
func (w *world) claimed(t *testing.T, s provision.Signup) provision.Record {
	t.Helper()
	past := time.Now().Add(-time.Hour)
	record, holds, err := w.table.Claim(t.Context(), provision.Claim{
		Signup: s, TrunkName: provision.TrunkName("th", s.ID), AccountSID: exoteltest.DefaultAccountSID, Owner: "killed", Now: past, LeaseUntil: past,
	})
	if err != nil || !holds {
		t.Fatal(holds, err)
	}
	return record
}

// made is a trunk that somebody else made.
func (w *world) made(name string) string {
	return w.fake.Add(exotel.Trunk{Name: name, DomainName: exotel.DomainName(exoteltest.DefaultAccountSID), NSOCode: exotel.AnyNSO})
}

func (w *world) deleted(t *testing.T, trunkSID string) {
	t.Helper()
	if _, err := w.client.Trunks.Delete(t.Context(), trunkSID); err != nil {
		t.Fatal(err)
	}
}

func (w *world) activated(t *testing.T, record provision.Record, trunkSID string) {
	t.Helper()
	trunk := exotel.Trunk{SID: trunkSID, DomainName: exotel.DomainName(exoteltest.DefaultAccountSID)}
	if _, holds, err := w.table.Activate(t.Context(), provision.Activate{
		SignupID: record.SignupID, Owner: record.Owner, AccountSID: record.AccountSID, Trunk: trunk, Seen: record.Seen(), Now: time.Now(),
	}); err != nil || !holds {
		t.Fatal(holds, err)
	}
}

// audit keeps to the vendor's budget from here on.
func (w *world) audit(t *testing.T, a *audit.Audit) audit.Report {
	t.Helper()
	w.engine.Budget = provision.NewBudget(w.table, 180, nil)
	w.fake.SetLimits(exoteltest.VendorLimits)
	a.Engine, a.Lines = w.engine, true
	if a.Table == nil {
		a.Table = w.table
	}
	report, err := a.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := w.fake.Refused(); n != 0 {
		t.Errorf("%d times 429", n)
	}
	return report
}
