//go:build e2e

package e2e

import (
	"maps"
	"testing"
)

// allowed is for each role a call that it may make.
var allowed = map[string]call{
	"WebhookRole":    {"dynamodb", "get_item", map[string]any{"TableName": ref("SignupsTable"), "Key": key}},
	"ReconcilerRole": {"dynamodb", "get_item", map[string]any{"TableName": ref("SignupsTable"), "Key": key}},
	"ScheduleRole":   {"lambda", "invoke", map[string]any{"FunctionName": ref("ReconcilerFunctionAliaslive")}},
}

var key = map[string]any{"signup_id": map[string]any{"S": "acme-42"}}

// denials are for each role what it may not do: what comes next to what it may, in
// its own stack and in another one.
func denials(t *testing.T, other *stack) map[string]map[string]call {
	t.Helper()
	function := func() map[string]call {
		return map[string]call{
			"delete an item":                  {"dynamodb", "delete_item", own(map[string]any{"Key": key})},
			"put an item":                     {"dynamodb", "put_item", own(map[string]any{"Item": key})},
			"write several of another table":  {"dynamodb", "batch_write_item", map[string]any{"RequestItems": map[string]any{other.outputs.must(t, "SignupsTable"): []any{map[string]any{"DeleteRequest": map[string]any{"Key": key}}}}}},
			"read all":                        {"dynamodb", "scan", own()},
			"query the table":                 {"dynamodb", "query", own(byKey("signup_id"))},
			"change the table":                {"dynamodb", "update_table", own(map[string]any{"DeletionProtectionEnabled": false})},
			"delete the table":                {"dynamodb", "delete_table", own()},
			"read another table":              {"dynamodb", "get_item", map[string]any{"TableName": other.outputs.must(t, "SignupsTable"), "Key": key}},
			"write another table":             {"dynamodb", "update_item", map[string]any{"TableName": other.outputs.must(t, "SignupsTable"), "Key": key}},
			"list the streams":                {"dynamodbstreams", "list_streams", map[string]any{}},
			"read a stream":                   {"dynamodbstreams", "get_records", map[string]any{"ShardIterator": "any"}},
			"read another stack's secret":     {"secretsmanager", "get_secret_value", map[string]any{"SecretId": other.outputs.must(t, "ExotelSecret")}},
			"write its secret":                {"secretsmanager", "put_secret_value", map[string]any{"SecretId": ref("ExotelSecret"), "SecretString": "{}"}},
			"read another stack's password":   {"ssm", "get_parameter", map[string]any{"Name": other.outputs.must(t, "PasswordsPath") + "/a/b"}},
			"write another stack's password":  {"ssm", "put_parameter", map[string]any{"Name": other.outputs.must(t, "PasswordsPath") + "/a/b", "Value": "x", "Type": "String"}},
			"read a parameter of others":      {"ssm", "get_parameter", map[string]any{"Name": "/trunkhook"}},
			"delete a password":               {"ssm", "delete_parameter", map[string]any{"Name": passwordName}},
			"list the passwords":              {"ssm", "get_parameters_by_path", map[string]any{"Path": map[string]any{"Fn::Sub": "/trunkhook/${AWS::StackName}"}}},
			"take events out of the queue":    {"sqs", "receive_message", map[string]any{"QueueUrl": ref("UntakenEvents")}},
			"empty the queue":                 {"sqs", "purge_queue", map[string]any{"QueueUrl": ref("UntakenEvents")}},
			"make a log group":                {"logs", "create_log_group", map[string]any{"logGroupName": "another"}},
			"read its log":                    {"logs", "filter_log_events", map[string]any{"logGroupName": ref("WebhookLogs")}},
			"invoke a function":               {"lambda", "invoke", map[string]any{"FunctionName": ref("ReconcilerFunctionAliaslive")}},
			"change a function":               {"lambda", "update_function_configuration", map[string]any{"FunctionName": ref("WebhookFunction"), "Timeout": 9}},
			"change its own role":             {"iam", "put_role_policy", map[string]any{"RoleName": ref("WebhookRole"), "PolicyName": "more", "PolicyDocument": "{}"}},
			"read a bucket, such as the code": {"s3", "list_buckets", map[string]any{}},
		}
	}
	webhook, reconciler := function(), function()
	webhook["query the index"] = call{"dynamodb", "query", own(byKey("queue"), map[string]any{"IndexName": "due"})}
	webhook["write the reconciler's log"] = logCall("put_log_events", "ReconcilerLogs")
	reconciler["read the sources' secret"] = call{"secretsmanager", "get_secret_value", map[string]any{"SecretId": ref("SourcesSecret")}}
	reconciler["send to the queue"] = call{"sqs", "send_message", map[string]any{"QueueUrl": ref("UntakenEvents"), "MessageBody": "{}"}}
	reconciler["write the webhook's log"] = logCall("put_log_events", "WebhookLogs")
	return map[string]map[string]call{
		"WebhookRole": webhook, "ReconcilerRole": reconciler,
		"ScheduleRole": {
			"invoke the webhook":     {"lambda", "invoke", map[string]any{"FunctionName": ref("WebhookFunctionAliaslive")}},
			"invoke another stack's": {"lambda", "invoke", map[string]any{"FunctionName": other.outputs.must(t, "ReconcilerFunction") + ":live"}},
			"read the table":         allowed["WebhookRole"],
		},
	}
}

// passwordName is the name of one of the stack's passwords.
var passwordName = map[string]any{"Fn::Sub": "/trunkhook/${AWS::StackName}/th_a/b"}

// own are parameters of a call on the stack's table.
func own(parameters ...map[string]any) map[string]any {
	all := map[string]any{"TableName": ref("SignupsTable")}
	for _, p := range parameters {
		maps.Copy(all, p)
	}
	return all
}

// byKey are those of a query for one key.
func byKey(name string) map[string]any {
	return map[string]any{
		"KeyConditionExpression": "#key = :value", "ExpressionAttributeNames": map[string]any{"#key": name},
		"ExpressionAttributeValues": map[string]any{":value": map[string]any{"S": "x"}},
	}
}
