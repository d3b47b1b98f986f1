//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

// options are what the command line says.
type options struct {
	rounds   int
	effort   effort
	dir      string
	progress io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run writes the tables to out and how far it is to progress.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	o := options{progress: progress}
	flags.IntVar(&o.rounds, "rounds", 3, "how often each contender is measured")
	flags.IntVar(&o.effort.colds, "colds", 4, "processes started in a round")
	flags.IntVar(&o.effort.news, "news", 30, "new signups in a round")
	flags.IntVar(&o.effort.replays, "replays", 150, "replays in a round")
	flags.StringVar(&o.dir, "dir", filepath.Join(dynamotest.Root(), "build", "bench"), "where the peers are installed and programs are built")
	if err := flags.Parse(args); err != nil {
		return err
	}
	what := flags.Args()
	if len(what) == 0 {
		return errors.New("bench: say what to measure: peers, memory")
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	for _, name := range what {
		measure, ok := map[string]func(context.Context, io.Writer) error{"peers": b.peers, "memory": b.memory}[name]
		if !ok {
			return fmt.Errorf("bench: there is nothing named %s to measure", name)
		}
		if err := measure(ctx, out); err != nil {
			return err
		}
	}
	return nil
}

// bench is all that measuring needs.
type bench struct {
	options
	contenders []contender
	runner     *runner
	trust      authority
	temporary  string
}

func newBench(ctx context.Context, o options) (*bench, error) {
	temporary, err := os.MkdirTemp("", "trunkhook-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, temporary: temporary}
	if b.trust, err = newAuthority(temporary); err != nil {
		return nil, err
	}
	if b.contenders, err = contenders(ctx, o.dir, o.progress); err != nil {
		return nil, err
	}
	c, err := newCloud()
	if err != nil {
		return nil, err
	}
	b.runner = &runner{cloud: c, dir: temporary}
	return b, nil
}

func (b *bench) close() {
	b.runner.cloud.close()
	_ = os.RemoveAll(b.temporary)
}

func (b *bench) peers(ctx context.Context, out io.Writer) error {
	return peers(ctx, b.runner, b.contenders, &b.trust, b.options, out)
}
