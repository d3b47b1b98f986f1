package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trunkhook/trunkhook/provision"
)

type listCommand struct {
	Status string `help:"Only those: pending, active, incomplete, rejected, deleting, deleted, dry." placeholder:"STATUS"`
}

var statuses = []provision.Status{
	provision.StatusPending, provision.StatusActive, provision.StatusIncomplete, provision.StatusRejected, provision.StatusDeleting, provision.StatusDeleted,
	provision.StatusDry,
}

// Run lists the signups in the order of their ids.
func (c *listCommand) Run(i *invocation) error {
	if c.Status != "" && !slices.Contains(statuses, provision.Status(c.Status)) {
		return usageError{fmt.Errorf("--status %s: there is no such status", c.Status)}
	}
	var records []provision.Record
	for record, err := range i.archive.All(i.ctx) {
		if err != nil {
			return err
		}
		if c.Status == "" || string(record.Status) == c.Status {
			records = append(records, record)
		}
	}
	slices.SortFunc(records, func(a, b provision.Record) int { return strings.Compare(a.SignupID, b.SignupID) })
	if i.Output == "json" {
		return i.json(append([]provision.Record{}, records...)) // [] where there are none
	}
	t := newTable(i.out, "SIGNUP", "STATUS", "TRUNK", "NAME", "COMPANY", "UPDATED", "LAST ERROR")
	for _, r := range records {
		t.row(r.SignupID, string(r.Status), r.TrunkSID, r.TrunkName, r.Company, moment(r.UpdatedAt), r.LastError)
	}
	return t.Flush()
}
