// Sign up, and wait for the trunk. Node 18 or newer, nothing else.
//
//   TRUNKHOOK_URL=https://... TRUNKHOOK_TOKEN=... TRUNKHOOK_SIGNING_SECRET=whsec_... node signup.mjs acme-42 "Acme Telecom"
//
// The token asks how the signup stands. Where there is no signing secret it signs up, too.

import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const { TRUNKHOOK_URL, TRUNKHOOK_TOKEN, TRUNKHOOK_SIGNING_SECRET: secret } = process.env;
const url = TRUNKHOOK_URL.replace(/\/$/, "");

const bearer = () => ({ Authorization: `Bearer ${TRUNKHOOK_TOKEN}` });

// The headers of Standard Webhooks: one id for each message, the time of each attempt.
function signed(id, body) {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${mac}` };
}

// Send until there is an answer that counts. A signup can be sent again: it gets one trunk.
async function send(url, method, body, headers) {
  for (let attempt = 0; attempt < 8; attempt++) {
    let wait = 2 ** attempt;
    try {
      const signal = AbortSignal.timeout(15_000);
      const answer = await fetch(url, { method, body, signal, headers: { "Content-Type": "application/json", ...headers() } });
      const text = await answer.text();
      if (answer.ok) return [answer, JSON.parse(text)];
      if (answer.status < 500 && answer.status !== 429) fail(`${answer.status} ${text}`);
      wait = Number(answer.headers.get("Retry-After") ?? wait);
    } catch {
      // the answer was lost, or no connection was made
    }
    await sleep(1000 * wait);
  }
  fail(`${url} does not answer`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

const [signup_id, company] = process.argv.slice(2);
const body = JSON.stringify({ signup_id, company });
let [answer, signup] = await send(`${url}/signups`, "POST", body, () => (secret ? signed(`signup-${signup_id}`, body) : bearer()));
const location = answer.headers.get("Location");
const wait = Number(answer.headers.get("Retry-After") ?? 2);
while (signup.status === "pending") { // 202: it is on disk, and will be finished
  await sleep(1000 * wait);
  [, signup] = await send(new URL(location, url), "GET", undefined, bearer);
}
console.log(JSON.stringify(signup));
