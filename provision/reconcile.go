package provision

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	passBatch    = 100              // how many due signups are asked for at once
	passWorkers  = 8                // how many are worked on at once
	passMaximum  = 1000             // how many one pass takes
	tryTime      = 10 * time.Second // what one signup may take
	passMinimum  = 3 * time.Second  // with less than this left, none is begun
	closingTime  = time.Second      // kept back of the pass for its end
	defaultSpell = time.Minute      // a pass without a deadline
)

// Pass is what one pass of the reconciler did.
type Pass struct {
	Results []Result // of those that it held, in no order
	Missed  int      // due, but held or finished by somebody else meanwhile
	Failed  int      // not even taken over: the ledger failed
}

// Reconcile finishes signups that are due, oldest first, several at a time,
// until none is left, or there is no time to begin another before the context's
// deadline, or the context is cancelled; what has begun then is finished. Two
// passes at once do no harm. The error says that the ledger could not be asked
// what is due; the pass so far stands.
func (e *Engine) Reconcile(ctx context.Context) (Pass, error) {
	ctx, cancel := withClosingTime(ctx)
	defer cancel()
	var pass Pass
	seen := make(map[string]bool)
	for len(seen) < passMaximum && hasTime(ctx) {
		due, err := e.Ledger.Due(ctx, e.now(), passBatch)
		if err != nil {
			return pass, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		due = unseen(due, seen)
		if len(due) == 0 {
			break
		}
		e.workOff(ctx, due, &pass)
	}
	return pass, nil
}

func withClosingTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, defaultSpell)
	}
	return context.WithDeadline(ctx, deadline.Add(-closingTime))
}

func hasTime(ctx context.Context) bool {
	deadline, _ := ctx.Deadline()
	return ctx.Err() == nil && time.Until(deadline) >= passMinimum
}

// unseen leaves out what this pass has had already: what Due says may lag.
func unseen(due []Due, seen map[string]bool) (fresh []Due) {
	for _, d := range due {
		if !seen[d.SignupID] {
			seen[d.SignupID] = true
			fresh = append(fresh, d)
		}
	}
	return fresh
}

func (e *Engine) workOff(ctx context.Context, due []Due, pass *Pass) {
	queue := make(chan Due)
	var workers sync.WaitGroup
	var mu sync.Mutex
	for range min(passWorkers, len(due)) {
		workers.Go(func() {
			for d := range queue {
				result, held, err := e.resume(ctx, d.SignupID)
				mu.Lock()
				switch {
				case err != nil:
					pass.Failed++
				case !held:
					pass.Missed++
				default:
					pass.Results = append(pass.Results, result)
				}
				mu.Unlock()
			}
		})
	}
	for _, d := range due {
		if !hasTime(ctx) {
			break
		}
		queue <- d
	}
	close(queue)
	workers.Wait()
}

// resume takes over one signup and tries to finish it.
func (e *Engine) resume(ctx context.Context, signupID string) (result Result, held bool, err error) {
	deadline, _ := ctx.Deadline()
	deadline = earlier(deadline, time.Now().Add(tryTime))
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	t := e.newTry(ctx, time.Until(deadline))
	done := t.begin(StepClaim)
	record, held, err := e.Ledger.TakeOver(ctx, TakeOver{SignupID: signupID, AccountSID: e.readyAccount(), Owner: t.owner, Now: t.claimedAt, LeaseUntil: t.leaseUntil})
	done(err)
	if err != nil || !held {
		return Result{}, false, err
	}
	return t.finish(ctx, record), true, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
