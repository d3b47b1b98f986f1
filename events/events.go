// Package events holds API Gateway events (HTTP API, payload format 2.0): the
// input of sam local invoke, of the handler's golden tests and fuzz seeds, and
// of the sample that cmd/local sends.
package events

import "embed"

// Files are the events, by file name.
//
//go:embed *.json
var Files embed.FS
