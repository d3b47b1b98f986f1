package ledger_test

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/ledger/ledgertest"
	"github.com/trunkhook/trunkhook/provision"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	engine := dynamotest.Start(t)
	ledgertest.Run(t, func(t *testing.T) ledgertest.Store {
		t.Helper()
		return engine.Ledger(t)
	})
}

// lossy drops the answer of every other request, after it was served.
type lossy struct {
	http.RoundTripper
	requests atomic.Int64
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if l.requests.Add(1)%2 == 1 && err == nil {
		_ = resp.Body.Close()
		return nil, errors.New("connection reset by peer")
	}
	return resp, err
}

// The network loses the first answer to each write: the SDK sends it again, and
// it meets itself.
func TestEachWriteRecognisesItselfWhenItsAnswerIsLost(t *testing.T) {
	t.Parallel()
	engine := dynamotest.Start(t)
	transport := &lossy{RoundTripper: http.DefaultTransport}
	table := engine.CreateTable(t)
	l := ledger.New(engine.Client(func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: transport}
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = 10 * time.Millisecond })
	}), table)
	now := time.Now().UTC().Truncate(time.Millisecond)
	holds := func(what string, record provision.Record, holds bool, err error) provision.Record {
		t.Helper()
		if err != nil || !holds {
			t.Fatalf("%s: holds %v, error %v", what, holds, err)
		}
		return record
	}
	claim := provision.Claim{Signup: provision.Signup{ID: "acme-42", Company: "Acme"}, TrunkName: "th_a", Owner: "one", Now: now, LeaseUntil: now}
	record, ok, err := l.Claim(t.Context(), claim)
	holds("claim", record, ok, err)
	record, ok, err = l.Pin(t.Context(), provision.Pin{SignupID: "acme-42", Owner: "one", AccountSID: "acme1", Now: now})
	holds("pin", record, ok, err)
	record, ok, err = l.Release(t.Context(), provision.Release{SignupID: "acme-42", Owner: "one", DueAt: now, Now: now})
	holds("release", record, ok, err)
	record, ok, err = l.TakeOver(t.Context(), provision.TakeOver{SignupID: "acme-42", Owner: "two", Now: now, LeaseUntil: now.Add(time.Minute)})
	holds("take over", record, ok, err)
	record, ok, err = l.Activate(t.Context(), provision.Activate{SignupID: "acme-42", Owner: "two", AccountSID: "acme1", Trunk: exotel.Trunk{SID: "trmum1a"}, Now: now})
	record = holds("activate", record, ok, err)
	if record.Attempts != 2 || record.TrunkSID != "trmum1a" {
		t.Errorf("got %+v", record)
	}
	if n := transport.requests.Load(); n != 10 {
		t.Errorf("%d requests, want 10: each of 5 writes twice", n)
	}
}

// What others rely on stands in the contract: the names and types on the item.
func TestItemIsWhatTheContractSays(t *testing.T) {
	t.Parallel()
	engine := dynamotest.Start(t)
	table := engine.CreateTable(t)
	client := engine.Client()
	l := ledger.New(client, table)
	now := time.Date(2026, 11, 20, 10, 15, 30, 0, time.UTC)
	if _, _, err := l.Claim(t.Context(), provision.Claim{Signup: provision.Signup{ID: "acme-42", Company: "Acme"}, TrunkName: "th_a", Owner: "one", Now: now, LeaseUntil: now}); err != nil {
		t.Fatal(err)
	}
	trunk := exotel.Trunk{SID: "trmum1a", DomainName: "acme1.pstn.exotel.com", Raw: []byte(`{"trunk_sid":"trmum1a","auth_type":"IP-WHITELIST"}`)}
	if _, _, err := l.Activate(t.Context(), provision.Activate{SignupID: "acme-42", Owner: "one", Trunk: trunk, Now: now}); err != nil {
		t.Fatal(err)
	}
	out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: map[string]types.AttributeValue{"signup_id": &types.AttributeValueMemberS{Value: "acme-42"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"signup_id": "acme-42", "status": "active", "trunk_name": "th_a", "trunk_sid": "trmum1a",
		"created_at": "2026-11-20T10:15:30.000Z", "updated_at": "2026-11-20T10:15:30.000Z",
	} {
		if got, ok := out.Item[name].(*types.AttributeValueMemberS); !ok || got.Value != want {
			t.Errorf("%s is %#v, want %q", name, out.Item[name], want)
		}
	}
	if got, ok := out.Item["attempts"].(*types.AttributeValueMemberN); !ok || got.Value != "1" {
		t.Errorf("attempts is %#v", out.Item["attempts"])
	}
	if got, ok := out.Item["trunk"].(*types.AttributeValueMemberM); !ok || got.Value["auth_type"].(*types.AttributeValueMemberS).Value != "IP-WHITELIST" {
		t.Errorf("trunk is %#v", out.Item["trunk"])
	}
	for _, name := range []string{"queue", "due_at", "lease_until", "owner", "expires_at"} {
		if _, there := out.Item[name]; there {
			t.Errorf("an active signup has %s", name)
		}
	}
}

func TestItemThatWeDidNotWriteIsAnError(t *testing.T) {
	t.Parallel()
	engine := dynamotest.Start(t)
	table := engine.CreateTable(t)
	client := engine.Client()
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
		"signup_id": &types.AttributeValueMemberS{Value: "acme-42"}, "status": &types.AttributeValueMemberN{Value: "1"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if record, err := ledger.New(client, table).Get(t.Context(), "acme-42"); err == nil {
		t.Errorf("got %+v", record)
	}
}
