//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// permission is one action on one resource, as a role's statement in the template
// allows it.
type permission struct{ role, sid, action, resource string }

// proof is how a permission is shown to be needed: what uses it fails without it,
// and works once it is back.
type proof struct {
	permission
	without string                                            // what the probe then says, or a part of that
	probe   func(t *testing.T, s *stack, id string) string    // uses it for a signup of that id; "" where that works
	prepare func(t *testing.T, s *stack, id string)           // what the probe needs; nil for nothing
	also    func(t *testing.T, s *stack, id string, o *stack) // what else holds without it, beside another stack; nil for nothing
}

// unproven are the permissions of which no test can show that they are needed,
// each with the reason. There is no other way onto "*".
var unproven = map[permission]string{}

// roles holds what the stack's roles allow against what is needed. MiniStack
// evaluates a role's policies at each call that is made with its credentials, which
// the functions have; so one permission is taken away at a time, in place.
func roles(t *testing.T, s, other *stack) {
	defer lap(t, "all of the roles")()
	template, deployed := grants(s.processed(t)), s.roles(t)
	t.Run("each permission has its proof", func(t *testing.T) { eachProven(t, template) })
	t.Run("only services may assume them", func(t *testing.T) { trusted(t, s, deployed) })
	for i, p := range proofs {
		t.Run(p.role+": "+p.action+" on "+p.resource, func(t *testing.T) {
			where := template[p.permission]
			whole := deployed[p.role].Policies[where.policy]
			s.allow(t, p.role, where.policy, whole.except(p.permission, where.index))
			defer s.allow(t, p.role, where.policy, whole)
			p.show(t, s, other, fmt.Sprintf("role-%d", i), func() { s.allow(t, p.role, where.policy, whole) })
		})
	}
	for role := range deployed {
		t.Run(role+": nothing else", func(t *testing.T) { nothingElse(t, s, other, role) })
	}
}

func (p proof) show(t *testing.T, s, other *stack, id string, giveBack func()) {
	if p.prepare != nil {
		p.prepare(t, s, id)
	}
	var said string
	defer func() {
		if t.Failed() {
			t.Logf("the probe said last: %q", said)
		}
	}()
	waitFor(t, 30*time.Second, func() bool { // it may have to wait for the call budget first
		if said = p.probe(t, s, id); said == "" {
			t.Fatal("it works without")
		}
		return strings.Contains(said, p.without)
	})
	if p.also != nil {
		p.also(t, s, id, other)
	}
	giveBack()
	waitFor(t, 30*time.Second, func() bool { said = p.probe(t, s, id); return said == "" })
}

// eachProven fails for a permission without a proof, and for a proof without one.
func eachProven(t *testing.T, template map[permission]grant) {
	known := maps.Clone(unproven)
	for _, p := range proofs {
		if _, twice := known[p.permission]; twice {
			t.Errorf("%+v stands there twice", p.permission)
		}
		known[p.permission] = p.without
	}
	for p := range template {
		if known[p] == "" {
			t.Errorf("nothing shows that this is needed: %+v", p)
		}
		if _, open := unproven[p]; p.resource == "*" && !open {
			t.Errorf("this is allowed on everything: %+v", p)
		}
	}
	for p := range known {
		if _, there := template[p]; !there {
			t.Errorf("no role has %+v", p)
		}
	}
}

// trusted asserts who may act as each role, and that nobody else can.
func trusted(t *testing.T, s *stack, deployed map[string]deployedRole) {
	for name, role := range deployed {
		if len(role.Trust.Statement) != 1 {
			t.Fatalf("%s trusts %v", name, role.Trust.Statement)
		}
		who := resource{Properties: role.Trust.Statement[0]}
		same(t, name+" is for", list(who.at("Action")), []string{"sts:AssumeRole"})
		principal, _ := who.at("Principal").(map[string]any)
		same(t, name+" trusts", list(principal["Service"]), []string{trust[name]})
		if len(principal) != 1 {
			t.Errorf("%s trusts %v", name, principal)
		}
	}
	var codes map[string]string
	roles := slices.Sorted(maps.Keys(deployed))
	if err := json.Unmarshal([]byte(s.python(t, "intrude", roles...)), &codes); err != nil {
		t.Fatal(err)
	}
	for _, role := range roles {
		if codes[role] != "AccessDenied" {
			t.Errorf("a user who acts as %s: %q", role, codes[role])
		}
	}
	if codes["everybody"] != "" {
		t.Errorf("a user who acts as a role that lets him: %q", codes["everybody"])
	}
}

// grant is where a permission stands.
type grant struct {
	policy string
	index  int // of the resource in its statement
}

// grants are all permissions of all roles of the template.
func grants(p template) map[permission]grant {
	found := map[permission]grant{}
	for name, role := range p.of("AWS::IAM::Role") {
		policies, _ := role.at("Policies").([]any)
		for _, policy := range policies {
			fields := resource{Properties: policy.(map[string]any)}
			statements, _ := fields.at("PolicyDocument", "Statement").([]any)
			for _, s := range statements {
				statement := s.(map[string]any)
				sid, _ := statement["Sid"].(string)
				for _, action := range list(statement["Action"]) {
					for i, on := range list(statement["Resource"]) {
						found[permission{name, sid, action.(string), written(on)}] = grant{fields.at("PolicyName").(string), i}
					}
				}
			}
		}
	}
	return found
}

// written is a value of the template in short: SignupsTable.Arn for what
// Fn::GetAtt stands for, and the text of a Fn::Sub.
func written(value any) string {
	fields, _ := value.(map[string]any)
	switch {
	case fields["Ref"] != nil:
		return fields["Ref"].(string)
	case fields["Fn::Sub"] != nil:
		return fmt.Sprint(fields["Fn::Sub"])
	case fields["Fn::GetAtt"] != nil:
		of := list(fields["Fn::GetAtt"])
		return fmt.Sprintf("%v.%v", of[0], of[1])
	}
	if text, ok := value.(string); ok {
		return text
	}
	text, _ := json.Marshal(value)
	return string(text)
}

// list is a value that IAM takes alone or in a list.
func list(value any) []any {
	if many, ok := value.([]any); ok {
		return many
	}
	return []any{value}
}

// deployedRole is one as it stands in the emulator.
type deployedRole struct {
	Trust    document
	Policies map[string]document
}

// document is a policy.
type document struct {
	Version   string
	Statement []map[string]any
}

// except is the document without one permission, the index of whose resource is given.
func (d document) except(p permission, index int) document {
	rest := document{Version: d.Version, Statement: []map[string]any{}}
	for _, statement := range d.Statement {
		sid, _ := statement["Sid"].(string)
		for _, action := range list(statement["Action"]) {
			for i, on := range list(statement["Resource"]) {
				if sid == p.sid && action == p.action && i == index {
					continue
				}
				one := maps.Clone(statement)
				one["Action"], one["Resource"] = action, on
				delete(one, "Sid") // which must be one statement's only
				rest.Statement = append(rest.Statement, one)
			}
		}
	}
	return rest
}

func (s *stack) roles(t *testing.T) map[string]deployedRole {
	t.Helper()
	var found map[string]*deployedRole
	if err := json.Unmarshal([]byte(s.python(t, "roles")), &found); err != nil {
		t.Fatal(err)
	}
	all := map[string]deployedRole{}
	for name, role := range found {
		if role != nil {
			all[name] = *role
		}
	}
	return all
}

// allow makes the document that policy of the role's.
func (s *stack) allow(t *testing.T, role, policy string, d document) {
	t.Helper()
	s.python(t, "allow", role, policy, jsonFile(t, d))
}

// call is one of boto3's, with values of the stack in it as the template has them.
type call struct {
	service, operation string
	parameters         map[string]any
}

// as makes calls as a role does, and returns the code of the error of each.
func (s *stack) as(t *testing.T, role string, calls ...call) (codes []string) {
	t.Helper()
	var all [][]any
	for _, c := range calls {
		all = append(all, []any{c.service, c.operation, c.parameters})
	}
	if err := json.Unmarshal([]byte(s.python(t, "as", role, jsonFile(t, all))), &codes); err != nil || len(codes) != len(calls) {
		t.Fatalf("%d codes of %d calls, %v", len(codes), len(calls), err)
	}
	return codes
}

func jsonFile(t *testing.T, content any) string {
	t.Helper()
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "content.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// nothingElse makes calls that the role has no use for. Each must be denied; what
// it may do with the same credentials must not be.
func nothingElse(t *testing.T, s, other *stack, role string) {
	denied := denials(t, other)[role]
	names := slices.Sorted(maps.Keys(denied))
	var calls []call
	for _, name := range names {
		calls = append(calls, denied[name])
	}
	if len(calls) == 0 {
		t.Fatal("there is nothing that it may not do")
	}
	calls = append(calls, allowed[role])
	codes := s.as(t, role, calls...)
	for i, name := range names {
		if !strings.HasPrefix(codes[i], "AccessDenied") {
			t.Errorf("%s: %q", name, codes[i])
		}
	}
	if last := codes[len(names)]; last != "" {
		t.Errorf("what it may do: %q", last)
	}
}
