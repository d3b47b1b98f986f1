package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func openCommits(t *testing.T, opener ...func(string, int, os.FileMode) (*os.File, error)) *commits {
	t.Helper()
	options := *bbolt.DefaultOptions
	for _, open := range opener {
		options.OpenFile = open
	}
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "table.db"), 0o600, &options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Update(func(tx *bbolt.Tx) error { return makeBuckets(tx) }); err != nil {
		t.Fatal(err)
	}
	return newCommits(db)
}

// putting returns a write of a row; it notes the transaction that it is in.
func putting(key string, in *int) func(tx *bbolt.Tx) (bool, error) {
	return func(tx *bbolt.Tx) (bool, error) {
		*in = tx.ID()
		return true, tx.Bucket(signups).Put([]byte(key), []byte("there"))
	}
}

func (c *commits) has(t *testing.T, key string) (there bool) {
	t.Helper()
	if err := c.db.View(func(tx *bbolt.Tx) error {
		there = tx.Bucket(signups).Get([]byte(key)) != nil
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return there
}

// whileCommitting runs writes that all come while another one is being committed, which
// ends with that error or that panic.
func (c *commits) whileCommitting(t *testing.T, end func() error, writes ...func(tx *bbolt.Tx) (bool, error)) []error {
	t.Helper()
	begun, goOn := make(chan struct{}), make(chan struct{})
	errs := make([]error, len(writes))
	var all sync.WaitGroup
	all.Go(func() {
		defer func() { _ = recover() }()
		var once sync.Once
		_ = c.update(func(*bbolt.Tx) (bool, error) {
			once.Do(func() { close(begun); <-goOn })
			return false, end()
		})
	})
	<-begun
	for i, write := range writes {
		all.Go(func() { errs[i] = c.update(write) })
	}
	for c.waitingNow() < len(writes) {
		time.Sleep(time.Millisecond)
	}
	close(goOn)
	all.Wait()
	return errs
}

func (c *commits) waitingNow() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

func nothing() error { return nil }

func TestWritesThatComeDuringACommitShareTheNext(t *testing.T) {
	t.Parallel()
	c := openCommits(t)
	var in [20]int
	var writes []func(tx *bbolt.Tx) (bool, error)
	for i := range in {
		writes = append(writes, putting(fmt.Sprint(i), &in[i]))
	}
	for i, err := range c.whileCommitting(t, nothing, writes...) {
		if err != nil || in[i] != in[0] || !c.has(t, fmt.Sprint(i)) {
			t.Errorf("write %d: %v, in transaction %d, the first in %d", i, err, in[i], in[0])
		}
	}
}

func TestWriteThatFailsFailsAlone(t *testing.T) {
	t.Parallel()
	c := openCommits(t)
	var in int
	broken := errors.New("broken")
	errs := c.whileCommitting(t, nothing, putting("before", &in), func(tx *bbolt.Tx) (bool, error) {
		return true, errors.Join(tx.Bucket(signups).Put([]byte("half"), []byte("done")), broken)
	}, putting("after", &in))
	if errs[0] != nil || !errors.Is(errs[1], broken) || errs[2] != nil {
		t.Error(errs)
	}
	for key, want := range map[string]bool{"before": true, "half": false, "after": true} {
		if c.has(t, key) != want {
			t.Errorf("%s: %v", key, !want)
		}
	}
}

// A disk that fails is no write's fault: trying each again could find its own traces and
// take them for somebody else's.
func TestWritesThatCannotBeSyncedAllFailAndAreNotTriedAgain(t *testing.T) {
	t.Parallel()
	var file *os.File
	c := openCommits(t, func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	})
	if err := file.Close(); err != nil { // what is written fails from now on
		t.Fatal(err)
	}
	var tries [3]int
	var writes []func(tx *bbolt.Tx) (bool, error)
	for i := range tries {
		writes = append(writes, func(tx *bbolt.Tx) (bool, error) {
			tries[i]++
			return true, tx.Bucket(signups).Put([]byte(fmt.Sprint(i)), []byte("there"))
		})
	}
	for i, err := range c.whileCommitting(t, nothing, writes...) {
		if !errors.Is(err, os.ErrClosed) || tries[i] != 1 || c.has(t, fmt.Sprint(i)) {
			t.Errorf("write %d: %v, tried %d times", i, err, tries[i])
		}
	}
}

// What a panic takes with it knows of it, and what comes later goes on.
func TestPanicLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	c := openCommits(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		_ = c.update(func(*bbolt.Tx) (bool, error) { panic("broken") })
	}()
	var in int
	if errs := c.whileCommitting(t, func() error { panic("broken") }, putting("later", &in)); errs[0] != nil || !c.has(t, "later") {
		t.Error(errs)
	}
	select {
	case c.turn <- struct{}{}:
	default:
		t.Error("somebody still has the turn")
	}
}

func TestWriteThatChangesNothingIsNoTransaction(t *testing.T) {
	t.Parallel()
	c := openCommits(t)
	last := func() (id int) {
		_ = c.db.View(func(tx *bbolt.Tx) error { id = tx.ID(); return nil })
		return id
	}
	before := last()
	for range 3 {
		if err := c.update(func(*bbolt.Tx) (bool, error) { return false, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if after := last(); after != before {
		t.Errorf("transaction %d, before %d", after, before)
	}
	var in int
	if err := c.update(putting("one", &in)); err != nil || last() == before {
		t.Error("a write that changes something is none either", err)
	}
}
