// Package awsconfig makes the AWS SDK's configuration by hand, from the
// environment alone: all that a Lambda function is given. The SDK's own
// config.LoadDefaultConfig looks in many more places and costs every start 6-10 ms
// of CPU and 1.8 MB of binary.
//
// Read are AWS_REGION or AWS_DEFAULT_REGION; AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; AWS_ENDPOINT_URL and, before it,
// AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_SECRETS_MANAGER; and
// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS.
package awsconfig

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Clients are the two services that trunkhook speaks to.
type Clients struct {
	DynamoDB       *dynamodb.Client
	SecretsManager *secretsmanager.Client
}

// FromEnv makes the clients; it makes no call. The error names every variable
// that is missing.
func FromEnv(getenv func(string) string) (Clients, error) {
	region := cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"))
	credentials := aws.Credentials{
		AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: getenv("AWS_SESSION_TOKEN"), Source: "environment",
	}
	if err := missing(map[string]string{
		"AWS_REGION": region, "AWS_ACCESS_KEY_ID": credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY": credentials.SecretAccessKey,
	}); err != nil {
		return Clients{}, err
	}
	config := aws.Config{
		Region: region,
		// Those of a Lambda environment are good for as long as it lives.
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil }),
		HTTPClient:  httpClient(),
		Retryer:     newRetryer,
	}
	return Clients{
		DynamoDB: dynamodb.NewFromConfig(config, func(o *dynamodb.Options) {
			o.BaseEndpoint = endpoint(getenv, "DYNAMODB")
		}),
		SecretsManager: secretsmanager.NewFromConfig(config, func(o *secretsmanager.Options) {
			o.BaseEndpoint = endpoint(getenv, "SECRETS_MANAGER")
		}),
	}, nil
}

func missing(values map[string]string) error {
	var names []string
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if values[name] == "" {
			names = append(names, name+" is not set")
		}
	}
	if len(names) == 0 {
		return nil
	}
	return errors.New("settings: " + strings.Join(names, "; "))
}

// endpoint is nil for AWS's own.
func endpoint(getenv func(string) string, service string) *string {
	if strings.EqualFold(getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
		return nil
	}
	if url := cmp.Or(getenv("AWS_ENDPOINT_URL_"+service), getenv("AWS_ENDPOINT_URL")); url != "" {
		return &url
	}
	return nil
}

// Both services answer within tens of milliseconds. What takes this long has
// met a connection that died while the function was frozen, and is better tried
// again: every write recognises itself.
const (
	dialTimeout   = time.Second
	answerTimeout = 2 * time.Second
)

func httpClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = dialTimeout
			t.ResponseHeaderTimeout = answerTimeout
			t.MaxIdleConnsPerHost = 16
		})
}

// newRetryer tries up to four times with short pauses: the callers' deadlines
// are seconds away.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 4
		o.MaxBackoff = 500 * time.Millisecond
	})
}
