//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

// translate runs translate.py on template.yaml.
func translate(t *testing.T, into any, args ...string) {
	t.Helper()
	nowhere := new(emulator)
	raw := nowhere.run(t, filepath.Join(variable(t, "E2E_MINISTACK"), "python"), append([]string{"e2e/translate.py", "template.yaml"}, args...)...)
	if err := json.Unmarshal([]byte(raw), into); err != nil {
		t.Fatal(err)
	}
}

// translated is the template as CloudFormation makes it of template.yaml, with the
// parameters that only some environments have: what the emulator can't do.
func translated(t *testing.T, parameters ...string) template {
	t.Helper()
	var p template
	translate(t, &p, parameters...)
	return p
}

// TestTemplate asserts what staging and prod have, and the default environment hasn't.
func TestTemplate(t *testing.T) {
	plain, gradual := translated(t, "Rollout=AllAtOnce"), translated(t, "Rollout=Canary10Percent5Minutes")
	t.Run("environments are tagged, and roll out by steps where it matters", environments)
	t.Run("CodeDeploy shifts the aliases, and alarms take them back", func(t *testing.T) { byCodeDeploy(t, plain, gradual) })
	t.Run("whoever invokes a function invokes its alias", func(t *testing.T) { onlyTheAlias(t, gradual) })
	t.Run("roles are bounded, and allow nothing on everything but traces", func(t *testing.T) { bounded(t, gradual) })
	t.Run("services act as roles for this account only, and only its alarms are told", func(t *testing.T) { thisAccountOnly(t, gradual) })
	t.Run("a key of the customer's is used for whatever holds content", func(t *testing.T) { encrypted(t, gradual) })
	t.Run("no two stacks have a resource of the same name", func(t *testing.T) { unnamed(t, gradual) })
	t.Run("a setting makes a version, and nothing else does", func(t *testing.T) { onlySettingsMakeVersions(t, plain) })
}

// environments asserts what samconfig.toml gives each of them.
func environments(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(dynamotest.Root(), "samconfig.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for environment, wants := range map[string][]string{
		"default": {`"environment=dev"`, `"TrunkPrefix=dev"`, "confirm_changeset = false"},
		"staging": {`"environment=staging"`, `"TrunkPrefix=st"`, "confirm_changeset = true", `"Rollout=Canary10Percent5Minutes"`},
		"prod":    {`"environment=prod"`, `"TrunkPrefix=th"`, "confirm_changeset = true", `"Rollout=Canary10Percent5Minutes"`},
	} {
		_, after, _ := strings.Cut(string(content), "["+environment+".deploy.parameters]\n")
		section, _, _ := strings.Cut(after, "\n[")
		for _, want := range append(wants, `"project=trunkhook"`) {
			if !strings.Contains(section, want) {
				t.Errorf("%s has no %s", environment, want)
			}
		}
	}
}

func byCodeDeploy(t *testing.T, plain, gradual template) {
	for name, r := range plain.Resources {
		if strings.HasPrefix(r.Type, "AWS::CodeDeploy::") || r.UpdatePolicy != nil {
			t.Errorf("%s is there where all is rolled out at once", name)
		}
	}
	for function, how := range map[string]string{"WebhookFunction": "Canary10Percent5Minutes", "ReconcilerFunction": "Linear10PercentEvery1Minute"} {
		group := function + "DeploymentGroup"
		same(t, "how a version of "+function+" takes over", gradual.Resources[function+"Aliaslive"].UpdatePolicy, map[string]any{
			"CodeDeployLambdaAliasUpdate": map[string]any{"ApplicationName": ref("ServerlessDeploymentApplication"), "DeploymentGroupName": ref(group)},
		})
		g := gradual.Resources[group]
		same(t, group+"'s pace", g.at("DeploymentConfigName"), map[string]any{"Fn::Sub": []any{"CodeDeployDefault.Lambda${ConfigName}", map[string]any{"ConfigName": how}}})
		same(t, group+"'s alarms", g.at("AlarmConfiguration"), map[string]any{"Enabled": true, "Alarms": []any{
			map[string]any{"Name": ref("WebhookErrorsAlarm")}, map[string]any{"Name": ref("ReconcilerErrorsAlarm")}, map[string]any{"Name": ref("NotTakenAlarm")},
		}})
		same(t, "when "+group+" goes back", g.at("AutoRollbackConfiguration"), map[string]any{
			"Enabled": true, "Events": []string{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"},
		})
		same(t, group+"'s role", g.at("ServiceRoleArn"), orNothing("HasRollout", arn("RolloutRole")))
	}
	for _, alarm := range []string{"WebhookErrorsAlarm", "ReconcilerErrorsAlarm", "NotTakenAlarm"} {
		if gradual.Resources[alarm].Type != "AWS::CloudWatch::Alarm" {
			t.Errorf("there is no %s", alarm)
		}
	}
}

// onlyTheAlias asserts that whoever invokes a function invokes its alias: all else
// would be taken over by an update at once.
func onlyTheAlias(t *testing.T, p template) {
	webhook, reconciler := ref("WebhookFunctionAliaslive"), ref("ReconcilerFunctionAliaslive")
	for name, permission := range p.of("AWS::Lambda::Permission") {
		same(t, "what "+name+" permits", permission.at("FunctionName"), webhook)
	}
	for name, schedule := range p.of("AWS::Scheduler::Schedule") {
		same(t, "what "+name+" invokes", schedule.at("Target", "Arn"), reconciler)
	}
	same(t, "what the schedule may do", statements(p.Resources["ScheduleRole"], "Reconciler"), []any{
		map[string]any{"Sid": "Reconciler", "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": reconciler},
	})
	targets, _ := p.Resources["PartnerEvents"].at("Targets").([]any)
	same(t, "what partners' events invoke", resource{Properties: targets[0].(map[string]any)}.at("Arn"), webhook)

	invocation := regexp.MustCompile(`functions/\$\{(\w+)\}/invocations`)
	for name, api := range p.of("AWS::ApiGatewayV2::Api") {
		body, _ := json.Marshal(api.at("Body"))
		found := invocation.FindAllStringSubmatch(string(body), -1)
		if len(found) != 4 {
			t.Errorf("%s has %d integrations", name, len(found))
		}
		for _, match := range found {
			if match[1] != "WebhookFunctionAliaslive" && match[1] != "Live" {
				t.Errorf("%s invokes %s", name, match[1])
			}
		}
		if !strings.Contains(string(body), `{"Live":{"Ref":"WebhookFunctionAliaslive"}}`) {
			t.Errorf("%s: Live is something else", name)
		}
	}
}

// bounded asserts that no role is without the account's boundary, none has a managed
// policy, and none may do anything to everything, but write traces.
func bounded(t *testing.T, p template) {
	for name, role := range p.of("AWS::IAM::Role") {
		same(t, name+"'s boundary", role.at("PermissionsBoundary"), orNothing("HasBoundary", ref("PermissionsBoundaryArn")))
		if role.at("ManagedPolicyArns") != nil {
			t.Errorf("%s has managed policies, which allow more than is needed", name)
		}
		for _, statement := range statements(role, "") {
			text, _ := json.Marshal(statement)
			if containsStar(statement) && string(text) != `{"Action":["xray:PutTraceSegments","xray:PutTelemetryRecords"],"Effect":"Allow","Resource":"*","Sid":"Traces"}` {
				t.Errorf("%s allows something on everything: %s", name, text)
			}
		}
	}
	for name, policy := range p.of("AWS::IAM::Policy") {
		if containsStar(policy.at("PolicyDocument")) {
			t.Errorf("%s allows something on everything", name)
		}
	}
}

// thisAccountOnly asserts that no other account's resource has a service act as a role, or
// publish to the topic. Lambda is left out: a function's role is always of its own account.
func thisAccountOnly(t *testing.T, p template) {
	account := map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": ref("AWS::AccountId")}}
	for name, role := range p.of("AWS::IAM::Role") {
		trusted, _ := role.at("AssumeRolePolicyDocument", "Statement").([]any)
		if len(trusted) != 1 || trust[name] == "" {
			t.Fatalf("%s trusts %v", name, trusted)
		}
		if trust[name] == "lambda.amazonaws.com" {
			continue
		}
		same(t, "for whom services act as "+name, resource{Properties: trusted[0].(map[string]any)}.at("Condition"), account)
	}
	topic := p.Resources["AlarmTopicPolicy"]
	same(t, "the topic of the policy", topic.at("Topics"), []any{ref("AlarmTopic")})
	same(t, "who may publish", topic.at("PolicyDocument", "Statement"), []any{map[string]any{
		"Sid": "AlarmsOfThisStack", "Effect": "Allow", "Action": "sns:Publish", "Resource": ref("AlarmTopic"),
		"Principal": map[string]any{"Service": "cloudwatch.amazonaws.com"},
		"Condition": map[string]any{
			"StringEquals": map[string]any{"aws:SourceAccount": ref("AWS::AccountId")},
			"ArnLike":      map[string]any{"aws:SourceArn": map[string]any{"Fn::Sub": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:${AWS::StackName}-*"}},
		},
	}})
	for name, alarm := range p.of("AWS::CloudWatch::Alarm") {
		if alarm.at("AlarmName") != nil {
			t.Errorf("%s has a name of its own, under which it may not publish", name)
		}
	}
}

// encrypted asserts that a key of the customer's is used for whatever holds content.
func encrypted(t *testing.T, p template) {
	key := orNothing("HasKey", ref("KmsKeyArn"))
	for kind, property := range map[string]string{
		"AWS::SecretsManager::Secret": "KmsKeyId", "AWS::SQS::Queue": "KmsMasterKeyId", "AWS::Logs::LogGroup": "KmsKeyId", "AWS::SNS::Topic": "KmsMasterKeyId",
	} {
		if len(p.of(kind)) == 0 {
			t.Errorf("there is no %s", kind)
		}
		for name, r := range p.of(kind) {
			same(t, name+"'s key", r.at(property), key)
		}
	}
	for policy, actions := range map[string]any{
		"WebhookKeyPolicy":    []string{"kms:Decrypt", "kms:GenerateDataKey"},
		"ReconcilerKeyPolicy": "kms:Decrypt",
		"ScheduleKeyPolicy":   []string{"kms:Decrypt", "kms:GenerateDataKey"},
	} {
		same(t, policy+"'s condition", p.Resources[policy].Condition, "HasKey")
		same(t, policy, p.Resources[policy].at("PolicyDocument", "Statement"), []any{
			map[string]any{"Sid": "Key", "Effect": "Allow", "Action": actions, "Resource": ref("KmsKeyArn")},
		})
	}
}

// unnamed asserts that no resource has a name that a second stack of the account
// would have, too.
func unnamed(t *testing.T, p template) {
	named := regexp.MustCompile(`^(Name|\w+Name)$`)
	of := map[string]string{ // names within something that is the stack's own
		"AWS::Lambda::Alias": "Name", "AWS::ApiGatewayV2::Stage": "StageName", "AWS::IAM::Policy": "PolicyName",
	}
	for logical, r := range p.Resources {
		for property, value := range r.Properties {
			text, fixed := value.(string)
			if fixed && named.MatchString(property) && of[r.Type] != property && property != "MetricName" {
				t.Errorf("%s has the %s %q in every stack", logical, property, text)
			}
		}
	}
}

// onlySettingsMakeVersions asserts that a parameter makes a new version of a function
// when it alone is changed if, and only if, the function's settings depend on it. Where
// none is made the alias goes on with the old settings, and nobody is told; and an
// unchanged function can have none, so that CloudFormation gives the update up.
func onlySettingsMakeVersions(t *testing.T, plain template) {
	var made map[string][]string
	translate(t, &made, "--versions")
	unchanged := plain.of("AWS::Lambda::Version")
	for function, r := range plain.of("AWS::Lambda::Function") {
		settings := map[string]bool{}
		for _, property := range []string{"Environment", "Architectures", "Description"} {
			plain.parametersIn(r.at(property), settings)
		}
		if len(settings) < 5 || len(made) != len(plain.Parameters) {
			t.Fatalf("%s depends on %v only, and %d parameters were changed", function, settings, len(made))
		}
		for parameter, versions := range made {
			another := false
			for _, version := range versions {
				if _, there := unchanged[version]; strings.HasPrefix(version, function+"Version") && !there {
					another = true
				}
			}
			if another != settings[parameter] {
				t.Errorf("%s: another %s makes a version: %v", function, parameter, another)
			}
		}
	}
}

// parametersIn collects the parameters that a value depends on, through conditions, too.
func (p template) parametersIn(value any, found map[string]bool) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			p.parametersIn(element, found)
		}
	case map[string]any:
		if name, ok := value["Ref"].(string); ok && p.Parameters[name] != nil {
			found[name] = true
		}
		if text, ok := value["Fn::Sub"].(string); ok {
			for _, match := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(text, -1) {
				p.parametersIn(ref(match[1]), found)
			}
		}
		if branches, ok := value["Fn::If"].([]any); ok {
			p.parametersIn(p.Conditions[branches[0].(string)], found)
		}
		for _, element := range value {
			p.parametersIn(element, found)
		}
	}
}
