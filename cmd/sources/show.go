package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/mapping"
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
		fmt.Fprintf(out, "event %d of %d: %s\n", i+1, len(list), mapping.Verdict(event))
		for _, step := range mapping.Asked(event) {
			fmt.Fprintf(out, "  asks for %s\n", step)
		}
		for _, value := range event.Values() {
			fmt.Fprintf(out, "  %-16s %-40s %s\n", value.Field, value.Expression, mapping.Result(value))
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
