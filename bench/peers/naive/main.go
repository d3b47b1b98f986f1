// Command naive does the webhook's job as one would write it in an afternoon: the
// SDK's defaults, its usual clients, net/http's default transport, secrets when they
// are first needed. It is right as long as nothing goes wrong.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

type function struct {
	table   *dynamodb.Client
	secrets *secretsmanager.Client
	vendor  *http.Client
	log     *slog.Logger

	tokens  map[string][]string
	account *account
}

type account struct {
	Key   string `json:"api_key"`
	Token string `json:"api_token"`
	SID   string `json:"account_sid"`
}

type signup struct {
	ID      string `json:"signup_id"`
	Company string `json:"company"`
}

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Error("no configuration", "error", err)
		os.Exit(1)
	}
	f := &function{
		table: dynamodb.NewFromConfig(cfg), secrets: secretsmanager.NewFromConfig(cfg),
		vendor: &http.Client{Timeout: 10 * time.Second}, log: log,
	}
	lambda.Start(f.handle)
}

func (f *function) handle(ctx context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	if err := f.load(ctx); err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	if !f.known(strings.TrimPrefix(r.Headers["authorization"], "Bearer ")) {
		return answer(http.StatusUnauthorized, map[string]string{"error": "unauthorized"}), nil
	}
	var s signup
	if json.Unmarshal([]byte(r.Body), &s) != nil || s.ID == "" || s.Company == "" {
		return answer(http.StatusBadRequest, map[string]string{"error": "signup_id and company are needed"}), nil //nolint:nilerr // the sender is told
	}
	old, err := f.claim(ctx, s)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	if old != nil {
		f.log.InfoContext(ctx, "replay", "signup_id", s.ID)
		return answer(http.StatusOK, map[string]string{"signup_id": s.ID, "trunk_sid": textOf(old["trunk_sid"])}), nil
	}
	sid, err := f.create(ctx, s)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	if err := f.record(ctx, s, sid); err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	f.log.InfoContext(ctx, "created", "signup_id", s.ID, "trunk_sid", sid)
	return answer(http.StatusCreated, map[string]string{"signup_id": s.ID, "trunk_sid": sid}), nil
}

// load fetches both secrets once.
func (f *function) load(ctx context.Context) error {
	if f.account != nil {
		return nil
	}
	if err := f.secret(ctx, os.Getenv("SOURCES_SECRET_ID"), &f.tokens); err != nil {
		return err
	}
	var a account
	if err := f.secret(ctx, os.Getenv("EXOTEL_SECRET_ID"), &a); err != nil {
		return err
	}
	f.account = &a
	return nil
}

func (f *function) secret(ctx context.Context, id string, value any) error {
	out, err := f.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(*out.SecretString), value)
}

func (f *function) known(token string) bool {
	for _, secret := range f.tokens["api"] {
		if subtle.ConstantTimeCompare([]byte(secret), []byte(token)) == 1 {
			return true
		}
	}
	return false
}

// claim returns the item that is there, or nil.
func (f *function) claim(ctx context.Context, s signup) (map[string]types.AttributeValue, error) {
	_, err := f.table.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(os.Getenv("TABLE")),
		Item: map[string]types.AttributeValue{
			"signup_id": text(s.ID), "company": text(s.Company), "status": text("pending"), "created_at": text(time.Now().UTC().Format(time.RFC3339)),
		},
		ConditionExpression:                 aws.String("attribute_not_exists(signup_id)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var refused *types.ConditionalCheckFailedException
	if errors.As(err, &refused) {
		return refused.Item, nil
	}
	return nil, err
}

func (f *function) create(ctx context.Context, s signup) (string, error) {
	sum := sha256.Sum256([]byte(s.ID))
	body, err := json.Marshal(map[string]string{
		"trunk_name": "nv_" + hex.EncodeToString(sum[:6]), "nso_code": "ANY-ANY", "domain_name": f.account.SID + ".pstn.exotel.com",
	})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("EXOTEL_BASE_URL")+"/v2/accounts/"+f.account.SID+"/trunks", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.SetBasicAuth(f.account.Key, f.account.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := f.vendor.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var out struct {
		Response struct {
			Data struct {
				SID string `json:"trunk_sid"`
			} `json:"data"`
		} `json:"response"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK || out.Response.Data.SID == "" {
		return "", fmt.Errorf("exotel answered %d without a trunk", resp.StatusCode)
	}
	return out.Response.Data.SID, nil
}

func (f *function) record(ctx context.Context, s signup, sid string) error {
	_, err := f.table.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String(os.Getenv("TABLE")),
		Key:                       map[string]types.AttributeValue{"signup_id": text(s.ID)},
		UpdateExpression:          aws.String("SET #status = :active, trunk_sid = :sid"),
		ExpressionAttributeNames:  map[string]string{"#status": "status"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":active": text("active"), ":sid": text(sid)},
	})
	return err
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func textOf(value types.AttributeValue) string {
	if s, ok := value.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func answer(status int, body map[string]string) events.APIGatewayV2HTTPResponse {
	encoded, _ := json.Marshal(body) // strings only
	return events.APIGatewayV2HTTPResponse{StatusCode: status, Headers: map[string]string{"Content-Type": "application/json"}, Body: string(encoded)}
}
