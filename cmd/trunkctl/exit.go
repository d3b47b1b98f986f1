package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/trunkhook/trunkhook/provision"
)

// The exit codes. docs/operations.md has them too.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2   // the command line or the environment
	exitNotFound    = 3   // no such signup, trunk or dead letter
	exitLeft        = 4   // something is left: findings, or a signup that is still pending
	exitNotNow      = 5   // a try holds the signup, or it is settled
	exitDeclined    = 6   // the question was not answered with yes
	exitInterrupted = 130 // Ctrl-C
)

var (
	errDeclined = errors.New("not done: it wasn't confirmed (--yes confirms)")
	errLeft     = errors.New("something is left")
)

// usageError is the caller's.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// complain says what went wrong, in one line, and returns the exit code of it.
func complain(w io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	code, text := exitCode(err), err.Error()
	if code == exitInterrupted {
		text = "interrupted"
	}
	fmt.Fprintln(w, "trunkctl: "+printable(text))
	return code
}

func exitCode(err error) int {
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, provision.ErrNotFound), errors.Is(err, provision.ErrNoSuchTrunk):
		return exitNotFound
	case errors.Is(err, errLeft):
		return exitLeft
	case errors.Is(err, provision.ErrHeld), errors.Is(err, provision.ErrSettled), errors.Is(err, provision.ErrGeneration):
		return exitNotNow
	case errors.Is(err, errDeclined):
		return exitDeclined
	}
	return exitFailed
}
