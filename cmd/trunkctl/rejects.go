package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/trunkhook/trunkhook/provision"
)

// rejectsCommand is about what was sent and could not be used.
type rejectsCommand struct {
	List   rejectsList   `cmd:"" default:"withargs" help:"List them, the oldest first."`
	Show   rejectsShow   `cmd:"" help:"Show one, with what was sent."`
	Replay rejectsReplay `cmd:"" help:"Read them again, with the mapping as it is now, and send what can be used."`
	Drop   rejectsDrop   `cmd:"" help:"Forget some."`
}

type rejectsList struct {
	Source string `help:"Only those of that source." placeholder:"NAME"`
}

// rejected is a dead letter as JSON.
type rejected struct {
	ID         string            `json:"id"`
	Source     string            `json:"source"`
	Faults     []provision.Fault `json:"faults"`
	Deliveries int               `json:"deliveries"`
	ReceivedAt string            `json:"received_at"`
	Payload    string            `json:"payload"`
}

func asJSON(d provision.KeptDeadLetter) rejected {
	return rejected{d.ID, d.Source, d.Faults, d.Deliveries, moment(d.ReceivedAt), d.Payload}
}

// Run lists what could not be used.
func (c *rejectsList) Run(i *invocation) error {
	all := []rejected{}
	for letter, err := range i.archive.DeadLetters(i.ctx) {
		if err != nil {
			return err
		}
		if c.Source == "" || letter.Source == c.Source {
			all = append(all, asJSON(letter))
		}
	}
	if i.Output == "json" {
		return i.json(all)
	}
	t := newTable(i.out, "ID", "RECEIVED", "TIMES", "FAULTS")
	for _, r := range all {
		t.row(r.ID, r.ReceivedAt, strconv.Itoa(r.Deliveries), faultsText(r.Faults))
	}
	return t.Flush()
}

func faultsText(faults []provision.Fault) string {
	texts := make([]string, len(faults))
	for n, fault := range faults {
		texts[n] = fault.Field + " " + fault.Detail
	}
	return strings.Join(texts, "; ")
}

type rejectsShow struct {
	ID string `arg:"" help:"As rejects lists it."`
}

// Run shows one.
func (c *rejectsShow) Run(i *invocation) error {
	letter, err := i.letter(c.ID)
	if err != nil {
		return err
	}
	if i.Output == "json" {
		return i.json(asJSON(letter))
	}
	t := newTable(i.out)
	t.row("id", letter.ID)
	t.row("received", moment(letter.ReceivedAt))
	t.row("times", strconv.Itoa(letter.Deliveries))
	for _, fault := range letter.Faults {
		t.row("fault", fault.Field+" "+fault.Detail)
	}
	t.row("payload", letter.Payload)
	return t.Flush()
}

// letter finds one by its id.
func (i *invocation) letter(id string) (provision.KeptDeadLetter, error) {
	for letter, err := range i.archive.DeadLetters(i.ctx) {
		if err != nil || letter.ID == id {
			return letter, err
		}
	}
	return provision.KeptDeadLetter{}, fmt.Errorf("%w as a reject: %s", provision.ErrNotFound, id)
}

type rejectsDrop struct {
	IDs []string `arg:"" name:"id" help:"As rejects lists them."`
	confirmed
}

// Run forgets some.
func (c *rejectsDrop) Run(i *invocation) error {
	if err := c.confirm(i, fmt.Sprintf("Forget %d rejects for good?", len(c.IDs))); err != nil {
		return err
	}
	for _, id := range c.IDs {
		if err := i.ctx.Err(); err != nil {
			return err
		}
		err := i.archive.DropDeadLetter(i.ctx, id)
		i.change("rejects drop", id, c.Reason, "dropped", err)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return nil
}
