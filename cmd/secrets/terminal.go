package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// prompter asks a person.
type prompter interface {
	ask(ctx context.Context, question string) (string, error)
	askHidden(ctx context.Context, question string) (string, error)
}

// terminal is the one that the program was started from, whatever standard
// input is.
type terminal struct {
	tty   *os.File
	lines *bufio.Reader
}

func newTerminal() (prompter, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, errors.New("there is no terminal to ask on; use -exotel-file and -sources-file")
	}
	return terminal{tty, bufio.NewReader(tty)}, nil
}

func (t terminal) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(t.tty, question)
	return t.answer(ctx, func() (string, error) { return t.lines.ReadString('\n') })
}

func (t terminal) askHidden(ctx context.Context, question string) (string, error) {
	fmt.Fprint(t.tty, question)
	return t.answer(ctx, func() (string, error) {
		line, err := term.ReadPassword(int(t.tty.Fd()))
		fmt.Fprintln(t.tty)
		return string(line), err
	})
}

// answer reads one, unless Ctrl-C comes first: then the terminal is left as it was.
// Nothing else ends a read, so it goes on for as long as the process does.
func (t terminal) answer(ctx context.Context, read func() (string, error)) (string, error) {
	before, stateErr := term.GetState(int(t.tty.Fd()))
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := read()
		lines <- line{text, err}
	}()
	select {
	case l := <-lines:
		if errors.Is(l.err, io.EOF) {
			return "", errors.New("there was no answer")
		}
		return strings.TrimSpace(l.text), l.err
	case <-ctx.Done():
		if stateErr == nil {
			_ = term.Restore(int(t.tty.Fd()), before) // there is nothing else to try
		}
		fmt.Fprintln(t.tty)
		return "", errors.New("interrupted; nothing more is stored")
	}
}
