package handler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/trunkhook/trunkhook/internal/awsconfig"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// parameters is a Parameter Store.
type parameters struct{ kept sync.Map }

func (p *parameters) Call(_ context.Context, operation string, in, out any) error {
	parameter, _ := in.(map[string]any)
	if operation == "PutParameter" {
		if _, there := p.kept.LoadOrStore(parameter["Name"], parameter["Value"]); there {
			return &awsconfig.ServiceError{Status: 400, Code: "ParameterAlreadyExists"}
		}
		return nil
	}
	value, _ := p.kept.Load(parameter["Name"])
	content, err := json.Marshal(map[string]any{"Parameter": map[string]any{"Value": value}})
	if err != nil {
		return err
	}
	return json.Unmarshal(content, out)
}

func TestDocumentedLinesAreTakenAsTheHandlerTakesThem(t *testing.T) {
	t.Parallel()
	d, w := openDocument(t), newWorld(t)
	many := func(n int, form string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(form, 10+i)
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	signup := 0
	for field, values := range map[string][]string{
		"phone_numbers": {
			`null`, `[]`, `""`, `"+912247788868"`, `"+912247788801, +912247788802;+912247788803 +912247788804"`, `["+912247788805"]`,
			`[{"phone_number":"+912247788806"}]`, `[{"phone_number":"+912247788807","mode":"pstn"},{"phone_number":"+912247788808","mode":"flow"}]`,
			`[{"phone_number":"+912247788809","mode":"fax"}]`, `[{"phone_number":"+912247788809","mode":7}]`, `[{"mode":"pstn"}]`,
			`[{"phone_number":7}]`, `[7]`, `[["+912247788809"]]`, `7`, `{}`, `true`, `["022 4778 8809"]`, `["912247788809"]`, `["+012247788809"]`, `["+123456"]`,
			`["+1234567"]`, `["+123456789012345"]`, `["+1234567890123456"]`, many(50, `"+9122477890%d"`), many(51, `"+9122477891%d"`),
		},
		"whitelisted_ips": {
			`null`, `[]`, `""`, `"8.8.8.0/24 9.9.9.9"`, `["8.8.8.0/24","9.9.9.9"]`, `["8.8.8.8/32"]`, `["8.8.0.0/16"]`, `[7]`, `[null]`, `[{"ip":"9.9.9.9"}]`, `7`, `{}`,
			many(50, `"9.9.9.%d"`), many(51, `"9.9.9.%d"`), `["8.8.0.0/15"]`, `["9.9.9.256"]`, `["nine"]`, `["2001:4860:4860::8888"]`, `["9.9.9.9/33"]`,
		},
		"destination_uris": {
			`null`, `[]`, `""`, `"sip.acme.com:5060, sip2.acme.com:5061;transport=tls"`, `["sip.acme.com:5060"]`, `["sip.acme.com:5061;transport=tls"]`,
			`[7]`, `[{}]`, `7`, `["sip.acme.com"]`, `["sip.acme.com:5061;transport=sctp"]`, many(20, `"sip%d.acme.com:5060"`), many(21, `"sip%d.acme.com:5060"`),
		},
		"credentials": {
			`null`, `[]`, `""`, `"acme"`, `"acme,acme-2"`, `["acme.1"]`, `[{"user_name":"acme"}]`, `[{"user_name":"acme","friendly_name":"Head_office"}]`,
			`[{"user_name":"acme","friendly_name":"Head office"}]`, `[{"user_name":"acme","friendly_name":7}]`, `[{"friendly_name":"acme"}]`, `["head office"]`,
			`[7]`, `7`, `{}`, many(10, `"acme%d"`), many(11, `"acme%d"`), `["` + strings.Repeat("a", 64) + `"]`, `["` + strings.Repeat("a", 65) + `"]`,
			`[{"user_name":"acme","friendly_name":"` + strings.Repeat("a", 33) + `"}]`,
		},
		"caller_id": {`null`, `""`, `"+912247788868"`, `"acme"`, `7`, `["+912247788868"]`},
	} {
		for _, value := range values {
			signup++
			event := signUp(fmt.Sprintf(`{"signup_id":"line-%d","company":"A",%q:%s}`, signup, field, value))
			d.agrees(t, event, w.send(t, event).StatusCode)
		}
	}
}

// A number is mapped once in an account: samples that share one couldn't all be sent
// to one system.
func TestSamplesStandBesideEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range eventNames(t) {
		if strings.HasPrefix(name, "webhook-") || name == "signup-line" {
			event := readEvent(t, "../events/"+name+".json")
			asKnownToSenders(t, w, &event)
			w.send(t, event)
		}
	}
	signups := 0
	table := w.handler.Provisioner.(*provision.Engine).Ledger.(*embedded.Ledger)
	if err := table.Each(func(r provision.Record) error {
		signups++
		if r.Status != provision.StatusActive {
			t.Errorf("%s is %s: %s", r.SignupID, r.Status, r.LastError)
		}
		return nil
	}); err != nil || signups < 15 {
		t.Errorf("%d signups, %v", signups, err)
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
