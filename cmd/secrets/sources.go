package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/trunkhook/trunkhook/handler/verify"
	"github.com/trunkhook/trunkhook/internal/secrets"
)

// sourceAPI is the source that every stack begins with.
const sourceAPI = "api"

// signingPrefix is that of Standard Webhooks' keys.
const signingPrefix = "whsec_"

// newSecret makes 256 random bits for a bearer token, 192 for a key (Standard
// Webhooks asks for 192 to 512).
func newSecret(signing bool) string {
	bytes := make([]byte, 32)
	if signing {
		bytes = bytes[:24]
	}
	_, _ = rand.Read(bytes) // never fails, says its documentation
	if signing {
		return signingPrefix + base64.StdEncoding.EncodeToString(bytes)
	}
	return base64.RawURLEncoding.EncodeToString(bytes)
}

func (o options) storeSources(ctx context.Context, s store, text string, out io.Writer) error {
	sources, err := secrets.ParseSources(text)
	if err != nil {
		return err
	}
	if err := secrets.CheckAll(sources); err != nil { // the functions could only leave it out
		return fmt.Errorf("nothing is stored, because one can't be used: %w", err)
	}
	if err := s.put(ctx, o.sourcesID, text); err != nil {
		return err
	}
	fmt.Fprintf(out, "Stored: the secrets of %d sources.\n", len(sources))
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
		fmt.Fprintf(out, "Source api is open%s. Shown once; they stay in Secrets Manager.\n  bearer token    %s\n  signing secret  %s\n", noticed, made[0], made[1])
	}
	return nil
}

// addSecret makes one more.
func (o options) addSecret(ctx context.Context, s store, out io.Writer) error {
	secret := newSecret(o.signing)
	err := o.putInFront(ctx, s, o.add, secret, out)
	if err == nil {
		fmt.Fprintf(out, "  %s\n", secret)
	}
	return err
}

// setSecret asks for one that the sender shows.
func (o options) setSecret(ctx context.Context, s store, p prompter, out io.Writer) error {
	secret, err := p.askHidden(ctx, fmt.Sprintf("Secret of source %s, as its sender shows it (not shown here): ", o.set))
	if err != nil {
		return err
	}
	if err := secrets.Check(o.set, secret); err != nil {
		return fmt.Errorf("it is not stored, because it can't be used: %w", err)
	}
	return o.putInFront(ctx, s, o.set, secret, out)
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

// dropSecrets leaves the newest of each kind, which is the first.
func (o options) dropSecrets(ctx context.Context, s store, out io.Writer) error {
	var left []string
	err := o.change(ctx, s, func(sources map[string][]string) error {
		if len(sources[o.drop]) == 0 {
			return fmt.Errorf("source %s has no secrets", o.drop)
		}
		seen := map[bool]bool{}
		for _, secret := range sources[o.drop] {
			signs := verify.Signs(secret)
			if !seen[signs] {
				left = append(left, secret)
			}
			seen[signs] = true
		}
		sources[o.drop] = left
		return nil
	})
	if err == nil {
		fmt.Fprintf(out, "Source %s has %d secret(s) left; what was dropped works for another 5 minutes at most.\n", o.drop, len(left))
	}
	return err
}
