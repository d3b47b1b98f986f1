// Package secrets keeps the two secrets in process: fetched during start-up, and
// again when what they open refuses them. When their store fails the last good
// ones are kept, for as long as it takes.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"golang.org/x/sync/singleflight"
)

// Fetch returns a secret's text.
type Fetch func(ctx context.Context) (string, error)

const (
	// fetchTime bounds one fetch, with the SDK's retries.
	fetchTime = 3 * time.Second
	// staleWait is what a refresh may cost a request that could do without.
	staleWait = 300 * time.Millisecond
	// retryStale and retryFirst are how soon a fetch that failed is tried again,
	// where there is an older secret to go on with, and where there is none.
	retryStale = 10 * time.Second
	retryFirst = time.Second
)

// cache keeps one secret in parsed form. The pointer changes only when the
// secret's text does.
type cache[T any] struct {
	name     string // for the log
	fetch    Fetch
	parse    func(text string) (*T, error) // its error holds nothing of the text
	log      *slog.Logger
	freshFor time.Duration // how long it is used without asking again; zero for good

	flight singleflight.Group // one fetch at a time, for all who wait

	mu       sync.Mutex
	renewals *limit // of fetches that a refusal causes; nil for none
	text     string
	value    *T
	fetched  time.Time // when it was last found to be so
	tried    time.Time // when that was last attempted
	fetching bool      // an attempt is under way, or about to be
	err      error     // of the last one that ended
}

// ready is the secret if it needs no fetch, else nil.
func (c *cache[T]) ready() *T {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.value == nil || c.freshFor > 0 && time.Since(c.fetched) > c.freshFor {
		return nil
	}
	return c.value
}

// get returns the secret, fetched if it isn't fresh. Where that fails, or takes
// long, the last good one will do.
func (c *cache[T]) get(ctx context.Context) (*T, error) {
	if value := c.ready(); value != nil {
		return value, nil
	}
	old, tried, err := c.last()
	switch {
	case old == nil && err != nil && time.Since(tried) < retryFirst:
		return nil, err
	case old == nil:
		return c.refresh(ctx, nil)
	case time.Since(tried) < retryStale:
		return old, nil
	}
	ctx, cancel := context.WithTimeout(ctx, staleWait)
	defer cancel()
	value, err := c.refresh(ctx, old)
	if err != nil {
		c.log.WarnContext(ctx, "a secret can't be refreshed; the last one is used", "secret", c.name, "error", err)
		return old, nil
	}
	return value, nil
}

func (c *cache[T]) last() (value *T, tried time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.value, c.tried, c.err
}

// newer returns another secret than the given one: what is cached by now, or
// what a fetch finds. It is the given one if that hasn't changed, or if there were
// too many such fetches lately. Other fetches don't count: what one of them found
// may have been replaced the moment after.
func (c *cache[T]) newer(ctx context.Context, refused *T) (*T, error) {
	value, renew := c.mayRenew(refused)
	if !renew {
		return value, nil
	}
	return c.refresh(ctx, value)
}

// mayRenew tells whether to fetch again, or to join a fetch that is under way or
// about to be.
func (c *cache[T]) mayRenew(refused *T) (value *T, may bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.value != refused || !c.fetching && !c.renewals.pass(time.Now()) {
		return c.value, false
	}
	c.fetching = true
	return c.value, true
}

// refresh joins the fetch under way or begins one. That one is nobody's own: it
// goes on if the caller who began it gives up. There is none where another has
// just found something else than what the caller saw.
func (c *cache[T]) refresh(ctx context.Context, seen *T) (*T, error) {
	done := c.flight.DoChan("", func() (any, error) {
		if value, _, _ := c.last(); value != seen {
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
		defer cancel()
		return nil, c.update(ctx)
	})
	select {
	case result := <-done:
		if result.Err != nil {
			return nil, result.Err
		}
		value, _, _ := c.last()
		return value, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the secret %s did not come in time: %w", c.name, ctx.Err())
	}
}

func (c *cache[T]) update(ctx context.Context) error {
	c.begin()
	text, err := c.fetch(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fetching, c.err = false, c.take(text, err)
	return c.err
}

// begin notes the attempt before it is made, so that nobody else begins one
// while it hangs.
func (c *cache[T]) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried, c.fetching = time.Now(), true
}

func (c *cache[T]) take(text string, err error) error {
	if err != nil {
		return fmt.Errorf("the secret %s can't be fetched: %w", c.name, err)
	}
	if c.value == nil || text != c.text {
		value, err := c.parse(text)
		if err != nil {
			return fmt.Errorf("the secret %s can't be used: %w", c.name, err)
		}
		c.text, c.value = text, value
	}
	c.fetched = time.Now()
	return nil
}

// Manager is what is needed of a *secretsmanager.Client.
type Manager interface {
	GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// From fetches a secret from AWS Secrets Manager, by its id or ARN.
func From(manager Manager, id string) Fetch {
	return func(ctx context.Context) (string, error) {
		out, err := manager.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
		switch {
		case err != nil:
			return "", err
		case out.SecretString == nil:
			return "", errors.New("it holds no text")
		}
		return *out.SecretString, nil
	}
}
