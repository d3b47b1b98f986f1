package embedded

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/trunkhook/trunkhook/provision"
)

// pageSize is how many records are read at once, so that whoever reads slowly keeps
// no old state of the whole file.
const pageSize = 500

// All walks over all signups in the order of their ids, each as it stood when its
// page was read. It ends at the first error.
func (l *Ledger) All(ctx context.Context) iter.Seq2[provision.Record, error] {
	return func(yield func(provision.Record, error) bool) {
		for after := ""; ; {
			page, err := l.page(after)
			if err = cmp.Or(ctx.Err(), err); err != nil {
				yield(provision.Record{}, err)
				return
			}
			for _, record := range page {
				if !yield(record, nil) {
					return
				}
				after = record.SignupID
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

// page are the records behind that id.
func (l *Ledger) page(after string) (page []provision.Record, err error) {
	err = l.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(signups).Cursor()
		id, _ := cursor.Seek([]byte(after))
		if id != nil && string(id) == after && after != "" {
			id, _ = cursor.Next()
		}
		for ; id != nil && len(page) < pageSize; id, _ = cursor.Next() {
			record, err := read(tx, string(id))
			if err != nil {
				return err
			}
			page = append(page, *record)
		}
		return nil
	})
	return page, err
}

// DeadLetters walks over what could not be used, the oldest first, without what has
// expired. It ends at the first error.
func (l *Ledger) DeadLetters(context.Context) iter.Seq2[provision.KeptDeadLetter, error] {
	return func(yield func(provision.KeptDeadLetter, error) bool) {
		letters, err := l.deadLetters()
		if err != nil {
			yield(provision.KeptDeadLetter{}, err)
			return
		}
		for _, letter := range letters {
			if !yield(letter, nil) {
				return
			}
		}
	}
}

func (l *Ledger) deadLetters() (letters []provision.KeptDeadLetter, err error) {
	err = l.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(rejects).ForEach(func(key, value []byte) error {
			var kept deadLetter
			if err := json.Unmarshal(value, &kept); err != nil {
				return fmt.Errorf("the dead letter %s is broken: %w", key, err)
			}
			if kept.ExpiresAt().After(time.Now()) {
				letters = append(letters, provision.KeptDeadLetter{DeadLetter: kept.DeadLetter, ID: provision.DeadLetterID(string(key)), Deliveries: kept.Deliveries})
			}
			return nil
		})
	})
	slices.SortFunc(letters, func(a, b provision.KeptDeadLetter) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), strings.Compare(a.ID, b.ID))
	})
	return letters, err
}

// DropDeadLetter forgets one, or says ErrNotFound.
func (l *Ledger) DropDeadLetter(_ context.Context, id string) error {
	return l.db.Update(func(tx *bbolt.Tx) error {
		bucket, key := tx.Bucket(rejects), []byte(provision.DeadLetterKey(id))
		if found, _ := bucket.Cursor().Seek(key); !bytes.Equal(found, key) {
			return provision.ErrNotFound
		}
		return bucket.Delete(key)
	})
}
