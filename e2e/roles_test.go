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
	"sync"
	"testing"
	"time"
)

// proof is how a permission is shown to be needed: what uses it fails without it,
// and works once it is back.
type proof struct {
	permission
	without string                                                // a part of what the probe then says
	probe   func(t *testing.T, s *stack, id string) string        // uses it for a signup of that id; "" where that works
	prepare func(t *testing.T, s *stack, id string)               // what the probe needs; nil for nothing
	also    func(t *testing.T, s *stack, id string, other *stack) // what else holds without it; nil for nothing
}

// roles holds what the stack's roles allow against what is needed. MiniStack
// evaluates a role's policies at each call that is made with its credentials, which
// the functions have; so one permission after the other is taken away, in place.
func roles(t *testing.T, s, other *stack) {
	defer lap(t, "all of the roles")()
	p, deployed := s.processed(t), s.policies(t)
	granted := grants(t, p)
	t.Run("each permission has its proof", func(t *testing.T) { eachProven(t, granted) })
	t.Run("only services may act as them", func(t *testing.T) { trusted(t, s, p, slices.Sorted(maps.Keys(deployed))) })
	for i, proof := range proofs {
		t.Run(proof.String(), func(t *testing.T) {
			where, ok := granted[proof.permission]
			if !ok {
				t.Fatal("the template has no such permission")
			}
			whole := deployed[proof.role][where.policy]
			giveBack := sync.OnceFunc(func() { s.allow(t, proof.role, where.policy, whole) })
			s.allow(t, proof.role, where.policy, whole.except(proof.permission, where.index))
			defer giveBack()
			proof.show(t, s, other, fmt.Sprintf("role-%d", i), giveBack)
		})
	}
	for _, role := range slices.Sorted(maps.Keys(deployed)) {
		t.Run(role+" may do nothing else", func(t *testing.T) { nothingElse(t, s, other, role) })
	}
}

// show shows it while the permission is away, and once that is given back.
func (p proof) show(t *testing.T, s, other *stack, id string, giveBack func()) {
	var said string
	defer func() {
		if t.Failed() {
			t.Logf("the probe said last: %q", said)
		}
	}()
	if p.prepare != nil {
		p.prepare(t, s, id)
	}
	waitFor(t, 2*time.Minute, func() bool { // the call budget may have no room at first
		if said = p.probe(t, s, id); said == "" {
			t.Fatal("it works without")
		}
		return strings.Contains(said, p.without)
	})
	if p.also != nil {
		p.also(t, s, id, other)
	}
	giveBack()
	waitFor(t, 2*time.Minute, func() bool { said = p.probe(t, s, id); return said == "" })
}

// eachProven fails for a permission without a proof, and for a proof without one.
func eachProven(t *testing.T, granted map[permission]grant) {
	known := map[permission]string{}
	for p, why := range expand(unproven) {
		known[p] = why
	}
	for _, p := range proofs {
		if _, twice := known[p.permission]; twice {
			t.Errorf("%v stands there twice", p)
		}
		known[p.permission] = p.without
	}
	for p := range granted {
		if known[p] == "" {
			t.Errorf("nothing shows that this is needed: %v", p)
		}
	}
	for p := range known {
		if _, ok := granted[p]; !ok {
			t.Errorf("the template has no %v", p)
		}
	}
}

// trusted asserts who may act as each role, and tries it as somebody else.
func trusted(t *testing.T, s *stack, p template, deployed []string) {
	for name, role := range p.of("AWS::IAM::Role") {
		all, _ := role.at("AssumeRolePolicyDocument", "Statement").([]any)
		if len(all) != 1 {
			t.Fatalf("%s trusts %v", name, all)
		}
		one := resource{Properties: all[0].(map[string]any)}
		principals, _ := one.at("Principal").(map[string]any)
		same(t, name+" lets", list(one.at("Action")), []string{"sts:AssumeRole"})
		same(t, name+" trusts", list(principals["Service"]), []string{trust[name]})
		if len(principals) != 1 {
			t.Errorf("%s trusts %v", name, principals)
		}
	}
	var codes map[string]string
	if err := json.Unmarshal([]byte(s.python(t, "intrude", deployed...)), &codes); err != nil {
		t.Fatal(err)
	}
	for _, role := range deployed {
		if codes[role] != "AccessDenied" {
			t.Errorf("a user who acts as %s: %q", role, codes[role])
		}
	}
	if codes["everybody"] != "" {
		t.Errorf("a user who acts as a role that lets him: %q", codes["everybody"])
	}
}

// nothingElse makes calls that the role has no use for. Each must be denied; what
// it may do with the same credentials must not be.
func nothingElse(t *testing.T, s, other *stack, role string) {
	denied := denials(t, other)[role]
	names := slices.Sorted(maps.Keys(denied))
	if len(names) == 0 {
		t.Fatal("there is nothing that it may not do")
	}
	var calls []call
	for _, name := range names {
		calls = append(calls, denied[name])
	}
	codes := s.as(t, role, append(calls, allowed[role])...)
	for i, name := range names {
		if !strings.HasPrefix(codes[i], "AccessDenied") {
			t.Errorf("%s: %q", name, codes[i])
		}
	}
	if last := codes[len(names)]; last != "" {
		t.Errorf("what it may do: %q", last)
	}
}

// policies are the inline policies of the deployed roles, by role and name.
func (s *stack) policies(t *testing.T) map[string]map[string]policy {
	t.Helper()
	var found map[string]map[string]policy
	if err := json.Unmarshal([]byte(s.python(t, "roles")), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// allow puts a policy in the place of the role's of that name.
func (s *stack) allow(t *testing.T, role, name string, p policy) {
	t.Helper()
	s.python(t, "allow", role, name, jsonFile(t, p))
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
