package timeline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine is in bytes. CloudWatch takes events of 1 MiB at most.
const maxLine = 4 << 20

// Read reads a log: lines of JSON, with or without what the tools of AWS put before
// them, or one document as aws logs filter-log-events or a query of Logs Insights
// prints it. What tells of no signup is passed over. A signup's id picks its entries;
// with an empty one all are returned.
func Read(r io.Reader, signupID string) ([]Entry, error) {
	var entries []Entry
	keep := func(text []byte) {
		if e, ok := Parse(text); ok && (signupID == "" || e.SignupID == signupID) {
			entries = append(entries, e)
		}
	}
	buffered := bufio.NewReaderSize(r, 64<<10)
	if isDocument(buffered) {
		err := readDocument(buffered, keep)
		return entries, err
	}
	scanner := bufio.NewScanner(buffered)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		keep(scanner.Bytes())
	}
	if err := scanner.Err(); err != nil {
		return entries, fmt.Errorf("the log can't be read to its end: %w", err)
	}
	return entries, nil
}

// isDocument tells by the first bytes, which it leaves there.
func isDocument(r *bufio.Reader) bool {
	head, _ := r.Peek(512)
	head = bytes.Join(bytes.Fields(head), nil)
	for _, start := range []string{`{"events":`, `{"results":`, `{"statistics":`, `{"queryLanguage":`, `[`} {
		if bytes.HasPrefix(head, []byte(start)) {
			return true
		}
	}
	return false
}

// event is one of CloudWatch's; of a query's rows there are fields instead.
type event struct {
	Message string `json:"message"`
}

type field struct{ Field, Value string }

func readDocument(r io.Reader, keep func([]byte)) error {
	var whole json.RawMessage
	if err := json.NewDecoder(r).Decode(&whole); err != nil {
		return errors.New("the log is no whole JSON document")
	}
	var document struct {
		Events  []event   `json:"events"`
		Results [][]field `json:"results"`
	}
	if bytes.HasPrefix(bytes.TrimSpace(whole), []byte("[")) {
		if json.Unmarshal(whole, &document.Events) != nil {
			return errors.New("the log is a list of something else than events")
		}
	} else if json.Unmarshal(whole, &document) != nil {
		return errors.New("the log is a document of something else than events")
	}
	for _, e := range document.Events {
		keep([]byte(e.Message))
	}
	for _, row := range document.Results {
		for _, f := range row {
			if f.Field == "@message" {
				keep([]byte(f.Value))
			}
		}
	}
	return nil
}
