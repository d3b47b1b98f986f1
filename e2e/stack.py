"""What the tests need of a stack on MiniStack beyond the SAM CLI.

    stack.py template STACK    print the processed template, as JSON
    stack.py routes STACK      make the routes of its HTTP API
    stack.py invoke STACK FILE invoke its webhook function with an event
    stack.py event STACK FILE  the same as EventBridge does it, without waiting
    stack.py untaken STACK     take an event that was not taken out of the queue, and print
                               its record; print nothing if there is none
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
    elif command == "invoke":
        with open(sys.argv[3], "rb") as event:
            answer = boto3.client("lambda").invoke(FunctionName=stack.values["WebhookFunction"], Payload=event.read())
        if "FunctionError" in answer:
            sys.exit(answer["Payload"].read().decode())
        print(answer["Payload"].read().decode())
    elif command == "event":
        with open(sys.argv[3], "rb") as event:
            boto3.client("lambda").invoke(FunctionName=stack.values["WebhookFunction"], Payload=event.read(), InvocationType="Event")
    elif command == "untaken":
        sqs, queue = boto3.client("sqs"), stack.values["UntakenEvents"]
        for message in sqs.receive_message(QueueUrl=queue).get("Messages", []):
            print(message["Body"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    elif command == "stream":
        for record in stream_records(stack.values["SignupsTable"]):
            print(json.dumps(record, default=str))
    elif command == "pipe":
        pipe = boto3.client("pipes").describe_pipe(Name=stack.values["EventsOut"])
        print(json.dumps({name: pipe[name] for name in ("Source", "Target", "CurrentState")}))
    else:
        for api_id, openapi in stack.apis():
            make_routes(boto3.client("apigatewayv2"), api_id, openapi)
