package awsconfig

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// asked notes where a request goes, and lets none out.
type asked struct{ url string }

func (a *asked) Do(r *http.Request) (*http.Response, error) {
	a.url = r.URL.String()
	return nil, errors.New("nobody is there")
}

func TestEndpointOfAJSONService(t *testing.T) {
	t.Parallel()
	own, withPath := "http://127.0.0.1:4566", "https://proxy.example.com/aws/"
	for name, test := range map[string]struct {
		region   string
		endpoint *string
		url      string
	}{
		"Mumbai":                  {"ap-south-1", nil, "https://ssm.ap-south-1.amazonaws.com/"},
		"GovCloud":                {"us-gov-west-1", nil, "https://ssm.us-gov-west-1.amazonaws.com/"},
		"China":                   {"cn-north-1", nil, "https://ssm.cn-north-1.amazonaws.com.cn/"},
		"an emulator":             {"cn-north-1", &own, "http://127.0.0.1:4566/"},
		"one behind another path": {"eu-west-1", &withPath, "https://proxy.example.com/aws/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a asked
			service := newJSONService("ssm", "AmazonSSM", test.region, test.endpoint, aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, &a)
			if _, err := service.try(t.Context(), "GetParameter", []byte("{}"), 1, &struct{}{}); err == nil || a.url != test.url {
				t.Errorf("asked %s, want %s; %v", a.url, test.url, err)
			}
		})
	}
}

// What a refusal says may have been said by anybody.
func FuzzRefusal(f *testing.F) {
	for _, seed := range []string{
		`{"__type":"com.amazonaws.ssm#ParameterAlreadyExists","message":"The parameter already exists."}`,
		`{"__type":"ParameterNotFound"}`, `{"__type":["a"]}`, `[]`, `<html>`, ``, `{"__type":"#"}`, "{\"__type\":\"a\\nb\"}",
	} {
		f.Add(400, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, content []byte) {
		refused := refusal(status, content)
		if refused.Status != status || refused.Code != "" && !errorCode.MatchString(refused.Code) {
			t.Errorf("%+v", refused)
		}
		if again := refusal(status, []byte(`{"__type":"com.amazonaws.ssm#`+refused.Code+`"}`)); again.Code != refused.Code {
			t.Errorf("%q, and with a namespace %q", refused.Code, again.Code)
		}
	})
}
