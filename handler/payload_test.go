package handler_test

import (
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
