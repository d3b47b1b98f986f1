// A client of the Lambda Runtime API, in place of Lambda's own for Node, which is partly
// C++ and built on the machine. It does less than that one does: no streaming, no
// rewriting of console.log.

import http from "node:http";
import { createRequire } from "node:module";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

const ask = (method, path, body) =>
  new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime${path}`, headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => resolve({ headers: answer.headers, text: Buffer.concat(chunks).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });

const { handler } = createRequire(import.meta.url)(process.argv[2]);

for (;;) {
  const { headers, text } = await ask("GET", "/invocation/next");
  const id = headers["lambda-runtime-aws-request-id"];
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const context = {
    awsRequestId: id,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  try {
    await ask("POST", `/invocation/${id}/response`, JSON.stringify(await handler(JSON.parse(text), context)));
  } catch (error) {
    await ask("POST", `/invocation/${id}/error`, JSON.stringify({ errorType: error.name, errorMessage: String(error) }));
  }
}
