// Command webhook is the Lambda function behind API Gateway: it takes signups
// and answers them.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/internal/function"
	"github.com/trunkhook/trunkhook/internal/secrets"
	"github.com/trunkhook/trunkhook/internal/settings"
)

func main() {
	parts, err := function.New(settings.Webhook, os.Getenv, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sources := secrets.NewSources(parts.Secret(parts.Settings.SourcesSecretID), parts.Log)
	parts.WarmUp(sources.Load)
	h := handler.New(handler.Config{
		Provisioner: parts.Engine, Secrets: sources, Log: parts.Log,
		ReplyWithin: parts.Settings.ReplyWithin, PublicURL: parts.Settings.PublicURL,
	})
	lambda.Start(h.Handle)
}
