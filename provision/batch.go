package provision

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Delivered is what became of one signup of a batch, as Provision would say it.
type Delivered struct {
	Result Result
	Err    error
}

const (
	batchClaims = 32 // how many claims of a batch are under way at once
	batchTries  = 16 // how many signups of a batch are worked on at once
	tryMinimum  = 200 * time.Millisecond
)

// errNoTurn: a batch can be larger than the time of its delivery.
var errNoTurn = errors.New("no time was left for it in this delivery")

// ProvisionAll is Provision for all signups of one delivery. All are claimed before
// any is worked on, so that a slow vendor keeps none from the disk; what its time
// doesn't suffice for is given back, due at once. The results are in the order of
// the signups.
func (e *Engine) ProvisionAll(ctx context.Context, signups []Signup, within time.Duration) []Delivered {
	b := batch{tries: make([]*try, len(signups)), records: make([]Record, len(signups)), delivered: make([]Delivered, len(signups))}
	for i := range signups {
		b.tries[i] = e.newTry(ctx, within)
	}
	if len(signups) == 0 {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, b.tries[0].doneBy)
	defer cancel()
	// Claims leave the time to give back what they took, however slow the table is.
	claiming, stop := context.WithDeadline(ctx, b.tries[0].vendorBy)
	defer stop()
	inParallel(len(signups), batchClaims, func(i int) { b.claim(claiming, i, signups[i]) })
	inParallel(len(signups), batchTries, func(i int) { b.finish(ctx, i) })
	return b.delivered
}

type batch struct {
	tries     []*try // nil where it has ended
	records   []Record
	delivered []Delivered
}

func (b *batch) claim(ctx context.Context, i int, s Signup) {
	t := b.tries[i]
	record, ended, err := t.claim(ctx, s)
	if ended == nil && err == nil {
		b.records[i] = record
		return
	}
	b.tries[i] = nil
	b.delivered[i].Result, b.delivered[i].Err = t.ended(ended, err)
}

func (b *batch) finish(ctx context.Context, i int) {
	t, d := b.tries[i], &b.delivered[i]
	switch {
	case t == nil:
	case time.Until(t.vendorBy) < tryMinimum:
		d.Result, d.Err = t.release(ctx, b.records[i], errNoTurn)
	default:
		d.Result, d.Err = t.finish(ctx, b.records[i])
	}
}

// inParallel calls the function with 0 to n-1, so many at a time.
func inParallel(n, atATime int, do func(i int)) {
	turns := make(chan struct{}, atATime)
	var all sync.WaitGroup
	for i := range n {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			do(i)
		})
	}
	all.Wait()
}

// Accept claims the signup and leaves the rest to the reconciler, for senders that
// can't wait. Errors are as with Provision.
func (e *Engine) Accept(ctx context.Context, s Signup) (Result, error) {
	t := e.newTry(ctx, 0)
	t.leaseUntil = t.claimedAt // nobody holds it, so it is due now
	record, ended, err := t.claim(ctx, s)
	if ended != nil || err != nil {
		return t.ended(ended, err)
	}
	return Result{Record: record, Outcome: OutcomePending, RetryAfter: soon, Steps: t.steps}, nil
}
