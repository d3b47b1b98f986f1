package remote

import (
	"context"
	"iter"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// Store is what is served, and what a Client is.
type Store interface {
	provision.Ledger
	provision.Meter
	KeepDeadLetter(ctx context.Context, d provision.DeadLetter) error
	All(ctx context.Context) iter.Seq2[provision.Record, error]
	DeadLetters(ctx context.Context) iter.Seq2[provision.KeptDeadLetter, error]
	DropDeadLetter(ctx context.Context, id string) error
}

// mediaType is one that no page of a browser can send unasked.
const mediaType = "application/x-gob"

// answer is all that a store can say. A walk is many, of which the last is the End.
type answer struct {
	Record   provision.Record
	Holds    bool
	IDs      []string
	Wanted   []provision.Wanted
	Backlog  provision.Backlog
	Progress provision.Progress
	At       time.Time
	Letter   provision.KeptDeadLetter
	End      bool

	NotFound bool   // provision.ErrNotFound
	Err      string // any other error
}

// The questions that are no writes; those are sent as they are.
type (
	dueQuery struct {
		Until time.Time
		Limit int
	}
	limitQuery   struct{ Limit int }
	backlogQuery struct{ StuckBefore time.Time }
	idQuery      struct{ ID string }
	nothing      struct{ Nothing bool }
)
