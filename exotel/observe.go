package exotel

import (
	"context"
	"time"
)

// Call is one HTTP exchange as it happened, retries each on their own.
type Call struct {
	Op         string // as in Error.Op
	Method     string
	Start      time.Time
	Duration   time.Duration
	HTTPStatus int    // zero where no answer came
	RequestID  string // Exotel's; empty where no envelope came
	Err        error  // an *Error, or nil
}

type observerKey struct{}

// WithObserver returns a context under which every exchange of any Client is
// told to the function, in the goroutine that made it, before the call returns.
func WithObserver(ctx context.Context, observer func(Call)) context.Context {
	return context.WithValue(ctx, observerKey{}, observer)
}

func observe(ctx context.Context, call Call) {
	if observer, ok := ctx.Value(observerKey{}).(func(Call)); ok {
		observer(call)
	}
}
