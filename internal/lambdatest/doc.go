// Package lambdatest runs the real Lambda processes in tests: it builds the
// bootstrap files, starts them under a Lambda Runtime API of its own, hands them
// events, and kills them when a test says so. Beside it stand a Secrets Manager of
// one call, a Systems Manager of two, and a Proxy that lets things go wrong between a
// process and what it calls.
//
// The Runtime API is AWS's documented one (version 2018-06-01): a process asks
// for the next invocation, and posts its response or error.
package lambdatest
