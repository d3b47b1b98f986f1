package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/trunkhook/trunkhook/internal/awsconfig"
	"github.com/trunkhook/trunkhook/internal/function"
	"github.com/trunkhook/trunkhook/internal/settings"
	"github.com/trunkhook/trunkhook/ledger"
)

// variables are the settings that the stack's outputs give.
var variables = map[string]string{ //nolint:gosec // names, no values
	"SignupsTable": "SIGNUPS_TABLE", "ExotelSecret": "EXOTEL_SECRET_ID", "PasswordsPath": "PASSWORDS_PATH",
	"TrunkPrefix": "TRUNK_PREFIX", "ExotelCallsPerMinute": "EXOTEL_CALLS_PER_MINUTE",
}

// openAWS opens the deployed system, as its functions do, with the credentials of the
// person at the terminal: profiles, single sign-on, and the rest. They are taken once,
// so that what lasts longer than they do ends with an error.
func openAWS(ctx context.Context, outputs string, getenv func(string) string, stderr io.Writer) (system, error) {
	given, err := fromOutputs(outputs)
	if err != nil {
		return system{}, usageError{err}
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return system{}, usageError{err}
	}
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return system{}, usageError{fmt.Errorf("there are no AWS credentials: %w", err)}
	}
	for name, value := range map[string]string{
		"AWS_REGION": cfg.Region, "AWS_ACCESS_KEY_ID": credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY": credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN": credentials.SessionToken, "AWS_LAMBDA_LOG_LEVEL": "WARN",
	} {
		given[name] = value
	}
	lookup := func(name string) string {
		if value, ok := given[name]; ok {
			return value
		}
		return getenv(name)
	}
	parts, err := function.New(settings.Reconciler, lookup, stderr)
	if err != nil {
		return system{}, usageError{err}
	}
	clients, err := awsconfig.FromEnv(lookup)
	if err != nil {
		return system{}, usageError{err}
	}
	return system{
		engine: parts.Engine, archive: ledger.NewArchive(clients.DynamoDB, parts.Settings.SignupsTable), getenv: getenv, who: caller(cfg, user(getenv)),
	}, nil
}

// fromOutputs are the settings in the stack's outputs; none where there are none.
func fromOutputs(outputs string) (map[string]string, error) {
	given := make(map[string]string)
	if outputs == "" {
		return given, nil
	}
	var list []struct{ OutputKey, OutputValue string }
	if json.Unmarshal([]byte(outputs), &list) != nil {
		return nil, errors.New("--outputs is not what sam list stack-outputs --output json prints")
	}
	for _, output := range list {
		if name, ok := variables[output.OutputKey]; ok {
			given[name] = output.OutputValue
		}
	}
	if given["SIGNUPS_TABLE"] == "" {
		return nil, errors.New("--outputs has no SignupsTable: is this a stack of trunkhook's?")
	}
	return given, nil
}

// askTime is how long a change waits to know who makes it.
const askTime = 5 * time.Second

// caller is whom AWS takes the person for, asked once and when needed.
func caller(cfg aws.Config, name string) func(context.Context) string {
	var once sync.Once
	who := name
	return func(ctx context.Context) string {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
			defer cancel()
			out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			if err == nil && out.Arn != nil {
				who = *out.Arn
			}
		})
		return who
	}
}
