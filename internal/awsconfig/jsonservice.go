package awsconfig

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// JSONService calls a service of AWS that speaks JSON 1.1, signed by the SDK's
// signer, without the SDK's client for it. That of Systems Manager alone adds 1.2 MB
// to each function and 1.3 ms to each start (measured with v1.82.1, November 2026),
// for two operations that few signups need.
type JSONService struct {
	name        string // as it is signed, and in the endpoint
	target      string // prefix of X-Amz-Target
	url         string
	region      string
	credentials aws.Credentials
	http        aws.HTTPClient
	signer      *v4.Signer
}

func newJSONService(name, target, region string, endpoint *string, credentials aws.Credentials, client aws.HTTPClient) *JSONService {
	url := "https://" + name + "." + region + ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") { // AWS's partition in China has a domain of its own
		url += ".cn"
	}
	if endpoint != nil {
		url = strings.TrimRight(*endpoint, "/")
	}
	return &JSONService{name, target, url, region, credentials, client, v4.NewSigner()}
}

// ServiceError is what the service refused a call with. What it says in words is no
// part of it: AWS's services repeat values that they find at fault, and headers where
// they refuse a signature; a proxy may repeat the whole request, password included.
type ServiceError struct {
	Status int
	Code   string // such as ParameterAlreadyExists; empty where a proxy said no
}

func (e *ServiceError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("HTTP %d %s", e.Status, e.Code))
}

// maxAnswer is in bytes; a parameter has 4 kB at most (8 kB of the advanced kind).
const maxAnswer = 64 << 10

// Call makes a call and reads its answer into out. It tries again, as the SDK does,
// where the service failed or no answer came, so that a call that isn't idempotent
// may be done twice. A refusal is a *ServiceError; no error holds what was sent.
func (s *JSONService) Call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return errors.New("the request can't be written as JSON")
	}
	for try := 1; ; try++ {
		again, err := s.try(ctx, operation, body, try, out)
		if err == nil {
			return nil
		}
		err = redacted(fmt.Errorf("%s %s: %w", s.name, operation, err), s.credentials.SessionToken)
		if !again || try > len(patience) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(try) * 50 * time.Millisecond):
		}
	}
}

func (s *JSONService) try(ctx context.Context, operation string, body []byte, try int, out any) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/", bytes.NewReader(body))
	if err != nil {
		return false, errors.New("the endpoint's URL is unusable")
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", s.target+"."+operation)
	r.Header.Set("Amz-Sdk-Request", fmt.Sprintf("attempt=%d; max=%d", try, len(patience)+1))
	sum := sha256.Sum256(body)
	if err := s.signer.SignHTTP(ctx, s.credentials, r, hex.EncodeToString(sum[:]), s.name, s.region, time.Now()); err != nil {
		return false, errors.New("the request can't be signed")
	}
	answer, err := s.http.Do(r)
	if err != nil {
		return ctx.Err() == nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return ctx.Err() == nil, errors.New("the answer broke off")
	case answer.StatusCode != http.StatusOK:
		failed := refusal(answer.StatusCode, content)
		return answer.StatusCode >= http.StatusInternalServerError || strings.Contains(failed.Code, "Throttl"), failed
	case json.Unmarshal(content, out) != nil: // its error may quote what it read
		return false, errors.New("the answer can't be read")
	}
	return false, nil
}

// errorCode is the form of all of AWS's; what else stands there is somebody else's.
var errorCode = regexp.MustCompile(`^[A-Z][A-Za-z0-9.]{0,63}$`)

func refusal(status int, content []byte) *ServiceError {
	var fields struct {
		Type string `json:"__type"` // with or without a namespace in front
	}
	_ = json.Unmarshal(content, &fields)
	code := fields.Type[strings.LastIndex(fields.Type, "#")+1:]
	if !errorCode.MatchString(code) {
		code = ""
	}
	return &ServiceError{status, code}
}
