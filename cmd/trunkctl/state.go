package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// state is which lines of a file were sent: a line of it for each, with its number and
// its signup's id. One that was killed is gone on with where it ended; what is sent
// twice by that does no harm.
type state struct {
	file *os.File
	sent map[int]bool
}

// openState refuses the state of another file.
func openState(path string, lines []fileLine) (*state, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the file that the user names
	if err != nil {
		return nil, usageError{err}
	}
	s := &state{file, make(map[int]bool)}
	whole, err := s.read(lines)
	if err == nil {
		err = s.cutOff(whole)
	}
	if err != nil {
		_ = file.Close()
		return nil, usageError{fmt.Errorf("%s: %w", path, err)}
	}
	return s, nil
}

var errOtherState = errors.New("this is the state of another file; --state names another one")

// read returns how many bytes are whole lines.
func (s *state) read(lines []fileLine) (whole int64, err error) {
	ids := make(map[int]string, len(lines))
	for _, l := range lines {
		ids[l.number] = l.signup.ID
	}
	reader := bufio.NewReader(s.file)
	for {
		text, err := reader.ReadString('\n')
		if errors.Is(err, io.EOF) { // what is behind the last line break was cut off
			return whole, nil
		}
		if err != nil {
			return 0, err
		}
		number, id, _ := strings.Cut(strings.TrimSuffix(text, "\n"), " ")
		n, err := strconv.Atoi(number)
		if known, there := ids[n]; err != nil || !there || known != id {
			return 0, errOtherState
		}
		s.sent[n] = true
		whole += int64(len(text))
	}
}

// cutOff takes away a line that isn't whole, so that the next one is.
func (s *state) cutOff(whole int64) error {
	if err := s.file.Truncate(whole); err != nil {
		return err
	}
	_, err := s.file.Seek(whole, io.SeekStart)
	return err
}

func (s *state) open(lines []fileLine) (open []fileLine) {
	for _, l := range lines {
		if !s.sent[l.number] {
			open = append(open, l)
		}
	}
	return open
}

func (s *state) note(l fileLine) error {
	_, err := fmt.Fprintf(s.file, "%d %s\n", l.number, l.signup.ID)
	return err
}

func (s *state) close() { _ = s.file.Close() }
