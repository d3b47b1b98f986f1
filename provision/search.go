package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// searchMaximum is for how many signups one pass looks at once.
const searchMaximum = 1000

// Wanted is a signup whose trunk exists, says Exotel, and was not among the newest.
type Wanted struct {
	SignupID  string
	TrunkName string
	Since     time.Time // when the search was asked for
}

// Progress is how far the search through the account's list has come: one walk
// for all signups that wait, which goes on in the next pass where this one ends.
// Lists are newest first, so that trunks which are made meanwhile only show some
// once more. One that is deleted meanwhile can hide another, until the next walk.
type Progress struct {
	AccountSID string    // the account whose list it is
	BeganAt    time.Time // when the walk began; zero where none is under way
	Offset     int       // of the next page
	Unreadable int       // how many trunks of the pages before can't be read
}

// search walks on through the list and ends the signups whose trunks it meets.
type search struct {
	pass     *pass
	account  *Account
	waiting  []Wanted          // the longest first
	wanted   map[string]Wanted // those of them that aren't settled, by the trunk's name
	progress Progress
	share    share
}

// settleTime is kept back of the pass for each signup that the search settles.
const settleTime = time.Second

// errPassOver: the page is read again in the next pass.
var errPassOver = errors.New("there is no time to settle what was found")

// search is one more worker of the pass.
func (p *pass) search(ctx, waiting context.Context, wanted []Wanted) {
	s := search{pass: p, waiting: wanted, wanted: make(map[string]Wanted, len(wanted))}
	for _, w := range wanted {
		s.wanted[w.TrunkName] = w
	}
	err := s.walk(ctx, waiting)
	if err != nil && !errors.Is(err, errPassOver) && ctx.Err() == nil {
		p.fail(fmt.Errorf("the search for trunks: %w", err))
	}
}

func (s *search) walk(ctx, waiting context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	fresh := s.progress.Offset > 0 // what was made since the walk began is on the first page
	for len(s.wanted) > 0 && s.pass.mayBegin(ctx) && s.pass.reserve(waiting, &s.share) {
		if fresh {
			fresh = false
			if _, err := s.page(ctx, 0); err != nil {
				return err
			}
			continue
		}
		next, err := s.page(ctx, s.progress.Offset)
		switch {
		case err != nil:
			return err
		case next == nil:
			return s.end(ctx)
		}
		s.progress.Offset = next.Offset
		if err := s.pass.engine.Ledger.KeepProgress(ctx, s.progress); err != nil {
			return err
		}
	}
	if len(s.wanted) == 0 { // who comes later is better served by a walk of their own
		return s.pass.engine.Ledger.KeepProgress(ctx, Progress{})
	}
	return nil
}

// begin opens the account and takes up the walk that is under way in its list, or
// a new one.
func (s *search) begin(ctx context.Context) (err error) {
	engine := s.pass.engine
	if s.account, err = engine.Accounts.Open(ctx); err != nil {
		return fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	if s.progress, err = engine.Ledger.Progress(ctx); err != nil {
		return err
	}
	if s.progress.BeganAt.IsZero() || s.progress.AccountSID != s.account.SID {
		s.progress = Progress{AccountSID: s.account.SID, BeganAt: engine.now()}
	}
	return nil
}

// page reads one page and adopts what is wanted on it. It returns where the next
// one is, or nil.
func (s *search) page(ctx context.Context, offset int) (*exotel.ListOptions, error) {
	page, err := s.list(ctx, offset)
	if err != nil {
		return nil, err
	}
	s.progress.Unreadable += page.Unreadable
	for _, trunk := range page.Trunks {
		if w, ok := s.wanted[trunk.Name]; ok {
			if !maySettle(ctx) {
				return nil, errPassOver
			}
			delete(s.wanted, trunk.Name)
			s.settle(ctx, w, &trunk)
		}
	}
	return page.Next, nil
}

// list reads one page, in time to settle what it finds, with other credentials
// where those at hand are refused. They must be the same account's: a place in its
// list means nothing in another one. Each of its tries costs a share.
func (s *search) list(ctx context.Context, offset int) (*exotel.TrunkPage, error) {
	deadline, _ := ctx.Deadline()
	engine := s.pass.engine
	hooked := exotel.WithHooks(ctx, exotel.Hooks{
		Before: func(ctx context.Context, _ string) error { return engine.spend(ctx, &s.share) },
		After: func(call exotel.Call) {
			s.pass.did(vendorStep(call))
			engine.heed(ctx, call.Err)
		},
	})
	hooked, cancel := context.WithDeadline(hooked, deadline.Add(-closingTime-settleTime))
	defer cancel()
	options := exotel.ListOptions{PageSize: pageSize, Offset: offset}
	page, err := s.account.Trunks.List(hooked, options)
	if renewed := engine.renew(ctx, s.account, err); renewed != nil && renewed.SID == s.account.SID {
		s.account = renewed
		return s.account.Trunks.List(hooked, options)
	}
	return page, err
}

func maySettle(ctx context.Context) bool {
	deadline, _ := ctx.Deadline()
	return ctx.Err() == nil && time.Until(deadline) >= closingTime+settleTime
}

// settle ends a signup with its trunk, or with none.
func (s *search) settle(ctx context.Context, w Wanted, trunk *exotel.Trunk) {
	s.pass.note(s.pass.engine.resume(ctx, w.SignupID, true, nil, func(t *try, ctx context.Context, record Record) (Result, error) {
		return t.settle(ctx, s.account, record, trunk, s.progress)
	}))
}

// end: who has waited for the whole walk goes back to trying. The create will
// tell again that the trunk exists, or make it, if it doesn't any more.
func (s *search) end(ctx context.Context) error {
	for _, w := range s.waiting {
		if _, open := s.wanted[w.TrunkName]; !open || w.Since.After(s.progress.BeganAt) {
			continue
		}
		if !maySettle(ctx) {
			return errPassOver
		}
		s.settle(ctx, w, nil)
	}
	return s.pass.engine.Ledger.KeepProgress(ctx, Progress{})
}

// settle ends a try with the trunk that the search found on its walk, or with none.
func (t *try) settle(ctx context.Context, account *Account, record Record, trunk *exotel.Trunk, walk Progress) (Result, error) {
	if err := t.pin(ctx, account, &record); err != nil {
		return t.release(ctx, record, err)
	}
	if record.Status == StatusDeleting {
		return t.lastLook(ctx, record, trunk, walk)
	}
	if trunk == nil {
		return t.release(ctx, record, errNotListed)
	}
	trunk, err := ours(*trunk, &record)
	if err == nil && record.TrunkSID != "" && record.TrunkSID != trunk.SID { // an import's since the pass began, or one that is gone
		err = t.isGone(ctx, &record)
	}
	if spent := (*SpentError)(nil); errors.As(err, &spent) {
		err = fmt.Errorf("%w: %w", errUnseen, err)
	}
	if err != nil {
		return t.release(ctx, record, err)
	}
	if len(record.Steps) == 0 {
		return t.record(ctx, record, trunk, OutcomeAdopted)
	}
	// The search has time for the trunk; its line is a worker's.
	attached, ended, err := t.attach(ctx, record, trunk, false)
	if ended != nil || err != nil {
		return t.ended(ended, err)
	}
	return t.release(ctx, attached, errLineLeft)
}
