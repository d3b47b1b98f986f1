// Package dynamotest gives tests, and cmd/samlocal, a DynamoDB table like the
// deployed one, on an engine that they start themselves.
//
// The engine is, in this order: what answers at DYNAMODB_ENDPOINT (such as
// DynamoDB Local, which the project can't ship); the program that DYNOXIDE
// names; the one that make engines installs. Where there is none a test is
// skipped, or fails if REQUIRE_ENGINES=1.
package dynamotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/trunkhook/trunkhook/ledger"
)

// Engine is a running DynamoDB engine.
type Engine struct {
	Endpoint string // such as http://127.0.0.1:8000
	Name     string

	alive io.Closer // the engine ends when this is closed, by the end of the process at the latest
}

// Start returns the engine of this test process, which ends with it.
func Start(t testing.TB) Engine {
	t.Helper()
	engine, err := start()
	switch {
	case err == nil:
	case os.Getenv("REQUIRE_ENGINES") == "1":
		t.Fatalf("no DynamoDB engine: %v", err)
	default:
		t.Skipf("no DynamoDB engine: %v", err)
	}
	return engine
}

var start = sync.OnceValues(func() (Engine, error) {
	engine, err := Launch("127.0.0.1")
	if err != nil {
		return Engine{}, err
	}
	return engine, note(engine)
})

// Launch starts an engine on an address of this machine. It ends with Close, or
// with this process.
func Launch(host string) (Engine, error) {
	if endpoint := os.Getenv("DYNAMODB_ENDPOINT"); endpoint != "" {
		return Engine{Endpoint: endpoint, Name: "the engine at DYNAMODB_ENDPOINT"}, nil
	}
	program, err := findDynoxide()
	if err != nil {
		return Engine{}, err
	}
	for range 3 { // somebody may take the port between choosing and using it
		var engine Engine
		if engine, err = launchOn(program, host); err == nil {
			return engine, nil
		}
	}
	return Engine{}, err
}

func launchOn(program, host string) (Engine, error) {
	port, err := freePort(host)
	if err != nil {
		return Engine{}, err
	}
	// The process is told to end when its input does, so that it can't outlive us.
	command := exec.Command("sh", "-c", `"$0" serve --host "$1" --port "$2" >/dev/null 2>&1 & child=$!; cat; kill $child; wait`, program, host, port)
	alive, err := command.StdinPipe()
	if err != nil {
		return Engine{}, err
	}
	if err := command.Start(); err != nil {
		return Engine{}, err
	}
	engine := Engine{Endpoint: "http://" + net.JoinHostPort(host, port), Name: "dynoxide", alive: alive}
	if err := engine.waitFor(15 * time.Second); err != nil {
		return Engine{}, errors.Join(fmt.Errorf("%s does not answer as DynamoDB: %w", program, err), alive.Close())
	}
	return engine, nil
}

// waitFor waits until the engine answers, and as DynamoDB would.
func (e Engine) waitFor(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	client := e.Client()
	for {
		_, err := client.ListTables(ctx, &dynamodb.ListTablesInput{})
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Root is the repository's folder.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

func findDynoxide() (string, error) {
	program := os.Getenv("DYNOXIDE")
	if program == "" {
		program = filepath.Join(Root(), ".ci", "engines", "node_modules", "@dynoxide", "linux-x64", "dynoxide")
	}
	if _, err := os.Stat(program); err != nil {
		return "", errors.New("none is installed (make engines does that; or set DYNAMODB_ENDPOINT)")
	}
	return program, nil
}

func freePort(host string) (string, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

// note writes which engine ran into the file that ENGINES_LOG names, so that
// make test can say so.
func note(engine Engine) error {
	path := os.Getenv("ENGINES_LOG")
	if path == "" {
		return nil
	}
	log, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(log, engine.Name)
	return errors.Join(err, log.Close())
}

// Client speaks to the engine; the options are added to what it needs for that.
func (e Engine) Client(options ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-west-1", BaseEndpoint: &e.Endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}, options...)
}

var tables atomic.Int64

// Close ends the engine, if it was started here.
func (e Engine) Close() {
	if e.alive != nil {
		_ = e.alive.Close()
	}
}

// CreateTable makes an empty table as template.yaml describes it, and returns
// its name.
func (e Engine) CreateTable(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("signups-%d-%d", os.Getpid(), tables.Add(1))
	if err := e.MakeTable(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return name
}

// MakeTable makes an empty table of that name.
func (e Engine) MakeTable(ctx context.Context, name string) error {
	input, err := tableInTemplate()
	if err != nil {
		return err
	}
	input.TableName = &name
	client := e.Client()
	if _, err := client.CreateTable(ctx, input); err != nil {
		return err
	}
	return dynamodb.NewTableExistsWaiter(client).Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, 10*time.Second)
}

// Ledger is one on a table of its own.
func (e Engine) Ledger(t testing.TB) *ledger.Ledger {
	t.Helper()
	return ledger.New(e.Client(), e.CreateTable(t))
}
