//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/pipetest"
)

// eventsOut sends a signup twice, and reads what the deployed functions' writes left in the
// stream of the deployed table. MiniStack makes the pipe and delivers nothing of it to a
// bus (1.5.33, seen 2026-11); package pipetest does that.
func eventsOut(t *testing.T, s *stack) {
	const id = "told-of"
	s.update(t, "ReplyWithin=3s", "EventBusName=default")
	if a := s.signUp(t, id); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	s.signUp(t, id)

	var deployed struct{ Source, Target, CurrentState string }
	if err := json.Unmarshal([]byte(s.python(t, "pipe")), &deployed); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(deployed.Source, ":table/"+s.outputs.must(t, "SignupsTable")+"/stream/") || !strings.HasSuffix(deployed.Target, ":event-bus/default") || deployed.CurrentState != "RUNNING" {
		t.Errorf("the pipe is %+v", deployed)
	}

	pipe, documented := pipetest.Load(t), pipetest.Document(t)
	var told []string
	for line := range strings.Lines(s.python(t, "stream")) {
		record, err := pipetest.Decode(line)
		if err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		event, err := pipe.Send(record.(map[string]any))
		if err != nil {
			t.Fatal(err)
		}
		if event == nil {
			continue
		}
		if err := documented.Check(event.Detail); err != nil {
			t.Errorf("%+v is not as documented: %v", event.Detail, err)
		}
		if event.Detail["signup_id"] == id {
			told = append(told, event.DetailType)
		}
	}
	if !slices.Equal(told, []string{"TrunkActivated"}) {
		t.Errorf("told of %s: %v", id, told)
	}
}

// eventsOutTemplate asserts what sends events out, which the emulator has no pipe for: it
// is none without a bus. What the pipe sends is for package ledger's tests.
func eventsOutTemplate(t *testing.T, p template) {
	for _, name := range []string{"EventsOut", "EventsOutRole", "EventsOutDeadLetters", "EventsOutLogs", "EventsOutAlarm", "EventsOutFailingAlarm"} {
		same(t, "the condition of "+name, p.Resources[name].Condition, "HasEventBus")
	}
	get := func(name, attribute string) any { return map[string]any{"Fn::GetAtt": []string{name, attribute}} }
	bus := map[string]any{"Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/${EventBusName}"}
	stream, queue := get("SignupsTable", "StreamArn"), get("EventsOutDeadLetters", "Arn")

	same(t, "the table's stream", p.Resources["SignupsTable"].at("StreamSpecification"), map[string]any{"StreamViewType": "NEW_AND_OLD_IMAGES"})
	pipe := p.Resources["EventsOut"]
	same(t, "what the pipe reads", pipe.at("Source"), stream)
	same(t, "where it sends", pipe.at("Target"), bus)
	same(t, "whose role it has", pipe.at("RoleArn"), get("EventsOutRole", "Arn"))
	same(t, "how it reads", pipe.at("SourceParameters", "DynamoDBStreamParameters"), map[string]any{
		"StartingPosition": "TRIM_HORIZON", "BatchSize": 10, "MaximumRetryAttempts": -1, "MaximumRecordAgeInSeconds": 4 * 3600,
		"OnPartialBatchItemFailure": "AUTOMATIC_BISECT", "DeadLetterConfig": map[string]any{"Arn": queue},
	})
	same(t, "what it logs", pipe.at("LogConfiguration"), map[string]any{
		"Level": "ERROR", "CloudwatchLogsLogDestination": map[string]any{"LogGroupArn": get("EventsOutLogs", "Arn")},
	})

	role := p.Resources["EventsOutRole"]
	same(t, "who takes the role", role.at("AssumeRolePolicyDocument", "Statement"), []any{map[string]any{
		"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "pipes.amazonaws.com"},
		"Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": map[string]any{"Ref": "AWS::AccountId"}}},
	}})
	policies, _ := role.at("Policies").([]any)
	if len(policies) != 1 {
		t.Fatalf("the pipe's role has the policies %v", policies)
	}
	same(t, "what the role allows", resource{Properties: policies[0].(map[string]any)}.at("PolicyDocument", "Statement"), []any{
		map[string]any{
			"Sid": "Stream", "Effect": "Allow", "Resource": stream,
			"Action": []string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"},
		},
		map[string]any{"Sid": "Bus", "Effect": "Allow", "Action": "events:PutEvents", "Resource": bus},
		map[string]any{"Sid": "DeadLetters", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue},
	})

	same(t, "the queue", p.Resources["EventsOutDeadLetters"].Properties, p.Resources["UntakenEvents"].Properties)
	for name, about := range map[string]map[string]any{
		"EventsOutAlarm":        {"Name": "QueueName", "Value": get("EventsOutDeadLetters", "QueueName")},
		"EventsOutFailingAlarm": {"Name": "PipeName", "Value": map[string]any{"Ref": "EventsOut"}},
	} {
		alarm := p.Resources[name]
		same(t, "what "+name+" is about", alarm.at("Dimensions"), []any{about})
		same(t, "whom "+name+" tells", alarm.at("AlarmActions"), p.Resources["PendingAlarm"].at("AlarmActions"))
		same(t, "whom it tells of its end", alarm.at("OKActions"), p.Resources["PendingAlarm"].at("OKActions"))
	}
	same(t, "the partner events' condition", p.Resources["PartnerEvents"].Condition, "HasPartnerEventBus")
}
