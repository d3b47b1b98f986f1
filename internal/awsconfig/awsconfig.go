// Package awsconfig makes the AWS SDK's configuration by hand, from the
// environment alone: all that a Lambda function is given. The SDK's own
// config.LoadDefaultConfig looks in many more places and costs every start 6-10 ms
// of CPU and 1.8 MB of binary.
//
// Read are AWS_REGION or AWS_DEFAULT_REGION; AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; AWS_ENDPOINT_URL and, before it,
// AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_SECRETS_MANAGER and
// AWS_ENDPOINT_URL_SSM; and AWS_IGNORE_CONFIGURED_ENDPOINT_URLS.
package awsconfig

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/middleware"

	"github.com/trunkhook/trunkhook/internal/ahead"
)

// Clients are the services that trunkhook speaks to.
type Clients struct {
	DynamoDB       *dynamodb.Client
	SecretsManager *secretsmanager.Client
	SSM            *JSONService // Systems Manager

	dynamodbURL func(ctx context.Context) (*url.URL, error)
	connections *ahead.Dialer
}

// ConnectDynamoDB opens the connection that the first call to DynamoDB will use, if it
// comes at once, and sends nothing.
func (c Clients) ConnectDynamoDB(ctx context.Context) error {
	to, err := c.dynamodbURL(ctx)
	if err != nil {
		return err
	}
	return c.connections.Open(ctx, to)
}

// FromEnv makes the clients; it makes no call. The error names every variable
// that is missing or unusable.
func FromEnv(getenv func(string) string) (Clients, error) {
	e := environment{getenv: getenv}
	region := cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"))
	if region == "" {
		e.fault("AWS_REGION is not set")
	}
	credentials := aws.Credentials{
		AccessKeyID: e.required("AWS_ACCESS_KEY_ID"), SecretAccessKey: e.required("AWS_SECRET_ACCESS_KEY"),
		SessionToken: getenv("AWS_SESSION_TOKEN"), Source: "environment",
	}
	dynamodbURL, secretsURL, ssmURL := e.endpoint("DYNAMODB"), e.endpoint("SECRETS_MANAGER"), e.endpoint("SSM")
	if len(e.faults) > 0 {
		return Clients{}, errors.New(strings.Join(e.faults, "; "))
	}
	sender := newPatient()
	config := aws.Config{
		Region: region,
		// Those of a Lambda environment are good for as long as it lives.
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil }),
		HTTPClient:  sender,
		Retryer:     newRetryer,
		APIOptions:  []func(*middleware.Stack) error{withoutEchoes(credentials.SessionToken)},
	}
	return Clients{
		DynamoDB: dynamodb.NewFromConfig(config, func(o *dynamodb.Options) {
			o.BaseEndpoint = dynamodbURL
		}),
		SecretsManager: secretsmanager.NewFromConfig(config, func(o *secretsmanager.Options) {
			o.BaseEndpoint = secretsURL
		}),
		SSM: newJSONService("ssm", "AmazonSSM", region, ssmURL, credentials, sender),

		dynamodbURL: func(ctx context.Context) (*url.URL, error) {
			endpoint, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, dynamodb.EndpointParameters{Region: &region, Endpoint: dynamodbURL})
			return &endpoint.URI, err
		},
		connections: sender.first,
	}, nil
}

// environment reads variables and collects what is wrong with them.
type environment struct {
	getenv func(string) string
	faults []string
}

func (e *environment) fault(text string) {
	if !slices.Contains(e.faults, text) {
		e.faults = append(e.faults, text)
	}
}

func (e *environment) required(name string) string {
	value := e.getenv(name)
	if value == "" {
		e.fault(name + " is not set")
	}
	return value
}

// endpoint is nil for AWS's own.
func (e *environment) endpoint(service string) *string {
	if strings.EqualFold(e.getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
		return nil
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_" + service, "AWS_ENDPOINT_URL"} {
		value := e.getenv(name)
		if value == "" {
			continue
		}
		if parsed, err := url.Parse(value); err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Hostname() == "" {
			e.fault(name + " must be a URL")
		}
		return &value
	}
	return nil
}

// newRetryer tries up to four times with short pauses: the callers' deadlines
// are seconds away.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = len(patience) + 1
		o.MaxBackoff = 500 * time.Millisecond
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(conditionFailed)}, o.Retryables...)
	})
}

// conditionFailed is asked before the SDK's own rules, of which none fits either: that a
// condition doesn't hold is an answer, and that of every replay.
func conditionFailed(err error) aws.Ternary {
	if _, failed := errors.AsType[*types.ConditionalCheckFailedException](err); failed {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}
