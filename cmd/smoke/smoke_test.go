package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

const both = `{"api": ["` + bearer + `", "` + signing + `"], "hubspot": ["another"]}`

func TestSystemThatWorksPasses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ content, want string }{
		"both secrets": {both, `(?s)^smoke:\d{8}T\d{6}Z-\w{8} to http.*the signup, signed +HTTP 200 .*"dry"\n.*the same once more +HTTP 200 .*"dry", replayed\n.*its status +HTTP 200 .*"dry"\nPassed`},
		"a token":      {bearer + "\n", `(?s)with the bearer token +HTTP 200.*replayed.*its status.*Passed`},
		"a key":        {signing, `(?s)signed +HTTP 200.*replayed\nThe status was not asked for.*-add api.*\nPassed`},
		"as they are shown": {
			"  bearer token    " + bearer + "\n  signing secret  " + signing + "\n", `(?s)signed.*its status.*Passed`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			out, err := smoke(t, s.url, test.content, time.Minute)
			if err != nil || !regexp.MustCompile(test.want).MatchString(out) {
				t.Errorf("%v:\n%s", err, out)
			}
			if calls, lists := len(s.fake.Calls()), s.fake.Count(exoteltest.List); calls != 1 || lists != 1 || len(s.fake.Trunks()) != 0 {
				t.Errorf("%d calls, %d lists, %d trunks", calls, lists, len(s.fake.Trunks()))
			}
		})
	}
}

func TestSecretThatIsNoneIsNamed(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, content := range map[string]string{"a token": "another-token", "a key": "whsec_YW5vdGhlci1zZWNyZXQtb2YtdGVzdHM="} {
		out, err := smoke(t, s.url, content, time.Minute)
		if err == nil || !strings.Contains(err.Error(), "HTTP 401: the secret is none of source api's") || exitCode(err) != exitFailed {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	// The key is right, the token is not: that is told where it is used.
	out, err := smoke(t, s.url, "another-token\n"+signing, time.Minute)
	if err == nil || !strings.Contains(err.Error(), "HTTP 401") || !regexp.MustCompile(`(?s)replayed\n.*its status +HTTP 401`).MatchString(out) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPendingSignupIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"asking": both, "sending again": signing} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.fake.Inject(exoteltest.List, exoteltest.RateLimit("1"))
			s.reconcile(t)
			out, err := smoke(t, s.url, content, time.Minute)
			if err != nil || !regexp.MustCompile(`(?s)HTTP 202 .*"pending"\nIt is on disk, and not done.*HTTP 200 .*"dry".*replayed.*Passed`).MatchString(out) {
				t.Errorf("%v:\n%s", err, out)
			}
			if n := len(s.fake.Trunks()); n != 0 {
				t.Errorf("%d trunks", n)
			}
		})
	}
}

func TestWrongExotelCredentialsAreToldByTheStatus(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.fake.SetCredentials("another", "another")
	s.reconcile(t)
	out, err := smoke(t, s.url, both, 200*time.Millisecond)
	if !errors.Is(err, errPending) || exitCode(err) != exitPending || !strings.Contains(err.Error(), `trunkctl ENV=... ARGS="show smoke:`) || !strings.Contains(out, `"pending"`) {
		t.Errorf("%v:\n%s", err, out)
	}
	id := regexp.MustCompile(`smoke:\S+`).FindString(out)
	record, err := s.engine.Status(t.Context(), id)
	if err != nil || record.Status != provision.StatusPending || !strings.Contains(record.LastError, "401") {
		t.Errorf("what show would: %+v, %v", record, err)
	}
}

func TestTableThatForgetsFails(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.engine.Ledger = forgetful{s.engine.Ledger}
	out, err := smoke(t, s.url, both, time.Minute)
	if err == nil || !strings.Contains(err.Error(), "not answered as a replay") {
		t.Errorf("%v:\n%s", err, out)
	}
}

// What answers is not what was deployed, or is older.
func TestAnswersOfSomethingElseFail(t *testing.T) {
	t.Parallel()
	const stamp = `"updated_at":"2026-11-25T22:00:00Z"`
	for name, test := range map[string]struct {
		status int
		body   string // %s is the signup's id
		date   string
		want   string
	}{
		"another page":         {200, `<html>%s</html>`, "", "is no signup"},
		"another signup":       {200, `{"signup_id":"x%s","status":"dry",` + stamp + `}`, "", "about another signup"},
		"an older version":     {201, `{"signup_id":"%s","status":"active","trunk_sid":"trmum1a",` + stamp + `}`, "", "too old to know dry signups"},
		"dry, with a trunk":    {200, `{"signup_id":"%s","status":"dry","trunk_sid":"trmum1a",` + stamp + `}`, "", "a trunk was made"},
		"another status":       {200, `{"signup_id":"%s","status":"rejected",` + stamp + `}`, "", `"rejected", and should be dry`},
		"a secret as status":   {200, `{"signup_id":"%s","status":"` + bearer + `",` + stamp + `}`, "", "and should be dry"},
		"never a replay":       {200, `{"signup_id":"%s","status":"dry",` + stamp + `}`, "", "not answered as a replay"},
		"no such path":         {404, `%s`, "", "HTTP 404"},
		"no table":             {503, `%s`, "", "HTTP 503"},
		"a broken function":    {500, `{"message":"Internal Server Error %s"}`, "", "HTTP 500"},
		"a redirect":           {302, `%s`, "", "HTTP 302"},
		"a clock that is off":  {401, `%s`, "Mon, 02 Nov 2026 22:00:00 GMT", "clock is"},
		"a clock that is fine": {401, `%s`, time.Now().UTC().Format(http.TimeFormat), "the secret is none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/signups" || r.Method != http.MethodPost {
					t.Errorf("%s %s", r.Method, r.URL.Path)
				}
				if test.date != "" {
					w.Header().Set("Date", test.date)
				}
				w.Header().Set("Location", "/elsewhere")
				w.Header().Set("Apigw-Requestid", bearer)
				w.WriteHeader(test.status)
				body, _ := io.ReadAll(r.Body)
				fmt.Fprintf(w, test.body, regexp.MustCompile(`smoke:[^"]+`).Find(body))
			}))
			defer server.Close()
			out, err := smoke(t, server.URL, both, time.Minute)
			if err == nil || !strings.Contains(err.Error(), test.want) || exitCode(err) != exitFailed || strings.Contains(out, "Passed") || strings.Contains(out, "\x1b") {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

// What the library complains of, it repeats.
func TestBrokenAnswerShowsNoSecret(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Broken", "\x1b"+bearer)
	}))
	defer server.Close()
	if out, err := smoke(t, server.URL, both, time.Minute); err == nil || !strings.Contains(err.Error(), "(the secret)") || strings.Contains(out, "\x1b") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	server.Close()
	out, err := smoke(t, server.URL, both, time.Minute)
	if err == nil || !strings.Contains(err.Error(), "no answer") || !strings.Contains(out, "the signup") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestCommandLineAndFileAreCheckedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	good := file(t, both)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"plain http":           {[]string{"-url", "http://hooks.example.com", "-secret-file", good}, "must be https"},
		"no scheme":            {[]string{"-url", "hooks.example.com", "-secret-file", good}, "a scheme, a host"},
		"a user":               {[]string{"-url", "https://" + bearer + "@hooks.example.com", "-secret-file", good}, "a scheme, a host"},
		"no file":              {[]string{"-url", "https://hooks.example.com"}, "-secret-file is missing"},
		"no such file":         {[]string{"-secret-file", good + "x"}, "no such file"},
		"a secret as file":     {[]string{"-secret-file", bearer}, "no such file"},
		"a secret as argument": {[]string{bearer}, "more on the command line"},
		"an unknown option":    {[]string{"-u", "x"}, "not defined"},
		"an empty file":        {[]string{"-secret-file", file(t, "\n")}, "neither a bearer token"},
		"of another source":    {[]string{"-secret-file", file(t, `{"hubspot":["`+bearer+`"]}`)}, "neither a bearer token"},
		"a public key":         {[]string{"-secret-file", file(t, "whpk_MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=")}, ""},
		"no list":              {[]string{"-secret-file", file(t, `{"api":"`+bearer+`"}`)}, "are not"},
		"broken JSON":          {[]string{"-secret-file", file(t, `{"api":["`+bearer)}, "it is not"},
		"a sentence":           {[]string{"-secret-file", file(t, "the token is "+bearer)}, "secret 1 holds white space"},
		"a broken key":         {[]string{"-secret-file", file(t, "whsec_"+bearer)}, "secret 1"},
	} {
		var out strings.Builder
		err := run(t.Context(), test.args, &out)
		if err == nil || !strings.Contains(err.Error(), test.want) || exitCode(err) != exitUsage || strings.Contains(err.Error(), bearer) || out.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, &out)
		}
	}
}

func TestLocalSystemNeedsNoSecretFile(t *testing.T) {
	t.Parallel()
	for url, local := range map[string]bool{"http://127.0.0.1:8080/": true, "http://[::1]:1": true, "http://localhost:8080": true, "https://hooks.example.com/v1": false} {
		target, got, err := parseURL(url)
		if err != nil || got != local || target != strings.TrimRight(url, "/") {
			t.Errorf("%s: %s, local %v, %v", url, target, got, err)
		}
	}
	k, err := readKeys("", true)
	if err != nil || k.bearer != "local" || !strings.HasPrefix(k.signing, "whsec_") {
		t.Errorf("%+v, %v", k, err)
	}
}
