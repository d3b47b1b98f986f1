// Package embedded keeps the signups in one file, for one machine. It does what
// the DynamoDB table does (package ledger), so that the whole system runs with
// no account anywhere. It is a package of its own so that the Lambda functions
// don't link bbolt.
package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/trunkhook/trunkhook/provision"
)

// Ledger is a provision.Ledger over a bbolt file. Each write is one transaction
// that is synced to disk before it returns; those that come at the same time share
// one.
type Ledger struct {
	db      *bbolt.DB
	commits *commits
	wrote   func(signupID string) // nil where nobody watches
}

var _ provision.Ledger = (*Ledger)(nil)

var (
	signups = []byte("signups") // signup id -> record as JSON
	due     = []byte("due")     // due_at and signup id -> since when it is pending; what is tried again when it is due
	search  = []byte("search")  // the same, of what waits for the search
	rejects = []byte("rejects") // what could not be used, by its key
	single  = []byte("single")  // what there is one of: emptyAt, progress

	emptyAt  = []byte("empty_at")
	progress = []byte("progress")
)

// queues hold what is pending.
var queues = [][]byte{due, search}

func queueOf(r provision.Record) []byte {
	if r.Searching {
		return search
	}
	return due
}

// dueFormat sorts as text.
const dueFormat = "2006-01-02T15:04:05.000Z"

// Watch has the function called after each write that changed a signup, in the
// goroutine that wrote. It is called before the ledger is used.
func (l *Ledger) Watch(wrote func(signupID string)) { l.wrote = wrote }

// Close releases the file.
func (l *Ledger) Close() error { return l.db.Close() }

// Claim implements provision.Ledger.
func (l *Ledger) Claim(_ context.Context, w provision.Claim) (provision.Record, bool, error) {
	return l.write(w.Signup.ID, w.Apply)
}

// TakeOver implements provision.Ledger.
func (l *Ledger) TakeOver(_ context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	return l.write(w.SignupID, w.Apply)
}

// Pin implements provision.Ledger.
func (l *Ledger) Pin(_ context.Context, w provision.Pin) (provision.Record, bool, error) {
	return l.write(w.SignupID, w.Apply)
}

// Extend implements provision.Ledger.
func (l *Ledger) Extend(_ context.Context, w provision.Extend) (provision.Record, bool, error) {
	return l.write(w.SignupID, w.Apply)
}

// Attach implements provision.Ledger.
func (l *Ledger) Attach(_ context.Context, w provision.Attach) (provision.Record, bool, error) {
	return l.write(w.SignupID, w.Apply)
}

// Mark implements provision.Ledger.
func (l *Ledger) Mark(_ context.Context, w provision.Mark) (provision.Record, bool, error) {
	return l.write(w.SignupID, w.Apply)
}

// Activate implements provision.Ledger.
func (l *Ledger) Activate(_ context.Context, w provision.Activate) (provision.Record, bool, error) {
	return l.write(w.SignupID, w.Apply)
}

// Reject implements provision.Ledger.
func (l *Ledger) Reject(_ context.Context, w provision.Reject) (provision.Record, bool, error) {
	return l.write(w.SignupID, w.Apply)
}

// Prove implements provision.Ledger.
func (l *Ledger) Prove(_ context.Context, w provision.Prove) (provision.Record, bool, error) {
	return l.write(w.SignupID, w.Apply)
}

// Delete implements provision.Ledger.
func (l *Ledger) Delete(_ context.Context, w provision.Delete) (provision.Record, bool, error) {
	return l.write(w.SignupID, w.Apply)
}

// Bury implements provision.Ledger.
func (l *Ledger) Bury(_ context.Context, w provision.Bury) (provision.Record, bool, error) {
	return l.write(w.SignupID, w.Apply)
}

// Restart implements provision.Ledger.
func (l *Ledger) Restart(_ context.Context, w provision.Restart) (provision.Record, bool, error) {
	return l.write(w.Signup.ID, w.Apply)
}

// Release implements provision.Ledger.
func (l *Ledger) Release(_ context.Context, w provision.Release) (provision.Record, bool, error) {
	return l.write(w.SignupID, w.Apply)
}

func (l *Ledger) write(id string, apply func(*provision.Record) (provision.Record, bool)) (record provision.Record, holds bool, err error) {
	err = l.commits.update(func(tx *bbolt.Tx) (bool, error) {
		old, err := read(tx, id)
		if err != nil {
			return false, err
		}
		if record, holds = apply(old); !holds {
			return false, nil
		}
		return true, put(tx, old, record)
	})
	if holds && err == nil && l.wrote != nil {
		l.wrote(id)
	}
	return record, holds, err
}

// read is nil where there is no such signup.
func read(tx *bbolt.Tx, id string) (*provision.Record, error) {
	value := tx.Bucket(signups).Get([]byte(id))
	if value == nil {
		return nil, nil
	}
	var record provision.Record
	if err := json.Unmarshal(value, &record); err != nil {
		return nil, fmt.Errorf("the record of %s is broken: %w", id, err)
	}
	return &record, nil
}

func put(tx *bbolt.Tx, old *provision.Record, record provision.Record) error {
	value, err := json.Marshal(record)
	if err != nil {
		return err
	}
	if err := tx.Bucket(signups).Put([]byte(record.SignupID), value); err != nil {
		return err
	}
	if old != nil && !old.DueAt.IsZero() {
		if err := tx.Bucket(queueOf(*old)).Delete(dueKey(*old)); err != nil {
			return err
		}
	}
	if record.DueAt.IsZero() {
		return nil
	}
	return tx.Bucket(queueOf(record)).Put(dueKey(record), []byte(record.PendingSince().Format(time.RFC3339Nano)))
}

func dueKey(r provision.Record) []byte {
	return []byte(r.DueAt.UTC().Format(dueFormat) + r.SignupID)
}

// Get implements provision.Ledger.
func (l *Ledger) Get(_ context.Context, signupID string) (provision.Record, error) {
	var record *provision.Record
	err := l.db.View(func(tx *bbolt.Tx) (err error) {
		record, err = read(tx, signupID)
		return err
	})
	switch {
	case err != nil:
		return provision.Record{}, err
	case record == nil:
		return provision.Record{}, provision.ErrNotFound
	}
	return *record, nil
}

// Each calls the function with every signup, in the order of the ids, until it fails.
func (l *Ledger) Each(do func(provision.Record) error) error {
	return l.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(signups).ForEach(func(id, _ []byte) error {
			record, err := read(tx, string(id))
			if err != nil {
				return err
			}
			return do(*record)
		})
	})
}
