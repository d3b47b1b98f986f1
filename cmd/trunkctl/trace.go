package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/trunkhook/trunkhook/internal/door"
	"github.com/trunkhook/trunkhook/internal/timeline"
	"github.com/trunkhook/trunkhook/provision"
)

type traceCommand struct {
	ID  string `arg:"" help:"The signup's id."`
	Log string `help:"A file with the log of a deployed system, as the tools of AWS export it; - for standard input. With --local it is that system's own." placeholder:"FILE"`
}

// Run tells a signup's story out of the log. It asks no system, and works where none runs.
func (c *traceCommand) Run(i *invocation) error {
	log, err := c.open(i)
	if err != nil {
		return usageError{err}
	}
	defer log.Close()
	entries, err := timeline.Read(log, c.ID)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return fmt.Errorf("%s: the log has no line of it: %w", c.ID, provision.ErrNotFound)
	}
	story := timeline.Tell(c.ID, entries)
	if i.Output == "json" {
		return i.json(story)
	}
	return story.WriteText(i.out)
}

func (c *traceCommand) open(i *invocation) (io.ReadCloser, error) {
	switch {
	case c.Log == "-":
		return io.NopCloser(i.in), nil
	case c.Log != "":
		return os.Open(c.Log)
	case i.Local != "":
		return os.Open(door.Log(i.Local))
	}
	return nil, errors.New("which log? --local .local is that of make run; --log FILE one that was exported from CloudWatch (docs/operations.md says how)")
}
