package main

import (
	"os"
	"regexp"
	"strings"

	"github.com/trunkhook/trunkhook/handler/verify"
)

// goes is where a sender is told a secret that it didn't make.
func goes(kind verify.Options) string {
	switch kind.Kind {
	case "token":
		return "the header X-Webhook-Token, or Authorization: Bearer"
	case "bearer":
		return "the header Authorization: Bearer"
	case "header":
		return "the header " + kind.Header
	case "form":
		return "the form's field " + kind.Field
	case "basic":
		return "as the Basic user and password"
	case "standard-webhooks":
		return "as the key that it signs with"
	case "github":
		return "as the webhook's Secret"
	}
	return ""
}

// hint is a line for whoever has a secret in the hand.
func (o options) hint(source string, w way) string {
	if w.made == nil {
		return "Its sender has it already; how to set the rest up: " + o.page(source)
	}
	var places []string
	for _, kind := range w.kinds {
		places = append(places, goes(kind))
	}
	return "Where its sender gets it: " + strings.Join(places, ", or ") + "; see " + o.page(source)
}

// page is the section on a source, as a link within the repository.
func (o options) page(source string) string {
	if source == sourceAPI {
		return "README.md#http"
	}
	const link = "docs/sources.md#"
	text, err := os.ReadFile(o.docs)
	if err == nil {
		for title := range strings.Lines(string(text)) {
			if strings.HasPrefix(title, "#") && strings.Contains(title, "(`"+source+"`)") {
				return link + anchor(title)
			}
		}
	}
	return link + "secrets"
}

var notInAnchors = regexp.MustCompile(`[^a-z0-9 -]`)

// anchor is what GitHub makes of a title.
func anchor(title string) string {
	title = strings.TrimSpace(strings.TrimLeft(title, "#"))
	return strings.ReplaceAll(notInAnchors.ReplaceAllString(strings.ToLower(title), ""), " ", "-")
}
