package sender_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/sender"
)

var update = flag.Bool("update", false, "write the events of the sources anew")

const (
	samples = "../../handler/sources/testdata/samples"
	folder  = "../../events"
)

// The moment at which the events in events/ were sent, and where to.
const (
	sentAt    = 1790000000
	publicURL = "https://hooks.example.com"
)

// contentTypes by the end of a sample's name.
var contentTypes = map[string]string{
	".json": "application/json", ".form": "application/x-www-form-urlencoded", ".xml": "text/xml; charset=utf-8",
}

// more samples than one of a source that are events too.
var more = []string{"hubspot-chosen.json", "zoho-raw.json", "stripe-unpaid.json", "salesforce-outbound-batch.xml", "leadsquared-no-company.json", "generic-cancelled.json"}

// Each source has an event in events/: its sample, signed as its sender would.
func TestEverySourceHasAnEventThatItsSenderCouldHaveSent(t *testing.T) {
	t.Parallel()
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range set.Names() {
		files, err := filepath.Glob(filepath.Join(samples, name+".*"))
		if err != nil {
			t.Fatal(err)
		}
		files = slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, ".golden.json") })
		for _, sample := range more {
			if stem := strings.TrimSuffix(sample, filepath.Ext(sample)); sourceOf(set, stem) == name {
				files = append(files, filepath.Join(samples, sample))
			}
		}
		if len(files) == 0 {
			t.Errorf("source %s has no sample", name)
		}
		for _, file := range files {
			stem := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
			compare(t, filepath.Join(folder, "webhook-"+stem+".json"), webhook(t, set, name, file))
		}
	}
	for _, source := range set.All() {
		if len(source.Auth) > 0 {
			continue
		}
		body, err := os.ReadFile(filepath.Join(samples, source.Name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		compare(t, filepath.Join(folder, "event-"+source.Name+".json"), body)
	}
}

// sourceOf is the longest name of a source that a sample's begins with.
func sourceOf(set sources.Set, stem string) string {
	longest := ""
	for _, name := range set.Names() {
		if strings.HasPrefix(stem, name) && len(name) > len(longest) {
			longest = name
		}
	}
	return longest
}

// webhook is the event of API Gateway with a sample in it.
func webhook(t *testing.T, set sources.Set, source, file string) []byte {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	event := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "ANY /webhooks/{source}", RawPath: "/webhooks/" + source, Body: strings.TrimSuffix(string(body), "\n"),
		Headers: map[string]string{"host": "hooks.example.com", "content-type": contentTypes[filepath.Ext(file)]},
	}
	event.RequestContext.Stage, event.RequestContext.TimeEpoch = "$default", sentAt*1000
	event.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{
		Method: "POST", Path: event.RawPath, Protocol: "HTTP/1.1", SourceIP: "203.0.113.10", UserAgent: source,
	}
	secret, err := sender.SecretOf(sender.Secrets(), source)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Sign(&event, set, secret, time.Unix(sentAt, 0), publicURL); err != nil {
		t.Fatal(err)
	}
	return shortened(t, event)
}

// shortened is the event without what API Gateway leaves empty.
func shortened(t *testing.T, event events.APIGatewayV2HTTPRequest) []byte {
	t.Helper()
	context := map[string]any{"stage": event.RequestContext.Stage, "timeEpoch": event.RequestContext.TimeEpoch, "http": event.RequestContext.HTTP}
	content, err := json.MarshalIndent(map[string]any{
		"version": event.Version, "routeKey": event.RouteKey, "rawPath": event.RawPath, "rawQueryString": "",
		"headers": maps.Clone(event.Headers), "requestContext": context, "body": event.Body, "isBase64Encoded": false,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(content, '\n')
}

func compare(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what its sender sends (%v); make golden writes it anew", path, err)
	}
}

func TestSourceWithoutASecretCannotBeSigned(t *testing.T) {
	t.Parallel()
	if _, err := sender.SecretOf(sender.Secrets(), "nobody"); err == nil {
		t.Error("a secret was found")
	}
	set, err := sources.Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range set.Names() {
		if _, err := sender.SecretOf(sender.Secrets(), name); err != nil {
			t.Error(err)
		}
	}
	if err := sender.Sign(&events.APIGatewayV2HTTPRequest{RawPath: "/signups"}, set, "x", time.Now(), ""); err == nil {
		t.Error("a path of no source was signed")
	}
}
