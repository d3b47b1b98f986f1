package embedded

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Open opens or makes the file. Another process that has it open is waited for
// half a second; then it is an error, as is a file that is no ledger, or a broken
// one.
func Open(path string) (*Ledger, error) {
	db, err := openWhole(path)
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%s is in use by another process", path)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%s can't be opened for writing", path)
	case err != nil:
		return nil, fmt.Errorf("%s is not a usable table file: %w", path, err)
	}
	return &Ledger{db: db, commits: newCommits(db)}, nil
}

// openWhole opens the file and reads all of it, so that what is broken shows now
// and not in the middle of a signup. bbolt reads it as memory: what it doesn't
// expect makes it panic, and a page beyond the end of a file that was cut off is a
// fault. A database that panicked is left open, because closing it may wait for a
// lock that nobody gives back; the file's is gone with the process.
func openWhole(path string) (db *bbolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			db, err = nil, fmt.Errorf("it is broken: %v", cause)
		}
	}()
	if db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 500 * time.Millisecond}); err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return db.View(isWhole) },
		func() error { return db.Update(makeBuckets) },
		func() error { return db.View(readAll) },
	} {
		if err := step(); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// isWhole holds the file's length against what the database says of itself.
func isWhole(tx *bbolt.Tx) error {
	info, err := os.Stat(tx.DB().Path())
	if err != nil {
		return err
	}
	if info.Size() < tx.Size() {
		return fmt.Errorf("it has %d bytes of %d", info.Size(), tx.Size())
	}
	return nil
}

func makeBuckets(tx *bbolt.Tx) error {
	for _, name := range append([][]byte{signups, rejects, single}, queues...) {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

func readAll(tx *bbolt.Tx) error {
	var copied []byte
	return tx.ForEach(func(_ []byte, bucket *bbolt.Bucket) error {
		return bucket.ForEach(func(key, value []byte) error {
			copied = append(append(copied[:0], key...), value...)
			return nil
		})
	})
}
