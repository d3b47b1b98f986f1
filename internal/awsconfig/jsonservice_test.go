package awsconfig_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/trunkhook/trunkhook/internal/awsconfig"
	"github.com/trunkhook/trunkhook/internal/canary"
)

// ssm is the client of a Systems Manager that answers so.
func ssm(t *testing.T, answer http.HandlerFunc) *awsconfig.JSONService {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return clients(t, map[string]string{"AWS_ENDPOINT_URL_SSM": server.URL}).SSM
}

type parameter struct{ Name, Value string }

func TestCallIsWrittenAndReadAsJSON(t *testing.T) {
	t.Parallel()
	var got parameter
	service := ssm(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" || r.Header.Get("X-Amz-Target") != "AmazonSSM.PutParameter" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, `{"Version": 7}`)
	})
	var out struct{ Version int }
	err := service.Call(t.Context(), "PutParameter", parameter{"/a", "b"}, &out)
	if err != nil || got != (parameter{"/a", "b"}) || out.Version != 7 {
		t.Errorf("sent %+v, read %+v, %v", got, out, err)
	}
}

// AWS does what is done here: it signs what came with what it knows, and compares.
func TestCallIsSignedAsAWSChecksIt(t *testing.T) {
	t.Parallel()
	verified := make(chan error, 1)
	service := ssm(t, func(w http.ResponseWriter, r *http.Request) {
		verified <- verify(r)
		fmt.Fprint(w, `{}`)
	})
	if err := service.Call(t.Context(), "PutParameter", parameter{"/a", "b"}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	if err := <-verified; err != nil {
		t.Error(err)
	}
}

// verify signs the request again with the credentials of the tests.
func verify(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	signedAt, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(signedAt).Abs() > time.Minute {
		return fmt.Errorf("signed at %v, %w", signedAt, err)
	}
	sent := r.Header.Get("Authorization")
	_, names, _ := strings.Cut(sent, "SignedHeaders=")
	names, _, _ = strings.Cut(names, ",")
	signed := strings.Split(names, ";")
	for _, must := range []string{"content-length", "content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"} {
		if !slices.Contains(signed, must) {
			return fmt.Errorf("%s isn't signed: %s", must, names)
		}
	}
	again, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+r.Host+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	for _, name := range signed {
		if name != "host" && name != "content-length" {
			again.Header.Set(name, r.Header.Get(name))
		}
	}
	sum := sha256.Sum256(body)
	known := aws.Credentials{AccessKeyID: credentials["AWS_ACCESS_KEY_ID"], SecretAccessKey: credentials["AWS_SECRET_ACCESS_KEY"], SessionToken: credentials["AWS_SESSION_TOKEN"]}
	if err := v4.NewSigner().SignHTTP(r.Context(), known, again, hex.EncodeToString(sum[:]), "ssm", credentials["AWS_REGION"], signedAt); err != nil {
		return err
	}
	if want := again.Header.Get("Authorization"); sent != want {
		return fmt.Errorf("signed\n%s, want\n%s", sent, want)
	}
	return nil
}

func TestCallIsTriedAgainWhereTheServiceFailedAndNotWhereItRefused(t *testing.T) {
	t.Parallel()
	fine := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }
	refused := func(status int, kind string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, failure(kind, ""))
		}
	}
	reset := func(w http.ResponseWriter, _ *http.Request) { hijacked(w).Close() }
	cutOff := func(w http.ResponseWriter, _ *http.Request) {
		conn := hijacked(w)
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
		conn.Close()
	}
	for name, test := range map[string]struct {
		answers  []http.HandlerFunc // the last one again and again
		code     string             // of the error; empty for none, - for one without a code
		requests int64
	}{
		"at first fine":       {[]http.HandlerFunc{fine}, "", 1},
		"fails once":          {[]http.HandlerFunc{refused(500, "InternalServerError"), fine}, "", 2},
		"a proxy fails twice": {[]http.HandlerFunc{refused(502, ""), refused(503, ""), fine}, "", 3},
		"fails for good":      {[]http.HandlerFunc{refused(500, "InternalServerError")}, "InternalServerError", 4},
		"is asked too often":  {[]http.HandlerFunc{refused(400, "ThrottlingException"), fine}, "", 2},
		"hangs up":            {[]http.HandlerFunc{reset, fine}, "", 2},
		"hangs up for good":   {[]http.HandlerFunc{reset}, "-", 4},
		"breaks off":          {[]http.HandlerFunc{cutOff, fine}, "", 2},
		"refuses":             {[]http.HandlerFunc{refused(400, "ParameterAlreadyExists")}, "ParameterAlreadyExists", 1},
		"lets nobody in":      {[]http.HandlerFunc{refused(403, "AccessDeniedException")}, "AccessDeniedException", 1},
		"redirects":           {[]http.HandlerFunc{refused(302, "")}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			service := ssm(t, func(w http.ResponseWriter, r *http.Request) {
				n := requests.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				if want := fmt.Sprintf("attempt=%d; max=4", n); r.Header.Get("Amz-Sdk-Request") != want {
					t.Errorf("%s, want %s", r.Header.Get("Amz-Sdk-Request"), want)
				}
				test.answers[min(int(n), len(test.answers))-1](w, r)
			})
			err := service.Call(t.Context(), "PutParameter", parameter{"/a", "b"}, &struct{}{})
			failed, isRefusal := errors.AsType[*awsconfig.ServiceError](err)
			if requests.Load() != test.requests {
				t.Errorf("%d requests, want %d; %v", requests.Load(), test.requests, err)
			}
			switch {
			case name == "redirects":
				if !isRefusal || failed.Status != 302 {
					t.Errorf("got %v", err)
				}
			case test.code == "" && err != nil, test.code == "-" && (err == nil || isRefusal):
				t.Errorf("got %v", err)
			case len(test.code) > 1 && (!isRefusal || failed.Code != test.code):
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
}

func hijacked(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	return conn
}

// A connection that died while the function was frozen.
func TestCallWithoutAnAnswerIsTriedAgainSoon(t *testing.T) {
	t.Parallel()
	c, requests := answering(t, func(request int64) time.Duration {
		if request == 1 {
			return time.Hour
		}
		return 0
	})
	start := time.Now()
	if err := c.SSM.Call(t.Context(), "GetParameter", parameter{Name: "/a"}, &struct{}{}); err != nil || requests.Load() < 2 || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %d requests and %v", err, requests.Load(), time.Since(start))
	}
}

func TestCallEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, requests := answering(t, func(int64) time.Duration {
		cancel()
		return time.Hour
	})
	if err := c.SSM.Call(ctx, "GetParameter", parameter{Name: "/a"}, &struct{}{}); !errors.Is(err, context.Canceled) || requests.Load() != 1 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}

// Whatever the service, or a proxy in front of it, answers: no error has a part of
// what was sent in it, or of what was answered where that could not be read.
func TestErrorsOfACallRepeatNothing(t *testing.T) {
	t.Parallel()
	password := rand.Text()
	session, access := rand.Text()+rand.Text(), rand.Text()
	watch := canary.For(map[string]string{"password": password, "session token": session, "secret access key": access})
	for name, answer := range map[string]func(r *http.Request, body []byte) (int, string){
		"validation": func(*http.Request, []byte) (int, string) {
			return 400, failure("ValidationException", "1 validation error detected: Value '"+password+"' at 'value' failed to satisfy constraint")
		},
		"part of the value": func(*http.Request, []byte) (int, string) {
			return 400, failure("ValidationException", "Value '"+password[:12]+"...'")
		},
		"body": func(_ *http.Request, body []byte) (int, string) {
			return 400, failure("SerializationException", string(body))
		},
		"capital":      func(_ *http.Request, body []byte) (int, string) { return 500, `{"Message":` + quoted(body) + `}` },
		"body as type": func(_ *http.Request, body []byte) (int, string) { return 400, failure(string(body), "") },
		"page": func(r *http.Request, body []byte) (int, string) {
			return 502, "<html>" + headers(r) + string(body) + "</html>"
		},
		"canonical request": func(r *http.Request, _ []byte) (int, string) {
			return 403, failure("InvalidSignatureException", "The Canonical String should have been\n'POST\n/\n\nx-amz-security-token:"+r.Header.Get("X-Amz-Security-Token")+"\n'")
		},
		"headers":    func(r *http.Request, _ []byte) (int, string) { return 400, failure("ValidationException", headers(r)) },
		"unreadable": func(*http.Request, []byte) (int, string) { return 200, `{"Parameter":{"Value":"` + password },
		"other type": func(*http.Request, []byte) (int, string) { return 200, `{"Version":"` + password + `"}` },
		"huge": func(*http.Request, []byte) (int, string) {
			return 200, `{"Padding":"` + strings.Repeat("x", 70<<10) + `","Value":"` + password + `"}`
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				status, text := answer(r, body)
				w.WriteHeader(status)
				fmt.Fprint(w, text)
			}))
			t.Cleanup(server.Close)
			service := clients(t, map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_SESSION_TOKEN": session, "AWS_SECRET_ACCESS_KEY": access}).SSM
			err := service.Call(t.Context(), "PutParameter", parameter{"/a", password}, &struct{ Version int }{})
			if err == nil {
				t.Fatal("no error")
			}
			if found := watch.In(fmt.Sprintf("%v %+v", err, err)); len(found) > 0 || signature.MatchString(err.Error()) {
				t.Errorf("the error holds the %v: %v", found, err)
			}
			if failed, ok := errors.AsType[*awsconfig.ServiceError](err); ok && len(watch.In(fmt.Sprintf("%+v", *failed))) > 0 {
				t.Errorf("the error is %+v", *failed)
			}
		})
	}
}

func headers(r *http.Request) string {
	all, _ := json.Marshal(r.Header)
	return string(all)
}

func quoted(text []byte) string {
	written, _ := json.Marshal(string(text))
	return string(written)
}

func TestCallThatCannotBeWrittenSaysSo(t *testing.T) {
	t.Parallel()
	service := ssm(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	if err := service.Call(t.Context(), "PutParameter", map[string]any{"Value": func() {}}, &struct{}{}); err == nil {
		t.Error("no error")
	}
}
