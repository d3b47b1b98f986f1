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

	"github.com/trunkhook/trunkhook/internal/figures"
	"github.com/trunkhook/trunkhook/internal/function"
	"github.com/trunkhook/trunkhook/internal/settings"
	"github.com/trunkhook/trunkhook/provision"
)

func main() {
	parts, err := function.New(settings.Reconciler, os.Getenv, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := parts.WarmUp(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	log := figures.Log{Logger: parts.Log, Function: lambdacontext.FunctionName}
	lambda.Start(func(ctx context.Context, _ json.RawMessage) error {
		pass, err := parts.Engine.Reconcile(ctx)
		for _, line := range pass.LogLines() {
			log.Write(ctx, line.Level, line.Message, line.Attrs, figures.Counts{Outcome: line.Outcome, Source: line.Source, Vendor: line.Figures})
		}
		if err != nil {
			return err
		}
		return logBacklog(ctx, parts.Engine.Ledger, log)
	})
}

// logBacklog writes what the alarm on signups that stay pending looks at. It is
// written after every pass, so that its absence is an alarm too.
func logBacklog(ctx context.Context, ledger provision.Ledger, log figures.Log) error {
	now := time.Now()
	backlog, err := ledger.Backlog(ctx, now.Add(-provision.StuckAfter))
	if err != nil {
		return err
	}
	var oldest time.Duration
	if backlog.Pending > 0 {
		oldest = now.Sub(backlog.Oldest)
	}
	log.WriteBacklog(ctx, figures.Backlog{Pending: backlog.Pending, Stuck: backlog.Stuck, Oldest: oldest})
	return nil
}
