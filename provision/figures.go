package provision

import (
	"errors"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

// Figures are what was done at Exotel, in numbers. A call is one HTTP exchange, one
// that found no connection included: each has taken its share of the call budget.
type Figures struct {
	Calls        int
	Errors       int             // of the calls; neither a duplicate nor a trunk that was deleted before is one
	Unauthorized int             // of the errors: the credentials were refused
	RateLimited  int             // of the errors: 429
	Refused      int             // of the errors: creates of a trunk that were refused for good
	Unknown      int             // of the errors: it isn't known what came of something that changes the account
	Latencies    []time.Duration // of each call, in their order
	BudgetSpent  int             // calls that were put off because the call budget had no room
}

// Figures are those of the steps.
func (r Result) Figures() Figures { return figuresOf(r.Steps) }

func figuresOf(steps []Step) Figures {
	var f Figures
	for _, s := range steps {
		switch {
		case s.Vendor:
			f.call(s, len(steps))
		case s.Name == StepBudget && isSpent(s.Err):
			f.BudgetSpent++
		}
	}
	return f
}

// call counts one of at most so many calls.
func (f *Figures) call(s Step, most int) {
	f.Calls++
	if f.Latencies == nil {
		f.Latencies = make([]time.Duration, 0, most)
	}
	f.Latencies = append(f.Latencies, s.Duration)
	if s.Err == nil || s.foundItDone() {
		return
	}
	f.Errors++
	switch {
	case errors.Is(s.Err, exotel.ErrUnauthorized):
		f.Unauthorized++
	case errors.Is(s.Err, exotel.ErrRateLimited):
		f.RateLimited++
	case errors.Is(s.Err, exotel.ErrOutcomeUnknown):
		if s.Changes {
			f.Unknown++
		}
	case s.Name == exotel.OpCreateTrunk && isRefusal(s.Err):
		f.Refused++
	}
}

// foundItDone: the account was already as the call would have made it, as it is after
// an answer was lost.
func (s Step) foundItDone() bool {
	return errors.Is(s.Err, exotel.ErrDuplicate) || s.Name == exotel.OpDeleteTrunk && errors.Is(s.Err, exotel.ErrNotFound)
}

func isSpent(err error) bool {
	var spent *SpentError
	return err != nil && errors.As(err, &spent)
}
