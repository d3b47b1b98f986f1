package console

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// Table is what the index reads: the file, be it switched off or not.
type Table interface {
	Get(ctx context.Context, signupID string) (provision.Record, error)
	Each(do func(provision.Record) error) error
}

// Index has a line of each signup in memory, the newest first, so that a page reads
// nothing of the table. It is safe for concurrent use.
type Index struct {
	table Table
	ring  func()

	mu      sync.Mutex
	rows    []*Row // the oldest first
	byID    map[string]*Row
	counts  map[provision.Status]int
	sources map[string]int
	version uint64 // of what is counted
}

// Row is what the list says of a signup.
type Row struct {
	ID, Company, Source, TrunkSID, TrunkName string

	Status    provision.Status
	Attempts  int
	CreatedAt time.Time
	UpdatedAt time.Time

	text string // what is searched, in lower case
}

// NewIndex reads the whole table once, and rings after each change.
func NewIndex(table Table, ring func()) (*Index, error) {
	x := &Index{table: table, ring: ring, byID: map[string]*Row{}, counts: map[provision.Status]int{}, sources: map[string]int{}}
	err := table.Each(func(r provision.Record) error {
		x.put(r)
		return nil
	})
	return x, err
}

// Refresh reads a signup again that was written. A write that comes between is read
// with it, and again by its own Refresh.
func (x *Index) Refresh(signupID string) {
	x.mu.Lock()
	record, err := x.table.Get(context.Background(), signupID)
	if err == nil {
		x.put(record)
	}
	x.mu.Unlock()
	x.ring()
}

func (x *Index) put(r provision.Record) {
	row := &Row{
		ID: r.SignupID, Company: r.Company, Source: r.Source, TrunkSID: r.TrunkSID, TrunkName: r.TrunkName,
		Status: r.Status, Attempts: r.Attempts, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		text: strings.ToLower(r.SignupID + "\n" + r.Company + "\n" + r.TrunkSID + "\n" + r.TrunkName),
	}
	x.version++
	if old := x.byID[row.ID]; old != nil {
		x.count(old, -1)
		if i, found := slices.BinarySearchFunc(x.rows, old, byAge); found {
			x.rows = slices.Delete(x.rows, i, i+1)
		}
	}
	i, _ := slices.BinarySearchFunc(x.rows, row, byAge)
	x.rows = slices.Insert(x.rows, i, row)
	x.byID[row.ID] = row
	x.count(row, 1)
}

func byAge(a, b *Row) int {
	if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

func (x *Index) count(row *Row, n int) {
	x.counts[row.Status] += n
	if x.sources[row.Source] += n; x.sources[row.Source] == 0 {
		delete(x.sources, row.Source)
	}
}

// Filter picks signups. What is empty picks all.
type Filter struct {
	Text   string // in the id, the company, or the trunk's sid or name, in any case
	Status provision.Status
	Source string
}

func (f Filter) takes(row *Row) bool {
	return (f.Status == "" || row.Status == f.Status) && (f.Source == "" || row.Source == f.Source) && (f.Text == "" || strings.Contains(row.text, f.Text))
}

// Page is so many rows from an offset on, the newest first, and how many the filter takes.
func (x *Index) Page(f Filter, offset, limit int) (rows []Row, total int) {
	f.Text = strings.ToLower(strings.TrimSpace(f.Text))
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, row := range slices.Backward(x.rows) {
		if !f.takes(row) {
			continue
		}
		if total++; total > offset && len(rows) < limit {
			rows = append(rows, *row)
		}
	}
	return rows, total
}

// Counts are how many signups there are of each status, and a number that changes
// with every write.
func (x *Index) Counts() (counts map[provision.Status]int, version uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return maps.Clone(x.counts), x.version
}

// Sources are those that there are signups of.
func (x *Index) Sources() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Sorted(maps.Keys(x.sources))
}

// byTrunk are the ids of the signups of these trunks.
func (x *Index) byTrunk(names map[string]bool) map[string]string {
	ids := make(map[string]string, len(names))
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, row := range x.rows {
		if names[row.TrunkName] {
			ids[row.TrunkName] = row.ID
		}
	}
	return ids
}
