package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/handler/verify"
)

// way is how a source's sender proves itself, as far as its secret tells: kinds
// that can have the same secret are one way.
type way struct {
	form
	kinds []verify.Options
}

// shownOnly are sources whose kind would let us make the secret, and whose system
// shows one of its own and takes none.
var shownOnly = map[string]bool{"clerk": true}

// waysOf are those of a source, in the order of its file. The error does not
// repeat a name that is none: it may be a secret in the wrong place.
func waysOf(source string) ([]way, error) {
	if source == sourceAPI {
		return newWays([]verify.Options{{Kind: "bearer"}, {Kind: "standard-webhooks"}}), nil
	}
	set, err := sources.Load("")
	if err != nil {
		return nil, err
	}
	known, ok := set.Source(source)
	switch {
	case slices.ContainsFunc(set.All(), func(s *sources.Source) bool { return s.Name == source && len(s.Auth) == 0 }):
		return nil, fmt.Errorf("source %s comes without HTTP: AWS's permissions open it, and no secret", source)
	case !ok:
		return nil, fmt.Errorf("there is no such source; there are %s, %s", sourceAPI, strings.Join(set.Names(), ", "))
	}
	var kinds []verify.Options
	for _, auth := range known.Auth {
		kind, err := verify.ParseOptions(auth)
		if err != nil {
			return nil, fmt.Errorf("source %s: auth: %w", source, err)
		}
		kinds = append(kinds, kind)
	}
	ways := newWays(kinds)
	if shownOnly[source] {
		for i := range ways {
			ways[i].made = nil
		}
	}
	return ways, nil
}

func newWays(kinds []verify.Options) (ways []way) {
	for _, kind := range kinds {
		for _, f := range forms[kind.Kind] {
			i := slices.IndexFunc(ways, func(w way) bool { return w.name == f.name })
			if i < 0 {
				i = len(ways)
				ways = append(ways, way{form: f})
			}
			ways[i].kinds = append(ways[i].kinds, kind)
		}
	}
	return ways
}

// usable tells why no request can ever match a secret, if that is so.
func (w way) usable(secret string) error {
	var err error
	for _, kind := range w.kinds {
		if err = kind.CheckSecret(secret); err == nil {
			return nil
		}
	}
	return err
}

// refuse tells why a secret that was typed isn't one of this way.
func (w way) refuse(secret string) error {
	if err := w.check(secret); err != nil {
		return err
	}
	return w.usable(secret)
}

// taken are the ways that a secret which was typed may be for. The error says what
// the source takes, and why this isn't it.
func taken(source string, ways []way, secret string) ([]way, error) {
	var fit []way
	var wants []string
	for _, w := range ways {
		if err := w.refuse(secret); err != nil {
			wants = append(wants, fmt.Sprintf("%s (%s)", w.wants, err))
			continue
		}
		fit = append(fit, w)
	}
	if len(fit) == 0 {
		return nil, fmt.Errorf("nothing is stored: source %s takes %s", source, strings.Join(wants, ", or "))
	}
	return fit, nil
}

// which is the way that a secret is for, of those that could have it; false if
// its looks don't tell.
func which(ways []way, secret string) (way, bool) {
	if len(ways) == 1 {
		return ways[0], true
	}
	var found []way
	for _, w := range ways {
		if w.looks != nil && w.looks(secret) {
			found = append(found, w)
		}
	}
	if len(found) != 1 {
		return way{}, false
	}
	return found[0], true
}

// usableBy are the ways by which a secret could match a request.
func usableBy(ways []way, secret string) (able []way) {
	for _, w := range ways {
		if w.usable(secret) == nil {
			able = append(able, w)
		}
	}
	return able
}

// toMake is the way that -add makes a secret for: a token rather than one that
// signs, which more senders can do.
func (o options) toMake(ways []way) (way, error) {
	find := func(name string) (way, bool) {
		i := slices.IndexFunc(ways, func(w way) bool { return w.made != nil && w.name == name })
		if i < 0 {
			return way{}, false
		}
		return ways[i], true
	}
	switch {
	case o.user != "":
		if w, ok := find(formPassword.name); ok {
			return w, nil
		}
		return way{}, errors.New("it takes no user and password")
	case o.signing:
		if w, ok := find(formSigning.name); ok {
			return w, nil
		}
		return way{}, errors.New("it takes no signing secret that is made here")
	}
	for _, name := range []string{formToken.name, formSigning.name} {
		if w, ok := find(name); ok {
			return w, nil
		}
	}
	if _, ok := find(formPassword.name); ok {
		return way{}, fmt.Errorf("it takes a user and a password; -add %s -user NAME makes the password", o.add)
	}
	if i := slices.IndexFunc(ways, func(w way) bool { return w.made != nil }); i >= 0 {
		return ways[i], nil
	}
	return way{}, fmt.Errorf("its sender makes the secret; -set %s asks for it", o.add)
}
