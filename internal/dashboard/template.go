// Package dashboard reads the alarms and the dashboard out of template.yaml, works
// out what they would show of some metrics, and draws it. It is for tests, which
// hold what an operator is shown and told, and for the picture in docs.
package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a CloudFormation template, of which only what alarms and dashboards
// need is understood.
type Template struct {
	Parameters map[string]struct {
		Default any `yaml:"Default"`
	} `yaml:"Parameters"`
	Resources map[string]Resource `yaml:"Resources"`

	values map[string]string // what references stand for
	unmet  []string          // conditions
}

// Resource is one of a template, with nothing worked out yet.
type Resource struct {
	Type       string    `yaml:"Type"`
	Properties yaml.Node `yaml:"Properties"`
}

// Parse reads a template in YAML. References to parameters stand for their
// defaults, those to resources for the resources' logical ids, and the stack is
// the one that values name (AWS::StackName, AWS::Region, ...). Conditions but the
// unmet ones are taken for true, so that everything is there.
func Parse(content []byte, values map[string]string, unmet ...string) (Template, error) {
	t := Template{values: map[string]string{}, unmet: unmet}
	if err := yaml.Unmarshal(content, &t); err != nil {
		return Template{}, err
	}
	for name := range t.Resources {
		t.values[name] = name
	}
	for name, parameter := range t.Parameters {
		t.values[name] = fmt.Sprint(parameter.Default)
	}
	for name, value := range values {
		t.values[name] = value
	}
	return t, nil
}

// decode works out a resource's properties, and reads them into a value by their
// names, as JSON would be.
func (t Template) decode(name string, into any) error {
	resource, known := t.Resources[name]
	if !known {
		return fmt.Errorf("the template has no %s", name)
	}
	properties, err := t.resolve(&resource.Properties)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	content, err := json.Marshal(properties)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// resolve is what a node stands for, with the intrinsic functions worked out.
func (t Template) resolve(node *yaml.Node) (any, error) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if function, short := strings.CutPrefix(node.Tag, "!"); short && !strings.HasPrefix(function, "!") {
		return t.call(function, node)
	}
	switch node.Kind {
	case yaml.MappingNode:
		if function, long := strings.CutPrefix(node.Content[0].Value, "Fn::"); long {
			return t.call(function, node.Content[1])
		}
		fields := map[string]any{}
		for i := 0; i < len(node.Content); i += 2 {
			value, err := t.resolve(node.Content[i+1])
			if err != nil {
				return nil, err
			}
			fields[node.Content[i].Value] = value
		}
		return fields, nil
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, element := range node.Content {
			value, err := t.resolve(element)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	default:
		var value any
		err := node.Decode(&value)
		return value, err
	}
}

var errIntrinsic = errors.New("an intrinsic function that alarms and dashboards don't use so far")

func (t Template) call(function string, argument *yaml.Node) (any, error) {
	switch {
	case (function == "Ref" || function == "GetAtt") && argument.Kind == yaml.ScalarNode:
		return t.value(argument.Value)
	case function == "If" && len(argument.Content) == 3:
		if slices.Contains(t.unmet, argument.Content[0].Value) {
			return t.resolve(argument.Content[2])
		}
		return t.resolve(argument.Content[1])
	case function == "Sub" && argument.Kind == yaml.ScalarNode:
		return t.substitute(argument.Value, nil)
	case function == "Sub" && len(argument.Content) == 2:
		variables, err := t.resolve(argument.Content[1])
		if err != nil {
			return nil, err
		}
		own, _ := variables.(map[string]any)
		return t.substitute(argument.Content[0].Value, own)
	}
	return nil, fmt.Errorf("%w: %s", errIntrinsic, function)
}

var reference = regexp.MustCompile(`\$\{([^}]+)\}`)

func (t Template) substitute(text string, own map[string]any) (string, error) {
	var failed error
	text = reference.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-1]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		if value, ok := own[name]; ok {
			return fmt.Sprint(value)
		}
		value, err := t.value(name)
		failed = errors.Join(failed, err)
		return value
	})
	return text, failed
}

// value is what a name stands for; an attribute, such as Queue.Arn, for the
// resource's own name.
func (t Template) value(name string) (string, error) {
	resource, _, _ := strings.Cut(name, ".")
	value, known := t.values[resource]
	if !known {
		return "", fmt.Errorf("nothing is called %s", name)
	}
	return value, nil
}
