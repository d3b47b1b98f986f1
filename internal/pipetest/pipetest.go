// Package pipetest does with records of the table's stream what AWS does with the pipe of
// template.yaml: no emulator of ours has pipes that end at a bus. It takes filter, type
// and input out of the template, so that tests can't run on others than are deployed.
package pipetest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.yaml.in/yaml/v3"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

// Pipe is the one from the table's stream to the bus.
type Pipe struct {
	patterns                  []any
	source, detailType, input string
}

// Event is what the bus gets.
type Event struct {
	Source, DetailType string
	Detail             map[string]any
}

// Load reads the pipe EventsOut.
func Load(t testing.TB) Pipe {
	t.Helper()
	pipe, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return pipe
}

func load() (Pipe, error) {
	content, err := os.ReadFile(filepath.Join(dynamotest.Root(), "template.yaml"))
	if err != nil {
		return Pipe{}, err
	}
	var template struct {
		Resources struct {
			EventsOut struct {
				Properties struct {
					SourceParameters struct {
						FilterCriteria struct {
							Filters []struct {
								Pattern string `yaml:"Pattern"`
							} `yaml:"Filters"`
						} `yaml:"FilterCriteria"`
					} `yaml:"SourceParameters"`
					TargetParameters struct {
						EventBridgeEventBusParameters struct {
							Source     string `yaml:"Source"`
							DetailType string `yaml:"DetailType"`
						} `yaml:"EventBridgeEventBusParameters"`
						InputTemplate string `yaml:"InputTemplate"`
					} `yaml:"TargetParameters"`
				} `yaml:"Properties"`
			} `yaml:"EventsOut"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(content, &template); err != nil {
		return Pipe{}, err
	}
	properties := template.Resources.EventsOut.Properties
	pipe := Pipe{
		source:     properties.TargetParameters.EventBridgeEventBusParameters.Source,
		detailType: properties.TargetParameters.EventBridgeEventBusParameters.DetailType,
		input:      properties.TargetParameters.InputTemplate,
	}
	for _, filter := range properties.SourceParameters.FilterCriteria.Filters {
		pattern, err := Decode(filter.Pattern)
		if err != nil {
			return Pipe{}, fmt.Errorf("%s: %w", filter.Pattern, err)
		}
		pipe.patterns = append(pipe.patterns, pattern)
	}
	if len(pipe.patterns) == 0 || pipe.input == "" {
		return Pipe{}, errors.New("template.yaml has no pipe EventsOut, or one that sends everything")
	}
	return pipe, nil
}

// Send returns the event of a record, or nil where there is none. It is an error if
// the record gets through the filter and no event can be made of it.
func (p Pipe) Send(record map[string]any) (*Event, error) {
	through, err := some(p.patterns, func(pattern any) (bool, error) { return Matches(pattern, record) })
	if !through || err != nil {
		return nil, err
	}
	event := &Event{Source: p.source, DetailType: p.detailType}
	if strings.HasPrefix(p.detailType, "$.") {
		var ok bool
		if event.DetailType, ok = LookUp(p.detailType, record).(string); !ok {
			return nil, fmt.Errorf("there is no text at %s", p.detailType)
		}
	}
	event.Detail, err = transform(p.input, record)
	return event, err
}

// Item is one of DynamoDB.
type Item = map[string]types.AttributeValue

// Record is what the stream holds of a write that made one item of another: nil where
// there was, or is, none.
func Record(before, after Item) map[string]any {
	images := map[string]any{"StreamViewType": "NEW_AND_OLD_IMAGES", "SequenceNumber": "111"}
	name, key := "MODIFY", after["signup_id"]
	switch {
	case before == nil:
		name = "INSERT"
	case after == nil:
		name, key = "REMOVE", before["signup_id"]
	}
	images["Keys"] = map[string]any{"signup_id": attribute(key)}
	if before != nil {
		images["OldImage"] = image(before)
	}
	if after != nil {
		images["NewImage"] = image(after)
	}
	return map[string]any{"eventName": name, "eventSource": "aws:dynamodb", "dynamodb": images}
}

func image(item Item) map[string]any {
	fields := make(map[string]any, len(item))
	for name, value := range item {
		fields[name] = attribute(value)
	}
	return fields
}

// attribute is in the form of streams: {"S": "acme"}.
func attribute(value types.AttributeValue) map[string]any {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": value.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": value.Value}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": value.Value}
	case *types.AttributeValueMemberM:
		return map[string]any{"M": image(value.Value)}
	case *types.AttributeValueMemberL:
		list := make([]any, len(value.Value))
		for i, element := range value.Value {
			list[i] = attribute(element)
		}
		return map[string]any{"L": list}
	}
	return map[string]any{"NULL": true}
}
