// Package secrets keeps the two secrets in process: fetched during start-up,
// refreshed now and then, fetched again at once when what they open refuses
// them. When their store fails the last good ones are kept.
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
	// freshFor is how long a secret is used without asking again. One that was
	// revoked works for as long, at most.
	freshFor = 5 * time.Minute
	// fetchTime bounds one fetch, with the SDK's retries.
	fetchTime = 3 * time.Second
	// retryFetch is how soon a fetch that failed is tried again where there is
	// an older secret to go on with.
	retryFetch = 10 * time.Second
)

// cache keeps one secret in parsed form. The pointer changes only when the
// secret's text does.
type cache[T any] struct {
	name  string // for the log
	fetch Fetch
	parse func(text string) (*T, error) // its error holds nothing of the text
	log   *slog.Logger

	flight singleflight.Group // one fetch at a time, for all who wait

	mu      sync.Mutex
	text    string
	value   *T
	fetched time.Time // when it was last found to be so
	tried   time.Time // when that was last attempted
}

// ready is the secret if it needs no fetch, else nil.
func (c *cache[T]) ready() *T {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.value == nil || time.Since(c.fetched) > freshFor {
		return nil
	}
	return c.value
}

// get returns the secret, fetched if it isn't fresh. Where that fails the last
// good one is as good as any.
func (c *cache[T]) get(ctx context.Context) (*T, error) {
	if value := c.ready(); value != nil {
		return value, nil
	}
	old, tried := c.last()
	if old != nil && time.Since(tried) < retryFetch {
		return old, nil
	}
	value, err := c.refresh(ctx)
	if err != nil && old != nil {
		c.log.WarnContext(ctx, "a secret can't be refreshed; the last one is used", "secret", c.name, "error", err)
		return old, nil
	}
	return value, err
}

func (c *cache[T]) last() (value *T, tried time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.value, c.tried
}

// newer returns another secret than the given one: what is cached by now, or
// what a fetch finds. It is the given one if that hasn't changed, or if the
// last fetch is not so long ago.
func (c *cache[T]) newer(ctx context.Context, refused *T, notWithin time.Duration) (*T, error) {
	value, tried := c.last()
	if value != refused || time.Since(tried) < notWithin {
		return value, nil
	}
	return c.refresh(ctx)
}

// refresh joins the fetch under way or begins one. That one is nobody's own: it
// goes on if the caller who began it gives up.
func (c *cache[T]) refresh(ctx context.Context) (*T, error) {
	done := c.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
		defer cancel()
		return nil, c.update(ctx)
	})
	select {
	case result := <-done:
		if result.Err != nil {
			return nil, result.Err
		}
		value, _ := c.last()
		return value, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the secret %s did not come in time: %w", c.name, ctx.Err())
	}
}

func (c *cache[T]) update(ctx context.Context) error {
	text, err := c.fetch(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried = time.Now()
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
	c.fetched = c.tried
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
