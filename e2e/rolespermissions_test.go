//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"
)

// permission is one action on one resource, as a role's statement in the template
// allows it.
type permission struct{ role, sid, action, resource string }

func (p permission) String() string {
	return fmt.Sprintf("%s %s: %s on %s", p.role, p.sid, p.action, p.resource)
}

// grant is where a permission stands.
type grant struct {
	policy string
	index  int // of the resource in its statement
}

// grants are all permissions of all roles of the template, those that stand under a
// condition included.
func grants(t *testing.T, p template) map[permission]grant {
	t.Helper()
	found := map[permission]grant{}
	for name, role := range p.of("AWS::IAM::Role") {
		if role.at("ManagedPolicyArns") != nil {
			t.Errorf("%s has managed policies, which allow more than is needed", name)
		}
		inline, _ := role.at("Policies").([]any)
		for _, policy := range inline {
			grantsOf(t, name, resource{Properties: policy.(map[string]any)}, found)
		}
	}
	for _, policy := range p.of("AWS::IAM::Policy") {
		for _, role := range list(policy.at("Roles")) {
			grantsOf(t, written(role), policy, found)
		}
	}
	for _, kind := range []string{"AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::User", "AWS::IAM::Group"} {
		if n := len(p.of(kind)); n > 0 {
			t.Errorf("the template has %d %s, which are not looked at here", n, kind)
		}
	}
	return found
}

func grantsOf(t *testing.T, role string, policy resource, found map[permission]grant) {
	t.Helper()
	name, _ := policy.at("PolicyName").(string)
	statements, _ := policy.at("PolicyDocument", "Statement").([]any)
	for _, one := range statements {
		statement := one.(map[string]any)
		for field := range statement {
			if field != "Sid" && field != "Effect" && field != "Action" && field != "Resource" {
				t.Errorf("%s has a statement with %s, which is not looked at here", role, field)
			}
		}
		sid, _ := statement["Sid"].(string)
		for _, action := range list(statement["Action"]) {
			for i, on := range list(statement["Resource"]) {
				found[permission{role, sid, written(action), written(on)}] = grant{name, i}
			}
		}
	}
}

// written is a value of the template in short: SignupsTable.Arn for what
// Fn::GetAtt stands for, the name for a Ref, and the text of a Fn::Sub.
func written(value any) string {
	fields, _ := value.(map[string]any)
	if name, ok := fields["Ref"].(string); ok {
		return name
	}
	if text, ok := fields["Fn::Sub"].(string); ok {
		return text
	}
	if of, ok := fields["Fn::GetAtt"].([]any); ok && len(of) == 2 {
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

// policy is a document of IAM's.
type policy struct {
	Version   string
	Statement []map[string]any
}

// except is the policy without one permission, the index of whose resource is given.
func (p policy) except(away permission, index int) policy {
	rest := policy{Version: p.Version, Statement: []map[string]any{}}
	for _, statement := range p.Statement {
		sid, _ := statement["Sid"].(string)
		for _, action := range list(statement["Action"]) {
			for i, on := range list(statement["Resource"]) {
				if sid == away.sid && action == away.action && i == index {
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

// open are permissions of which no test can show that they are needed.
type open struct {
	role, sid          string
	actions, resources []string
	why                string
}

// expand is the reason for each permission.
func expand(all []open) map[permission]string {
	reasons := map[permission]string{}
	for _, o := range all {
		for _, action := range o.actions {
			for _, on := range o.resources {
				reasons[permission{o.role, o.sid, action, on}] = o.why
			}
		}
	}
	return reasons
}
