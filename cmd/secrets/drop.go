package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// kept are the secrets that -drop leaves a source, as they were stored.
type kept struct {
	secrets []string
	names   []string // of their ways
	unsure  int      // how many of them could be of several ways
}

// newest keeps the first of each way. A secret whose looks don't tell its way may be
// the only one of it that works, so that all such are kept. What can't match any
// request goes.
func newest(ways []way, stored []string) kept {
	var k kept
	for _, secret := range stored {
		trimmed := strings.TrimSpace(secret) // as the functions do
		able := usableBy(ways, trimmed)
		if len(able) == 0 {
			continue
		}
		w, sure := which(able, trimmed)
		switch {
		case !sure:
			k.unsure++
		case slices.Contains(k.names, w.name):
			continue
		default:
			k.names = append(k.names, w.name)
		}
		k.secrets = append(k.secrets, secret)
	}
	return k
}

// dropSecrets leaves the newest of each way, or with -all none.
func (o options) dropSecrets(ctx context.Context, s store, out io.Writer) error {
	var ways []way
	if !o.all { // which closes a source that there is no more, too
		var err error
		if ways, err = waysOf(o.drop); err != nil {
			return fmt.Errorf("-drop: %w", err)
		}
	}
	var left kept
	err := o.change(ctx, s, func(sources map[string][]string) error {
		stored := sources[o.drop]
		if len(stored) == 0 {
			return errors.New("-drop: that source has no secrets")
		}
		if o.all {
			delete(sources, o.drop)
			return nil
		}
		if left = newest(ways, stored); len(left.secrets) == 0 {
			return fmt.Errorf("source %s would be left without any, since none that it has can match a request; -all drops them", o.drop)
		}
		sources[o.drop] = left.secrets
		return nil
	})
	switch {
	case err != nil:
		return err
	case o.all:
		fmt.Fprintf(out, "Source %s has no secret any more, and is closed within 5 minutes.\n", o.drop)
	default:
		o.tellLeft(left, out)
	}
	return nil
}

func (o options) tellLeft(left kept, out io.Writer) {
	fmt.Fprintf(out, "Source %s has %d secret(s) left", o.drop, len(left.secrets))
	if len(left.names) > 0 {
		fmt.Fprintf(out, " (the newest %s)", strings.Join(left.names, ", the newest "))
	}
	fmt.Fprintln(out, "; what was dropped works for another 5 minutes at most.")
	if left.unsure > 0 {
		fmt.Fprintf(out, "Of %d it can't be told which way they are for, so they all stay; -sources-file replaces them.\n", left.unsure)
	}
}
