package simulation_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// trace is all that happened in a schedule.
type trace struct {
	start  time.Time
	events []event
	owners map[string]string // tokens by their first appearance, since they are random
}

type event struct {
	at        time.Duration
	who, what string
}

func (t *trace) add(who, what string, more ...string) {
	t.events = append(t.events, event{time.Since(t.start), who, strings.Join(append([]string{what}, more...), " ")})
}

func (t *trace) owner(token string) string {
	if token == "" {
		return "-"
	}
	if t.owners[token] == "" {
		t.owners[token] = fmt.Sprintf("t%d", len(t.owners)+1)
	}
	return t.owners[token]
}

// String has a line for each event. What happened at one instant is in the order
// of the text, since it has no other.
func (t *trace) String() string {
	slices.SortStableFunc(t.events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.who, b.who), cmp.Compare(a.what, b.what))
	})
	var b strings.Builder
	for _, e := range t.events {
		fmt.Fprintf(&b, "%16.9f  %-9s %s\n", e.at.Seconds(), e.who, e.what)
	}
	return b.String()
}
