package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/trunkhook/trunkhook/handler/verify"
	"github.com/trunkhook/trunkhook/provision"
)

// client sends what a sender would.
type client struct {
	base string
	keys keys
	http *http.Client
}

// sendTime is more than any answer takes.
const sendTime = 30 * time.Second

func newClient(base string, k keys) client {
	return client{base, k, &http.Client{
		Timeout: sendTime,
		// A token must not follow to wherever somebody points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what counts of one. No more of its text is shown than the start of a status
// and a request's id, without the secrets: whoever answers may repeat what was sent.
type answer struct {
	at        time.Time
	took      time.Duration
	http      int
	requestID string    // API Gateway's, or empty
	date      time.Time // the answerer's clock; zero where it doesn't say
	replayed  bool

	SignupID  string           `json:"signup_id"`
	Status    provision.Status `json:"status"`
	TrunkSID  string           `json:"trunk_sid"`
	UpdatedAt time.Time        `json:"updated_at"`
}

// signUp sends the signup: signed where there is a secret that signs.
func (c client) signUp(ctx context.Context, id string) (answer, error) {
	body, err := json.Marshal(map[string]string{"signup_id": id, "company": "Smoke test"})
	if err != nil {
		return answer{}, err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if c.keys.signing == "" {
		header.Set("Authorization", "Bearer "+c.keys.bearer)
		return c.send(ctx, http.MethodPost, "/signups", header, body)
	}
	now := time.Now()
	signature, err := verify.SignStandardWebhook(c.keys.signing, id, now, body)
	if err != nil {
		return answer{}, err
	}
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	header.Set("Webhook-Signature", signature)
	return c.send(ctx, http.MethodPost, "/signups", header, body)
}

// status asks where the signup stands, which takes a bearer token.
func (c client) status(ctx context.Context, id string) (answer, error) {
	return c.send(ctx, http.MethodGet, "/signups/"+url.PathEscape(id), http.Header{"Authorization": {"Bearer " + c.keys.bearer}}, nil)
}

// maxAnswer is in bytes. Those of dry signups have under 1 kB.
const maxAnswer = 1 << 20

func (c client) send(ctx context.Context, method, path string, header http.Header, body []byte) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header = header
	a := answer{at: time.Now()}
	resp, err := c.http.Do(r)
	if err != nil {
		return a, fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return a, fmt.Errorf("the answer broke off: %w", err)
	}
	a.took = time.Since(a.at)
	a.http, a.requestID, a.replayed = resp.StatusCode, resp.Header.Get("Apigw-Requestid"), resp.Header.Get("Idempotent-Replayed") == "true"
	a.date, _ = http.ParseTime(resp.Header.Get("Date"))
	if a.http < http.StatusMultipleChoices && json.Unmarshal(content, &a) != nil {
		return a, errors.New("the answer is no signup: is something else there?")
	}
	a.Status = provision.Status(c.keys.hide(string(a.Status))) // before it is cut, and shown
	return a, nil
}
