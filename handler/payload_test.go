package handler_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/provision"
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

// Users' bodies have no id, so that the company tells a signup from an event around
// one.
func TestUsersSignupThatLooksWrappedIsTakenAsItStands(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"company":"Acme","type":"customer","data":{"plan":"gold"}}`:              "Acme",
		`{"company":"Acme","type":"customer","data":null}`:                         "Acme",
		`{"company":"Acme","type":"customer","data":{"company":"Inner"}}`:          "Acme",
		`{"type":"customer","data":{"company":"Inner"}}`:                           "Inner",
		`{"type":"customer","data":{"company":"Inner"},"signup_id":"a"}`:           "Inner", // which means nothing here
		`{"company":7,"type":"customer","data":{"company":"Inner"}}`:               "",
		`{"company":null,"type":"customer","data":{"company":"Inner"}}`:            "",
		`{"type":7,"data":{"company":"Inner"}}`:                                    "",
		`{"type":"customer","data":{"type":"customer","data":{"company":"Deep"}}}`: "",
	} {
		event := readEvent(t, "../events/me-signup.json")
		event.Body = body
		answer := newWorld(t).send(t, event)
		taken := answer.StatusCode == 201 && strings.Contains(answer.Body, `"company":"`+want+`"`)
		refused := answer.StatusCode == 422 && strings.Contains(answer.Body, `"field":"company"`)
		if want != "" && !taken || want == "" && !refused {
			t.Errorf("%s: %d %s", body, answer.StatusCode, answer.Body)
		}
	}
}

// noting is an engine that notes what it is asked for.
type noting struct {
	instant
	asked []provision.Signup
}

func (e *noting) Provision(_ context.Context, s provision.Signup, _ time.Duration) (provision.Result, error) {
	e.asked = append(e.asked, s)
	return e.result, nil
}

// The user types the whole body. All that counts of it is the company; a line is
// refused (TestUsersCannotChooseALine).
func TestUsersChooseNothingButTheirCompany(t *testing.T) {
	t.Parallel()
	const typed = `"company":"Acme","signup_id":"jwt:somebody-else","id":"x","sub":"x","source":"api","status":"active","trunk_name":"x","trunk_sid":"x","steps":[]`
	for _, body := range []string{`{` + typed + `}`, `{"type":"x","data":{` + typed + `}}`} {
		w, engine := newWorld(t), &noting{instant: instant{provision.Result{Outcome: provision.OutcomeCreated}}}
		w.handler.Provisioner = engine
		event := readEvent(t, "../events/me-signup.json")
		event.Body = body
		w.send(t, event)
		want := provision.Signup{ID: "jwt:" + event.RequestContext.Authorizer.JWT.Claims["sub"], Source: "jwt", Company: "Acme"}
		if len(engine.asked) != 1 || !reflect.DeepEqual(engine.asked[0], want) {
			t.Errorf("%s: asked for %+v, want %+v", body, engine.asked, want)
		}
	}
}
