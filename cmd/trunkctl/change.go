package main

import (
	"context"
	"fmt"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

type retryCommand struct {
	ID string `arg:"" help:"The signup's id."`
	confirmed
}

// Run tries a signup now.
func (c *retryCommand) Run(i *invocation) error {
	return i.operate("retry", c.ID, c.confirmed, "Try "+c.ID+" now?", func(ctx context.Context) (provision.Result, error) {
		return i.engine.Retry(ctx, c.ID)
	})
}

type rejectCommand struct {
	ID     string `arg:"" help:"The signup's id."`
	Yes    bool   `short:"y" help:"Don't ask."`
	Reason string `required:"" help:"Why, for people; it is kept." placeholder:"TEXT"`
}

// Run rejects a signup.
func (c *rejectCommand) Run(i *invocation) error {
	return i.operate("reject", c.ID, confirmed{c.Yes, c.Reason}, "Reject "+c.ID+" for good?", func(ctx context.Context) (provision.Result, error) {
		return i.engine.Reject(ctx, c.ID, c.Reason)
	})
}

type deleteCommand struct {
	ID         string `arg:"" help:"The signup's id."`
	Generation int    `help:"Which generation of it; needed from the second on." default:"1"`
	Yes        bool   `short:"y" help:"Don't ask."`
	Reason     string `required:"" help:"Why, for people; it is kept." placeholder:"TEXT"`
}

// deleteTime is what the first look at Exotel may take; the reconciler ends it.
const deleteTime = 30 * time.Second

// Run deletes a signup.
func (c *deleteCommand) Run(i *invocation) error {
	question := "Delete the trunk of " + c.ID + ", with all that is mapped to it, for good?"
	return i.operate("delete", c.ID, confirmed{c.Yes, c.Reason}, question, func(ctx context.Context) (provision.Result, error) {
		return i.engine.Delete(ctx, c.ID, c.Generation, c.Reason, deleteTime)
	})
}

type adoptCommand struct {
	ID       string `arg:"" help:"The signup's id."`
	TrunkSID string `arg:"" name:"trunk_sid" help:"The trunk's."`
	confirmed
}

// Run records a trunk as a signup's.
func (c *adoptCommand) Run(i *invocation) error {
	return i.operate("adopt", c.ID, c.confirmed, "Record "+c.TrunkSID+" as the trunk of "+c.ID+"?", func(ctx context.Context) (provision.Result, error) {
		return i.engine.Adopt(ctx, c.ID, c.TrunkSID)
	})
}

// operate asks, does it, logs it and shows what came of it. What has begun is finished,
// which takes the engine half a minute at the most.
func (i *invocation) operate(command, id string, c confirmed, question string, do func(context.Context) (provision.Result, error)) error {
	if _, err := i.engine.Status(i.ctx, id); err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	if err := c.confirm(i, question); err != nil {
		return err
	}
	if err := i.ctx.Err(); err != nil {
		return err
	}
	result, err := do(context.WithoutCancel(i.ctx))
	if err == nil && result.Record.Status == provision.StatusPending {
		err = stillPending(result)
	}
	i.change(command, id, c.Reason, string(result.Outcome), err)
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	return i.show(result.Record)
}

func stillPending(result provision.Result) error {
	if result.Problem != nil {
		return fmt.Errorf("%w: it is still pending: %w", errLeft, result.Problem.Err)
	}
	return fmt.Errorf("%w: it is still pending", errLeft)
}
