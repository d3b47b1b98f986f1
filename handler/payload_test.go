package handler_test

import (
	"fmt"
	"strings"
	"testing"
)

// type and data are names like any other, which a signup may hold besides its own
// fields.
func TestSignupThatLooksWrappedIsTakenAsItStands(t *testing.T) {
	t.Parallel()
	for _, more := range []string{`"data":{"plan":"gold"}`, `"data":null`, `"data":{"signup_id":"inner","company":"Inner"}`} {
		answer := newWorld(t).send(t, signUp(`{"signup_id":"acme-42","company":"Acme Telecom","type":"customer",`+more+`}`))
		if answer.StatusCode != 201 || !strings.Contains(answer.Body, `"signup_id":"acme-42"`) || !strings.Contains(answer.Body, `"company":"Acme Telecom"`) {
			t.Errorf("%s: %d %s", more, answer.StatusCode, answer.Body)
		}
	}
}

// A user who is told that the trunk is there would take the number for mapped.
func TestUsersCannotChooseALine(t *testing.T) {
	t.Parallel()
	for field, value := range map[string]string{
		"phone_numbers": `["+912247788868"]`, "whitelisted_ips": `"9.9.9.9"`, "destination_uris": `[]`, "credentials": `7`, "caller_id": `"+912247788868"`,
	} {
		for _, form := range []string{`{"company":"Acme",%q:%s}`, `{"type":"signup","data":{"company":"Acme",%q:%s}}`} {
			w := newWorld(t)
			event := readEvent(t, "../events/me-signup.json")
			event.Body = fmt.Sprintf(form, field, value)
			answer := w.send(t, event)
			if answer.StatusCode != 422 || !strings.Contains(answer.Body, fmt.Sprintf(`"errors":[{"field":%q,"detail":"can't be chosen by the user"}]`, field)) || w.items(t) != 0 {
				t.Errorf("%s: %d %s", event.Body, answer.StatusCode, answer.Body)
			}
		}
	}
	event := readEvent(t, "../events/me-signup.json")
	event.Body = `{"company":"Acme","phone_numbers":null}`
	if answer := newWorld(t).send(t, event); answer.StatusCode != 201 {
		t.Errorf("null: %d %s", answer.StatusCode, answer.Body)
	}
}
