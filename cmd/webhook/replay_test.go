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

// finished is what DynamoDB answers to the claim of a signup that has its trunk.
func finished(fingerprint string) []byte {
	return fmt.Appendf(nil, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed","Item":{`+
		`"signup_id":{"S":"acme-42"},"company":{"S":"Acme Telecom"},"source":{"S":"api"},"fingerprint":{"S":"%s"},"status":{"S":"active"},`+
		`"trunk_name":{"S":"th_2p25m3xfxxipq"},"account_sid":{"S":"acme1"},"trunk_sid":{"S":"trmum1f708622631150902801a1n"},`+
		`"domain_name":{"S":"acme1.pstn.exotel.com"},"attempts":{"N":"1"},"event":{"S":"TrunkActivated"},"event_reason":{"S":""},"event_source_id":{"S":"acme-42"},`+
		`"created_at":{"S":"2026-11-20T10:15:30.000Z"},"updated_at":{"S":"2026-11-20T10:15:30.250Z"},`+
		`"trunk":{"M":{"trunk_name":{"S":"th_2p25m3xfxxipq"},"date_created":{"S":"2026-11-20T10:15:30Z"},"date_updated":{"S":"2026-11-20T10:15:30Z"},`+
		`"trunk_sid":{"S":"trmum1f708622631150902801a1n"},"status":{"S":"active"},"domain_name":{"S":"acme1.pstn.exotel.com"},"auth_type":{"S":"IP-WHITELIST"},`+
		`"registration_enabled":{"S":"disabled"},"edge_preference":{"S":"auto"},"nso_code":{"S":"ANY-ANY"},"secure_trunking":{"S":"disabled"},"destination_uris":{"NULL":true},"whitelisted_ips":{"NULL":true}}}}}`, fingerprint)
}

// table answers every call with these bytes, as DynamoDB does.
type table struct {
	status int
	body   []byte
	calls  int
}

func (t *table) Do(r *http.Request) (*http.Response, error) {
	t.calls++
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: t.status, Status: http.StatusText(t.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{
			"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"HB9NM6TJ1IG4RA9GTPGI4CB1QVVV4KQNSO5AEMVJF66Q9ASUAAJG"},
			"X-Amz-Crc32": {strconv.FormatUint(uint64(crc32.ChecksumIEEE(t.body)), 10)}, "Date": {time.Now().UTC().Format(http.TimeFormat)},
		},
		Body: io.NopCloser(bytes.NewReader(t.body)), ContentLength: int64(len(t.body)),
	}, nil
}

// account is one that is there already; a replay asks for no more.
type account struct{ provision.Accounts }

func (account) Ready() *provision.Account { return &provision.Account{SID: "acme1"} }

type tokens struct{}

func (tokens) Of(context.Context, string) ([]string, error)    { return []string{"local-token-0123456789"}, nil }
func (tokens) Renew(context.Context, string) ([]string, error) { return nil, nil }

// discard is an io.Writer; slog knows io.Discard and would skip the work.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func replay(tb testing.TB) (*handler.Handler, *table, []byte) {
	tb.Helper()
	environment := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token-of-a-session"}
	clients, err := awsconfig.FromEnv(func(name string) string { return environment[name] })
	if err != nil {
		tb.Fatal(err)
	}
	signup := provision.Signup{ID: "acme-42", Company: "Acme Telecom", Source: "api"}.Normalised()
	t := &table{status: http.StatusBadRequest, body: finished(signup.Fingerprint())}
	client := dynamodb.New(clients.DynamoDB.Options(), func(o *dynamodb.Options) { o.HTTPClient = t })
	engine := &provision.Engine{Ledger: ledger.New(client, "signups"), Accounts: account{}, Prefix: "th"}
	h, err := handler.New(handler.Config{
		Provisioner: engine, Secrets: tokens{}, Log: slog.New(slog.NewJSONHandler(discard{}, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr})),
		Function: "trunkhook-webhook", ReplyWithin: 4 * time.Second,
	})
	if err != nil {
		tb.Fatal(err)
	}
	var event map[string]any
	content, err := events.Files.ReadFile("signup.json")
	if err == nil {
		err = json.Unmarshal(content, &event)
	}
	if err != nil {
		tb.Fatal(err)
	}
	event["body"] = `{"signup_id":"acme-42","company":"Acme Telecom"}`
	event["headers"].(map[string]any)["authorization"] = "Bearer local-token-0123456789"
	payload, err := json.Marshal(event)
	if err != nil {
		tb.Fatal(err)
	}
	return h, t, payload
}

func BenchmarkReplay(b *testing.B) {
	h, t, payload := replay(b)
	ctx := lambdacontext.NewContext(b.Context(), &lambdacontext.LambdaContext{AwsRequestID: "65039389-db0b-878a-0437-efe1889d0c37"})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Invoke(ctx, payload); err != nil {
			b.Fatal(err)
		}
	}
	_ = t
}
