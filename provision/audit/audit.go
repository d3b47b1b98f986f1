// Package audit holds Exotel's whole list of trunks against the table, and mends what
// is surely ours.
//
// It reads the list first and the table after it: a trunk's signup is on disk before
// the trunk is made, so that one which is made meanwhile is no orphan. What the table
// has and the list hasn't is asked for once more, by its trunk_sid, since a trunk that
// is deleted during the walk hides another one.
package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// Table is what the audit needs of the table.
type Table interface {
	All(ctx context.Context) iter.Seq2[provision.Record, error]
}

// Audit is one comparison. It calls Exotel at the rate of the engine's budget.
type Audit struct {
	Engine *provision.Engine
	Table  Table
	// Lines looks into the trunks of signups that ask for more than a trunk, too: three
	// calls for each.
	Lines bool
	// Progress is told how far it is; nil for nobody.
	Progress func(Progress)
}

// Progress is how far an audit is.
type Progress struct {
	Phase string // of the phases below
	Done  int
	Total int // zero where it isn't known before the end
}

// The phases.
const (
	PhaseTrunks  = "trunks listed"
	PhaseSignups = "signups read"
	PhaseMissing = "missing trunks looked for"
	PhaseLines   = "lines looked into"
	PhaseMending = "findings mended"
)

// Report is what an audit found.
type Report struct {
	AccountSID string    `json:"account_sid"`
	Trunks     int       `json:"trunks"`     // in the account
	Foreign    int       `json:"foreign"`    // of those: neither named as ours are nor recorded; left alone
	Unreadable int       `json:"unreadable"` // more trunks, whose description can't be read
	Signups    int       `json:"signups"`    // in the table
	Elsewhere  int       `json:"elsewhere"`  // of those: of another account, not looked at
	Findings   []Finding `json:"findings"`
}

// Run compares. The error says that it could not be finished.
func (a *Audit) Run(ctx context.Context) (Report, error) {
	account, err := a.Engine.Accounts.Open(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("the credentials can't be had: %w", err)
	}
	ctx = a.Engine.Metered(ctx)
	c := comparison{prefix: a.Engine.Prefix, account: account.SID, bySID: map[string]exotel.Trunk{}, byName: map[string][]exotel.Trunk{}}
	if err := a.readTrunks(ctx, account, &c); err != nil {
		return Report{}, err
	}
	if err := a.readTable(ctx, &c); err != nil {
		return Report{}, err
	}
	findings := c.compare()
	if findings, err = a.confirm(ctx, account, findings); err != nil {
		return Report{}, err
	}
	if a.Lines {
		found, err := a.lines(ctx, account, c.withLines())
		if err != nil {
			return Report{}, err
		}
		findings = append(findings, found...)
	}
	return Report{
		AccountSID: account.SID, Trunks: len(c.bySID), Foreign: c.foreign, Unreadable: c.unreadable,
		Signups: len(c.records) + c.elsewhere, Elsewhere: c.elsewhere, Findings: findings,
	}, nil
}

func (a *Audit) tell(phase string, done, total int) {
	if a.Progress != nil {
		a.Progress(Progress{phase, done, total})
	}
}

// pageSize is the server's default, 50; its maximum is documented nowhere.
const pageSize = 50

func (a *Audit) readTrunks(ctx context.Context, account *provision.Account, c *comparison) error {
	for next := (&exotel.ListOptions{PageSize: pageSize}); next != nil; {
		page, err := patiently(ctx, func() (*exotel.TrunkPage, error) { return account.Trunks.List(ctx, *next) })
		if err != nil {
			return err
		}
		for _, trunk := range page.Trunks {
			c.addTrunk(trunk)
		}
		c.unreadable += page.Unreadable
		a.tell(PhaseTrunks, len(c.bySID), 0)
		next = page.Next
	}
	return nil
}

func (a *Audit) readTable(ctx context.Context, c *comparison) error {
	for record, err := range a.Table.All(ctx) {
		if err != nil {
			return err
		}
		if record.AccountSID != "" && record.AccountSID != c.account {
			c.elsewhere++
			continue
		}
		if c.records = append(c.records, record); len(c.records)%1000 == 0 {
			a.tell(PhaseSignups, len(c.records), 0)
		}
	}
	a.tell(PhaseSignups, len(c.records), len(c.records))
	return nil
}

// confirm leaves out the missing trunks that are there after all.
func (a *Audit) confirm(ctx context.Context, account *provision.Account, findings []Finding) ([]Finding, error) {
	var kept []Finding
	missing, done := count(findings, KindMissing), 0
	for _, f := range findings {
		if f.Kind == KindMissing {
			there, err := isThere(ctx, account, f.TrunkSID)
			if err != nil {
				return nil, err
			}
			done++
			a.tell(PhaseMissing, done, missing)
			if there {
				continue
			}
		}
		kept = append(kept, f)
	}
	return kept, nil
}

func count(findings []Finding, kind Kind) (n int) {
	for _, f := range findings {
		if f.Kind == kind {
			n++
		}
	}
	return n
}

// isThere asks for one trunk. One that is there and can't be read is there.
func isThere(ctx context.Context, account *provision.Account, trunkSID string) (bool, error) {
	page, err := patiently(ctx, func() (*exotel.TrunkPage, error) {
		return account.Trunks.List(ctx, exotel.ListOptions{TrunkSID: trunkSID})
	})
	switch {
	case errors.Is(err, exotel.ErrNotFound), errors.Is(err, exotel.ErrForbidden):
		return false, nil
	case err != nil:
		return false, err
	}
	for _, trunk := range page.Trunks {
		if trunk.SID == trunkSID {
			return true, nil
		}
	}
	return page.Unreadable > 0, nil
}

// patience is how often a list is asked for while Exotel says that there were too many
// calls, which closes the budget until it may be asked again.
const patience = 5

func patiently[T any](ctx context.Context, list func() (T, error)) (got T, err error) {
	for range patience {
		if got, err = list(); !errors.Is(err, exotel.ErrRateLimited) || ctx.Err() != nil {
			break
		}
	}
	return got, err
}
