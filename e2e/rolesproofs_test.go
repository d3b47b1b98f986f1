//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// trust are the services that may act as each role, and nobody else.
var trust = map[string]string{
	"WebhookRole": "lambda.amazonaws.com", "ReconcilerRole": "lambda.amazonaws.com", "ScheduleRole": "scheduler.amazonaws.com", "RolloutRole": "codedeploy.amazonaws.com",
	"EventsOutRole": "pipes.amazonaws.com",
}

// Resources, as the template has them.
const (
	theTable     = "SignupsTable.Arn"
	theIndex     = "${SignupsTable.Arn}/index/due"
	thePasswords = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/trunkhook/${AWS::StackName}/*"
)

// proofs are those of every permission of every role. MiniStack writes logs, sends
// what was not taken to the queue, and invokes what is on a schedule without asking
// the role, as AWS wouldn't. There the call that AWS makes as the role is made as
// the role: that AWS makes it stands in its documentation only.
var proofs = []proof{
	{
		permission: permission{"WebhookRole", "Signups", "dynamodb:UpdateItem", theTable},
		without:    "503", probe: signedUp, also: nothingWritten,
	},
	{
		permission: permission{"WebhookRole", "Signups", "dynamodb:GetItem", theTable},
		without:    "503", probe: shown, prepare: anItem,
	},
	{
		permission: permission{"WebhookRole", "Secrets", "secretsmanager:GetSecretValue", "ExotelSecret.Id"},
		without:    "202", probe: signedUp, prepare: anotherKey,
	},
	{
		permission: permission{"WebhookRole", "Secrets", "secretsmanager:GetSecretValue", "SourcesSecret.Id"},
		without:    "401", probe: signedUp, prepare: anotherToken,
	},
	{
		permission: permission{"WebhookRole", "Passwords", "ssm:PutParameter", thePasswords},
		without:    "202 the password can't be kept", probe: signedUpWithCredential, also: noCredential,
	},
	{
		permission: permission{"WebhookRole", "Passwords", "ssm:GetParameter", thePasswords},
		without:    "202 the password can't be kept", probe: signedUpWithCredential, prepare: aPassword, also: noCredential,
	},
	{
		permission: permission{"WebhookRole", "UntakenEvents", "sqs:SendMessage", "UntakenEvents.Arn"},
		without:    "AccessDenied", probe: called("WebhookRole", "sqs", "send_message", map[string]any{"QueueUrl": ref("UntakenEvents"), "MessageBody": "{}"}),
	},
	{
		permission: permission{"WebhookRole", "Logs", "logs:CreateLogStream", "WebhookLogs.Arn"},
		without:    "AccessDenied", probe: logged("WebhookRole", "create_log_stream", "WebhookLogs"),
	},
	{
		permission: permission{"WebhookRole", "Logs", "logs:PutLogEvents", "WebhookLogs.Arn"},
		without:    "AccessDenied", probe: logged("WebhookRole", "put_log_events", "WebhookLogs"),
	},

	{
		permission: permission{"ReconcilerRole", "Signups", "dynamodb:UpdateItem", theTable},
		without:    "pending", probe: finished, prepare: abandoned,
	},
	{
		permission: permission{"ReconcilerRole", "Signups", "dynamodb:GetItem", theTable},
		without:    "pending the trunk exists", probe: finished, prepare: farBack,
	},
	{
		permission: permission{"ReconcilerRole", "DueSignups", "dynamodb:Query", theIndex},
		without:    "the signups table can't be reached", probe: finished, prepare: abandoned,
	},
	{
		permission: permission{"ReconcilerRole", "Secrets", "secretsmanager:GetSecretValue", "ExotelSecret.Id"},
		without:    "pending", probe: finished, prepare: abandonedAndAnotherKey,
	},
	{
		permission: permission{"ReconcilerRole", "Passwords", "ssm:PutParameter", thePasswords},
		without:    "pending the password can't be kept", probe: finished, prepare: abandonedWithCredential, also: noCredential,
	},
	{
		permission: permission{"ReconcilerRole", "Passwords", "ssm:GetParameter", thePasswords},
		without:    "pending the password can't be kept", probe: finished, prepare: abandonedWithPassword, also: noCredential,
	},
	{
		permission: permission{"ReconcilerRole", "Logs", "logs:CreateLogStream", "ReconcilerLogs.Arn"},
		without:    "AccessDenied", probe: logged("ReconcilerRole", "create_log_stream", "ReconcilerLogs"),
	},
	{
		permission: permission{"ReconcilerRole", "Logs", "logs:PutLogEvents", "ReconcilerLogs.Arn"},
		without:    "AccessDenied", probe: logged("ReconcilerRole", "put_log_events", "ReconcilerLogs"),
	},

	{
		permission: permission{"ScheduleRole", "Reconciler", "lambda:InvokeFunction", "ReconcilerFunctionAliaslive"},
		without:    "AccessDenied", probe: called("ScheduleRole", "lambda", "invoke", map[string]any{"FunctionName": ref("ReconcilerFunctionAliaslive")}),
	},
	{
		permission: permission{"ScheduleRole", "DeadLetters", "sqs:SendMessage", "ScheduleDeadLetters.Arn"},
		without:    "AccessDenied", probe: called("ScheduleRole", "sqs", "send_message", map[string]any{"QueueUrl": ref("ScheduleDeadLetters"), "MessageBody": "{}"}),
	},
}

// unproven are the permissions of which MiniStack can't show that they are needed.
var unproven = []open{
	{
		"WebhookRole", "Traces", traces,
		[]string{"*"},
		"MiniStack has no X-Ray; these actions take no other resource than * (AWS's service authorization reference, November 2026)",
	},
	{"ReconcilerRole", "Traces", traces, []string{"*"}, "the same"},
	{"WebhookRole", "Key", []string{"kms:Decrypt", "kms:GenerateDataKey"}, []string{"KmsKeyArn"}, "only with a key of one's own, with which MiniStack encrypts nothing"},
	{"ReconcilerRole", "Key", []string{"kms:Decrypt"}, []string{"KmsKeyArn"}, "the same"},
	{"ScheduleRole", "Key", []string{"kms:Decrypt", "kms:GenerateDataKey"}, []string{"KmsKeyArn"}, "the same"},
	{
		"RolloutRole", "Aliases",
		[]string{"lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"},
		[]string{"WebhookFunction.Arn", "${WebhookFunction.Arn}:live", "ReconcilerFunction.Arn", "${ReconcilerFunction.Arn}:live"},
		"MiniStack has no CodeDeploy",
	},
	{
		"RolloutRole", "Alarms",
		[]string{"cloudwatch:DescribeAlarms"},
		[]string{"arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"},
		"MiniStack has no CodeDeploy",
	},
	{
		"EventsOutRole", "Stream",
		[]string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"},
		[]string{"SignupsTable.StreamArn"},
		"MiniStack's pipes read no stream of a table",
	},
	{
		"EventsOutRole", "Bus",
		[]string{"events:PutEvents"},
		[]string{"arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/${EventBusName}"},
		"MiniStack's pipes send to no bus",
	},
	{"EventsOutRole", "DeadLetters", []string{"sqs:SendMessage"}, []string{"EventsOutDeadLetters.Arn"}, "the same"},
	{"EventsOutRole", "Key", []string{"kms:Decrypt", "kms:GenerateDataKey"}, []string{"KmsKeyArn"}, "only with a key of one's own, with which MiniStack encrypts nothing"},
}

var traces = []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}

// --- what is done through the webhook --------------------------------------------

// signedUp sends a signup, and says what keeps it from being active.
func signedUp(t *testing.T, s *stack, id string) string {
	return s.problem(t, id, s.signUp(t, id).status)
}

func signedUpWithCredential(t *testing.T, s *stack, id string) string {
	return s.problem(t, id, s.postSignup(t, fmt.Sprintf(`{"signup_id":%q,"company":"A","credentials":[%q]}`, id, id)).status)
}

func shown(t *testing.T, s *stack, id string) string {
	a := s.send(t, http.MethodGet, "/signups/"+id, "Bearer "+s.bearer, "")
	if a.status == http.StatusOK {
		return ""
	}
	return fmt.Sprint(a.status)
}

// problem is "" for a signup that is active, as its sender was told; else what the
// sender was told, and why.
func (s *stack) problem(t *testing.T, id string, status int) string {
	t.Helper()
	record, _ := s.ledger.Get(t.Context(), id)
	if record.Status == provision.StatusActive && (status == http.StatusOK || status == http.StatusCreated) {
		active(t, s, id)
		samePasswords(t, s, id)
		return ""
	}
	return fmt.Sprint(status, " ", record.LastError)
}

// nothingWritten: what can't be written down is not begun either; what nobody would
// send again is not lost, and taken by who can.
func nothingWritten(t *testing.T, s *stack, id string, other *stack) {
	calls := len(s.fake.Calls())
	signedUp(t, s, id)
	if n := len(s.fake.Calls()) - calls; n != 0 {
		t.Errorf("%d calls to Exotel", n)
	}
	untaken(t, s, other)
}

// noCredential: without a password that is kept there is none at Exotel.
func noCredential(t *testing.T, s *stack, id string, _ *stack) {
	record, err := s.ledger.Get(t.Context(), id)
	if n := len(s.fake.Line(record.TrunkSID).Credentials); err != nil || n != 0 {
		t.Errorf("%d credentials at Exotel, %v", n, err)
	}
}

// samePasswords holds those of the signup's credentials at Exotel against what is kept.
func samePasswords(t *testing.T, s *stack, id string) {
	t.Helper()
	record, err := s.ledger.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, credential := range s.fake.Line(record.TrunkSID).Credentials {
		var found struct{ Parameter struct{ Value string } }
		in := map[string]any{"Name": s.passwordOf(t, id), "WithDecryption": true}
		if err := s.emulator.clients.SSM.Call(t.Context(), "GetParameter", in, &found); err != nil {
			t.Fatal(err)
		}
		if credential.Password != found.Parameter.Value {
			t.Errorf("%s has another password than is kept", id)
		}
	}
}

// passwordOf is where the password of a signup's one credential is, which is named as the signup.
func (s *stack) passwordOf(t *testing.T, id string) string {
	t.Helper()
	return s.outputs.must(t, "PasswordsPath") + "/" + provision.TrunkName(s.prefix, id) + "/" + id
}

func anItem(t *testing.T, s *stack, id string) { s.signUp(t, id) }

// anotherKey replaces Exotel's: the process at hand has the old one.
func anotherKey(t *testing.T, s *stack, id string) {
	s.fake.SetCredentials("key-"+id, "token-"+id)
	s.putSecrets(t)
}

// anotherToken replaces the sender's: the process at hand doesn't know it.
func anotherToken(t *testing.T, s *stack, id string) {
	s.bearer = "e2e-bearer-" + s.name + "-" + id
	s.putSecrets(t)
}

// aPassword is there, as after a try that died before the credential was made.
func aPassword(t *testing.T, s *stack, id string) {
	t.Helper()
	in := map[string]any{
		"Name": s.passwordOf(t, id), "Value": "K2345672345672345672345672", "Type": "SecureString",
	}
	if err := s.emulator.clients.SSM.Call(t.Context(), "PutParameter", in, &struct{}{}); err != nil {
		t.Fatal(err)
	}
}

// --- what is done through the reconciler ------------------------------------------

// finished invokes the reconciler, and says what keeps a signup from being active.
func finished(t *testing.T, s *stack, id string) string {
	if out, err := s.tryPython(t, "reconcile"); err != nil {
		return out
	}
	record, err := s.ledger.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if record.Status == provision.StatusActive {
		active(t, s, id)
		samePasswords(t, s, id)
		return ""
	}
	return string(record.Status) + " " + record.LastError
}

// abandoned is a signup whose claim is all that the function came to.
func abandoned(t *testing.T, s *stack, id string) { s.abandon(t, id, provision.Line{}) }

func abandonedAndAnotherKey(t *testing.T, s *stack, id string) {
	anotherKey(t, s, id)
	abandoned(t, s, id)
}

func abandonedWithCredential(t *testing.T, s *stack, id string) {
	s.abandon(t, id, provision.Line{Credentials: []provision.Credential{{UserName: id}}})
}

func abandonedWithPassword(t *testing.T, s *stack, id string) {
	aPassword(t, s, id)
	abandonedWithCredential(t, s, id)
}

func (s *stack) abandon(t *testing.T, id string, line provision.Line) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	_, held, err := s.ledger.Claim(t.Context(), provision.Claim{
		Signup:    provision.Signup{ID: id, Company: "A", Source: "api", Line: line}.Normalised(),
		TrunkName: provision.TrunkName(s.prefix, id), Owner: "gone", Now: now.Add(-time.Second), LeaseUntil: now,
	})
	if err != nil || !held {
		t.Fatalf("held: %t, %v", held, err)
	}
}

// farBack is a signup whose trunk was made before a hundred others, which are all
// that a try looks at: the search is the reconciler's.
func farBack(t *testing.T, s *stack, id string) {
	s.fake.Add(exotel.Trunk{Name: provision.TrunkName(s.prefix, id)})
	for i := range 101 {
		s.fake.Add(exotel.Trunk{Name: fmt.Sprintf("of_somebody_%d", i)})
	}
	if said := signedUp(t, s, id); !strings.HasPrefix(said, "202") {
		t.Fatal(said)
	}
}

// --- what is done as the role --------------------------------------------------------

// called makes a call as the role.
func called(role, service, operation string, parameters map[string]any) func(*testing.T, *stack, string) string {
	return func(t *testing.T, s *stack, _ string) string {
		return s.as(t, role, call{service, operation, parameters})[0]
	}
}

// logged makes a call about a log stream as the role. AWS asks whether the role may
// on log-group:GROUP:log-stream:STREAM (docs.aws.amazon.com/AmazonCloudWatch/latest/
// logs/iam-access-control-overview-cwl.html, November 2026), MiniStack on
// log-group: and the group's name, so the stream stands in there. That there is no
// such group only who may is told.
func logged(role, operation, group string) func(*testing.T, *stack, string) string {
	return func(t *testing.T, s *stack, _ string) string {
		return strings.TrimPrefix(s.as(t, role, logCall(operation, group))[0], "ResourceNotFoundException")
	}
}

func logCall(operation, group string) call {
	parameters := map[string]any{"logGroupName": map[string]any{"Fn::Sub": "${" + group + "}:log-stream:x"}, "logStreamName": "x"}
	if operation == "put_log_events" {
		parameters["logEvents"] = []any{map[string]any{"timestamp": time.Now().UnixMilli(), "message": "a line"}}
	}
	return call{"logs", operation, parameters}
}
