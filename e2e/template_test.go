//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// template is a processed one: no SAM in it any more.
type template struct {
	Parameters map[string]any
	Conditions map[string]any
	Resources  map[string]resource
}

type resource struct {
	Type           string
	Condition      string
	DeletionPolicy string
	UpdatePolicy   map[string]any
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

func ref(name string) map[string]any { return map[string]any{"Ref": name} }

func arn(name string) map[string]any { return map[string]any{"Fn::GetAtt": []string{name, "Arn"}} }

// orNothing is a value that is there on a condition.
func orNothing(condition string, value any) map[string]any {
	return map[string]any{"Fn::If": []any{condition, value, ref("AWS::NoValue")}}
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
	same(t, "its encryption", table.at("SSESpecification"), map[string]any{"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": orNothing("HasKey", ref("KmsKeyArn"))})
	same(t, "its deletion protection", table.at("DeletionProtectionEnabled"), true)
	same(t, "its deletion policy", table.DeletionPolicy, "Retain")
	same(t, "its billing", table.at("BillingMode"), "PAY_PER_REQUEST")

	stages := p.of("AWS::ApiGatewayV2::Stage")
	if len(stages) != 1 {
		t.Errorf("%d stages", len(stages))
	}
	for _, stage := range stages {
		same(t, "the throttling", stage.at("DefaultRouteSettings"), map[string]any{"ThrottlingBurstLimit": ref("ThrottlingBurst"), "ThrottlingRateLimit": ref("ThrottlingRate")})
		accessLog(t, stage)
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
		same(t, name+"'s tracing", function.at("TracingConfig"), map[string]any{"Mode": "Active"})
		if function.at("LoggingConfig", "LogGroup") == nil {
			t.Errorf("%s has no log group of its own", name)
		}
	}
	groups := p.of("AWS::Logs::LogGroup")
	if len(groups) != 4 {
		t.Errorf("%d log groups", len(groups))
	}
	for name, group := range groups {
		if group.at("RetentionInDays") == nil {
			t.Errorf("%s keeps its lines for ever", name)
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
	for _, role := range []string{"WebhookRole", "ReconcilerRole"} {
		same(t, "what passwords "+role+" allows", statements(p.Resources[role], "Passwords"), []any{map[string]any{
			"Sid": "Passwords", "Effect": "Allow", "Action": []string{"ssm:PutParameter", "ssm:GetParameter"},
			"Resource": map[string]any{"Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/trunkhook/${AWS::StackName}/*"},
		}})
	}
	untakenTemplate(t, p)
	eventsOutTemplate(t, p)
	for name, schedule := range p.of("AWS::Scheduler::Schedule") {
		same(t, name+"'s rate", schedule.at("ScheduleExpression"), "rate(1 minute)")
		same(t, name+"'s retries", schedule.at("Target", "RetryPolicy"), map[string]any{"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60})
		same(t, name+"'s dead letters", schedule.at("Target", "DeadLetterConfig", "Arn"), arn("ScheduleDeadLetters"))
	}
}

// accessLog asserts that a line of it is JSON, says what an operator looks for, and
// leaves the path out, which has the signup's id in it.
func accessLog(t *testing.T, stage resource) {
	t.Helper()
	format, _ := stage.at("AccessLogSettings", "Format").(string)
	var line map[string]string
	if err := json.Unmarshal([]byte(format), &line); err != nil {
		t.Fatalf("the access log's format is %s: %v", format, err)
	}
	for name, variable := range map[string]string{
		"requestId": "$context.requestId", "integrationError": "$context.integrationErrorMessage", "status": "$context.status",
		"latency": "$context.responseLatency", "route": "$context.routeKey", "sourceIp": "$context.identity.sourceIp", "userAgent": "$context.identity.userAgent",
	} {
		same(t, "the access log's "+name, line[name], variable)
	}
	if strings.Contains(format, "$context.path") {
		t.Error("the access log has paths in it")
	}
	same(t, "where the access log goes", stage.at("AccessLogSettings", "DestinationArn"), arn("AccessLogs"))
}

// untakenTemplate asserts where events go that can't be taken. That Lambda writes
// there with the role, the emulator doesn't check; the rule is none without a bus.
func untakenTemplate(t *testing.T, p template) {
	const queue = "UntakenEvents"
	for _, name := range []string{queue, "ScheduleDeadLetters"} {
		same(t, "the queue "+name, p.Resources[name].Properties, map[string]any{
			"MessageRetentionPeriod": 14 * 24 * 3600,
			"KmsMasterKeyId":         orNothing("HasKey", ref("KmsKeyArn")),
			"SqsManagedSseEnabled":   map[string]any{"Fn::If": []any{"HasKey", ref("AWS::NoValue"), true}},
		})
	}

	configs := map[string]map[string]any{}
	for _, config := range p.of("AWS::Lambda::EventInvokeConfig") {
		function, _ := config.at("FunctionName", "Ref").(string)
		delete(config.Properties, "FunctionName")
		configs[function] = config.Properties
	}
	same(t, "what follows an event that fails", configs, map[string]any{
		"WebhookFunction": map[string]any{
			"DestinationConfig":    map[string]any{"OnFailure": map[string]any{"Destination": arn(queue)}},
			"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21600, "Qualifier": "live",
		},
		"ReconcilerFunction": map[string]any{
			"DestinationConfig": map[string]any{}, "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60, "Qualifier": "live",
		},
	})
	same(t, "who may write from the function", statements(p.Resources["WebhookRole"], queue), []any{
		map[string]any{"Sid": queue, "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn(queue)},
	})

	targets, _ := p.Resources["PartnerEvents"].at("Targets").([]any)
	if len(targets) != 1 {
		t.Fatalf("the rule has the targets %v", targets)
	}
	same(t, "what EventBridge can't deliver", resource{Properties: targets[0].(map[string]any)}.at("DeadLetterConfig"), map[string]any{"Arn": arn(queue)})
	policy, _ := p.Resources["UntakenEventsPolicy"].at("PolicyDocument", "Statement").([]any)
	same(t, "who may write from EventBridge", policy, []any{map[string]any{
		"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn(queue), "Principal": map[string]any{"Service": "events.amazonaws.com"},
		"Condition": map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": arn("PartnerEvents")}},
	}})

	alarm := p.Resources["UntakenAlarm"]
	same(t, "the queue's metric", alarm.at("MetricName"), "ApproximateNumberOfMessagesVisible")
	same(t, "the alarm's queue", alarm.at("Dimensions"), []any{map[string]any{"Name": "QueueName", "Value": map[string]any{"Fn::GetAtt": []string{queue, "QueueName"}}}})
	same(t, "who is told", alarm.at("AlarmActions"), p.Resources["PendingAlarm"].at("AlarmActions"))
}

// statements are those of a role's policies with that Sid; all of them, where it is empty.
func statements(role resource, sid string) (found []any) {
	policies, _ := role.at("Policies").([]any)
	for _, policy := range policies {
		fields, _ := policy.(map[string]any)
		list, _ := resource{Properties: fields}.at("PolicyDocument", "Statement").([]any)
		for _, statement := range list {
			if one, _ := statement.(map[string]any); sid == "" || one["Sid"] == sid {
				found = append(found, statement)
			}
		}
	}
	return found
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
