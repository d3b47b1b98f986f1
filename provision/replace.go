package provision

import (
	"context"
	"fmt"

	"github.com/trunkhook/trunkhook/exotel"
)

// Replace gives a signup another trunk in place of one that the account doesn't have
// any more: the one of that trunk_sid, or where that is empty a new one of the
// signup's own name. All that its line asks for is done again. Errors are as with
// Adopt; ErrSettled where the recorded trunk is there.
//
// Where the create fails, or this process ends before the new trunk is recorded, the
// signup is pending with the trunk that is gone, and may be taken for complete with it
// again: call Replace once more. A trunk that was made by then is met by its name.
func (e *Engine) Replace(ctx context.Context, signupID, trunkSID string) (Result, error) {
	if Dry(signupID) {
		return Result{}, errDry
	}
	record, err := e.Status(ctx, signupID)
	if err != nil {
		return Result{}, err
	}
	if record.TrunkSID != "" {
		if err := e.checkGone(ctx, record); err != nil {
			return Result{Record: record}, err
		}
	}
	if record.Status.complete() {
		if _, _, err := e.Ledger.Extend(ctx, Extend{SignupID: signupID, Seen: record.Seen(), Now: e.now()}); err != nil {
			return Result{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	if trunkSID != "" {
		return e.Adopt(ctx, signupID, trunkSID)
	}
	return e.operate(ctx, signupID, (*try).makeAnew)
}

// checkGone looks at the account before anything is written.
func (e *Engine) checkGone(ctx context.Context, record Record) error {
	t := e.newTry(ctx, operatorTime)
	t.share = new(share)
	return t.isGone(ctx, &record)
}

func (t *try) makeAnew(ctx context.Context, record Record) (Result, error) {
	trunk, how, err := t.obtain(ctx, &record)
	if err != nil {
		return t.release(ctx, record, err)
	}
	if len(record.Steps) == 0 {
		return t.record(ctx, record, trunk, how)
	}
	attached, ended, err := t.attach(ctx, record, trunk, true)
	if ended != nil || err != nil {
		return t.ended(ended, err)
	}
	return t.complete(ctx, attached, how)
}

// Metered returns a context under which each call to Exotel waits for its share of the
// budget, and a 429 closes the budget for everyone: for an operator's own calls.
func (e *Engine) Metered(ctx context.Context) context.Context {
	return exotel.WithHooks(ctx, exotel.Hooks{
		Before: func(ctx context.Context, _ string) error { return e.spend(ctx, new(share)) },
		After:  func(call exotel.Call) { e.heed(ctx, call.Err) },
	})
}
