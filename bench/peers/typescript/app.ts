// The webhook's job with Powertools for AWS Lambda (TypeScript), as its documentation
// teaches it: secrets through its cached parameters, and the create behind idempotency,
// whose key is the signup's id and whose checked payload is its company.

import { createHash, timingSafeEqual } from "node:crypto";
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { Logger } from "@aws-lambda-powertools/logger";
import { getSecret } from "@aws-lambda-powertools/parameters/secrets";

type Signup = { signup_id: string; company: string };
type Made = { signup_id: string; trunk_sid: string };
type Event = { headers: Record<string, string>; body?: string };
type Account = { api_key: string; api_token: string; account_sid: string };

const env = process.env as Record<string, string>;
const logger = new Logger({ serviceName: "signups" });
const table = new DynamoDBPersistenceLayer({ tableName: env.TABLE });
const config = new IdempotencyConfig({
  eventKeyJmesPath: "signup_id",
  payloadValidationJmesPath: "company",
  throwOnNoIdempotencyKey: true,
  expiresAfterSeconds: 90 * 24 * 3600,
});

const secret = async <T>(name: string): Promise<T> =>
  (await getSecret(env[name], { transform: "json", maxAge: 300 })) as T;

const provision = makeIdempotent(
  async (signup: Signup): Promise<Made> => {
    const account = await secret<Account>("EXOTEL_SECRET_ID");
    const answer = await fetch(`${env.EXOTEL_BASE_URL}/v2/accounts/${account.account_sid}/trunks`, {
      method: "POST",
      headers: {
        authorization: `Basic ${Buffer.from(`${account.api_key}:${account.api_token}`).toString("base64")}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        trunk_name: `ts_${createHash("sha256").update(signup.signup_id).digest("hex").slice(0, 12)}`,
        nso_code: "ANY-ANY",
        domain_name: `${account.account_sid}.pstn.exotel.com`,
      }),
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`exotel answered ${answer.status}`);
    const { response } = (await answer.json()) as { response: { data: { trunk_sid: string } } };
    return { signup_id: signup.signup_id, trunk_sid: response.data.trunk_sid };
  },
  { persistenceStore: table, config },
);

const reply = (statusCode: number, body: object) => ({
  statusCode,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

const same = (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

export const handler = async (event: Event, context: Parameters<typeof config.registerLambdaContext>[0]) => {
  config.registerLambdaContext(context);
  logger.addContext(context);
  const token = (event.headers.authorization ?? "").replace(/^Bearer /, "");
  const { api } = await secret<{ api: string[] }>("SOURCES_SECRET_ID");
  if (!api.some((known) => same(known, token))) return reply(401, { message: "unauthorized" });
  const { signup_id, company } = JSON.parse(event.body ?? "{}") as Signup;
  if (!signup_id || !company) return reply(400, { message: "signup_id and company are needed" });
  const made = await provision({ signup_id, company });
  logger.info("provisioned", made);
  return reply(201, made);
};
