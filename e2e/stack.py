"""What the tests need of a stack on MiniStack beyond the SAM CLI.

    stack.py template STACK    print the processed template, as JSON
    stack.py resources STACK   print what each logical id stands for, as JSON
    stack.py live STACK        print the variables of the webhook that is live, as JSON
    stack.py changes STACK     print the change set that waits to be executed, as JSON
    stack.py routes STACK      make the routes of its HTTP API
    stack.py invoke STACK FILE invoke its webhook function with an event
    stack.py event STACK FILE  the same as EventBridge does it, without waiting
    stack.py reconcile STACK   invoke its reconciler
    stack.py untaken STACK     take an event that was not taken out of the queue, and print
                               its record; print nothing if there is none
    stack.py roles STACK       print what each of its roles may do, as JSON
    stack.py allow STACK ROLE POLICY FILE
                               make the file's document that policy of the role's; without
                               a statement in it, there is none then
    stack.py intrude STACK ROLE ...
                               act as each of the roles as a user of the account, and as one that
                               lets him, and print the error's code of each, "" for none
    stack.py as STACK ROLE FILE
                               make the file's calls, [[service, operation, parameters], ...], as
                               that role, and print the error's code of each, "" for none
    stack.py stream STACK      print what its table's stream holds, a record of JSON each line
    stack.py pipe STACK        print what its pipe reads and where it sends, as JSON

SAM puts the routes of an AWS::Serverless::HttpApi into the Body of the API, an
OpenAPI document. MiniStack 1.5.33 makes the API and ignores that document (seen
2026-11). This reads the document back from the deployed stack and makes the
routes through the apigatewayv2 API, so that the template stays the real one.
"""

import json
import re
import sys

import boto3
from botocore.exceptions import ClientError

ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"


class Stack:
    """A deployed stack: its processed template, and what its names stand for."""

    def __init__(self, name):
        cloudformation = boto3.client("cloudformation")
        body = cloudformation.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
        self.template = body if isinstance(body, dict) else json.loads(body)
        self.values = {
            "AWS::Partition": "aws",
            "AWS::StackName": name,
            "AWS::Region": cloudformation.meta.region_name,
            "AWS::AccountId": boto3.client("sts").get_caller_identity()["Account"],
        }
        arn = self.resolve({"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"})
        for resource in cloudformation.describe_stack_resources(StackName=name)["StackResources"]:
            logical, physical = resource["LogicalResourceId"], resource["PhysicalResourceId"]
            self.values[logical] = physical
            if resource["ResourceType"] == "AWS::Lambda::Function":
                self.values[logical + ".Arn"] = arn + physical

    def resolve(self, value):
        """The value with Ref, Fn::Sub and Fn::If worked out; conditions are taken for false."""
        if isinstance(value, list):
            return [self.resolve(element) for element in value]
        if not isinstance(value, dict):
            return value
        if "Ref" in value:
            return None if value["Ref"] == "AWS::NoValue" else self.values[value["Ref"]]
        if "Fn::Sub" in value:
            return re.sub(r"\$\{([^}]+)\}", lambda match: self.values[match[1]], value["Fn::Sub"])
        if "Fn::If" in value:
            return self.resolve(value["Fn::If"][2])
        fields = {key: self.resolve(element) for key, element in value.items()}
        return {key: element for key, element in fields.items() if element is not None}

    def apis(self):
        """Id and OpenAPI document of each HTTP API."""
        for name, resource in self.template["Resources"].items():
            if resource["Type"] == "AWS::ApiGatewayV2::Api":
                yield self.values[name], self.resolve(resource["Properties"]["Body"])

    def roles(self):
        """The inline policies of each role that no condition keeps away."""
        iam = boto3.client("iam")
        names = {
            role: self.values[role]
            for role, resource in self.template["Resources"].items()
            if resource["Type"] == "AWS::IAM::Role" and role in self.values
        }
        return {
            role: {
                policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
            }
            for role, name in names.items()
        }

    def arn(self, role):
        return boto3.client("iam").get_role(RoleName=self.values[role])["Role"]["Arn"]

    def session(self, role):
        """What acts as a role. A role of the stack lets only a service in: this one lets us, too, until we are."""
        iam, name = boto3.client("iam"), self.values[role]
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        us = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": self.values["AWS::AccountId"]}}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy_of(*trust["Statement"], us))
        try:
            keys = boto3.client("sts").assume_role(RoleArn=self.arn(role), RoleSessionName="e2e")["Credentials"]
        finally:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def intrusions(self, roles):
        """What comes of it where a user tries to act as each role, and as one that lets all of the account in.

        His own policy allows him to act as any: it is the role that says no.
        """
        iam, account = boto3.client("iam"), self.values["AWS::AccountId"]
        everybody, user = f"{self.values['AWS::StackName']}-everybody", f"{self.values['AWS::StackName']}-user"
        anything = {"Effect": "Allow", "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=everybody, AssumeRolePolicyDocument=policy_of({**anything, "Principal": {"AWS": account}}))
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="any", PolicyDocument=policy_of({**anything, "Resource": "*"}))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"])
        arns = {role: self.arn(role) for role in roles} | {"everybody": iam.get_role(RoleName=everybody)["Role"]["Arn"]}
        return {role: code_of(session, "sts", "assume_role", {"RoleArn": arn, "RoleSessionName": "e2e"}) for role, arn in arns.items()}


def policy_of(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def code_of(session, service, operation, parameters):
    """The code of the error that a call ends in, "" for none."""
    try:
        getattr(session.client(service), operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def make_routes(gateway, api, document):
    if gateway.get_routes(ApiId=api)["Items"]:
        sys.exit("MiniStack has made the routes itself: this file is no longer needed")
    integrations = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            integration = operation[INTEGRATION]
            uri = integration["uri"]
            if uri not in integrations:
                integrations[uri] = gateway.create_integration(
                    ApiId=api,
                    IntegrationType="AWS_PROXY",
                    IntegrationMethod="POST",
                    IntegrationUri=uri,
                    PayloadFormatVersion=integration["payloadFormatVersion"],
                )["IntegrationId"]
            key = f"{'ANY' if method == ANY else method.upper()} {path}"
            gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integrations[uri]}")
            print(key)


def waiting(cloudformation, name):
    """The resources of the change set that was made last, and what would become of them."""
    sets = cloudformation.list_change_sets(StackName=name)["Summaries"]
    last = max((s for s in sets if s["ExecutionStatus"] == "AVAILABLE"), key=lambda s: s["CreationTime"])
    changes = cloudformation.describe_change_set(StackName=name, ChangeSetName=last["ChangeSetName"])["Changes"]
    names = ("Action", "LogicalResourceId", "ResourceType", "Replacement")
    return [{name: change["ResourceChange"].get(name) for name in names} for change in changes]


def send(functions, stack, event):
    """An event whose failure goes where the alias says. MiniStack 1.5.33 knows that of the unpublished function only (seen 2026-11)."""
    function = stack.values["WebhookFunction"]
    config = functions.get_function_event_invoke_config(FunctionName=function, Qualifier="live")
    names = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    functions.put_function_event_invoke_config(FunctionName=function, **{name: config[name] for name in names})
    functions.invoke(FunctionName=function, Payload=event, InvocationType="Event")


def invoke(function, event):
    """What the function answers; its error ends this program."""
    answer = boto3.client("lambda").invoke(FunctionName=function, Payload=event)
    payload = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        sys.exit(payload)
    return payload


def stream_records(table):
    """What the stream of a table holds, from its beginning."""
    streams = boto3.client("dynamodbstreams")
    arn = boto3.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while iterator:
            page = streams.get_records(ShardIterator=iterator)
            if not page["Records"]:
                break
            yield from page["Records"]
            iterator = page.get("NextShardIterator")


if __name__ == "__main__":
    command, stack = sys.argv[1], Stack(sys.argv[2])
    if command == "template":
        print(json.dumps(stack.template))
    elif command == "resources":
        resources = boto3.client("cloudformation").describe_stack_resources(StackName=sys.argv[2])["StackResources"]
        print(json.dumps({r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources}))
    elif command == "live":
        live = boto3.client("lambda").get_function_configuration(FunctionName=stack.values["WebhookFunctionAliaslive"])
        print(json.dumps(live["Environment"]["Variables"]))
    elif command == "changes":
        print(json.dumps(waiting(boto3.client("cloudformation"), sys.argv[2])))
    elif command == "invoke":
        with open(sys.argv[3], "rb") as event:
            print(invoke(stack.values["WebhookFunctionAliaslive"], event.read()))
    elif command == "reconcile":
        print(invoke(stack.values["ReconcilerFunctionAliaslive"], b"{}"))
    elif command == "event":
        with open(sys.argv[3], "rb") as event:
            send(boto3.client("lambda"), stack, event.read())
    elif command == "untaken":
        sqs, queue = boto3.client("sqs"), stack.values["UntakenEvents"]
        for message in sqs.receive_message(QueueUrl=queue).get("Messages", []):
            print(message["Body"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    elif command == "roles":
        print(json.dumps(stack.roles()))
    elif command == "allow":
        iam, which = boto3.client("iam"), {"RoleName": stack.values[sys.argv[3]], "PolicyName": sys.argv[4]}
        with open(sys.argv[5]) as file:
            document = file.read()
        if json.loads(document)["Statement"]:
            iam.put_role_policy(**which, PolicyDocument=document)
        else:
            iam.delete_role_policy(**which)
    elif command == "intrude":
        print(json.dumps(stack.intrusions(sys.argv[3:])))
    elif command == "as":
        acting = stack.session(sys.argv[3])
        with open(sys.argv[4]) as calls:
            print(json.dumps([code_of(acting, *call) for call in stack.resolve(json.load(calls))]))
    elif command == "stream":
        for record in stream_records(stack.values["SignupsTable"]):
            print(json.dumps(record, default=str))
    elif command == "pipe":
        pipe = boto3.client("pipes").describe_pipe(Name=stack.values["EventsOut"])
        print(json.dumps({name: pipe[name] for name in ("Source", "Target", "CurrentState")}))
    else:
        for api_id, openapi in stack.apis():
            make_routes(boto3.client("apigatewayv2"), api_id, openapi)
