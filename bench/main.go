package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

// options are what the command line says.
type options struct {
	rounds   int
	effort   effort
	rows     []int // of the table
	loadTime time.Duration
	dir      string
	document string
	what     []string
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

// run writes the tables to out, or into a document, and how far it is to progress.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := readOptions(args)
	if err != nil {
		return err
	}
	o.progress = progress
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer b.close()
	var tables bytes.Buffer
	fmt.Fprint(&tables, taken(time.Now()))
	if err := b.measure(ctx, &tables); err != nil {
		return err
	}
	if o.document != "" {
		return replaceGenerated(o.document, tables.Bytes())
	}
	_, err = out.Write(tables.Bytes())
	return err
}

func readOptions(args []string) (options, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	var o options
	flags.IntVar(&o.rounds, "rounds", 3, "how often each contender is measured")
	flags.IntVar(&o.effort.colds, "colds", 4, "processes started in a round")
	flags.IntVar(&o.effort.news, "news", 30, "new signups in a round")
	flags.IntVar(&o.effort.replays, "replays", 150, "replays in a round")
	flags.StringVar(&o.dir, "dir", filepath.Join(dynamotest.Root(), "build", "bench"), "where the peers are installed and programs are built")
	flags.StringVar(&o.document, "write", "", "a document whose generated part is replaced; else the tables are printed")
	flags.DurationVar(&o.loadTime, "load-time", 10*time.Second, "how long each run of load sends")
	rows := flags.Int("rows", 1_000_000, "how many rows the table has at most")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	for n := 1; n < *rows; n *= 1000 {
		o.rows = append(o.rows, n)
	}
	o.rows = append(o.rows, *rows)
	if o.what = flags.Args(); len(o.what) == 0 {
		return options{}, errors.New("bench: say what to measure: peers, memory, scale, load, units")
	}
	return o, nil
}

// measure does all that was asked for, and holds it against what is aimed at.
func (b *bench) measure(ctx context.Context, out io.Writer) error {
	kinds := map[string]func(context.Context, io.Writer) error{"peers": b.peers, "memory": b.memory, "scale": b.scale, "load": b.load, "units": b.units}
	for _, name := range b.what {
		if kinds[name] == nil {
			return fmt.Errorf("bench: there is nothing named %s to measure", name)
		}
	}
	if slices.ContainsFunc(b.what, func(name string) bool { return name != "load" && name != "units" }) { // they need nothing of it
		if err := b.setUp(ctx); err != nil {
			return err
		}
	}
	for _, name := range b.what {
		if err := kinds[name](ctx, out); err != nil {
			return err
		}
	}
	if len(b.aims) > 0 {
		b.writeAims(out)
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
	aims       []aim // what was aimed at, and came out
}

func newBench(o options) (*bench, error) {
	temporary, err := os.MkdirTemp("", "trunkhook-bench-")
	return &bench{options: o, temporary: temporary}, err
}

// setUp builds the contenders and starts the services.
func (b *bench) setUp(ctx context.Context) (err error) {
	if b.trust, err = newAuthority(b.temporary); err != nil {
		return err
	}
	var missing error
	if b.contenders, missing, err = contenders(ctx, b.dir); err != nil {
		return err
	}
	if missing != nil {
		if b.document != "" { // it is about all of them
			return missing
		}
		fmt.Fprintf(b.progress, "left out: %v\n", missing)
	}
	c, err := newCloud()
	b.runner = &runner{cloud: c, dir: b.temporary}
	return err
}

func (b *bench) close() {
	if b.runner != nil && b.runner.cloud != nil {
		b.runner.cloud.close()
	}
	_ = os.RemoveAll(b.temporary)
}
