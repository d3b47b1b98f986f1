// Package handler is the HTTP face of trunkhook: it takes API Gateway events
// (HTTP API, payload format 2.0; function URLs send the same), and answers them.
//
// # How does a request go?
//
//	route -> cap the body -> authenticate -> parse -> provision -> answer -> one log line
//
// Each of these is one function. Authentication is over the bytes as they were
// signed, before anything reads them; how is package verify's to know.
//
// # Who decides on the status code?
//
// For what a signup came to, the one switch in respond.go. What is refused
// before that is a [problem] (RFC 9457), made where it is found.
//
// # What does a 2xx promise?
//
// That the signup is on disk and will be finished, by this process or another.
package handler
