package main

import (
	"fmt"
	"strconv"

	"github.com/trunkhook/trunkhook/provision"
)

type showCommand struct {
	ID string `arg:"" help:"The signup's id."`
}

// Run shows one signup. Where its passwords are is told, and no password.
func (c *showCommand) Run(i *invocation) error {
	record, err := i.engine.Status(i.ctx, c.ID)
	if err != nil {
		return fmt.Errorf("%s: %w", c.ID, err)
	}
	return i.show(record)
}

func (i *invocation) show(r provision.Record) error {
	if i.Output == "json" {
		return i.json(r)
	}
	t := newTable(i.out)
	for _, field := range [][2]string{
		{"signup", r.SignupID},
		{"company", r.Company},
		{"source", r.Source},
		{"status", string(r.Status)},
		{"trunk", r.TrunkSID},
		{"name", r.TrunkName},
		{"domain", r.DomainName},
		{"account", r.AccountSID},
		{"attempts", strconv.Itoa(r.Attempts)},
		{"last error", r.LastError},
		{"due", moment(r.DueAt)},
		{"held until", moment(r.LeaseUntil)},
		{"created", moment(r.CreatedAt)},
		{"updated", moment(r.UpdatedAt)},
	} {
		t.row(field[0], field[1])
	}
	if err := t.Flush(); err != nil || len(r.Steps) == 0 {
		return err
	}
	fmt.Fprintln(i.out)
	t = newTable(i.out, "STEP", "VALUE", "STATUS", "ID", "REASON", "PASSWORD AT")
	for _, step := range r.LineSteps() {
		t.row(string(step.Kind), step.Value, string(step.Status), step.ID, step.Reason, step.PasswordAt)
	}
	return t.Flush()
}
