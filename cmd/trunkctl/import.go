package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/trunkhook/trunkhook/provision"
)

type importCommand struct {
	File string `arg:"" help:"Signups and the trunks that were made for them: {\"signup_id\", \"company\", \"trunk_sid\"} a line."`
	confirmed
}

// Run records trunks that were made by hand. Done twice it is done once.
func (c *importCommand) Run(i *invocation) error {
	lines, err := readLines(c.File)
	if err != nil {
		return err
	}
	if err := checkTrunks(i, lines); err != nil {
		return err
	}
	if err := c.confirm(i, fmt.Sprintf("Record %d trunks?", len(lines))); err != nil {
		return err
	}
	var total sum
	progress := newProgress(i.err)
	for n, l := range lines {
		if i.ctx.Err() != nil {
			break
		}
		result, err := i.engine.Import(context.WithoutCancel(i.ctx), l.signup, l.trunkSID)
		progress.end()
		i.change("import", l.signup.ID+" "+l.trunkSID, c.Reason, string(result.Outcome), err)
		total.add(result, err)
		if errors.Is(err, provision.ErrUnavailable) {
			return err
		}
		progress.tell("trunks recorded", n+1, len(lines))
	}
	progress.end()
	if err := i.sum(total); err != nil {
		return err
	}
	if err := i.ctx.Err(); err != nil {
		return err
	}
	return total.left()
}

// checkTrunks refuses the whole file where a line can't be used, or a trunk would be
// two signups'.
func checkTrunks(i *invocation, lines []fileLine) error {
	faults := unusable(lines)
	of := make(map[string]string) // trunk_sid -> signup id
	for record, err := range i.archive.All(i.ctx) {
		if err != nil {
			return err
		}
		if record.TrunkSID != "" {
			of[record.TrunkSID] = record.SignupID
		}
	}
	for _, l := range lines {
		switch id, taken := of[l.trunkSID]; {
		case l.ended != "":
			faults = append(faults, fmt.Sprintf("line %d: the signup is %s", l.number, l.ended))
		case l.trunkSID == "":
			faults = append(faults, fmt.Sprintf("line %d: trunk_sid is missing", l.number))
		case taken && id != l.signup.ID:
			faults = append(faults, fmt.Sprintf("line %d: %s has the trunk %s", l.number, id, l.trunkSID))
		}
		of[l.trunkSID] = l.signup.ID
	}
	for _, fault := range faults {
		fmt.Fprintln(i.err, printable(fault))
	}
	if len(faults) > 0 {
		return usageError{fmt.Errorf("%d lines can't be used; nothing was done", len(faults))}
	}
	return nil
}
