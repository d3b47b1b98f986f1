package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"sort"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/internal/gateway"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/internal/sender"
)

// bearer is the token of source api here, which everybody knows, as the other
// example secrets.
var bearer = sender.Secrets()["api"][0]

// parts are what the functions need besides themselves.
type parts struct {
	table     dynamotest.Engine
	name      string // of the table
	secrets   *lambdatest.SecretsManager
	passwords *lambdatest.SystemsManager
	exotel    *exoteltest.Server
}

// startParts starts them on an address of this machine.
func startParts(ctx context.Context, host string) (*parts, error) {
	table, err := dynamotest.Launch(host)
	if err != nil {
		return nil, fmt.Errorf("no DynamoDB engine: %w", err)
	}
	p := &parts{table: table}
	if err := p.start(ctx, host); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *parts) start(ctx context.Context, host string) (err error) {
	p.name = fmt.Sprintf("signups-%d-%d", os.Getpid(), time.Now().Unix()) // an engine of one's own keeps the last one
	if err = p.table.MakeTable(ctx, p.name); err != nil {
		return err
	}
	anyPort := net.JoinHostPort(host, "0")
	if p.secrets, err = lambdatest.NewSecretsManager(anyPort); err != nil {
		return err
	}
	if p.passwords, err = lambdatest.NewSystemsManager(anyPort); err != nil {
		return err
	}
	if p.exotel, err = exoteltest.New(exoteltest.Options{Addr: anyPort}); err != nil {
		return err
	}
	config := p.exotel.Config()
	p.secrets.Set("exotel", fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":"api.exotel.com"}`, config.APIKey, config.APIToken, config.AccountSID))
	sources, err := json.Marshal(sender.Secrets())
	if err != nil {
		return err
	}
	p.secrets.Set("sources", string(sources))
	return nil
}

func (p *parts) close() {
	p.table.Close()
	if p.secrets != nil {
		p.secrets.Close()
	}
	if p.passwords != nil {
		p.passwords.Close()
	}
	if p.exotel != nil {
		p.exotel.Close()
	}
}

// env points a function at the parts; it reaches this machine's loopback under that
// host name.
func (p *parts) env(host string) map[string]string {
	at := func(address string) string { return reached(address, host) }
	return map[string]string{
		"SIGNUPS_TABLE": p.name, "EXOTEL_SECRET_ID": "exotel", "SOURCES_SECRET_ID": "sources", "TRUNK_PREFIX": "loc", "PASSWORDS_PATH": "/samlocal",
		"AWS_ENDPOINT_URL_DYNAMODB": at(p.table.Endpoint), "AWS_ENDPOINT_URL_SECRETS_MANAGER": at(p.secrets.URL), "AWS_ENDPOINT_URL_SSM": at(p.passwords.URL),
		"EXOTEL_BASE_URL": at(p.exotel.URL),
	}
}

// reached is where a function finds what is at an address.
func reached(address, loopback string) string {
	parsed, err := url.Parse(address)
	if err != nil || !gateway.IsLoopback(parsed.Hostname()) {
		return address
	}
	parsed.Host = net.JoinHostPort(loopback, parsed.Port())
	return parsed.String()
}

// list is the environment as a process gets it, in a fixed order.
func list(env map[string]string) []string {
	pairs := make([]string, 0, len(env))
	for name, value := range env {
		pairs = append(pairs, name+"="+value)
	}
	sort.Strings(pairs)
	return pairs
}
