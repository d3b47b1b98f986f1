// Command reconciler is the Lambda function on a schedule: it finishes the
// signups that are due. Any event starts one pass.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/trunkhook/trunkhook/internal/function"
	"github.com/trunkhook/trunkhook/internal/metrics"
	"github.com/trunkhook/trunkhook/internal/settings"
	"github.com/trunkhook/trunkhook/provision"
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
		if err != nil {
			return err
		}
		return logBacklog(ctx, parts)
	})
}

// logBacklog writes what the alarm on signups that stay pending looks at. It is
// written after every pass, so that its absence is an alarm too.
func logBacklog(ctx context.Context, parts function.Parts) error {
	now := time.Now()
	backlog, err := parts.Engine.Ledger.Backlog(ctx, now.Add(-provision.StuckAfter))
	if err != nil {
		return err
	}
	var oldest time.Duration
	if backlog.Pending > 0 {
		oldest = now.Sub(backlog.Oldest)
	}
	metrics.Log(ctx, parts.Log, lambdacontext.FunctionName,
		metrics.Metric{Name: "PendingSignups", Unit: "Count", Value: float64(backlog.Pending)},
		metrics.Metric{Name: "StuckSignups", Unit: "Count", Value: float64(backlog.Stuck)},
		metrics.Metric{Name: "OldestPendingSignup", Unit: "Seconds", Value: oldest.Seconds()})
	return nil
}
