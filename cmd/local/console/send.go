package console

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/handler/verify"
	"github.com/trunkhook/trunkhook/internal/mapping"
	"github.com/trunkhook/trunkhook/internal/sender"
)

// The two ways of the source api; every other source has a file.
const (
	apiToken  = "api"
	apiSigned = "api-signed"
)

// form is the page that sends.
type form struct {
	Sources     []string
	Source      string
	ContentType string
	Payload     string
	HasMapping  bool
	Sending     sending // what was asked for; its ID is 0 where nothing was
}

// mapped is an event that a source's file finds in a payload.
type mapped struct {
	Verdict string
	Usable  bool
	Asked   []string
	Values  []mappedValue
}

type mappedValue struct{ Field, Expression, Result string }

func (c *Console) sendForm(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	f := form{Sources: append([]string{apiToken, apiSigned}, c.Sources.Names()...), Source: query.Get("source")}
	if id, err := strconv.Atoi(query.Get("id")); err == nil {
		f.Sending, _ = c.sendings.of(id)
		f.Source = f.Sending.Source
	}
	if !slices.Contains(f.Sources, f.Source) {
		f.Source = apiToken
	}
	f.HasMapping = f.Source != apiToken && f.Source != apiSigned
	if f.ContentType, f.Payload = f.Sending.ContentType, f.Sending.Payload; f.Sending.ID == 0 {
		f.ContentType, f.Payload = sampleOf(f.Source)
	}
	c.show(w, r, "send", "Send", f)
}

// sampleOf is what a source sends, before it is signed; nothing for one without a sample.
func sampleOf(source string) (contentType, payload string) {
	if source == apiToken || source == apiSigned {
		return "application/json", newSignup()
	}
	event, err := sender.Sample(source)
	if err != nil {
		return "application/json", ""
	}
	return event.Headers["content-type"], pretty(event.Body)
}

// newSignup is one that nobody has sent yet.
func newSignup() string {
	return fmt.Sprintf(`{"signup_id": "try-%s", "company": "Acme Telecom"}`, strings.ToLower(rand.Text()[:8]))
}

// pretty is JSON to be edited; anything else stays as it is.
func pretty(text string) string {
	var indented strings.Builder
	encoder := json.NewEncoder(&indented)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if json.Valid([]byte(text)) && encoder.Encode(json.RawMessage(text)) == nil {
		return strings.TrimSpace(indented.String())
	}
	return text
}

// send signs what the form has, and sends it as often as the button says, or shows what
// the mapping takes out of it.
func (c *Console) send(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form can't be read, or is larger than 1 MiB", http.StatusBadRequest)
		return
	}
	one := sending{Source: r.PostForm.Get("source"), ContentType: strings.TrimSpace(r.PostForm.Get("content_type")), Payload: r.PostForm.Get("payload")}
	if r.PostForm.Get("action") == "map" {
		c.toSending(w, r, c.sendings.add(c.mapOut(one)))
		return
	}
	signed, err := c.signed(one)
	if err != nil {
		one.Fault = err.Error()
		c.toSending(w, r, c.sendings.add(one))
		return
	}
	times, err := strconv.Atoi(r.PostForm.Get("action"))
	if err != nil || times < 1 || times > most { // only to be looked at
		one.Request, one.Curl = signed, curl(c.URL+signed.Path, signed.Header, signed.Body)
		c.toSending(w, r, c.sendings.add(one))
		return
	}
	c.toSending(w, r, c.start(one, slices.Repeat([]request{signed}, times)))
}

func (c *Console) toSending(w http.ResponseWriter, r *http.Request, s *sending) {
	http.Redirect(w, r, "/console/send?id="+strconv.Itoa(s.ID)+"#sent", http.StatusSeeOther)
}

// try sends signups that nobody has sent yet, and stays where it was asked for.
func (c *Console) try(w http.ResponseWriter, r *http.Request) {
	if c.Fake == nil {
		http.Error(w, "a real account gets no trunks by the dozen", http.StatusForbidden)
		return
	}
	one := sending{Source: apiToken, ContentType: "application/json", Payload: newSignup()}
	requests := []request{c.bearer(one)}
	switch r.PostFormValue("how") {
	case "same":
		requests = slices.Repeat(requests, most)
	case "many":
		for len(requests) < most {
			next := one
			next.Payload = newSignup()
			requests = append(requests, c.bearer(next))
		}
	}
	c.start(one, requests)
	http.Redirect(w, r, "/console/break#sent", http.StatusSeeOther)
}

// bearer is a request with the token of source api.
func (c *Console) bearer(one sending) request {
	return request{Path: "/signups", Body: one.Payload, Header: map[string]string{
		"authorization": "Bearer " + sender.Secrets()["api"][0], "content-type": one.ContentType,
	}}
}

// signed is the request as the source's sender would send it now.
func (c *Console) signed(one sending) (request, error) {
	switch one.Source {
	case apiToken:
		return c.bearer(one), nil
	case apiSigned:
		return c.standardWebhook(one)
	}
	secret, err := sender.SecretOf(sender.Secrets(), one.Source)
	if err != nil {
		return request{}, err
	}
	event := events.APIGatewayV2HTTPRequest{RawPath: "/webhooks/" + one.Source, Body: one.Payload, Headers: map[string]string{"content-type": one.ContentType}}
	if err := sender.Sign(&event, c.Sources, secret, time.Now(), c.URL); err != nil {
		return request{}, err
	}
	return requestOf(event), nil
}

// standardWebhook is signed as docs/examples do it.
func (c *Console) standardWebhook(one sending) (request, error) {
	header, body, err := verify.Sign(verify.Options{Kind: "standard-webhooks"}, sender.Secrets()["api"][1], time.Now(), http.MethodPost, c.URL+"/signups", []byte(one.Payload))
	if err != nil {
		return request{}, err
	}
	signed := request{Path: "/signups", Body: string(body), Header: map[string]string{"content-type": one.ContentType}}
	for name, values := range header {
		signed.Header[strings.ToLower(name)] = values[0]
	}
	return signed, nil
}

// mapOut is the payload as its source's file reads it.
func (c *Console) mapOut(one sending) sending {
	source, ok := c.Sources.Source(one.Source)
	if !ok {
		one.Fault = "source " + one.Source + " has no mapping"
		return one
	}
	list, err := source.Read(one.ContentType, []byte(one.Payload))
	if err != nil {
		one.Fault = err.Error()
		return one
	}
	for _, event := range list {
		one.Mapping = append(one.Mapping, mappedOf(event))
	}
	return one
}

func mappedOf(event sources.Event) mapped {
	m := mapped{Verdict: mapping.Verdict(event), Usable: event.Fault == nil && !event.Ignored, Asked: mapping.Asked(event)}
	for _, value := range event.Values() {
		m.Values = append(m.Values, mappedValue{value.Field, value.Expression, mapping.Result(value)})
	}
	return m
}
