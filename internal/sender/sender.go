// Package sender sends samples as the real systems do: signed by their own
// scheme, with secrets that everybody knows. The local system, sam local and
// the tests know those too.
package sender

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	samples "github.com/trunkhook/trunkhook/events"
	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/handler/verify"
)

// Secrets are the example secrets of all sources, as the sources secret holds
// them. The first of each signs. A source that somebody added has one made for it.
func Secrets() map[string][]string { return maps.Clone(examples()) }

// examples are made once: all sources are read and compiled for them.
var examples = sync.OnceValue(func() map[string][]string {
	secrets := map[string][]string{
		"api":                   {"local", "whsec_c2lnbnVwdHJ1bmstdGVzdC1zZWNyZXQtMDE="},
		"auth0":                 {"auth0-example-token"},
		"clerk":                 {"whsec_Y2xlcmstZXhhbXBsZS1zZWNyZXQtMDAwMQ=="},
		"close":                 {"058bfb6a3d8cfdc4da7c3be5901b16ae11da982b46a25fb2cd7016e97a140a1c"},
		"freshsales":            {"freshsales:example-password"},
		"generic":               {"whsec_Z2VuZXJpYy1leGFtcGxlLXNlY3JldC0wMQ=="},
		"hubspot":               {"hubspot-example-client-secret"},
		"hubspot-subscriptions": {"hubspot-example-client-secret"},
		"leadsquared":           {"leadsquared-example-token"},
		"pipedrive":             {"pipedrive:example-password"},
		"salesforce-flow":       {"salesforce-flow-example-token"},
		"salesforce-outbound":   {"salesforce:example-password"},
		"shopify":               {"shpss_example"},
		"stripe":                {"whsec_stripe_example"},
		"zoho":                  {"zoho-example-token"},
	}
	set, err := sources.Load("")
	if err != nil {
		return secrets // the files are wrong, which whoever serves them says
	}
	for _, name := range set.Names() {
		source, _ := set.Source(name)
		if options, err := verify.ParseOptions(source.Auth[0]); err == nil && secrets[name] == nil {
			secrets[name] = []string{exampleOf(name, options.Kind)}
		}
	}
	return secrets
})

// exampleOf is a secret of the form that a kind takes.
func exampleOf(source, kind string) string {
	example := source + "-example-secret"
	switch kind {
	case "standard-webhooks":
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte(example))
	case "close":
		return hex.EncodeToString([]byte(example))
	case "basic":
		return source + ":" + example
	}
	return example
}

// Sample is what a source's sender would send, before it is signed. The error says
// that there is none.
func Sample(source string) (event events.APIGatewayV2HTTPRequest, err error) {
	content, err := samples.Files.ReadFile("webhook-" + source + ".json")
	if err != nil {
		return event, fmt.Errorf("source %s has no sample", source)
	}
	if err := json.Unmarshal(content, &event); err != nil {
		return event, err
	}
	event.Headers = map[string]string{"content-type": event.Headers["content-type"]}
	return event, nil
}

// Sign puts into a webhook's event what its sender would: the headers, and the body
// where the token is in it. The event's path says which source it is for.
func Sign(event *events.APIGatewayV2HTTPRequest, set sources.Set, secret string, now time.Time, publicURL string) error {
	name, ok := strings.CutPrefix(event.RawPath, "/webhooks/")
	source, known := set.Source(name)
	if !ok || !known {
		return fmt.Errorf("%s is no source's path", event.RawPath)
	}
	options, err := kindFor(source, event.Headers["content-type"])
	if err != nil {
		return err
	}
	header, body, err := verify.Sign(options, secret, now, http.MethodPost, publicURL+event.RawPath, []byte(event.Body))
	if err != nil {
		return fmt.Errorf("source %s: %w", name, err)
	}
	event.Body = string(body)
	for key, values := range header {
		event.Headers[headerName(name, key)] = values[0]
	}
	return nil
}

// kindFor is the way that a source's file names first, or, for a form, the one
// that puts the token into it.
func kindFor(source *sources.Source, contentType string) (verify.Options, error) {
	if len(source.Auth) == 0 {
		return verify.Options{}, fmt.Errorf("source %s does not come by HTTP", source.Name)
	}
	for _, auth := range source.Auth {
		options, err := verify.ParseOptions(auth)
		if err != nil || options.Kind == "form" && contentType == formType {
			return options, err
		}
	}
	return verify.ParseOptions(source.Auth[0])
}

const formType = "application/x-www-form-urlencoded"

// headerName is as API Gateway passes it on; Clerk sends by Svix, whose headers
// have names of their own.
func headerName(source, name string) string {
	name = strings.ToLower(name)
	if rest, ok := strings.CutPrefix(name, "webhook-"); ok && source == "clerk" {
		return "svix-" + rest
	}
	return name
}

// SecretOf is the secret that signs for a source, out of what the sources secret
// holds.
func SecretOf(secrets map[string][]string, source string) (string, error) {
	list := secrets[source]
	if len(list) == 0 {
		return "", fmt.Errorf("there is no secret of source %s", source)
	}
	return list[0], nil
}
