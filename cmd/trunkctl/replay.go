package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

type replayCommand struct {
	File  string `arg:"" help:"Signups, a JSON object a line, as POST /signups takes them or trunkctl export writes them."`
	State string `help:"Where it is noted what was sent (FILE.replayed)." placeholder:"FILE"`
	confirmed
}

// Run sends signups once more. Each is on disk before the next one is begun, and what
// couldn't be finished is the reconciler's.
func (c *replayCommand) Run(i *invocation) error {
	lines, err := readLines(c.File)
	if err != nil {
		return err
	}
	all := len(lines)
	lines = slices.DeleteFunc(lines, func(l fileLine) bool { return l.ended != "" })
	if n := all - len(lines); n > 0 {
		fmt.Fprintf(i.err, "%d more are of signups that were ended for good, or dry, and left out\n", n)
	}
	if c.State == "" {
		c.State = c.File + ".replayed"
	}
	done, err := openState(c.State, lines)
	if err != nil {
		return err
	}
	defer done.close()
	open := done.open(lines)
	fmt.Fprintf(i.err, "%d signups, %d of them sent before\n", len(lines), len(lines)-len(open))
	if len(open) == 0 {
		return i.sum(sum{})
	}
	if err := c.confirm(i, fmt.Sprintf("Send %d signups?", len(open))); err != nil {
		return err
	}
	total, err := c.send(i, open, done)
	if err := i.sum(total); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	return total.left()
}

func (c *replayCommand) send(i *invocation, open []fileLine, done *state) (total sum, err error) {
	progress := newProgress(i.err)
	defer progress.end()
	for n, l := range open {
		if err := i.ctx.Err(); err != nil {
			return total, err
		}
		result, err := deliver(i, l)
		progress.end()
		i.change("replay", l.signup.ID, c.Reason, string(result.Outcome), err)
		if errors.Is(err, provision.ErrUnavailable) {
			return total, err // and so would be all that follow
		}
		total.add(result, err)
		if err == nil {
			if err := done.note(l); err != nil {
				return total, err
			}
		}
		progress.tell("signups sent", n+1, len(open))
	}
	return total, nil
}

// deliverTime is what one signup may take before its share of the budget is waited for.
const deliverTime = 20 * time.Second

// deliver sends one signup through the engine. With the trunk that a record names it is
// recorded, whatever the trunk's name is; a trunk that is gone is not made again. Where
// the budget has no room for a delivery it is tried once more, as soon as it has. What
// has begun is finished.
func deliver(i *invocation, l fileLine) (result provision.Result, err error) {
	if l.err != nil {
		return provision.Result{}, fmt.Errorf("line %d: %w", l.number, l.err)
	}
	ctx := context.WithoutCancel(i.ctx)
	if l.trunkSID != "" {
		if result, err = i.engine.Import(ctx, l.signup, l.trunkSID); err != nil {
			err = fmt.Errorf("line %d: %w", l.number, err)
		}
		return result, err
	}
	result, err = i.engine.Provision(ctx, l.signup, deliverTime)
	var spent *provision.SpentError
	if err == nil && result.Problem != nil && errors.As(result.Problem.Err, &spent) && !result.Record.Searching {
		again, retryErr := i.engine.Retry(ctx, l.signup.ID)
		if retryErr == nil { // else somebody else is at it, or was
			result = again
		}
	}
	if err == nil && result.Outcome == provision.OutcomeConflict {
		err = fmt.Errorf("line %d: %w", l.number, provision.ErrOtherContent)
	}
	return result, err
}

// sum is what became of many.
type sum struct {
	Complete int `json:"complete"` // active or incomplete
	Taken    int `json:"taken"`    // pending: the reconciler finishes them
	Refused  int `json:"refused"`
}

func (s *sum) add(result provision.Result, err error) {
	switch {
	case err != nil:
		s.Refused++
	case result.Record.Status == provision.StatusPending:
		s.Taken++
	default:
		s.Complete++
	}
}

func (s sum) left() error {
	if s.Refused > 0 {
		return fmt.Errorf("%w: %d signups were refused", errLeft, s.Refused)
	}
	return nil
}

func (i *invocation) sum(s sum) error {
	if i.Output == "json" {
		return i.json(s)
	}
	_, err := fmt.Fprintf(i.out, "%d complete, %d taken and pending, %d refused\n", s.Complete, s.Taken, s.Refused)
	return err
}
