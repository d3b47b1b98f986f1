package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	passMaximum  = 1000             // how many signups one pass takes
	passWorkers  = 8                // how many are worked on at once
	tryTime      = 10 * time.Second // what one signup may take
	passMinimum  = 2 * time.Second  // with less than this left, none is begun
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
	Steps   []Step   // what was done for none of the results: the search's calls, and tries that failed
}

// Reconcile finishes signups that are due, oldest first, several at a time, at
// the rate of the budget, and looks for trunks that Exotel says exist; until
// nothing is left, or there is no time to begin another before the context's
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
	wanted, err := e.Ledger.Searching(ctx, searchMaximum)
	if err != nil {
		return Pass{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	p := pass{engine: e, stop: stop}
	var searching sync.WaitGroup
	if len(wanted) > 0 {
		searching.Go(func() { p.search(ctx, waiting, wanted) })
	}
	err = p.round(ctx, waiting, due)
	searching.Wait()
	return p.Pass, err
}

// round works on what is due, and again on what of that came further and is due at
// once: a long line takes more than one try.
func (p *pass) round(ctx, waiting context.Context, due []string) error {
	for {
		p.next.Store(0)
		p.further.Store(0)
		var workers sync.WaitGroup
		for range min(passWorkers, len(due)) {
			workers.Go(func() { p.work(ctx, waiting, due) })
		}
		workers.Wait()
		if p.further.Load() == 0 || !p.mayBegin(ctx) {
			return nil
		}
		var err error
		if due, err = p.engine.Ledger.Due(ctx, p.engine.now(), passMaximum); err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

func withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, defaultSpell)
}

// pass is one under way.
type pass struct {
	engine *Engine
	next   atomic.Int64 // index of the signup that is taken next
	stop   func()       // ends the waiting for the budget of those who hold nothing

	further atomic.Int64 // tries of this round that came further, and are due at once

	mu sync.Mutex
	Pass
}

// work takes one due signup after the other. The share of the budget that its
// first call needs comes before it, so that nothing is held while there is
// nothing to do but wait.
func (p *pass) work(ctx, waiting context.Context, due []string) {
	var s share
	for p.mayBegin(ctx) {
		i := int(p.next.Add(1)) - 1
		if i >= len(due) || !p.reserve(waiting, &s) || !p.mayBegin(ctx) {
			return
		}
		p.note(p.engine.resume(ctx, due[i], false, &s, (*try).finish))
	}
}

// reserve waits for a share of the budget, unless one is left over.
func (p *pass) reserve(ctx context.Context, s *share) bool {
	if p.engine.Budget == nil || s.taken {
		return true
	}
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithDeadline(ctx, deadline.Add(-closingTime-passMinimum))
	defer cancel()
	err := p.engine.Budget.Wait(ctx)
	if errors.Is(err, errBudgetUnknown) {
		p.halt(err)
	}
	s.taken = err == nil
	return s.taken
}

func (p *pass) halt(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.haltLocked(err)
}

// haltLocked is halt for who has the lock.
func (p *pass) haltLocked(err error) {
	if p.Halted == nil {
		p.Halted = err
		p.stop()
	}
}

// fail notes what went wrong beside the signups.
func (p *pass) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Err == nil {
		p.Err = err
	}
	if concernsAll(err) {
		p.haltLocked(err)
	}
}

// did notes a step of none of the signups.
func (p *pass) did(s Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Steps = append(p.Steps, s)
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
		p.Steps = append(p.Steps, result.Steps...)
		if p.Failed++; p.Err == nil {
			p.Err = err
		}
	case !held:
		p.Missed++
	default:
		p.Results = append(p.Results, result)
		if result.cameFurther() {
			p.further.Add(1)
		}
		if result.Problem != nil && concernsAll(result.Problem.Err) {
			p.haltLocked(result.Problem.Err)
		}
	}
}

// cameFurther tells whether the try only ran out of time, after it had called Exotel.
func (r Result) cameFurther() bool {
	return r.Problem != nil && errors.Is(r.Problem.Err, errNoTurn) && slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Vendor })
}

// resume takes over one signup and ends it in that way, whatever becomes of the
// pass meanwhile.
func (e *Engine) resume(ctx context.Context, signupID string, early bool, s *share, end func(*try, context.Context, Record) (Result, error)) (result Result, held bool, err error) {
	deadline, _ := ctx.Deadline()
	t := e.newTry(ctx, min(tryTime, time.Until(deadline)-closingTime))
	t.share = s
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), t.doneBy)
	defer cancel()
	record, held, err := t.takeOver(ctx, signupID, early)
	if err != nil || !held {
		return Result{}, false, err
	}
	result, err = end(t, ctx, record)
	return result, true, err
}

func (t *try) takeOver(ctx context.Context, signupID string, early bool) (Record, bool, error) {
	done := t.begin(StepClaim)
	record, held, err := t.engine.Ledger.TakeOver(ctx, TakeOver{
		SignupID: signupID, AccountSID: t.engine.readyAccount(), Owner: t.owner, Now: t.claimedAt, LeaseUntil: t.leaseUntil, Early: early,
	})
	done(err)
	if held {
		t.attempt = record.Attempts
	}
	return record, held, err
}
