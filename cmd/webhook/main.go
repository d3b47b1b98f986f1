// Command webhook is the Lambda function behind API Gateway: it takes signups
// and answers them. EventBridge and Cognito may invoke it as well.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/function"
	"github.com/trunkhook/trunkhook/internal/secrets"
	"github.com/trunkhook/trunkhook/internal/settings"
)

func main() {
	h, err := newHandler()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// One event at a time, on a part of a processor: with a second thread each of net/http's
	// goroutines is woken on another one, at a sixth of a replay's CPU (docs/benchmarks.md).
	// Not before: initialisation has a whole processor or two.
	runtime.GOMAXPROCS(1)
	lambda.Start(h)
}

func newHandler() (*handler.Handler, error) {
	parts, err := function.New(settings.Webhook, os.Getenv, os.Stdout)
	if err != nil {
		return nil, err
	}
	keys := secrets.NewSources(parts.Secret(parts.Settings.SourcesSecretID), parts.Log)
	var set sources.Set
	err = parts.WarmUp(
		parts.ExotelConnection(),
		function.Load{Name: "sources_secret", Do: keys.Load},
		function.Load{Name: "sources", Required: true, Do: func(context.Context) (err error) {
			set, err = sources.Load(parts.Settings.SourcesOverrides)
			return err
		}},
	)
	if err != nil {
		return nil, fmt.Errorf("settings: SOURCES_OVERRIDES or the sources' files: %w", err)
	}
	return handler.New(handler.Config{
		Provisioner: parts.Engine, Secrets: keys, Sources: set, DeadLetters: parts.Table, Log: parts.Log, Function: lambdacontext.FunctionName,
		ReplyWithin: parts.Settings.ReplyWithin, PublicURL: parts.Settings.PublicURL, AllowDelete: parts.Settings.AllowDelete,
	})
}
