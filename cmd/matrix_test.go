package cmd_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

// row is something that happens to the first process.
type row struct {
	name    string
	command string            // of the first process
	prepare func(*cell)       // before it starts
	ready   func(*cell)       // when it waits for its event
	check   func(*cell) error // when it has had it
	wait    time.Duration     // before others finish the signup
	after   time.Duration     // since it has happened, before Exotel is at nothing any more
	dumb    bool              // the table may have done what it was asked, and not said so
	search  bool              // it takes a reconciler to find the trunk
}

// column is who finishes the signup then.
type column struct {
	name   string
	finish func(*cell) error
}

var columns = []column{{"redelivered", byRedelivery}, {"reconciled", byReconciler}, {"both at once", byBoth}}

// cellsAtOnce: they wait nearly all of their time, for leases to end. What went
// otherwise than it was meant to is done again, fewer at once.
var cellsAtOnce = []int{48, 8, 2}

// The crash matrix: whatever happens to one process, others make one trunk and one
// record of it, and every sender is told the truth; its line has each thing once. It
// runs alone, because other tests measure times; all of it where CRASH_MATRIX names a
// file for the table, as make chaos does.
func TestCrashMatrix(t *testing.T) { //nolint:paralleltest // see above
	dynamotest.Start(t)
	for _, command := range []string{"webhook", "reconciler"} {
		lambdatest.Build(t, command)
	}
	m := newMatrix(slices.Concat(journeyRows(), vendorRows(), tableRows(), secretRows(), lineRows(), keeperRows()))
	t.Cleanup(func() { m.print(t) })
	todo := m.places(os.Getenv("CRASH_MATRIX") != "")
	for round, atOnce := range cellsAtOnce {
		m.last = round == len(cellsAtOnce)-1
		m.again = nil
		m.round(t, todo, atOnce)
		todo = m.again
	}
}

// place is that of a cell.
type place struct{ row, column int }

// places are those of all cells, or of one cell of each row, whose columns take turns.
// Without a reconciler nobody searches.
func (m *matrix) places(whole bool) (all []place) {
	for i, r := range m.rows {
		first := 0
		if r.search {
			first = 1
		}
		if !whole {
			all = append(all, place{i, first + i%(len(columns)-first)})
			continue
		}
		for j := first; j < len(columns); j++ {
			all = append(all, place{i, j})
		}
	}
	return all
}

// round does some of the cells, so many at once. They are no parallel tests, so
// that -parallel does not count.
func (m *matrix) round(t *testing.T, todo []place, atOnce int) {
	t.Helper()
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, at := range todo {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			t.Run(m.rows[at.row].name+"/"+columns[at.column].name, func(t *testing.T) { m.do(t, at) })
		})
	}
	all.Wait()
}

// do does one cell.
func (m *matrix) do(t *testing.T, at place) {
	t.Helper()
	c, start := newCell(t), time.Now()
	err := c.run(m.rows[at.row], columns[at.column])
	if errors.Is(err, errOtherwise) && !m.last {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.again = append(m.again, at)
		return
	}
	m.note(at, c, time.Since(start), err)
	if err != nil {
		t.Errorf("%v\n%s", err, c.outputs())
	}
}

// outputs is what the processes of a cell wrote.
func (c *cell) outputs() string {
	var b strings.Builder
	for i, p := range c.started {
		fmt.Fprintf(&b, "process %d:\n%s", i+1, p.Output())
	}
	return b.String()
}

// matrix collects what became of the cells.
type matrix struct {
	rows  []row
	start time.Time

	last bool // round, after which nothing is done again

	mu     sync.Mutex
	again  []place
	told   [][]string // what the sender heard from the first process, by column
	became [][]string
	good   int
	bad    int
	alone  int // cells in which a call was left alone until it had settled
}

func newMatrix(rows []row) *matrix {
	m := &matrix{rows: rows, start: time.Now()}
	for range rows {
		m.told = append(m.told, make([]string, len(columns)))
		m.became = append(m.became, make([]string, len(columns)))
	}
	return m
}

func (m *matrix) note(at place, c *cell, took time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told[at.row][at.column] = c.told
	m.became[at.row][at.column] = fmt.Sprintf("%s %.1fs", c.then, took.Seconds())
	if c.alone {
		m.alone++
	}
	if err != nil {
		m.became[at.row][at.column] = "FAILED"
		m.bad++
		return
	}
	m.good++
}

// print writes the table into the test's output, and into the file that
// CRASH_MATRIX names.
func (m *matrix) print(t *testing.T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "what happens to the first process\tsender told")
	for _, col := range columns {
		fmt.Fprintf(w, "\t%s", col.name)
	}
	fmt.Fprintln(w)
	for i, r := range m.rows {
		if strings.Join(m.became[i], "") == "" {
			continue // not asked for by -run
		}
		told := slices.Compact(slices.Sorted(slices.Values(m.told[i])))
		told = slices.DeleteFunc(told, func(s string) bool { return s == "" })
		fmt.Fprintf(w, "%s\t%s", r.name, cmp.Or(strings.Join(told, " or "), "-"))
		for _, cell := range m.became[i] {
			fmt.Fprintf(w, "\t%s", cmp.Or(cell, "-"))
		}
		fmt.Fprintln(w)
	}
	err := w.Flush()
	fmt.Fprintf(&b, "\n%d rows, %d cells: %d good, %d failed, in %.0f s; in %d nobody sent again what had not settled\n",
		len(m.rows), m.good+m.bad, m.good, m.bad, time.Since(m.start).Seconds(), m.alone)
	t.Logf("\n%s", b.String())
	if path := os.Getenv("CRASH_MATRIX"); path != "" {
		err = errors.Join(err, os.WriteFile(path, []byte(b.String()), 0o600))
	}
	if err != nil {
		t.Error(err)
	}
}
