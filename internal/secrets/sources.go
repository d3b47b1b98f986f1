package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/handler/verify"
)

// sourcesFreshFor is how long a secret that was taken out goes on working, while
// Secrets Manager answers.
const sourcesFreshFor = 5 * time.Minute

// Sources are the secrets of the sources: a handler.Secrets.
type Sources struct{ cache cache[map[string][]string] }

var _ handler.Secrets = (*Sources)(nil)

// NewSources returns the sources' secrets. Nothing is fetched yet.
func NewSources(fetch Fetch, log *slog.Logger) *Sources {
	parse := func(text string) (*map[string][]string, error) { return usable(text, log) }
	return &Sources{cache[map[string][]string]{
		name: "of the sources", fetch: fetch, parse: parse, log: log, freshFor: sourcesFreshFor,
		renewals: &limit{atOnce: renewalsAtOnce, every: renewEvery},
	}}
}

// Load fetches the secrets, during start-up.
func (s *Sources) Load(ctx context.Context) error {
	_, err := s.cache.get(ctx)
	return err
}

// Of implements handler.Secrets.
func (s *Sources) Of(ctx context.Context, source string) ([]string, error) {
	all, err := s.cache.get(ctx)
	if err != nil {
		return nil, err
	}
	return (*all)[source], nil
}

// These keep strangers from making us fetch at their rate. One who was just given
// a new secret finds a fetch left, unless a stranger has had it.
const (
	renewalsAtOnce = 3
	renewEvery     = 10 * time.Second
)

// renewWait is what a renewal may cost a request, which most likely is a
// stranger's.
const renewWait = time.Second

// Renew implements handler.Secrets. It fetches three times at once, and then every
// 10 s.
func (s *Sources) Renew(ctx context.Context, source string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, renewWait)
	defer cancel()
	old, _, _ := s.cache.last()
	all, err := s.cache.newer(ctx, old)
	if err != nil || all == nil {
		return nil, err
	}
	return (*all)[source], nil
}

// ParseSources reads {"source": ["secret", ...], ...}. The error holds nothing of
// the secrets.
func ParseSources(text string) (map[string][]string, error) {
	sources, malformed, err := parseSources(text)
	if err == nil && len(malformed) > 0 {
		err = fmt.Errorf("%w: %s", errNoList, shown(malformed[0]))
	}
	return sources, err
}

var errNoList = errors.New(`the secrets of a source are not ["secret", ...]`)

// parseSources also returns the names of the sources that it can't read.
func parseSources(text string) (sources map[string][]string, malformed []string, err error) {
	var raw map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &raw) != nil || raw == nil {
		return nil, nil, errors.New(`it is not {"source": ["secret", ...], ...}`)
	}
	sources = make(map[string][]string, len(raw))
	for source, list := range raw {
		var secrets []string
		if json.Unmarshal(list, &secrets) != nil {
			malformed = append(malformed, source)
			continue
		}
		sources[source] = secrets
	}
	slices.Sort(malformed)
	return sources, malformed, nil
}

var sourceName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// shown is a source's name for the log. What doesn't look like one may be a secret
// that was put in the wrong place.
func shown(source string) string {
	if !sourceName.MatchString(source) {
		return "(not a source's name)"
	}
	return source
}

// usable leaves out what can never match, and says so by its place: a slip in one
// source closes no other.
func usable(text string, log *slog.Logger) (*map[string][]string, error) {
	sources, malformed, err := parseSources(text)
	if err != nil {
		return nil, err
	}
	for _, source := range malformed {
		log.Warn("a source is closed", "source", shown(source), "error", errNoList)
	}
	for source, secrets := range sources {
		good := secrets[:0]
		for i, secret := range secrets {
			secret = strings.TrimSpace(secret) // pasted secrets bring line breaks
			if err := Check(source, secret); err != nil {
				log.Warn("a secret of a source can't be used", "source", shown(source), "index", i, "error", err)
				continue
			}
			good = append(good, secret)
		}
		sources[source] = good
	}
	return &sources, nil
}

// sourceAPI is the one source whose kind of authentication is known here.
const sourceAPI = "api"

// CheckAll is Check for all secrets of all sources; the error says which it is.
func CheckAll(sources map[string][]string) error {
	for _, source := range slices.Sorted(maps.Keys(sources)) {
		for i, secret := range sources[source] {
			if err := Check(source, strings.TrimSpace(secret)); err != nil {
				return fmt.Errorf("secret %d of source %s: %w", i+1, shown(source), err)
			}
		}
	}
	return nil
}

// Check refuses a secret of a source that can never match. Stripe's begin as those
// of the API profile do, and look otherwise.
func Check(source, secret string) error {
	switch {
	case source == sourceAPI:
		return verify.CheckSecret(secret)
	case secret == "":
		return errors.New("it is empty")
	}
	return nil
}
