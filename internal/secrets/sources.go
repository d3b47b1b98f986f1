package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/trunkhook/trunkhook/handler"
)

// Sources are the secrets of the sources: a handler.Secrets.
type Sources struct{ cache cache[map[string][]string] }

var _ handler.Secrets = (*Sources)(nil)

// NewSources returns the sources' secrets. Nothing is fetched yet.
func NewSources(fetch Fetch, log *slog.Logger) *Sources {
	return &Sources{cache[map[string][]string]{name: "of the sources", fetch: fetch, log: log, parse: parseSources}}
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

// renewAfter keeps strangers from making us fetch at their rate.
const renewAfter = 10 * time.Second

// Renew implements handler.Secrets. It fetches at most every 10 s.
func (s *Sources) Renew(ctx context.Context, source string, refusing []string) (secrets []string, changed bool) {
	all, _ := s.cache.last()
	if all != nil && !slices.Equal((*all)[source], refusing) {
		return (*all)[source], true // somebody else renewed them meanwhile
	}
	all, err := s.cache.newer(ctx, all, renewAfter)
	if err != nil || all == nil {
		return nil, false
	}
	return (*all)[source], !slices.Equal((*all)[source], refusing)
}

// parseSources reads {"source": ["secret", ...], ...}.
func parseSources(text string) (*map[string][]string, error) {
	var sources map[string][]string
	if json.Unmarshal([]byte(text), &sources) != nil || sources == nil {
		return nil, errors.New(`it is not {"source": ["secret", ...], ...}`)
	}
	return &sources, nil
}
