package handler

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/handler/verify"
)

// way is a source's way in by HTTP.
type way struct {
	source *sources.Source
	kinds  []verify.Kind
	reply  reply
}

// newWays makes those of all sources. The error names each that is wrong.
func newWays(set sources.Set) (map[string]way, error) {
	ways := make(map[string]way)
	var faults []error
	for _, name := range set.Names() {
		source, _ := set.Source(name)
		w := way{source: source, reply: replies[source.Reply]}
		if w.reply == nil {
			faults = append(faults, fmt.Errorf("source %s: there is no reply %q by HTTP", name, source.Reply))
		}
		for _, auth := range source.Auth {
			kind, err := newKind(auth)
			if err != nil {
				faults = append(faults, fmt.Errorf("source %s: auth: %w", name, err))
			}
			w.kinds = append(w.kinds, kind)
		}
		ways[name] = w
	}
	return ways, errors.Join(faults...)
}

func newKind(auth json.RawMessage) (verify.Kind, error) {
	options, err := verify.ParseOptions(auth)
	if err != nil {
		return nil, err
	}
	return verify.New(options)
}

// verify takes any of the source's kinds.
func (w way) verify(r verify.Request) bool {
	ok := false
	for _, kind := range w.kinds {
		ok = kind(r) || ok
	}
	return ok
}
