package provision

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Budget keeps the calls of all instances together under Exotel's limit (200 a
// minute for an account, 20 a second in bursts; vendor's documents, 2026-01). It is
// a leaky bucket, kept as the one moment at which it will be empty: each call
// moves that moment on, and none may be made while it is too far ahead. In any
// 60 s there are so never more than callsPerMinute calls, wherever they begin:
// there are no windows whose edges a burst could straddle. A process whose clock
// is ahead by some seconds makes three calls too many for each of them, once,
// which is what stays between 180 and 200.
type Budget struct {
	meter          Meter
	callsPerMinute int
	now            func() time.Time

	waiting chan struct{} // holds who waits: one at a time, so that the meter is asked once for all

	mu    sync.Mutex
	known time.Time // when the bucket will be empty, at the earliest
}

// NewBudget returns a budget of so many calls a minute, 1 or more, by the wall
// clock, which is time.Now where nil.
func NewBudget(meter Meter, callsPerMinute int, now func() time.Time) *Budget {
	if now == nil {
		now = time.Now
	}
	return &Budget{meter: meter, callsPerMinute: callsPerMinute, now: now, waiting: make(chan struct{}, 1)}
}

// Meter keeps the level of the bucket. What a write does is defined by the Apply
// method of its argument, as with Ledger; a write that an AWS client sends twice
// may count twice.
type Meter interface {
	// Spend returns when the bucket will be empty, and whether the call may be made.
	Spend(ctx context.Context, w Spend) (emptyAt time.Time, holds bool, err error)
	// Shut returns when the bucket will be empty.
	Shut(ctx context.Context, w Shut) (emptyAt time.Time, err error)
}

// Spend takes one call. Times are in UTC to the microsecond.
type Spend struct {
	Now   time.Time
	Each  time.Duration // what one call fills
	Ahead time.Duration // how far ahead the bucket's end may be before the call
	Known time.Time     // the bucket's end when it was last seen; zero where it wasn't
}

// Apply is the spending, on a bucket that will be empty then (zero: it is).
func (w Spend) Apply(emptyAt time.Time) (time.Time, bool) {
	switch {
	case emptyAt.Before(w.Now):
		return w.Now.Add(w.Each), true
	case emptyAt.Sub(w.Now) > w.Ahead:
		return emptyAt, false
	}
	return emptyAt.Add(w.Each), true
}

// Shut fills the bucket up to a moment.
type Shut struct {
	Now     time.Time
	EmptyAt time.Time
}

// Apply is the shutting.
func (w Shut) Apply(emptyAt time.Time) time.Time {
	if emptyAt.After(w.EmptyAt) {
		return emptyAt
	}
	return w.EmptyAt
}

// SpentError says that no call may be made before a moment.
type SpentError struct{ Until time.Time }

// Error implements error.
func (e *SpentError) Error() string {
	return "the call budget is spent until " + e.Until.Format("15:04:05.000")
}

// errBudgetUnknown: the meter can't be read, so nothing may be sent.
var errBudgetUnknown = errors.New("the call budget can't be asked")

// maxBurst is how many calls may come at once after a pause. With a second's calls
// at 180 a minute, and clocks that are 2 s apart, that makes 18.
const maxBurst = 9

// burst is a fifteenth of a minute's calls, up to maxBurst: the smaller, the
// nearer the steady rate comes to the whole budget (96 % of 180 with 9).
func (b *Budget) burst() int { return min(maxBurst, max(1, b.callsPerMinute/15)) }

// each spreads over a minute what is left of its calls after one burst.
func (b *Budget) each() time.Duration {
	return (time.Minute / time.Duration(b.callsPerMinute-b.burst()+1)).Truncate(time.Microsecond) + time.Microsecond
}

func (b *Budget) ahead() time.Duration { return b.each() * time.Duration(b.burst()-1) }

// clock is to the microsecond, as the meter keeps it.
func (b *Budget) clock() time.Time { return b.now().UTC().Truncate(time.Microsecond) }

// Take takes one call. The error is a *SpentError, or says that the meter can't
// be asked; no call may be made then. While the budget is known to be spent the
// meter isn't asked.
func (b *Budget) Take(ctx context.Context) error {
	w := Spend{Now: b.clock(), Each: b.each(), Ahead: b.ahead(), Known: b.lastKnown()}
	if w.Known.Sub(w.Now) > w.Ahead {
		return b.spent(w.Known)
	}
	emptyAt, holds, err := b.meter.Spend(ctx, w)
	if err != nil {
		return fmt.Errorf("%w: %w", errBudgetUnknown, err)
	}
	b.learn(emptyAt)
	if !holds {
		return b.spent(emptyAt)
	}
	return nil
}

// Wait takes one call as soon as there is one. The error wraps that of the context
// and a *SpentError, or says that the meter can't be asked.
func (b *Budget) Wait(ctx context.Context) error {
	select {
	case b.waiting <- struct{}{}:
		defer func() { <-b.waiting }()
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", b.spent(b.lastKnown()), ctx.Err())
	}
	for {
		if ctx.Err() != nil { // as it may have, although it was this one's turn
			return fmt.Errorf("%w: %w", b.spent(b.lastKnown()), ctx.Err())
		}
		err := b.Take(ctx)
		var spent *SpentError
		if !errors.As(err, &spent) {
			return err
		}
		if err := sleep(ctx, spent.Until.Sub(b.clock())); err != nil {
			return fmt.Errorf("%w: %w", spent, err)
		}
	}
}

// Close lets nobody call before that moment.
func (b *Budget) Close(ctx context.Context, until time.Time) error {
	emptyAt, err := b.meter.Shut(ctx, Shut{Now: b.clock(), EmptyAt: until.UTC().Truncate(time.Microsecond).Add(b.ahead())})
	if err != nil {
		return fmt.Errorf("%w: %w", errBudgetUnknown, err)
	}
	b.learn(emptyAt)
	return nil
}

func (b *Budget) spent(emptyAt time.Time) error { return &SpentError{Until: emptyAt.Add(-b.ahead())} }

func (b *Budget) lastKnown() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.known
}

// learn: the bucket's end only ever moves on, so an older answer that comes
// later says nothing new.
func (b *Budget) learn(emptyAt time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if emptyAt.After(b.known) {
		b.known = emptyAt
	}
}

// sleep waits, unless the context ends first or can't last so long.
func sleep(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// share is a call's share of the budget that a worker of a pass takes before it
// knows which signup it is for. It waits for the next one too.
type share struct{ taken bool }

// spend takes a call's share of the budget: the one that was taken already, or
// another. Without a share nobody waits for it.
func (e *Engine) spend(ctx context.Context, s *share) error {
	switch {
	case e.Budget == nil:
		return nil
	case s == nil:
		return e.Budget.Take(ctx)
	case s.taken:
		s.taken = false
		return nil
	}
	return e.Budget.Wait(ctx)
}

// heed closes the budget for everyone where Exotel says that it is spent. Where
// the meter can't be told, the next call meets the same 429.
func (e *Engine) heed(ctx context.Context, err error) {
	if e.Budget != nil && errors.Is(err, exotel.ErrRateLimited) {
		_ = e.Budget.Close(ctx, e.now().Add(retryAfter(err)))
	}
}
