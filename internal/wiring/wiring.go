// Package wiring puts together what both Lambda functions are made of.
package wiring

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/internal/awsconfig"
	"github.com/trunkhook/trunkhook/internal/secrets"
	"github.com/trunkhook/trunkhook/internal/settings"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/provision"
)

// Logger writes JSON lines with the keys that Lambda's own lines have. The level
// is AWS_LAMBDA_LOG_LEVEL, which Lambda sets from the function's logging
// configuration; INFO where it is absent.
func Logger(w io.Writer, getenv func(string) string) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(getenv("AWS_LAMBDA_LOG_LEVEL"))); err != nil {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: lambdacontext.ReplaceAttr}))
}

// Engine is the engine over the table and the account that the settings name.
func Engine(s settings.Settings, clients awsconfig.Clients, log *slog.Logger) (*provision.Engine, *secrets.Exotel) {
	account := secrets.NewExotel(secrets.From(clients.SecretsManager, s.ExotelSecretID), secrets.ExotelOptions{
		BaseURL: s.ExotelBaseURL, AllowPlainHTTP: s.AllowPlainHTTP,
		HTTPClient: &http.Client{Transport: exotel.NewTransport()},
		UserAgent:  "trunkhook",
	}, log)
	return &provision.Engine{Ledger: ledger.New(clients.DynamoDB, s.SignupsTable), Accounts: account, Prefix: s.TrunkPrefix}, account
}

// warmUpTime bounds what start-up waits for. Lambda gives it 10 s in all.
const warmUpTime = 3 * time.Second

// WarmUp runs what would otherwise wait for the first request, all at once. What
// fails is logged: the first request tries again.
func WarmUp(log *slog.Logger, tasks ...func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), warmUpTime)
	defer cancel()
	var all sync.WaitGroup
	for _, task := range tasks {
		all.Go(func() {
			if err := task(ctx); err != nil {
				log.WarnContext(ctx, "start-up goes on without", "error", err)
			}
		})
	}
	all.Wait()
}
