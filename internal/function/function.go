// Package function puts together what both Lambda functions are made of.
package function

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/trunkhook/trunkhook/internal/awsconfig"
	"github.com/trunkhook/trunkhook/internal/passwords"
	"github.com/trunkhook/trunkhook/internal/secrets"
	"github.com/trunkhook/trunkhook/internal/settings"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/provision"
)

// Parts are those of a function.
type Parts struct {
	Settings settings.Settings
	Log      *slog.Logger
	Table    *ledger.Ledger
	Engine   *provision.Engine

	account *secrets.Exotel
	clients awsconfig.Clients
	began   time.Time
}

// New reads the environment and makes the parts; it makes no call. The error is
// one line that names every setting at fault.
func New(read func(getenv func(string) string) (settings.Settings, error), getenv func(string) string, stdout io.Writer) (Parts, error) {
	began := time.Now()
	s, settingsErr := read(getenv)
	clients, awsErr := awsconfig.FromEnv(getenv)
	if err := oneLine(settingsErr, awsErr); err != nil {
		return Parts{}, err
	}
	p := Parts{Settings: s, Log: logger(stdout, getenv), clients: clients, began: began}
	p.account = secrets.NewExotel(p.Secret(s.ExotelSecretID), secrets.ExotelOptions{BaseURL: s.ExotelBaseURL, AllowPlainHTTP: s.AllowPlainHTTP}, p.Log)
	p.Table = ledger.New(clients.DynamoDB, s.SignupsTable)
	p.Engine = &provision.Engine{
		Ledger: p.Table, Accounts: p.account, Prefix: s.TrunkPrefix,
		Passwords: passwords.NewParameterStore(clients.SSM, s.PasswordsPath),
	}
	if s.CallsPerMinute > 0 {
		p.Engine.Budget = provision.NewBudget(p.Table, s.CallsPerMinute, nil)
	}
	return p, nil
}

func oneLine(errs ...error) error {
	var texts []string
	for _, err := range errs {
		if err != nil {
			texts = append(texts, err.Error())
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return errors.New("settings: " + strings.Join(texts, "; "))
}

// logger writes JSON lines with the keys that Lambda's own lines have. The level
// is AWS_LAMBDA_LOG_LEVEL, which Lambda sets from the function's logging
// configuration; INFO where it is absent.
func logger(w io.Writer, getenv func(string) string) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(getenv("AWS_LAMBDA_LOG_LEVEL"))); err != nil {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: lambdacontext.ReplaceAttr}))
}

// Secret fetches a secret from Secrets Manager.
func (p Parts) Secret(id string) secrets.Fetch { return secrets.From(p.clients.SecretsManager, id) }
