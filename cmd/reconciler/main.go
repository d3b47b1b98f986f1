// Command reconciler is the Lambda function on a schedule: it finishes the
// signups that are due. Any event starts one pass.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/trunkhook/trunkhook/internal/function"
	"github.com/trunkhook/trunkhook/internal/settings"
)

func main() {
	parts, err := function.New(settings.Reconciler, os.Getenv, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	parts.WarmUp()
	lambda.Start(func(ctx context.Context, _ json.RawMessage) error {
		pass, err := parts.Engine.Reconcile(ctx)
		pass.Log(ctx, parts.Log)
		return err
	})
}
