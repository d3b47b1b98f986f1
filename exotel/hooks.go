package exotel

import (
	"context"
	"net/http"
	"time"
)

// Hooks run around every HTTP exchange made under a context, retries included,
// in the goroutine that makes it.
type Hooks struct {
	// Before is asked just before an exchange. Its error keeps the exchange
	// from happening: the call then fails with ErrNotSent, which wraps that
	// error, and is not tried again. Use it to keep to a shared rate.
	Before func(ctx context.Context, op string) error
	// After is told what happened.
	After func(Call)
}

// Call is one HTTP exchange as it happened.
type Call struct {
	Op         string // as in Error.Op
	Method     string
	Path       string // below the account's, without the query: /trunks
	Start      time.Time
	Duration   time.Duration
	HTTPStatus int    // zero where no answer came
	RequestID  string // Exotel's; empty where no envelope came
	Err        error  // an *Error, or nil
}

// Changes tells whether the call may have changed the account.
func (c Call) Changes() bool { return c.Method != http.MethodGet }

type hooksKey struct{}

// WithHooks returns a context that carries the hooks; nil fields do nothing.
func WithHooks(ctx context.Context, hooks Hooks) context.Context {
	return context.WithValue(ctx, hooksKey{}, hooks)
}

// HooksOf returns the hooks that a context carries, none of them nil. Whoever
// stands in for a Client runs them as it does.
func HooksOf(ctx context.Context) Hooks {
	hooks, _ := ctx.Value(hooksKey{}).(Hooks)
	if hooks.Before == nil {
		hooks.Before = func(context.Context, string) error { return nil }
	}
	if hooks.After == nil {
		hooks.After = func(Call) {}
	}
	return hooks
}
