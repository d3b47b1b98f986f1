package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/trunkhook/trunkhook/internal/secrets"
)

// sourceAPI is the source that every stack begins with.
const sourceAPI = "api"

// What Standard Webhooks' keys begin with, those to sign and those to verify.
const (
	signingPrefix = "whsec_"
	publicPrefix  = "whpk_"
)

// signingBytes are the least that Standard Webhooks asks for; 64 are the most.
const signingBytes = 24

// newSecret makes 256 random bits for a token or a password, 192 for a key.
func newSecret(signing bool) string {
	bytes := make([]byte, 32)
	if signing {
		bytes = bytes[:signingBytes]
	}
	_, _ = rand.Read(bytes) // never fails, says its documentation
	if signing {
		return signingPrefix + base64.StdEncoding.EncodeToString(bytes)
	}
	return base64.RawURLEncoding.EncodeToString(bytes)
}

func (o options) storeSources(ctx context.Context, s store, text string, out io.Writer) error {
	list, err := secrets.ParseSources(text)
	if err != nil {
		return err
	}
	if err := checkAll(list); err != nil { // the functions could only leave it out
		return fmt.Errorf("nothing is stored, because one can't be used: %w", err)
	}
	if err := s.put(ctx, o.sourcesID, text); err != nil {
		return err
	}
	fmt.Fprintf(out, "Stored: the secrets of %d sources.\n", len(list))
	return nil
}

// checkAll refuses what can never match a request of its source. A source that this
// build doesn't know may be one of another.
func checkAll(list map[string][]string) error {
	if err := secrets.CheckAll(list); err != nil {
		return err
	}
	for _, source := range slices.Sorted(maps.Keys(list)) {
		ways, err := waysOf(source)
		if err != nil {
			continue
		}
		for i, secret := range list[source] {
			if secret = strings.TrimSpace(secret); len(usableBy(ways, secret)) == 0 {
				return fmt.Errorf("secret %d of source %s: %w", i+1, source, ways[0].usable(secret))
			}
		}
	}
	return nil
}

// change reads the sources' secrets, has the function change them, and stores
// them. It is not atomic: two people at once would have to be told apart.
func (o options) change(ctx context.Context, s store, change func(map[string][]string) error) error {
	text, err := s.get(ctx, o.sourcesID)
	if err != nil {
		return err
	}
	sources, err := secrets.ParseSources(text)
	if err != nil {
		return fmt.Errorf("what is stored for the sources: %w", err)
	}
	if err := change(sources); err != nil {
		return err
	}
	changed, err := json.Marshal(sources)
	if err != nil {
		return err
	}
	return s.put(ctx, o.sourcesID, string(changed))
}

// noticed is how long a source goes on being closed: functions that run know its
// secrets for 5 minutes, and ask before only for what is open.
const noticed = " (functions that run already notice within 5 minutes)"

// firstSecrets opens source api, if it has no secret yet.
func (o options) firstSecrets(ctx context.Context, s store, out io.Writer) error {
	var made []string
	err := o.change(ctx, s, func(sources map[string][]string) error {
		if len(sources[sourceAPI]) == 0 {
			made = []string{newSecret(false), newSecret(true)}
			sources[sourceAPI] = made
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case made == nil:
		fmt.Fprintln(out, "Source api has its secrets already; -add api makes another one.")
	default:
		fmt.Fprintf(out, "Source api is open%s. Shown once; they stay in Secrets Manager.\n  bearer token    %s\n  signing secret  %s\nHow a sender uses either: %s\n", noticed, made[0], made[1], o.page(sourceAPI))
	}
	return nil
}

// addSecret makes one more, and shows it.
func (o options) addSecret(ctx context.Context, s store, out io.Writer) error {
	ways, err := waysOf(o.add)
	if err != nil {
		return fmt.Errorf("-add: %w", err)
	}
	w, err := o.toMake(ways)
	if err != nil {
		return fmt.Errorf("source %s: %w", o.add, err)
	}
	secret := w.made(o.user)
	if err := o.putInFront(ctx, s, o.add, secret, out); err != nil {
		return err
	}
	if user, password, both := strings.Cut(secret, ":"); both {
		fmt.Fprintf(out, "  user      %s\n  password  %s\n", user, password)
	} else {
		fmt.Fprintf(out, "  %s\n", secret)
	}
	fmt.Fprintln(out, o.hint(o.add, w))
	return nil
}

// setSecret asks for one that the sender shows, or that somebody thought of.
func (o options) setSecret(ctx context.Context, s store, p prompter, out io.Writer) error {
	ways, err := waysOf(o.set)
	if err != nil {
		return fmt.Errorf("-set: %w", err)
	}
	var wants []string
	for _, w := range ways {
		wants = append(wants, w.wants)
	}
	secret, err := p.askHidden(ctx, fmt.Sprintf("Source %s takes %s.\nWhich one is it (not shown here)? ", o.set, strings.Join(wants, ", or ")))
	if err != nil {
		return err
	}
	fit, err := taken(o.set, ways, secret)
	if err != nil {
		return err
	}
	if err := o.putInFront(ctx, s, o.set, secret, out); err != nil {
		return err
	}
	w, sure := which(fit, secret)
	if !sure {
		w = fit[0]
	}
	fmt.Fprintln(out, o.hint(o.set, w))
	return nil
}

// putInFront gives a source one more secret. Those that are there go on working.
func (o options) putInFront(ctx context.Context, s store, source, secret string, out io.Writer) error {
	opened := false
	err := o.change(ctx, s, func(sources map[string][]string) error {
		opened = len(sources[source]) == 0
		others := slices.DeleteFunc(sources[source], func(other string) bool { return other == secret })
		sources[source] = append([]string{secret}, others...)
		return nil
	})
	switch {
	case err != nil:
		return err
	case opened:
		fmt.Fprintf(out, "Source %s is open%s.\n", source, noticed)
	default:
		fmt.Fprintf(out, "Source %s takes this one too, at once; the others go on working until -drop %s.\n", source, source)
	}
	return nil
}
