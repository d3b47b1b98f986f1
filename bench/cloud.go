package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

// What each call takes at least.
const (
	awsLatency    = 5 * time.Millisecond
	exotelLatency = 200 * time.Millisecond
)

// The services, as the tables name them.
const (
	dynamoDB       = "DynamoDB"
	secretsManager = "Secrets Manager"
	exotelAPI      = "Exotel"
)

// The secrets' ids, and the one token.
const (
	exotelSecret  = "trunkhook/exotel"
	sourcesSecret = "trunkhook/sources"
	bearer        = "bench-token-0123456789abcdef"
)

// cloud is what all contenders meet.
type cloud struct {
	engine  dynamotest.Engine
	secrets *lambdatest.SecretsManager
	exotel  *exoteltest.Server
	tables  atomic.Int64
}

func newCloud() (*cloud, error) {
	engine, err := dynamotest.Launch("127.0.0.1")
	if err != nil {
		return nil, fmt.Errorf("a DynamoDB engine: %w", err)
	}
	c := &cloud{engine: engine}
	if c.secrets, err = lambdatest.NewSecretsManager("127.0.0.1:0"); err != nil {
		return nil, err
	}
	c.exotel = exoteltest.Offline(exoteltest.Options{})
	config := c.exotel.Config()
	c.secrets.Set(exotelSecret, fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":"api.exotel.com"}`, config.APIKey, config.APIToken, config.AccountSID))
	c.secrets.Set(sourcesSecret, fmt.Sprintf(`{"api":[%q]}`, bearer))
	return c, nil
}

func (c *cloud) close() {
	c.engine.Close()
	c.secrets.Close()
	c.exotel.Close()
}

// doors are the fronts of the services for one process.
type doors struct {
	recorder                  *recorder
	dynamoDB, secrets, exotel string // URLs
	shut                      []func()
}

func (c *cloud) open(certificate *tls.Certificate) (*doors, error) {
	engine, err := forward(c.engine.Endpoint, &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true})
	if err != nil {
		return nil, err
	}
	secrets, err := forward(c.secrets.URL, &http.Transport{DisableCompression: true})
	if err != nil {
		return nil, err
	}
	exotel, err := forward(c.exotel.URL, c.exotel.Transport())
	if err != nil {
		return nil, err
	}
	d := &doors{recorder: &recorder{}}
	for url, f := range map[*string]front{
		&d.dynamoDB: {service: dynamoDB, latency: awsLatency, operation: lambdatest.Operation, backend: engine},
		&d.secrets:  {service: secretsManager, latency: awsLatency, operation: lambdatest.Operation, backend: secrets},
		&d.exotel:   {service: exotelAPI, latency: exotelLatency, operation: method, backend: exotel},
	} {
		f.recorder = d.recorder
		address, shut, err := f.serve(certificate)
		if err != nil {
			d.close()
			return nil, err
		}
		*url, d.shut = address, append(d.shut, shut)
	}
	return d, nil
}

// openFast is open without latency, and for the table alone.
func (c *cloud) openFast() (*doors, error) {
	engine, err := forward(c.engine.Endpoint, &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true})
	if err != nil {
		return nil, err
	}
	d := &doors{recorder: &recorder{}}
	url, shut, err := front{service: dynamoDB, operation: lambdatest.Operation, backend: engine, recorder: d.recorder}.serve(nil)
	d.dynamoDB, d.shut = url, []func(){shut}
	return d, err
}

func method(r *http.Request, _ []byte) string { return r.Method }

func (d *doors) close() {
	for _, shut := range d.shut {
		shut()
	}
}

// table makes an empty table: ours as it is deployed where key is empty, or one
// with that key alone.
func (c *cloud) table(ctx context.Context, key string) (string, error) {
	name := fmt.Sprintf("bench-%d", c.tables.Add(1))
	if key == "" {
		return name, c.engine.MakeTable(ctx, name)
	}
	_, err := c.engine.Client().CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(key), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(key), KeyType: types.KeyTypeHash}},
	})
	return name, err
}
