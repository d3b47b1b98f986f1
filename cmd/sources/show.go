package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/provision"
)

var errUnusable = errors.New("the mapping makes no signup of it")

// show prints what a source's mapping takes out of a payload.
func show(set sources.Set, args []string, out io.Writer) error {
	rest, err := parseFlags(flag.NewFlagSet("map", flag.ContinueOnError), args, 2)
	if err != nil {
		return err
	}
	source, ok := byName(set, rest[0])
	if !ok {
		return fmt.Errorf("there is no source %q", rest[0])
	}
	body, err := os.ReadFile(rest[1]) //nolint:gosec // the file that the user names
	if err != nil {
		return err
	}
	list, err := source.Read(contentType(rest[1]), body)
	if err != nil {
		return err
	}
	unusable := false
	for i, event := range list {
		fmt.Fprintf(out, "event %d of %d: %s\n", i+1, len(list), verdict(event))
		for _, step := range asked(event) {
			fmt.Fprintf(out, "  asks for %s\n", step)
		}
		for _, value := range event.Values() {
			fmt.Fprintf(out, "  %-16s %-40s %s\n", value.Field, value.Expression, result(value))
		}
		unusable = unusable || event.Fault != nil
	}
	if unusable {
		return errUnusable
	}
	return nil
}

// byName finds sources without HTTP too.
func byName(set sources.Set, name string) (*sources.Source, bool) {
	for _, source := range set.All() {
		if source.Name == name {
			return source, true
		}
	}
	return nil, false
}

func verdict(event sources.Event) string {
	switch {
	case event.Ignored:
		return "ignored: its match is false"
	case event.Fault != nil:
		return event.Fault.Error()
	case event.Cancelled:
		return "signup_id " + event.Signup.ID + ", deleted where ALLOW_DELETE is true, else ignored"
	}
	return fmt.Sprintf("signup_id %s, company %q", event.Signup.ID, event.Signup.Company)
}

// asked is what the signup of a usable event asks for beside its trunk.
func asked(event sources.Event) (asked []string) {
	if event.Ignored || event.Fault != nil {
		return nil
	}
	for _, step := range (provision.Record{Steps: event.Signup.Line.Steps()}).LineSteps() {
		text := string(step.Kind) + " " + step.Value
		if step.Option != "" {
			text += " (" + step.Option + ")"
		}
		asked = append(asked, text)
	}
	return asked
}

func result(value sources.Value) string {
	if value.Err != nil {
		return value.Err.Error()
	}
	text, err := json.Marshal(value.Result)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}
