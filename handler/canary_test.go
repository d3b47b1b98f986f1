package handler_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/canary"
	cached "github.com/trunkhook/trunkhook/internal/secrets"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

// cage is a handler over the real engine, the real caches of secrets, a table
// file and a fake Exotel behind a proxy that may repeat what it was sent. All that
// comes out of it is looked through for its secrets.
type cage struct {
	handler *handler.Handler
	engine  *provision.Engine
	fake    *exoteltest.Server
	proxy   *echoing
	log     *bytes.Buffer
	file    string // the table
	out     []string

	key, token, bearer, signing string

	mu                     sync.Mutex
	exotelText, sourceText string // what Secrets Manager holds
	exotelErr, sourceErr   error
}

func newCage(t *testing.T) *cage {
	t.Helper()
	c := &cage{
		key: rand.Text(), token: rand.Text() + `/+"<&é%`, bearer: rand.Text(), signing: base64.StdEncoding.EncodeToString([]byte(rand.Text())),
		log: new(bytes.Buffer), file: filepath.Join(t.TempDir(), "signups.db"),
	}
	var err error
	if c.fake, err = exoteltest.New(exoteltest.Options{APIKey: c.key, APIToken: c.token}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.fake.Close)
	c.proxy = &echoing{target: c.fake.URL, key: c.key, token: c.token}
	server := httptest.NewServer(c.proxy)
	t.Cleanup(server.Close)
	c.exotelText = mustJSON(map[string]string{"api_key": c.key, "api_token": c.token, "account_sid": exoteltest.DefaultAccountSID, "subdomain": exotel.Mumbai})
	c.sourceText = mustJSON(map[string][]string{"api": {c.bearer, "whsec_" + c.signing}})
	table, err := embedded.Open(c.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	log := slog.New(slog.NewJSONHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	account := cached.NewExotel(func(context.Context) (string, error) { return c.held(&c.exotelText, &c.exotelErr) }, cached.ExotelOptions{BaseURL: server.URL}, log)
	keys := cached.NewSources(func(context.Context) (string, error) { return c.held(&c.sourceText, &c.sourceErr) }, log)
	c.engine = &provision.Engine{Ledger: table, Accounts: account, Prefix: "th", Budget: provision.NewBudget(table, 100_000, nil)}
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	c.handler, err = handler.New(handler.Config{
		Provisioner: c.engine, Secrets: keys, Sources: set, DeadLetters: table, Log: log, ReplyWithin: 600 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (c *cage) held(text *string, err *error) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *text, *err
}

func (c *cage) hold(exotelText, sourceText string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exotelText, c.sourceText = cmp.Or(exotelText, c.exotelText), cmp.Or(sourceText, c.sourceText)
}

// send keeps the answer.
func (c *cage) send(t *testing.T, event events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	answer, err := c.handler.Handle(ctx, event)
	c.out = append(c.out, fmt.Sprintf("%+v %v", answer, err))
	return answer
}

// story does all that is done with one signup: a delivery, another one, a pass,
// an operator's tries, a look.
func (c *cage) story(t *testing.T, id string) {
	t.Helper()
	authorization := "Bearer " + c.bearer
	body := fmt.Sprintf(`{"signup_id":%q,"company":"Acme"}`, id)
	c.send(t, post("/signups", "application/json", authorization, body))
	c.send(t, post("/signups", "application/json", authorization, body))
	ctx, cancel := context.WithTimeout(t.Context(), 4200*time.Millisecond) // a pass begins nothing with less than 4 s
	defer cancel()
	pass, err := c.engine.Reconcile(ctx)
	pass.Log(ctx, slog.New(slog.NewJSONHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	c.keep(pass.Err, pass.Halted, err)
	ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	retried, retryErr := c.engine.Retry(ctx, id)
	adopted, adoptErr := c.engine.Adopt(ctx, id, "trmum1nosuch")
	c.keep(retryErr, adoptErr)
	c.out = append(c.out, fmt.Sprintf("%+v %+v", retried, adopted))
	c.send(t, get("/signups/"+id, authorization))
}

func (c *cage) keep(errs ...error) {
	for _, err := range errs {
		if err != nil {
			c.out = append(c.out, err.Error())
		}
	}
}

// clean looks through all that came out, and through the table.
func (c *cage) clean(t *testing.T) {
	t.Helper()
	table, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	watch := canary.For(map[string]string{"key": c.key, "token": c.token, "bearer": c.bearer, "signing secret": c.signing})
	for place, text := range map[string]string{"an answer or error": strings.Join(c.out, "\n"), "the log": c.log.String(), "the table": string(table)} {
		if found := watch.In(text); len(found) > 0 {
			t.Errorf("%s holds the %v: %.2000s", place, found, text)
		}
	}
	if c.log.Len() == 0 {
		t.Error("nothing was logged")
	}
}

// echoing is a proxy in front of the fake that repeats the credentials that it
// was sent, in one place of its answers.
type echoing struct {
	target, key, token string

	mu   sync.Mutex
	echo func(w http.ResponseWriter, r *http.Request, answer []byte)
}

func (e *echoing) set(echo func(w http.ResponseWriter, r *http.Request, answer []byte)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.echo = echo
}

func (e *echoing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	echo := e.echo
	e.mu.Unlock()
	forwarded, err := http.NewRequestWithContext(r.Context(), r.Method, e.target+r.URL.RequestURI(), r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	forwarded.Header = r.Header.Clone()
	resp, err := http.DefaultTransport.RoundTrip(forwarded)
	if err != nil {
		panic(http.ErrAbortHandler) // the fault is to be seen
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if echo != nil {
		echo(w, r, answer)
		return
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer)
}

// said are the ways in which credentials are repeated.
func (e *echoing) said(r *http.Request) string {
	return strings.Join([]string{r.Header.Get("Authorization"), e.key, e.token, url.QueryEscape(e.token), url.PathEscape(e.token), e.key + ":" + e.token, r.Header.Get("Authorization")[:30]}, " ")
}

func (e *echoing) failure(status int, requestID, text string) string {
	return mustJSON(map[string]any{"request_id": requestID, "http_code": status, "response": map[string]any{
		"code": status, "status": "failure", "error_data": map[string]any{"code": 1001, "message": text, "description": text + "\r\n" + text}, "data": nil,
	}})
}

func TestNoSecretComesOut(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]exoteltest.Fault{
		"nothing wrong": {}, "answer lost": exoteltest.LoseAnswer, "request lost": exoteltest.LoseRequest, "hang": exoteltest.Hang, "hang after": exoteltest.HangAfter,
		"HTML": exoteltest.HTML, "HTML after": exoteltest.HTMLAfter, "cut off": exoteltest.CutOff, "empty sid": exoteltest.EmptySID, "huge": exoteltest.Huge, "slow": exoteltest.Slow,
		"400": exoteltest.Fail(400), "401": exoteltest.Fail(401), "403": exoteltest.Fail(403), "404": exoteltest.Fail(404), "409": exoteltest.Fail(409), "429": exoteltest.RateLimit("1"),
		"500": exoteltest.Fail(500), "503 after": exoteltest.FailAfter(503), "late": exoteltest.ProcessLate(50 * time.Millisecond),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			c.fake.Inject(exoteltest.Create, fault, fault)
			c.fake.Inject(exoteltest.List, fault, fault)
			c.story(t, "acme-42")
			c.clean(t)
		})
	}
}

func TestNoSecretComesOutThroughAnEcho(t *testing.T) {
	t.Parallel()
	write := func(w http.ResponseWriter, status int, body string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
	for name, echo := range map[string]func(*cage) func(http.ResponseWriter, *http.Request, []byte){
		"in an error": func(c *cage) func(http.ResponseWriter, *http.Request, []byte) {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) {
				write(w, 400, c.proxy.failure(400, "1", c.proxy.said(r)))
			}
		},
		"in a refusal of the credentials": func(c *cage) func(http.ResponseWriter, *http.Request, []byte) {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) {
				write(w, 401, c.proxy.failure(401, "1", c.proxy.said(r)))
			}
		},
		"in a request_id": func(c *cage) func(http.ResponseWriter, *http.Request, []byte) {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) {
				write(w, 503, c.proxy.failure(503, c.proxy.said(r), "x"))
			}
		},
		"in a page": func(c *cage) func(http.ResponseWriter, *http.Request, []byte) {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) {
				write(w, 502, "<html>"+c.proxy.said(r)+"</html>")
			}
		},
		"in a redirect": func(c *cage) func(http.ResponseWriter, *http.Request, []byte) {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) {
				w.Header().Set("Location", "https://x.example/%zz"+c.proxy.said(r))
				write(w, 307, "")
			}
		},
		"in the headers": func(c *cage) func(http.ResponseWriter, *http.Request, []byte) {
			return func(w http.ResponseWriter, r *http.Request, answer []byte) {
				w.Header().Set("Retry-After", c.proxy.said(r))
				w.Header().Set("X-Authorization", r.Header.Get("Authorization"))
				write(w, 429, string(answer))
			}
		},
		"in an answer that is no HTTP": func(c *cage) func(http.ResponseWriter, *http.Request, []byte) {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					panic(err)
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, "HTTP/1.1 "+r.Header.Get("Authorization")+"\r\n\r\n")
			}
		},
		"in a trunk": func(c *cage) func(http.ResponseWriter, *http.Request, []byte) {
			return func(w http.ResponseWriter, r *http.Request, answer []byte) {
				said := strings.Trim(mustJSON(c.proxy.said(r)), `"`)
				said = strings.ReplaceAll(said, "/", `\/`)
				write(w, 200, strings.ReplaceAll(string(answer), "IP-WHITELIST", said))
			}
		},
		"in a trunk's domain": func(c *cage) func(http.ResponseWriter, *http.Request, []byte) {
			return func(w http.ResponseWriter, _ *http.Request, answer []byte) {
				write(w, 200, strings.ReplaceAll(string(answer), `"domain_name":"exoteltest`, `"domain_name":"`+c.key))
			}
		},
		"in a trunk's sid, after a lost answer": func(c *cage) func(http.ResponseWriter, *http.Request, []byte) {
			c.fake.Inject(exoteltest.Create, exoteltest.LoseAnswer)
			return func(w http.ResponseWriter, _ *http.Request, answer []byte) {
				write(w, 200, strings.ReplaceAll(string(answer), `"trunk_sid":"trmum1`, `"trunk_sid":"`+c.key))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			c.proxy.set(echo(c))
			c.story(t, "acme-42")
			c.clean(t)
			if len(c.fake.Calls()) == 0 {
				t.Error("Exotel was never called")
			}
		})
	}
}

func TestNoSecretComesOutOfBrokenSecrets(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(*cage) (exotelText, sourceText string){
		"plain text": func(c *cage) (string, string) { return c.key + " " + c.token, c.bearer },
		"lists": func(c *cage) (string, string) {
			return mustJSON([]string{c.key, c.token}), mustJSON([]string{c.bearer, c.signing})
		},
		"cut off": func(c *cage) (string, string) {
			return c.exotelText[:len(c.exotelText)-2], c.sourceText[:len(c.sourceText)-2]
		},
		"a mark in front":  func(c *cage) (string, string) { return "\ufeff" + c.exotelText, "\ufeff" + c.sourceText },
		"something behind": func(c *cage) (string, string) { return c.exotelText + c.token, c.sourceText + c.bearer },
		"wrong types": func(c *cage) (string, string) {
			return mustJSON(map[string]any{"api_key": []string{c.key}, "api_token": map[string]string{c.token: c.token}}), mustJSON(map[string]any{"api": c.bearer})
		},
		"fields mixed up": func(c *cage) (string, string) {
			return mustJSON(map[string]string{"api_key": exotel.Mumbai, "api_token": "x", "account_sid": c.token, "subdomain": c.key}), mustJSON(map[string][]string{c.bearer: {"api", ""}, "whsec_" + c.signing: {""}})
		},
		"subdomain only": func(c *cage) (string, string) {
			return mustJSON(map[string]string{"api_key": c.key, "api_token": c.token, "account_sid": "a", "subdomain": c.token}), ""
		},
		"account only": func(c *cage) (string, string) {
			return mustJSON(map[string]string{"api_key": c.key, "api_token": c.token, "account_sid": c.token, "subdomain": exotel.Mumbai}), ""
		},
		"a key with a colon": func(c *cage) (string, string) {
			return mustJSON(map[string]string{"api_key": c.key + ":" + c.token, "api_token": c.token, "account_sid": "a", "subdomain": exotel.Mumbai}), ""
		},
		"secrets that can't be used": func(c *cage) (string, string) {
			return "", mustJSON(map[string][]string{"api": {c.bearer, "whsec_" + c.signing + "%", "whsec_", ""}})
		},
		"credentials of another account": func(c *cage) (string, string) {
			return strings.Replace(c.exotelText, `"exoteltest"`, `"another"`, 1), ""
		},
		"credentials that are refused": func(c *cage) (string, string) {
			c.fake.SetCredentials("another", "pair")
			return "", ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			c.hold(broken(c))
			c.story(t, "acme-42")
			c.clean(t)
		})
	}
}

func TestNoSecretComesOutOfARefusal(t *testing.T) {
	t.Parallel()
	c := newCage(t)
	body := `{"signup_id":"acme-42","company":"Acme"}`
	signature := func(body string) events.APIGatewayV2HTTPRequest {
		return sign(t, "whsec_"+c.signing, "msg_1", time.Now(), body)
	}
	for _, event := range []events.APIGatewayV2HTTPRequest{
		post("/signups", "application/json", c.bearer, body),
		post("/signups", "application/json", "Bearer "+c.bearer+"x", body),
		post("/signups", "application/json", "Bearer "+c.bearer[1:], body),
		post("/signups", "application/json", "Bearer whsec_"+c.signing, body),
		post("/signups", "application/json", "Basic "+base64Of("api:"+c.bearer), body),
		post("/signups", c.bearer+"/"+c.bearer, "Bearer "+c.bearer, body),
		post("/signups", "application/json", "Bearer "+c.bearer, "{"+c.bearer),
		post("/signups", "application/json", "Bearer "+c.bearer, mustJSON(map[string]any{c.bearer: c.token, "signup_id": []string{c.bearer}, "company": " "})),
		post("/signups", "application/json", "Bearer "+c.bearer, mustJSON(map[string]any{"signup_id": c.bearer + "/" + c.key, "company": c.token + "\n"})),
		with(post("/signups", "application/json", "", body), func(e *events.APIGatewayV2HTTPRequest) {
			e.RawQueryString, e.QueryStringParameters = "token="+c.bearer, map[string]string{"token": c.bearer}
		}),
		with(post("/signups", "application/json", "", body), func(e *events.APIGatewayV2HTTPRequest) {
			e.Headers["x-api-key"], e.Headers["cookie"], e.Cookies = c.bearer, c.bearer, []string{c.bearer}
		}),
		with(signature(body), func(e *events.APIGatewayV2HTTPRequest) { e.Body += " " }),
		with(signature(body), func(e *events.APIGatewayV2HTTPRequest) {
			e.Headers["webhook-signature"] = e.Headers["webhook-signature"][:30]
		}),
		with(signature(body), func(e *events.APIGatewayV2HTTPRequest) { e.Headers["webhook-timestamp"] = c.bearer }),
		with(signature(body), func(e *events.APIGatewayV2HTTPRequest) { e.IsBase64Encoded = true }),
		signature("{" + c.signing),
		get("/signups/acme-42", "Bearer "+c.bearer+"x"),
		get("/signups/acme-42", "Bearer "+c.bearer),
	} {
		if answer := c.send(t, event); answer.StatusCode < 400 {
			t.Errorf("%+v: %d", event, answer.StatusCode)
		}
	}
	for _, cause := range []any{"token " + c.bearer, errors.New("Bearer " + c.bearer), post("/signups", "", c.bearer, c.token)} {
		c.handler.Provisioner = &quoting{cause: cause}
		if answer := c.send(t, post("/signups", "application/json", "Bearer "+c.bearer, body)); answer.StatusCode != 500 {
			t.Errorf("panicking: %d", answer.StatusCode)
		}
	}
	good := signature(body)
	c.handler.Provisioner = c.engine
	if answer := c.send(t, good); answer.StatusCode != 201 {
		t.Errorf("signed: %d", answer.StatusCode)
	}
	c.clean(t)
	if strings.Contains(c.log.String()+strings.Join(c.out, ""), good.Headers["webhook-signature"][3:20]) {
		t.Error("a signature is logged")
	}
}
