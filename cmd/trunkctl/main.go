// Command trunkctl is an operator's: it shows the signups, and changes what no
// delivery can. It works on the deployed system, with the functions' environment
// variables, and on the one that make run starts (--local .local), with the same
// commands. docs/operations.md has an example of each.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	code := run(ctx, os.Args[1:], os.Getenv, streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// streams are the terminal, or what stands for it.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// cli is the command line.
type cli struct {
	Local   string `help:"Work on the system that make run started, whose folder this is (.local)." placeholder:"DIR" env:"TRUNKCTL_LOCAL"`
	Outputs string `help:"The stack's outputs, as sam list stack-outputs --output json prints them; make trunkctl gives them." placeholder:"JSON"`
	Output  string `short:"o" help:"table, for people, or json." enum:"table,json" default:"table"`

	List    listCommand    `cmd:"" help:"List signups."`
	Show    showCommand    `cmd:"" help:"Show a signup, with its steps."`
	Retry   retryCommand   `cmd:"" help:"Try a signup now; of an incomplete one, what was refused."`
	Reject  rejectCommand  `cmd:"" help:"End a pending signup for good."`
	Delete  deleteCommand  `cmd:"" help:"Delete a signup's trunk, and leave a tombstone."`
	Adopt   adoptCommand   `cmd:"" help:"Record a trunk that exists as a pending signup's."`
	Import  importCommand  `cmd:"" help:"Record trunks that were made by hand."`
	Rejects rejectsCommand `cmd:"" help:"What was sent and could not be used."`
	Replay  replayCommand  `cmd:"" help:"Send signups once more."`
	Trace   traceCommand   `cmd:"" help:"Tell a signup's story out of the log: each delivery, write and call on one axis of time."`
	Export  exportCommand  `cmd:"" help:"Write all signups as JSON lines."`
	Audit   auditCommand   `cmd:"" help:"Hold the account's trunks against the table."`

	Completion completionCommand `cmd:"" help:"Print what a shell needs to complete commands: source <(trunkctl completion bash)."`
}

// run is a command from start to end; it returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, s streams) (code int) {
	var c cli
	ended := -1
	parser, err := kong.New(&c, kong.Name("trunkctl"), kong.Description("An operator's hands on trunkhook's signups."),
		kong.Writers(s.out, s.err), kong.Exit(func(code int) { ended = code }), kong.UsageOnError())
	if err != nil {
		return complain(s.err, err)
	}
	parsed, err := parser.Parse(args)
	if ended >= 0 { // --help
		return ended
	}
	if err != nil {
		return complain(s.err, usageError{err})
	}
	if strings.HasPrefix(parsed.Command(), "completion") { // of no system
		return complain(s.err, parsed.Run(&invocation{ctx: ctx, cli: &c, streams: s}, parser.Model))
	}
	if strings.HasPrefix(parsed.Command(), "trace") { // of a log
		return complain(s.err, parsed.Run(&invocation{ctx: ctx, cli: &c, streams: s}))
	}
	sys, err := c.open(ctx, getenv, s)
	if err != nil {
		return complain(s.err, err)
	}
	return complain(s.err, parsed.Run(&invocation{ctx: ctx, cli: &c, system: sys, streams: s}))
}

// invocation is what a command is given.
type invocation struct {
	ctx context.Context //nolint:containedctx // of this one command
	*cli
	system
	streams
}
