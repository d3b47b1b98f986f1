package awsconfig_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/trunkhook/trunkhook/internal/canary"
)

var (
	signature = regexp.MustCompile(`Signature=[0-9a-f]+`)
	signed    = regexp.MustCompile(`Signature=[0-9a-f]+|Credential=|AWS4-HMAC`)
)

// AWS's services repeat the canonical form of a request whose signature they
// refuse, the session token included; a proxy's page may repeat anything.
func TestErrorsRepeatNothingOfTheRequest(t *testing.T) {
	t.Parallel()
	session, access := rand.Text()+rand.Text(), rand.Text()
	watch := canary.For(map[string]string{"session token": session, "secret access key": access, "stored secret": stored})
	for name, answer := range map[string]func(r *http.Request) (int, string){
		"canonical request": func(r *http.Request) (int, string) {
			return 400, failure("InvalidSignatureException", "The Canonical String for this request should have been\n'POST\n/\n\nhost:x\nx-amz-security-token:"+r.Header.Get("X-Amz-Security-Token")+"\n'")
		},
		"headers": func(r *http.Request) (int, string) {
			all, _ := json.Marshal(r.Header)
			return 400, failure("ValidationException", string(all))
		},
		"authorization": func(r *http.Request) (int, string) {
			return 403, failure("AccessDeniedException", "not authorized: "+r.Header.Get("Authorization"))
		},
		"signature alone": func(r *http.Request) (int, string) {
			return 403, failure("InvalidSignatureException", "it does not match: "+signature.FindString(r.Header.Get("Authorization")))
		},
		"page": func(r *http.Request) (int, string) {
			return 502, "<html>" + r.Header.Get("Authorization") + r.Header.Get("X-Amz-Security-Token") + "</html>"
		},
		"type":           func(r *http.Request) (int, string) { return 400, failure(r.Header.Get("X-Amz-Security-Token"), "x") },
		"cut off":        func(*http.Request) (int, string) { return 200, `{"SecretString":"` + stored },
		"no JSON":        func(*http.Request) (int, string) { return 200, stored },
		"a list":         func(*http.Request) (int, string) { return 200, `["` + stored + `"]` },
		"another type":   func(*http.Request) (int, string) { return 200, `{"SecretString":{"a":"` + stored + `"}}` },
		"another number": func(*http.Request) (int, string) { return 200, `{"CreatedDate":"` + stored + `"}` },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent = signature.FindString(r.Header.Get("Authorization"))
				status, body := answer(r)
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}))
			t.Cleanup(server.Close)
			c := clients(t, map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_SESSION_TOKEN": session, "AWS_SECRET_ACCESS_KEY": access})
			id := "a"
			_, secretErr := c.SecretsManager.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
			_, tableErr := c.DynamoDB.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &id, Key: map[string]types.AttributeValue{"signup_id": &types.AttributeValueMemberS{Value: "a"}}})
			if secretErr == nil {
				t.Error("no error")
			}
			for _, err := range []error{secretErr, tableErr} {
				if err == nil {
					continue
				}
				if found := watch.In(err.Error()); len(found) > 0 || signed.MatchString(err.Error()) || sent == "" {
					t.Errorf("the error holds the %v: %v", found, err)
				}
			}
		})
	}
}

const stored = "Tq8Zk3vYw1Lm5Rx7Bn2Hd9"

func failure(kind, message string) string {
	body, _ := json.Marshal(map[string]string{"__type": "com.amazonaws#" + kind, "message": message})
	return string(body)
}

// What is recognised by its type still is.
func TestErrorsKeepTheirType(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, failure("ConditionalCheckFailedException", r.Header.Get("X-Amz-Security-Token")))
	}))
	t.Cleanup(server.Close)
	table := "a"
	_, err := clients(t, map[string]string{"AWS_ENDPOINT_URL": server.URL}).DynamoDB.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: map[string]types.AttributeValue{"signup_id": &types.AttributeValueMemberS{Value: "a"}}})
	if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); !ok || refused == nil {
		t.Errorf("got %v", err)
	}
}
