"""The webhook's job with Powertools for AWS Lambda (Python), as its documentation
teaches it: the HTTP API's resolver, secrets through its cached parameters, and the
create behind idempotency, whose key is the signup's id and whose checked payload is
its company. Exotel is called with urllib3, which boto3 brings."""

import hashlib
import hmac
import json
import os

import urllib3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import BadRequestError, UnauthorizedError
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

logger = Logger(service="signups")
app = APIGatewayHttpResolver()
table = DynamoDBPersistenceLayer(table_name=os.environ["TABLE"])
config = IdempotencyConfig(
    event_key_jmespath="signup_id",
    payload_validation_jmespath="company",
    raise_on_no_idempotency_key=True,
    expires_after_seconds=90 * 24 * 3600,
)
vendor = urllib3.PoolManager(retries=False, timeout=10)


def secret(name):
    return parameters.get_secret(os.environ[name], transform="json", max_age=300)


@idempotent_function(data_keyword_argument="signup", persistence_store=table, config=config)
def provision(signup):
    account = secret("EXOTEL_SECRET_ID")
    answer = vendor.request(
        "POST",
        f"{os.environ['EXOTEL_BASE_URL']}/v2/accounts/{account['account_sid']}/trunks",
        headers={
            **urllib3.make_headers(basic_auth=f"{account['api_key']}:{account['api_token']}"),
            "Content-Type": "application/json",
        },
        body=json.dumps(
            {
                "trunk_name": "py_" + hashlib.sha256(signup["signup_id"].encode()).hexdigest()[:12],
                "nso_code": "ANY-ANY",
                "domain_name": f"{account['account_sid']}.pstn.exotel.com",
            }
        ),
    )
    if answer.status != 200:
        raise RuntimeError(f"exotel answered {answer.status}")
    return {"signup_id": signup["signup_id"], "trunk_sid": json.loads(answer.data)["response"]["data"]["trunk_sid"]}


@app.post("/signups")
def create():
    token = app.current_event.headers.get("authorization", "").removeprefix("Bearer ")
    if not any(hmac.compare_digest(token, known) for known in secret("SOURCES_SECRET_ID")["api"]):
        raise UnauthorizedError("unauthorized")
    body = app.current_event.json_body
    if not body.get("signup_id") or not body.get("company"):
        raise BadRequestError("signup_id and company are needed")
    made = provision(signup={"signup_id": body["signup_id"], "company": body["company"]})
    logger.info("provisioned", extra=made)
    return Response(status_code=201, content_type="application/json", body=json.dumps(made))


@logger.inject_lambda_context
def handler(event, context):
    config.register_lambda_context(context)
    return app.resolve(event, context)
