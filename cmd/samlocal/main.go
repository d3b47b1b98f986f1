// Command samlocal tries the functions on one machine as the SAM CLI does, with
// no AWS account: it starts a table, the two secrets, a store of passwords and a
// fake Exotel, points the built functions at them, and runs
//
//	samlocal invoke events/signup.json    sam local invoke on that event
//	samlocal start-api                    sam local start-api on 127.0.0.1:3000
//
// Both want a container engine (Docker, or podman behind DOCKER_HOST). Where none
// answers, it says so and runs the same bootstrap under AWS's Runtime Interface
// Emulator, which comes with the SAM CLI. make invoke and make start-api build
// the functions first and call it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/trunkhook/trunkhook/internal/gateway"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "samlocal: "+err.Error())
		stop()
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	sam      string // the SAM CLI
	built    string // the template that sam build wrote
	without  string // why no container may be used; empty where one may
	addr     string // where start-api listens
	function string // logical id of the function that is invoked
	event    string // file; empty for start-api
}

func parse(args []string) (options, error) {
	var o options
	var emulate bool
	flags := flag.NewFlagSet("samlocal", flag.ContinueOnError)
	flags.StringVar(&o.sam, "sam", "sam", "the SAM CLI")
	flags.StringVar(&o.built, "template", ".aws-sam/build/template.yaml", "the template that sam build wrote")
	flags.StringVar(&o.addr, "addr", "127.0.0.1:3000", "where start-api listens; a loopback address")
	flags.StringVar(&o.function, "function", "WebhookFunction", "which function invoke runs")
	flags.BoolVar(&emulate, "emulator", false, "use the Runtime Interface Emulator even where a container engine answers")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if emulate {
		o.without = "-emulator was given"
	}
	switch {
	case flags.NArg() == 2 && flags.Arg(0) == "invoke":
		o.event = flags.Arg(1)
	case flags.NArg() == 1 && flags.Arg(0) == "start-api":
	default:
		return options{}, errors.New("usage: samlocal [flags] invoke EVENT | start-api")
	}
	if _, err := os.Stat(o.built); err != nil {
		return options{}, fmt.Errorf("%s is not there: run sam build first", o.built)
	}
	if o.event == "" {
		return o, checkLoopback(o.addr)
	}
	_, err := os.Stat(o.event)
	return o, err
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	host := "127.0.0.1"
	var engine *engine
	if o.without == "" {
		if engine, err = findEngine(ctx); err != nil {
			o.without = err.Error()
		} else {
			defer engine.close()
			host = engine.bind
		}
	}
	parts, err := startParts(ctx, host)
	if err != nil {
		return err
	}
	defer parts.close()
	if o.without != "" {
		fmt.Fprintf(stderr, "No container (%s): the same bootstrap runs under AWS's Runtime Interface Emulator.\n", o.without)
		return o.emulate(ctx, parts, stdout, stderr)
	}
	fmt.Fprintf(stderr, "In a container of %s; the parts are on %s.\n", engine.name, engine.reach)
	return o.contain(ctx, engine, parts, stdout, stderr)
}

// bootstrap is the built function.
func (o options) bootstrap() string {
	return filepath.Join(filepath.Dir(o.built), o.function, "bootstrap")
}

// checkLoopback: everybody knows the secrets here.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("-addr %s must be host:port", addr)
	}
	if !gateway.IsLoopback(host) {
		return fmt.Errorf("-addr %s must be a loopback address: everybody knows the secrets here", addr)
	}
	return nil
}
