// Command secrets puts the two secrets of a stack into Secrets Manager, from a
// terminal or from files, so that they never stand in a shell's history, in a
// parameter or in an environment variable.
//
//	secrets -outputs "$(sam list stack-outputs --stack-name S --output json)"
//
// It asks for Exotel's credentials, tries them, stores them, and makes the first
// secrets of source api. With -exotel-file or -sources-file it stores what is in
// the file ("-" for standard input) instead of asking. -add SOURCE makes one more
// secret for a source and keeps those that are there, to rotate it in; -set SOURCE
// asks for one that the sender made; -drop SOURCE then leaves the newest of each way
// in which the source's sender can prove itself, and -drop SOURCE -all none.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "secrets: "+err.Error())
		stop()
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	exotelID, sourcesID     string
	exotelFile, sourcesFile string
	add, set, drop          string
	signing, all            bool
	user                    string
	exotelURL               string
	docs                    string // where docs/sources.md is, for the hints
}

func parse(args []string) (options, error) {
	o := options{docs: "docs/sources.md"}
	var outputs string
	flags := flag.NewFlagSet("secrets", flag.ContinueOnError)
	flags.StringVar(&outputs, "outputs", "", "the stack's outputs, as sam list stack-outputs --output json prints them")
	flags.StringVar(&o.exotelFile, "exotel-file", "", "store Exotel's credentials from this file; - is standard input")
	flags.StringVar(&o.sourcesFile, "sources-file", "", "store the sources' secrets from this file; - is standard input")
	flags.StringVar(&o.add, "add", "", "make one more secret for this source")
	flags.StringVar(&o.set, "set", "", "ask for a secret that this source's sender shows, and take it too")
	flags.BoolVar(&o.signing, "signing", false, "with -add: one that signs (whsec_...), not a token")
	flags.StringVar(&o.user, "user", "", "with -add: a password for this user, not a token")
	flags.StringVar(&o.drop, "drop", "", "leave this source the newest secret of each way to prove itself")
	flags.BoolVar(&o.all, "all", false, "with -drop: leave none, which closes the source")
	flags.StringVar(&o.exotelURL, "exotel-url", "", "try the credentials here instead of at Exotel")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if err := o.check(flags.NArg()); err != nil {
		return options{}, err
	}
	var list []struct{ OutputKey, OutputValue string }
	if err := json.Unmarshal([]byte(outputs), &list); err != nil {
		return options{}, errors.New("-outputs is not what sam list stack-outputs --output json prints")
	}
	for _, output := range list {
		switch output.OutputKey {
		case "ExotelSecret":
			o.exotelID = output.OutputValue
		case "SourcesSecret":
			o.sourcesID = output.OutputValue
		}
	}
	if o.exotelID == "" || o.sourcesID == "" {
		return options{}, errors.New("-outputs has no ExotelSecret or no SourcesSecret: is this a stack of trunkhook's?")
	}
	return o, nil
}

// check refuses what would be passed over. Its error repeats nothing, since it may be
// a secret.
func (o options) check(more int) error {
	steps := 0
	for _, given := range []bool{o.add != "", o.set != "", o.drop != "", o.exotelFile+o.sourcesFile != ""} {
		if given {
			steps++
		}
	}
	switch {
	case more > 0:
		return errors.New("there is more on the command line than options; secrets are asked for, and never taken from there")
	case steps > 1:
		return errors.New("-add, -set, -drop and the files are steps of their own: one at a time")
	case o.add == "" && (o.signing || o.user != ""), o.signing && o.user != "":
		return errors.New("-signing or -user says what -add makes")
	case o.drop == "" && o.all:
		return errors.New("-all goes with -drop")
	case o.user != "" && checkUser(o.user) != nil:
		return errors.New("-user is the user's name alone, without colon or white space")
	}
	return nil
}

func run(ctx context.Context, args []string, stdin io.Reader, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	// Here the SDK's whole chain is wanted: profiles, single sign-on, and the rest.
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	return o.do(ctx, store{secretsmanager.NewFromConfig(aws)}, stdin, newTerminal, out)
}

// do does what the options say; without any it asks.
func (o options) do(ctx context.Context, s store, stdin io.Reader, open func() (prompter, error), out io.Writer) error {
	switch {
	case o.add != "":
		return o.addSecret(ctx, s, out)
	case o.set != "":
		p, err := open()
		if err != nil {
			return err
		}
		return o.setSecret(ctx, s, p, out)
	case o.drop != "":
		return o.dropSecrets(ctx, s, out)
	case o.exotelFile == "" && o.sourcesFile == "":
		p, err := open()
		if err != nil {
			return err
		}
		if err := o.askExotel(ctx, s, p, out); err != nil {
			return err
		}
		return o.firstSecrets(ctx, s, out)
	}
	return o.fromFiles(ctx, s, stdin, out)
}

func (o options) fromFiles(ctx context.Context, s store, stdin io.Reader, out io.Writer) error {
	if o.exotelFile != "" {
		text, err := read(o.exotelFile, stdin)
		if err != nil {
			return err
		}
		if err := o.storeExotel(ctx, s, text, out); err != nil {
			return err
		}
	}
	if o.sourcesFile == "" {
		return nil
	}
	text, err := read(o.sourcesFile, stdin)
	if err != nil {
		return err
	}
	return o.storeSources(ctx, s, text, out)
}

func read(file string, stdin io.Reader) (string, error) {
	if file == "-" {
		text, err := io.ReadAll(stdin)
		return string(text), err
	}
	text, err := os.ReadFile(file) //nolint:gosec // the file that the user names
	return string(text), err
}
