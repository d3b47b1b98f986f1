// Package mapping says for people what a source's file takes out of a payload.
package mapping

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/provision"
)

// Verdict is what becomes of an event.
func Verdict(event sources.Event) string {
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

// Asked is what the signup of a usable event asks for beside its trunk.
func Asked(event sources.Event) (asked []string) {
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

// Result is what an expression gave, as JSON, or why it gave nothing.
func Result(value sources.Value) string {
	if value.Err != nil {
		return value.Err.Error()
	}
	text, err := json.Marshal(value.Result)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}
