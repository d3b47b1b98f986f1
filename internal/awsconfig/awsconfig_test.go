package awsconfig_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/trunkhook/trunkhook/internal/awsconfig"
)

var credentials = map[string]string{"AWS_REGION": "ap-south-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"}

func clients(t *testing.T, more map[string]string) awsconfig.Clients {
	t.Helper()
	c, err := awsconfig.FromEnv(func(name string) string {
		if value, ok := more[name]; ok {
			return value
		}
		return credentials[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryVariableAtFaultIsNamed(t *testing.T) {
	t.Parallel()
	_, err := awsconfig.FromEnv(func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "garbage", "AWS_ENDPOINT_URL": "ftp://x"}[name]
	})
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL must"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
}

func TestEndpointVariables(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env               map[string]string
		dynamodb, secrets string
	}{
		"AWS's own":       {nil, "", ""},
		"both":            {map[string]string{"AWS_ENDPOINT_URL": "http://both"}, "http://both", "http://both"},
		"one":             {map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "http://one"}, "http://one", ""},
		"one before both": {map[string]string{"AWS_ENDPOINT_URL": "http://both", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://one"}, "http://both", "http://one"},
		"ignored":         {map[string]string{"AWS_ENDPOINT_URL": "http://both", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "", ""},
	} {
		c := clients(t, test.env)
		if got := deref(c.DynamoDB.Options().BaseEndpoint); got != test.dynamodb {
			t.Errorf("%s: DynamoDB at %q, want %q", name, got, test.dynamodb)
		}
		if got := deref(c.SecretsManager.Options().BaseEndpoint); got != test.secrets {
			t.Errorf("%s: Secrets Manager at %q, want %q", name, got, test.secrets)
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestRequestsAreSignedForTheRegion(t *testing.T) {
	t.Parallel()
	var authorization, token string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization, token = r.Header.Get("Authorization"), r.Header.Get("X-Amz-Security-Token")
		_, _ = w.Write([]byte("{}"))
	}))
	defer server.Close()
	c := clients(t, map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"})
	if _, err := c.DynamoDB.ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(authorization, "AKIDEXAMPLE/") || !strings.Contains(authorization, "/eu-west-1/dynamodb/") || token != "session" {
		t.Errorf("authorization %q, token %q", authorization, token)
	}
	id := "a"
	if _, err := c.SecretsManager.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(authorization, "/eu-west-1/secretsmanager/") {
		t.Errorf("authorization %q", authorization)
	}
}

// answering is a server whose answers take so long, by which request it is.
func answering(t *testing.T, after func(request int64) time.Duration) (awsconfig.Clients, *atomic.Int64) {
	t.Helper()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // before that nobody notices that the client is gone
		select {
		case <-time.After(after(requests.Add(1))):
		case <-r.Context().Done():
		}
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(server.Close)
	return clients(t, map[string]string{"AWS_ENDPOINT_URL": server.URL}), &requests
}

// A connection that died while the function was frozen.
func TestFirstTryIsGivenUpSoon(t *testing.T) {
	t.Parallel()
	c, requests := answering(t, func(request int64) time.Duration {
		if request == 1 {
			return time.Hour
		}
		return 0
	})
	start := time.Now()
	if _, err := c.DynamoDB.ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil || requests.Load() < 2 || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %d requests and %v", err, requests.Load(), time.Since(start))
	}
}

func TestServiceThatIsSlowIsWaitedFor(t *testing.T) {
	t.Parallel()
	c, requests := answering(t, func(int64) time.Duration { return 1800 * time.Millisecond })
	if _, err := c.DynamoDB.ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil || requests.Load() < 3 {
		t.Errorf("DynamoDB: %v after %d requests", err, requests.Load())
	}
	id, before := "a", requests.Load()
	if _, err := c.SecretsManager.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id}); err != nil || requests.Load() < before+3 {
		t.Errorf("Secrets Manager: %v after %d requests", err, requests.Load())
	}
}

func TestLastTryTakesAllTheTimeThatIsLeft(t *testing.T) {
	t.Parallel()
	c, requests := answering(t, func(request int64) time.Duration {
		if request < 4 {
			return time.Hour
		}
		return 3200 * time.Millisecond
	})
	if _, err := c.DynamoDB.ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil || requests.Load() != 4 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}
