package handler_test

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/internal/sender"
)

// FuzzWebhook: whatever a known sender sends, signed as it signs, it is answered
// as it wants, and never told what bans or deletes a webhook.
func FuzzWebhook(f *testing.F) {
	for _, name := range eventNames(f) {
		if strings.HasPrefix(name, "webhook-") {
			event := readEvent(f, "../events/"+name+".json")
			f.Add(strings.TrimPrefix(event.RawPath, "/webhooks/"), event.Headers["content-type"], event.Body)
		}
	}
	w := newWorld(f)
	w.secrets.cached = sender.Secrets()
	w.handler.PublicURL = "https://hooks.example.com"
	f.Fuzz(func(t *testing.T, source, contentType, body string) {
		if _, ok := w.handler.Sources.Source(source); !ok {
			return
		}
		event := events.APIGatewayV2HTTPRequest{RawPath: "/webhooks/" + source, Body: body, Headers: map[string]string{"content-type": contentType}}
		event.RequestContext.HTTP.Method = "POST"
		secret, err := sender.SecretOf(sender.Secrets(), source)
		if err != nil {
			t.Fatal(err)
		}
		if err := sender.Sign(&event, w.handler.Sources, secret, now, "https://hooks.example.com"); err != nil {
			t.Fatal(err)
		}
		answer := w.send(t, event)
		switch answer.StatusCode {
		case 200, 202, 413, 415:
		default:
			t.Fatalf("%s: %d %s", source, answer.StatusCode, answer.Body)
		}
		var envelope struct{ XMLName xml.Name }
		if !json.Valid([]byte(answer.Body)) && xml.Unmarshal([]byte(answer.Body), &envelope) != nil {
			t.Fatalf("%s: %s", source, answer.Body)
		}
	})
}
