package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"

	"github.com/trunkhook/trunkhook/provision"
)

// Due implements provision.Ledger.
func (l *Ledger) Due(_ context.Context, until time.Time, limit int) (ids []string, err error) {
	last := []byte(until.UTC().Format(dueFormat))
	err = l.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(due).Cursor()
		for key, _ := cursor.First(); key != nil && len(ids) < limit; key, _ = cursor.Next() {
			if bytes.Compare(key[:len(last)], last) > 0 {
				return nil
			}
			ids = append(ids, string(key[len(dueFormat):]))
		}
		return nil
	})
	return ids, err
}

// Searching implements provision.Ledger.
func (l *Ledger) Searching(_ context.Context, limit int) (wanted []provision.Wanted, err error) {
	err = l.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(search).Cursor()
		for key, _ := cursor.First(); key != nil && len(wanted) < limit; key, _ = cursor.Next() {
			record, err := read(tx, string(key[len(dueFormat):]))
			if err != nil {
				return err
			}
			wanted = append(wanted, provision.Wanted{SignupID: record.SignupID, TrunkName: record.TrunkName, Since: record.DueAt})
		}
		return nil
	})
	return wanted, err
}

// Backlog implements provision.Ledger.
func (l *Ledger) Backlog(_ context.Context, stuckBefore time.Time) (backlog provision.Backlog, err error) {
	err = l.db.View(func(tx *bbolt.Tx) error {
		for _, queue := range queues {
			err := tx.Bucket(queue).ForEach(func(_, createdAt []byte) error {
				created, err := time.Parse(time.RFC3339Nano, string(createdAt))
				backlog.Add(created, stuckBefore)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return backlog, err
}

// Progress implements provision.Ledger.
func (l *Ledger) Progress(context.Context) (p provision.Progress, err error) {
	err = l.db.View(func(tx *bbolt.Tx) error { return get(tx, progress, &p) })
	return p, err
}

// KeepProgress implements provision.Ledger.
func (l *Ledger) KeepProgress(_ context.Context, p provision.Progress) error {
	return l.db.Update(func(tx *bbolt.Tx) error { return set(tx, progress, p) })
}

var _ provision.Meter = (*Ledger)(nil)

// Spend implements provision.Meter.
func (l *Ledger) Spend(_ context.Context, w provision.Spend) (after time.Time, holds bool, err error) {
	err = l.commits.update(func(tx *bbolt.Tx) (bool, error) {
		var before time.Time
		if err := get(tx, emptyAt, &before); err != nil {
			return false, err
		}
		if after, holds = w.Apply(before); !holds {
			return false, nil
		}
		return true, set(tx, emptyAt, after)
	})
	return after, holds, err
}

// Shut implements provision.Meter.
func (l *Ledger) Shut(_ context.Context, w provision.Shut) (after time.Time, err error) {
	err = l.db.Update(func(tx *bbolt.Tx) error {
		var before time.Time
		if err := get(tx, emptyAt, &before); err != nil {
			return err
		}
		after = w.Apply(before)
		return set(tx, emptyAt, after)
	})
	return after, err
}

// get leaves the value as it is where there is none.
func get(tx *bbolt.Tx, key []byte, value any) error {
	text := tx.Bucket(single).Get(key)
	if text == nil {
		return nil
	}
	return json.Unmarshal(text, value)
}

func set(tx *bbolt.Tx, key []byte, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return tx.Bucket(single).Put(key, text)
}
