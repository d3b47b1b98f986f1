//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// template is a processed one: no SAM in it any more.
type template struct {
	Resources map[string]resource
}

type resource struct {
	Type           string
	DeletionPolicy string
	Properties     map[string]any
}

// of are the resources of a type.
func (p template) of(kind string) map[string]resource {
	found := map[string]resource{}
	for name, r := range p.Resources {
		if r.Type == kind {
			found[name] = r
		}
	}
	return found
}

// at walks down the properties.
func (r resource) at(path ...string) any {
	var value any = r.Properties
	for _, name := range path {
		fields, _ := value.(map[string]any)
		value = fields[name]
	}
	return value
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("%s is %s, want %s", what, a, b)
	}
}

// processedTemplate asserts what the emulator takes and forgets.
func processedTemplate(t *testing.T, s *stack) {
	p := s.processed(t)
	table := p.Resources["SignupsTable"]
	same(t, "the table's time to live", table.at("TimeToLiveSpecification"), map[string]any{"AttributeName": "expires_at", "Enabled": true})
	same(t, "its point-in-time recovery", table.at("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"), true)
	same(t, "its encryption", table.at("SSESpecification", "SSEEnabled"), true)
	same(t, "its deletion protection", table.at("DeletionProtectionEnabled"), true)
	same(t, "its deletion policy", table.DeletionPolicy, "Retain")
	same(t, "its billing", table.at("BillingMode"), "PAY_PER_REQUEST")

	stages := p.of("AWS::ApiGatewayV2::Stage")
	if len(stages) != 1 {
		t.Errorf("%d stages", len(stages))
	}
	for _, stage := range stages {
		same(t, "the throttling", stage.at("DefaultRouteSettings"), map[string]any{"ThrottlingBurstLimit": 400, "ThrottlingRateLimit": 200})
	}

	for name, api := range p.of("AWS::ApiGatewayV2::Api") {
		mine, _ := json.Marshal(api.at("Body", "paths", "/me/signup"))
		if !strings.Contains(string(mine), `"Fn::If":["HasUsers",{"x-amazon-apigateway-any-method":`) || !strings.Contains(string(mine), `"security":[{"users":[]}]`) {
			t.Errorf("%s: /me/signup is %s, not behind the authorizer", name, mine)
		}
		cors, _ := json.Marshal(api.at("Body", "x-amazon-apigateway-cors"))
		if !strings.Contains(string(cors), `"Fn::If":["HasOrigin",`) {
			t.Errorf("%s: CORS is %s, not closed", name, cors)
		}
	}

	functions := p.of("AWS::Lambda::Function")
	if len(functions) != 2 {
		t.Errorf("%d functions", len(functions))
	}
	for name, function := range functions {
		same(t, name+"'s runtime", function.at("Runtime"), "provided.al2023")
		same(t, name+"'s log format", function.at("LoggingConfig", "LogFormat"), "JSON")
		if function.at("LoggingConfig", "LogGroup") == nil {
			t.Errorf("%s has no log group of its own", name)
		}
	}
	groups := p.of("AWS::Logs::LogGroup")
	if len(groups) != 2 {
		t.Errorf("%d log groups", len(groups))
	}
	for name, group := range groups {
		if group.at("RetentionInDays") == nil {
			t.Errorf("%s keeps its lines for ever", name)
		}
	}
	for name, role := range p.of("AWS::IAM::Role") {
		if text, _ := json.Marshal(role.Properties); json.Valid(text) && containsStar(role.at("Policies")) {
			t.Errorf("%s allows something on everything: %s", name, text)
		}
		if role.at("ManagedPolicyArns") != nil {
			t.Errorf("%s has managed policies, which allow more than is needed", name)
		}
	}
	alarm := p.Resources["PendingAlarm"]
	same(t, "the alarm without data", alarm.at("TreatMissingData"), "breaching")
	same(t, "the alarm's metric", alarm.at("MetricName"), "OldestPendingSignup")
	same(t, "the metric of what is stuck", p.Resources["StuckAlarm"].at("MetricName"), "StuckSignups")
	if filters := p.of("AWS::Logs::MetricFilter"); len(filters) != 2 {
		t.Errorf("%d metric filters", len(filters))
	}
	for name, filter := range p.of("AWS::Logs::MetricFilter") {
		same(t, name+"'s pattern", filter.at("FilterPattern"), `{ $.alarm = "*" }`)
	}
	for name, schedule := range p.of("AWS::Scheduler::Schedule") {
		same(t, name+"'s rate", schedule.at("ScheduleExpression"), "rate(1 minute)")
	}
}

// containsStar looks for "*" as a whole resource or action.
func containsStar(value any) bool {
	switch value := value.(type) {
	case string:
		return value == "*"
	case []any:
		for _, element := range value {
			if containsStar(element) {
				return true
			}
		}
	case map[string]any:
		for _, element := range value {
			if containsStar(element) {
				return true
			}
		}
	}
	return false
}
