// Command sources tries the sources of webhooks.
//
//	sources send hubspot                       send its sample, signed as HubSpot would, to the local system
//	sources map hubspot payload.json           show what its mapping takes out of a payload of yours
//
// make send SOURCE=hubspot and make verify-mapping SOURCE=hubspot FILE=payload.json
// call it. Nothing is sent anywhere but to -url.
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

	"github.com/trunkhook/trunkhook/handler/sources"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sources: "+err.Error())
		stop()
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: sources send [flags] SOURCE | map SOURCE FILE")

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	set, err := sources.Load(getenv("SOURCES_OVERRIDES"))
	if err != nil {
		return err
	}
	switch args[0] {
	case "send":
		return send(ctx, set, args[1:], out)
	case "map":
		return show(set, args[1:], out)
	}
	return errUsage
}

// parseFlags allows flags before what they are for.
func parseFlags(flags *flag.FlagSet, args []string, want int) ([]string, error) {
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() != want {
		return nil, errUsage
	}
	return flags.Args(), nil
}

// contentType goes by the file's name.
func contentType(file string) string {
	switch filepath.Ext(file) {
	case ".form", ".txt":
		return "application/x-www-form-urlencoded"
	case ".xml":
		return "text/xml; charset=utf-8"
	}
	return "application/json"
}
