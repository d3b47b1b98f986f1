package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/handler/line"
	"github.com/trunkhook/trunkhook/handler/strictjson"
	"github.com/trunkhook/trunkhook/provision"
)

// fileLine is one line of a file of signups.
type fileLine struct {
	number   int // from 1
	signup   provision.Signup
	trunkSID string
	ended    provision.Status // of an exported record that was ended for good
	err      error            // why it can't be used
}

// maxLine is in bytes: a record has what Exotel answered in it, 100 KiB.
const maxLine = 1 << 20

// readLines reads a file of signups, a JSON object on each line: as POST /signups
// takes them, or as trunkctl export wrote them. Empty lines don't count.
func readLines(path string) (lines []fileLine, err error) {
	file, err := os.Open(path) //nolint:gosec // the file that the user names
	if err != nil {
		return nil, usageError{err}
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, maxLine)
	for number := 1; scanner.Scan(); number++ {
		if strings.TrimSpace(scanner.Text()) != "" {
			lines = append(lines, readLine(number, scanner.Bytes()))
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", path, err)}
	}
	return lines, nil
}

var errNoObject = errors.New("it is not a JSON object")

func readLine(number int, content []byte) fileLine {
	l := fileLine{number: number}
	value, err := strictjson.Parse(content)
	object, ok := value.(map[string]any)
	if err != nil || !ok {
		l.err = errNoObject
		return l
	}
	text := func(field string) string {
		text, _ := object[field].(string)
		return text
	}
	var invalid provision.InvalidError
	l.signup = provision.Signup{
		ID: text("signup_id"), Company: text("company"), Source: text("source"), Generation: generationOf(object["generation"], &invalid),
		Line: line.Read(func(field string) any { return object[field] }, &invalid),
	}
	l.trunkSID = text("trunk_sid")
	switch status := provision.Status(text("status")); status {
	case "", provision.StatusPending, provision.StatusActive, provision.StatusIncomplete:
	default:
		l.ended = status
	}
	if provision.Dry(l.signup.ID) { // pending ones included: what they were to show is long past
		l.ended = provision.StatusDry
	}
	if l.signup.Source == "" {
		l.signup.Source = "trunkctl"
	}
	if object["steps"] != nil {
		l.signup.Line = lineOf(content)
	}
	if l.err = invalid.OrNil(); l.err == nil {
		l.err = l.signup.Validate()
	}
	return l
}

// generationOf is the first where the line names none.
func generationOf(value any, invalid *provision.InvalidError) int {
	if value == nil {
		return 0
	}
	number, _ := value.(json.Number)
	n, err := number.Int64()
	if err != nil || n < 1 || n > provision.MaxGeneration {
		invalid.Add("generation", "must be a whole number from 1")
		return 0
	}
	return int(n)
}

// lineOf is what the steps of an exported record ask for, whatever became of them.
func lineOf(content []byte) (l provision.Line) {
	var record struct {
		Steps map[string]provision.LineStep `json:"steps"`
	}
	if json.Unmarshal(content, &record) != nil {
		return l
	}
	for _, step := range (provision.Record{Steps: record.Steps}).LineSteps() {
		switch step.Kind {
		case provision.KindPhoneNumber:
			l.PhoneNumbers = append(l.PhoneNumbers, provision.PhoneNumber{PhoneNumber: step.Value, Mode: exotel.Mode(step.Option)})
		case provision.KindWhitelistedIP:
			l.WhitelistedIPs = append(l.WhitelistedIPs, step.Value)
		case provision.KindDestinationURI:
			l.DestinationURIs = append(l.DestinationURIs, step.Value)
		case provision.KindCredential:
			l.Credentials = append(l.Credentials, provision.Credential{UserName: step.Value, FriendlyName: step.Option})
		case provision.KindCallerID:
			l.CallerID = step.Value
		}
	}
	return l
}

// unusable are the lines that can't be used, a text each.
func unusable(lines []fileLine) (texts []string) {
	for _, l := range lines {
		if l.err != nil {
			texts = append(texts, fmt.Sprintf("line %d: %v", l.number, l.err))
		}
	}
	return slices.Clip(texts)
}
