// Command webhook is the Lambda function behind API Gateway: it takes signups
// and answers them.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/internal/awsconfig"
	"github.com/trunkhook/trunkhook/internal/secrets"
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
	s, err := settings.Webhook(os.Getenv)
	if err != nil {
		return err
	}
	clients, err := awsconfig.FromEnv(os.Getenv)
	if err != nil {
		return err
	}
	log := wiring.Logger(os.Stdout, os.Getenv)
	engine, account := wiring.Engine(s, clients, log)
	sources := secrets.NewSources(secrets.From(clients.SecretsManager, s.SourcesSecretID), log)
	wiring.WarmUp(log, sources.Load, func(ctx context.Context) error {
		_, err := account.Open(ctx)
		return err
	})
	h := handler.New(handler.Config{
		Provisioner: engine, Secrets: sources, Log: log, ReplyWithin: s.ReplyWithin, PublicURL: s.PublicURL,
	})
	lambda.Start(h.Handle)
	return nil
}
