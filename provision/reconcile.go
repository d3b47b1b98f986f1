package provision

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	passMaximum  = 1000             // how many signups one pass takes
	passWorkers  = 8                // how many are worked on at once
	tryTime      = 10 * time.Second // what one signup may take
	passMinimum  = 3 * time.Second  // with less than this left, none is begun
	closingTime  = time.Second      // kept back of the pass for its end
	defaultSpell = time.Minute      // a pass without a deadline
)

// Pass is what one pass of the reconciler did.
type Pass struct {
	Results []Result // of those that it held, in no order
	Missed  int      // due, but held or finished by somebody else meanwhile
	Failed  int      // not even taken over
	Err     error    // why the first of those failed
	Halted  error    // why the pass ended early; nil where it didn't
}

// Reconcile finishes signups that are due, oldest first, several at a time,
// until none is left, or there is no time to begin another before the context's
// deadline, or the context is cancelled, or Exotel refuses the whole account;
// what has begun then is finished. Two passes at once do no harm. The error says
// that the ledger could not be asked what is due.
func (e *Engine) Reconcile(ctx context.Context) (Pass, error) {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	due, err := e.Ledger.Due(ctx, e.now(), passMaximum)
	if err != nil {
		return Pass{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var p pass
	var workers sync.WaitGroup
	for range min(passWorkers, len(due)) {
		workers.Go(func() {
			for p.mayBegin(ctx) {
				i := int(p.next.Add(1)) - 1
				if i >= len(due) {
					return
				}
				p.note(e.resume(ctx, due[i]))
			}
		})
	}
	workers.Wait()
	return p.Pass, nil
}

func withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, defaultSpell)
}

// pass is one under way.
type pass struct {
	next atomic.Int64 // index of the signup that is taken next
	mu   sync.Mutex
	Pass
}

func (p *pass) mayBegin(ctx context.Context) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	deadline, _ := ctx.Deadline()
	return ctx.Err() == nil && p.Halted == nil && time.Until(deadline) >= closingTime+passMinimum
}

func (p *pass) note(result Result, held bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil:
		if p.Failed++; p.Err == nil {
			p.Err = err
		}
	case !held:
		p.Missed++
	default:
		p.Results = append(p.Results, result)
		if result.Problem != nil && concernsAll(result.Problem.Err) && p.Halted == nil {
			p.Halted = result.Problem.Err
		}
	}
}

// resume takes over one signup and tries to finish it, whatever becomes of the
// pass meanwhile.
func (e *Engine) resume(ctx context.Context, signupID string) (result Result, held bool, err error) {
	deadline, _ := ctx.Deadline()
	t := e.newTry(ctx, min(tryTime, time.Until(deadline)-closingTime))
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), t.doneBy)
	defer cancel()
	done := t.begin(StepClaim)
	record, held, err := e.Ledger.TakeOver(ctx, TakeOver{SignupID: signupID, AccountSID: e.readyAccount(), Owner: t.owner, Now: t.claimedAt, LeaseUntil: t.leaseUntil})
	done(err)
	if err != nil || !held {
		return Result{}, false, err
	}
	result, err = t.finish(ctx, record)
	return result, true, err
}
