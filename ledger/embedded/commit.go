package embedded

import (
	"errors"
	"sync"

	"go.etcd.io/bbolt"
)

// commits puts the writes of several callers into one transaction: what comes while
// one is being synced to the disk waits, and is all in the next. A lone write waits
// for nobody.
type commits struct {
	db   *bbolt.DB
	turn chan struct{} // holds who commits

	mu      sync.Mutex
	waiting []*write
}

// write is one of them. Its function tells whether it changed anything, and may be
// called again, in another transaction.
type write struct {
	do   func(tx *bbolt.Tx) (changed bool, err error)
	done chan struct{} // closed once err is known
	err  error
}

// errNothing ends a transaction that changed nothing: there is nothing to sync.
var errNothing = errors.New("nothing was changed")

// errLost says that whoever committed did not come to an end.
var errLost = errors.New("the table failed in the middle of a write")

func newCommits(db *bbolt.DB) *commits { return &commits{db: db, turn: make(chan struct{}, 1)} }

// update returns when the write is on the disk, or has failed: alone where its function
// refused, and with all of its transaction where the disk did.
func (c *commits) update(do func(tx *bbolt.Tx) (changed bool, err error)) error {
	w := &write{do: do, done: make(chan struct{}), err: errLost}
	c.mu.Lock()
	c.waiting = append(c.waiting, w)
	c.mu.Unlock()
	select {
	case <-w.done: // by somebody else
	case c.turn <- struct{}{}:
		c.commit()
	}
	<-w.done
	return w.err
}

// commit ends all writes that wait, for who has the turn.
func (c *commits) commit() {
	defer func() { <-c.turn }()
	c.mu.Lock()
	batch := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	defer func() {
		for _, w := range batch {
			close(w.done)
		}
	}()
	refused, err := c.transact(batch)
	if !refused || len(batch) == 1 {
		for _, w := range batch {
			w.err = err
		}
		return
	}
	for _, w := range batch { // one of them is at fault: none must have a share of that
		_, w.err = c.transact([]*write{w})
	}
}

// transact tells whether one of the writes refused; else an error is the disk's.
func (c *commits) transact(batch []*write) (refused bool, err error) {
	err = c.db.Update(func(tx *bbolt.Tx) error {
		nothing := true
		for _, w := range batch {
			changed, err := w.do(tx)
			if err != nil {
				refused = true
				return err
			}
			nothing = nothing && !changed
		}
		if nothing {
			return errNothing
		}
		return nil
	})
	if errors.Is(err, errNothing) {
		return false, nil
	}
	return refused, err
}
