package awsconfig

import (
	"context"
	"regexp"
	"strings"

	"github.com/aws/smithy-go/middleware"
)

// withoutEchoes keeps what AWS's services, or a proxy in front of them, repeat of a
// request out of the errors, and so out of the log: where a signature is refused,
// the answer has the canonical form of the request in it, the session token included.
func withoutEchoes(sessionToken string) func(*middleware.Stack) error {
	outermost := middleware.InitializeMiddlewareFunc("WithoutEchoes",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			return out, metadata, redacted(err, sessionToken)
		})
	return func(stack *middleware.Stack) error { return stack.Initialize.Add(outermost, middleware.Before) }
}

// redactedError says what its error says, less what it must not.
type redactedError struct {
	error
	text string
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.error }

// Each begins with what it always begins with, so that a text without it, as that of
// every replay is, costs a search for that and no more.
var (
	signed    = regexp.MustCompile(`AWS4-HMAC-SHA256[^\n]*`)
	signature = regexp.MustCompile(`Signature=[0-9a-f]+`)
	// An answer that can't be read may be a secret that can't be read, and what
	// can't be read of it is then quoted.
	quoting = regexp.MustCompile(`(?s)deserialization failed, .*`)
)

func redacted(err error, sessionToken string) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	text := signed.ReplaceAllString(said, "[redacted]")
	text = signature.ReplaceAllString(text, "[redacted]")
	text = quoting.ReplaceAllString(text, "the answer can't be read")
	if sessionToken != "" {
		text = strings.ReplaceAll(text, sessionToken, "[redacted]")
	}
	if text == said {
		return err
	}
	return &redactedError{err, text}
}
