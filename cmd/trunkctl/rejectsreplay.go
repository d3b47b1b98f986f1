package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/provision"
)

type rejectsReplay struct {
	IDs []string `arg:"" optional:"" name:"id" help:"As rejects lists them."`
	All bool     `help:"All of them."`
	confirmed
}

// Run reads rejects again, with the sources' files and SOURCES_OVERRIDES as they are
// here, and sends what can be used. One of which all is on disk is forgotten.
func (c *rejectsReplay) Run(i *invocation) error {
	if c.All == (len(c.IDs) > 0) {
		return usageError{errors.New("which? ids, or --all")}
	}
	set, err := sources.Load(i.getenv("SOURCES_OVERRIDES"))
	if err != nil {
		return usageError{err}
	}
	letters, err := c.letters(i)
	if err != nil {
		return err
	}
	if err := c.confirm(i, fmt.Sprintf("Read %d rejects again, and send what can be used?", len(letters))); err != nil {
		return err
	}
	var total sum
	for _, letter := range letters {
		if err := i.ctx.Err(); err != nil {
			return err
		}
		if err := c.replay(i, set, letter, &total); err != nil {
			return err
		}
	}
	if err := i.sum(total); err != nil {
		return err
	}
	return total.left()
}

// letters are all that are meant, read before any is dropped.
func (c *rejectsReplay) letters(i *invocation) (letters []provision.KeptDeadLetter, err error) {
	found := make(map[string]bool)
	for letter, err := range i.archive.DeadLetters(i.ctx) {
		if err != nil {
			return nil, err
		}
		if c.All || slices.Contains(c.IDs, letter.ID) {
			letters, found[letter.ID] = append(letters, letter), true
		}
	}
	for _, id := range c.IDs {
		if !found[id] {
			return nil, fmt.Errorf("%w as a reject: %s", provision.ErrNotFound, id)
		}
	}
	return letters, nil
}

// replay forgets the letter where nothing of it is refused. Its error ends the command.
func (c *rejectsReplay) replay(i *invocation, set sources.Set, letter provision.KeptDeadLetter, total *sum) error {
	refused := total.Refused
	events, err := readKept(set, letter)
	if err != nil {
		total.add(provision.Result{}, err)
		i.change("rejects replay", letter.ID, c.Reason, "", err)
	}
	for _, event := range events {
		if event.Ignored { // by the mapping as it is now
			i.change("rejects replay", letter.ID, c.Reason, "ignored", nil)
			continue
		}
		result, err := deliver(i, fileLine{number: 1, signup: event.Signup, err: event.Fault})
		i.change("rejects replay", letter.ID+" "+event.Signup.ID, c.Reason, string(result.Outcome), err)
		if errors.Is(err, provision.ErrUnavailable) {
			return err
		}
		total.add(result, err)
	}
	if total.Refused > refused {
		return nil
	}
	if err := i.archive.DropDeadLetter(i.ctx, letter.ID); err != nil && !errors.Is(err, provision.ErrNotFound) {
		return err
	}
	return nil
}

// readKept refuses what was broken when it came, such as XML with a field twice: what
// is kept of that shows one of the two, which would be a guess.
func readKept(set sources.Set, letter provision.KeptDeadLetter) ([]sources.Event, error) {
	if slices.ContainsFunc(letter.Faults, func(f provision.Fault) bool { return f.Field == "event" || f.Field == "body" }) {
		return nil, errors.New("it was broken when it came: have it sent again")
	}
	for _, source := range set.All() {
		if source.Name == letter.Source {
			return source.ReadKept([]byte(letter.Payload))
		}
	}
	return nil, fmt.Errorf("there is no source %s any more", letter.Source)
}
