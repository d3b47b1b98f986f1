// Package e2e deploys the real template with the real SAM CLI onto MiniStack, an
// emulator of AWS that enforces the roles' policies, and uses what came of it:
// HTTP to the deployed API, the real bootstrap, Secrets Manager, a fake Exotel,
// DynamoDB. make e2e installs what it needs and runs it.
//
// What MiniStack merely swallows (time to live, point-in-time recovery,
// encryption, throttling) is asserted on the processed template instead.
package e2e
