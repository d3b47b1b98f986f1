package main

import (
	"context"
	"fmt"

	"github.com/trunkhook/trunkhook/provision/audit"
)

type auditCommand struct {
	Fix   bool `help:"Mend what is surely ours, after a question."`
	Lines bool `help:"Look into the trunks of signups that ask for numbers, addresses, destinations, too: three calls for each."`
	confirmed
}

// checked is a finding with what became of it.
type checked struct {
	audit.Finding
	Mended bool   `json:"mended"`
	Error  string `json:"error,omitempty"`
}

// Run audits, mends what it may, and says whether something is left.
func (c *auditCommand) Run(i *invocation) error {
	line := newProgress(i.err)
	a := &audit.Audit{Engine: i.engine, Table: i.archive, Lines: c.Lines, Progress: func(p audit.Progress) { line.tell(p.Phase, p.Done, p.Total) }}
	report, err := a.Run(i.ctx)
	line.end()
	if err != nil {
		return err
	}
	findings := make([]checked, len(report.Findings))
	mendable := 0
	for n, f := range report.Findings {
		findings[n].Finding = f
		if f.Mend != "" {
			mendable++
		}
	}
	if i.Output == "table" {
		if err := i.showReport(report); err != nil {
			return err
		}
	}
	var declined error
	if c.Fix && mendable > 0 {
		if declined = c.confirm(i, fmt.Sprintf("Mend %d of %d findings?", mendable, len(findings))); declined == nil {
			c.mend(i, a, findings, mendable)
		}
	}
	if err := i.ended(report, findings); err != nil {
		return err
	}
	if i.ctx.Err() != nil {
		return i.ctx.Err()
	}
	if declined != nil {
		return declined
	}
	return left(findings)
}

// mend stops after the finding that is being mended when it is interrupted.
func (c *auditCommand) mend(i *invocation, a *audit.Audit, findings []checked, total int) {
	line, done := newProgress(i.err), 0
	for n := range findings {
		f := &findings[n]
		if f.Mend == "" || i.ctx.Err() != nil {
			continue
		}
		err := a.Mend(context.WithoutCancel(i.ctx), f.Finding)
		if f.Mended = err == nil; err != nil {
			f.Error = err.Error()
		}
		outcome := map[bool]string{true: "mended", false: "left"}[f.Mended]
		line.end()
		i.change("audit", fmt.Sprintf("%s %s %s: %s", f.Kind, f.SignupID, f.TrunkSID, f.Mend), c.Reason, outcome, err)
		done++
		line.tell(audit.PhaseMending, done, total)
	}
	line.end()
}

func left(findings []checked) error {
	n := 0
	for _, f := range findings {
		if !f.Mended {
			n++
		}
	}
	if n > 0 {
		return fmt.Errorf("%w: %d of %d findings", errLeft, n, len(findings))
	}
	return nil
}

func (i *invocation) showReport(r audit.Report) error {
	fmt.Fprintf(i.out, "account %s: %d trunks, %d of them foreign; %d signups, %d of them of other accounts\n", r.AccountSID, r.Trunks, r.Foreign, r.Signups, r.Elsewhere)
	if r.Unreadable > 0 {
		fmt.Fprintf(i.out, "%d more trunks can't be read\n", r.Unreadable)
	}
	if len(r.Findings) == 0 {
		fmt.Fprintln(i.out, "nothing is wrong")
		return nil
	}
	t := newTable(i.out, "FINDING", "SIGNUP", "TRUNK", "NAME", "MEND", "DETAIL")
	for _, f := range r.Findings {
		t.row(string(f.Kind), f.SignupID, f.TrunkSID, f.TrunkName, f.Mend, f.Detail)
	}
	return t.Flush()
}

// ended is the report as JSON, or how many findings were mended.
func (i *invocation) ended(r audit.Report, findings []checked) error {
	if i.Output == "json" {
		return i.json(struct {
			audit.Report
			Findings []checked `json:"findings"`
		}{r, findings})
	}
	mended := 0
	for _, f := range findings {
		if f.Mended {
			mended++
		}
	}
	if mended > 0 {
		fmt.Fprintf(i.out, "%d mended\n", mended)
	}
	return nil
}
