package main

import (
	"bufio"
	"fmt"
	"strings"
)

// confirmed stands in every command that changes something.
type confirmed struct {
	Yes    bool   `short:"y" help:"Don't ask."`
	Reason string `help:"Why, for the log." placeholder:"TEXT"`
}

// confirm asks, unless the command line has said yes. Nobody who can answer is a no.
func (c confirmed) confirm(i *invocation, question string) error {
	if c.Yes {
		return nil
	}
	fmt.Fprintf(i.err, "%s [y/N] ", printable(question))
	answer := make(chan string, 1)
	go func() { // Ctrl-C must not wait for a line
		line, _ := bufio.NewReader(i.in).ReadString('\n') // what ends without a line is a no
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-i.ctx.Done():
		fmt.Fprintln(i.err)
		return i.ctx.Err()
	case line := <-answer:
		if line == "y" || line == "yes" {
			return nil
		}
	}
	fmt.Fprintln(i.err)
	return errDeclined
}
