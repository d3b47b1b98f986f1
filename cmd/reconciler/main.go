// Command reconciler is the Lambda function on a schedule: it finishes the
// signups that are due. Any event starts one pass.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/trunkhook/trunkhook/internal/awsconfig"
	"github.com/trunkhook/trunkhook/internal/settings"
	"github.com/trunkhook/trunkhook/internal/wiring"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	s, err := settings.Reconciler(os.Getenv)
	if err != nil {
		return err
	}
	clients, err := awsconfig.FromEnv(os.Getenv)
	if err != nil {
		return err
	}
	log := wiring.Logger(os.Stdout, os.Getenv)
	engine, account := wiring.Engine(s, clients, log)
	wiring.WarmUp(log, func(ctx context.Context) error {
		_, err := account.Open(ctx)
		return err
	})
	lambda.Start(func(ctx context.Context, _ json.RawMessage) error {
		pass, err := engine.Reconcile(ctx)
		pass.Log(ctx, log)
		return err
	})
	return nil
}
