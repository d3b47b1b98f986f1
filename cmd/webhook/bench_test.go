package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/trunkhook/trunkhook/events"
	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/internal/awsconfig"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/provision"
)

// BenchmarkReplay is a replay from the event to the answer, with the SDK and without a
// network.
func BenchmarkReplay(b *testing.B) {
	replay := newReplay(b)
	b.ReportAllocs()
	for b.Loop() {
		replay.run(b)
	}
}

// replay is an event of a signup that has its trunk, and what answers it.
type replay struct {
	handler *handler.Handler
	table   *table
	payload []byte
}

func newReplay(tb testing.TB) replay {
	tb.Helper()
	signup := provision.Signup{ID: "acme-42", Company: "Acme Telecom", Source: "api"}.Normalised()
	r := replay{table: &table{body: finished(signup)}, payload: eventOf(tb, signup)}
	environment := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"}
	clients, err := awsconfig.FromEnv(func(name string) string { return environment[name] })
	if err != nil {
		tb.Fatal(err)
	}
	client := dynamodb.New(clients.DynamoDB.Options(), func(o *dynamodb.Options) { o.HTTPClient = r.table })
	r.handler, err = handler.New(handler.Config{
		Provisioner: &provision.Engine{Ledger: ledger.New(client, "signups"), Accounts: account{}, Prefix: "th"}, Secrets: token{}, Function: "trunkhook-webhook", ReplyWithin: 4 * time.Second,
		Log: slog.New(slog.NewJSONHandler(discard{}, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr})),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// run wants the trunk, for one call.
func (r replay) run(tb testing.TB) {
	tb.Helper()
	r.table.calls = 0
	ctx := lambdacontext.NewContext(tb.Context(), &lambdacontext.LambdaContext{AwsRequestID: "65039389-db0b-878a-0437-efe1889d0c37"})
	answer, err := r.handler.Invoke(ctx, r.payload)
	if err != nil || r.table.calls != 1 || !bytes.Contains(answer, []byte(`"statusCode":200`)) || !bytes.Contains(answer, []byte(trunkSID)) {
		tb.Fatalf("%s, %v, after %d calls", answer, err, r.table.calls)
	}
}

// eventOf is events/signup.json of that signup.
func eventOf(tb testing.TB, s provision.Signup) []byte {
	tb.Helper()
	var event map[string]any
	content, err := events.Files.ReadFile("signup.json")
	if err == nil {
		err = json.Unmarshal(content, &event)
	}
	if err != nil {
		tb.Fatal(err)
	}
	event["body"] = fmt.Sprintf(`{"signup_id":%q,"company":%q}`, s.ID, s.Company)
	event["headers"].(map[string]any)["authorization"] = "Bearer " + bearer
	payload, err := json.Marshal(event)
	if err != nil {
		tb.Fatal(err)
	}
	return payload
}

const (
	bearer   = "local-token-0123456789"
	trunkSID = "trmum1f708622631150902801a1n"
)

// finished is what DynamoDB answers to the claim of a signup that has its trunk.
func finished(s provision.Signup) []byte {
	return fmt.Appendf(nil, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed","Item":{
		"signup_id":{"S":%q},"company":{"S":%q},"source":{"S":%q},"fingerprint":{"S":%q},"status":{"S":"active"},"attempts":{"N":"1"},
		"trunk_name":{"S":"th_2p25m3xfxxipq"},"account_sid":{"S":"acme1"},"trunk_sid":{"S":%q},"domain_name":{"S":"acme1.pstn.exotel.com"},
		"event":{"S":"TrunkActivated"},"event_reason":{"S":""},"event_source_id":{"S":"acme-42"},
		"created_at":{"S":"2026-11-20T10:15:30.000Z"},"updated_at":{"S":"2026-11-20T10:15:30.250Z"},
		"trunk":{"M":{"trunk_name":{"S":"th_2p25m3xfxxipq"},"date_created":{"S":"2026-11-20T10:15:30Z"},"date_updated":{"S":"2026-11-20T10:15:30Z"},
			"trunk_sid":{"S":%q},"status":{"S":"active"},"domain_name":{"S":"acme1.pstn.exotel.com"},"auth_type":{"S":"IP-WHITELIST"},
			"registration_enabled":{"S":"disabled"},"edge_preference":{"S":"auto"},"nso_code":{"S":"ANY-ANY"},"secure_trunking":{"S":"disabled"},
			"destination_uris":{"NULL":true},"auth_ips":{"NULL":true}}}}}`,
		s.ID, s.Company, s.Source, s.Fingerprint(), trunkSID, trunkSID)
}

// table answers every call with the refusal of a condition, as DynamoDB does.
type table struct {
	body  []byte
	calls int
}

func (t *table) Do(r *http.Request) (*http.Response, error) {
	t.calls++
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusBadRequest, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{
			"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"HB9NM6TJ1IG4RA9GTPGI4CB1QVVV4KQNSO5AEMVJF66Q9ASUAAJG"},
			"X-Amz-Crc32": {strconv.FormatUint(uint64(crc32.ChecksumIEEE(t.body)), 10)}, "Date": {time.Now().UTC().Format(http.TimeFormat)},
		},
		Body: io.NopCloser(bytes.NewReader(t.body)), ContentLength: int64(len(t.body)),
	}, nil
}

// account is there already. A replay asks nothing of it.
type account struct{ provision.Accounts }

func (account) Ready() *provision.Account { return &provision.Account{SID: "acme1"} }

type token struct{}

func (token) Of(context.Context, string) ([]string, error)    { return []string{bearer}, nil }
func (token) Renew(context.Context, string) ([]string, error) { return nil, nil }

// discard is an io.Writer; slog knows io.Discard and would skip the work.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
