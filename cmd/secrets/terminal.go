package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// prompter asks a person.
type prompter interface {
	ask(question string) (string, error)
	askHidden(question string) (string, error)
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

func (t terminal) ask(question string) (string, error) {
	fmt.Fprint(t.tty, question)
	line, err := t.lines.ReadString('\n')
	return strings.TrimSpace(line), err
}

func (t terminal) askHidden(question string) (string, error) {
	fmt.Fprint(t.tty, question)
	line, err := term.ReadPassword(int(t.tty.Fd()))
	fmt.Fprintln(t.tty)
	return strings.TrimSpace(string(line)), err
}
