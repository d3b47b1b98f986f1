package cmd_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/provision"
)

// journey is one way through a process, with every call that it makes, start-up
// included. The matrix kills the process before and after each of them.
type journey struct {
	name    string
	command string
	prepare func(*cell)
	ready   func(*cell)
	search  bool
	calls   []string
	shared  int // so many of the first calls are killed in another journey
}

// atStart are the webhook's and atPass the reconciler's before anything is known
// of the signup.
var (
	atStart = []string{fetchSecret, fetchSecret, claim}
	atPass  = []string{fetchSecret, listDue, listSearching}
	atEnd   = []string{listPending, listSearching, reply}
)

func calls(parts ...[]string) []string { return slices.Concat(parts...) }

var journeys = slices.Concat([]journey{
	{
		name: "new", command: "webhook",
		calls: calls(atStart, []string{takeBudget, createTrunk, record, reply}),
	},
	{
		name: "trunk exists", command: "webhook", prepare: (*cell).trunkExists, shared: 4,
		calls: calls(atStart, []string{takeBudget, createTrunk, takeBudget, listTrunks, record, reply}),
	},
	{
		name: "create fails", command: "webhook", prepare: (*cell).createFails, shared: 5,
		calls: calls(atStart, []string{takeBudget, createTrunk, giveBack, reply}),
	},
	{
		name: "rate limited", command: "webhook", prepare: (*cell).rateLimited, shared: 5,
		calls: calls(atStart, []string{takeBudget, createTrunk, closeBudget, giveBack, reply}),
	},
	{
		name: "no credentials at start", command: "webhook", prepare: (*cell).noCredentials, ready: (*cell).credentialsCome, shared: 2,
		calls: calls(atStart, []string{fetchSecret, pinAccount, takeBudget, createTrunk, record, reply}),
	},
	{
		name: "key rotated", command: "webhook", ready: (*cell).keyRotates, shared: 4,
		calls: calls(atStart, []string{takeBudget, createTrunk, fetchSecret, takeBudget, createTrunk, record, reply}),
	},
	{
		name: "replay", command: "webhook", prepare: (*cell).finished, shared: 2,
		calls: calls(atStart, []string{reply}),
	},
	{
		name: "pass: due", command: "reconciler", prepare: (*cell).due,
		calls: calls(atPass, []string{takeBudget, takeOver, createTrunk, record}, atEnd),
	},
	{
		name: "pass: trunk exists", command: "reconciler", prepare: func(c *cell) { c.due(); c.trunkExists() }, shared: 5,
		calls: calls(atPass, []string{takeBudget, takeOver, createTrunk, takeBudget, listTrunks, record}, atEnd),
	},
	{
		name: "pass: create fails", command: "reconciler", prepare: func(c *cell) { c.due(); c.createFails() }, shared: 6,
		calls: calls(atPass, []string{takeBudget, takeOver, createTrunk, giveBack}, atEnd),
	},
	{
		name: "pass: search", command: "reconciler", prepare: (*cell).searched, search: true, shared: 3,
		calls: calls(atPass, []string{readPlace, takeBudget, listTrunks, keepPlace, takeBudget, listTrunks, keepPlace, takeBudget, listTrunks, takeOver, record, keepPlace}, atEnd),
	},
}, lineJourneys)

func journeyNamed(name string) journey {
	return journeys[slices.IndexFunc(journeys, func(j journey) bool { return j.name == name })]
}

func (c *cell) createFails() {
	c.vendorFault(exoteltest.Create, exoteltest.Fail(http.StatusServiceUnavailable))
}

func (c *cell) rateLimited() { c.vendorFault(exoteltest.Create, exoteltest.RateLimit("1")) }

// noCredentials: Exotel's secret is not there when the process starts.
func (c *cell) noCredentials() { c.secrets.Set(exotelSecret, "") }

func (c *cell) credentialsCome() {
	c.store("canary-key-0123456789", token)
	time.Sleep(1100 * time.Millisecond) // a fetch that failed isn't tried again for a second
}

func (c *cell) keyRotates() { c.rotate("canary-key-9876543210", "canary-token-9876543210") }

// finished: other processes have finished the signup.
func (c *cell) finished() {
	if err := c.redeliver(); err != nil {
		c.t.Error(err)
	}
	c.then = ""
}

// due: another process claimed the signup, and died.
func (c *cell) due() { c.claimedAndLeft(c.signup()) }

// searched: the trunk is on the third page of the list, and the search is to look
// for it.
func (c *cell) searched() {
	c.trunkExists()
	for i := range 110 {
		c.fake.Add(exotel.Trunk{Name: fmt.Sprintf("somebody_%d", i), DomainName: exotel.DomainName("exoteltest")})
	}
	c.due()
	if _, _, err := c.ledger.Release(c.t.Context(), provision.Release{SignupID: c.id, Owner: "dead", Searching: true, DueAt: time.Now(), Now: time.Now()}); err != nil {
		c.t.Error(err)
	}
}

// journeyRows are one row for each journey as it goes, and two for each call in it.
func journeyRows() (rows []row) {
	for _, j := range journeys {
		undisturbed := j.row("undisturbed", func(*cell) {})
		undisturbed.check = j.madeItsCalls
		rows = append(rows, undisturbed)
		for i, kind := range j.calls {
			if i < j.shared {
				continue
			}
			rows = append(rows,
				j.row("killed before "+j.numbered(i), func(c *cell) { c.onCall(kind, j.nth(i), lambdatest.KillBefore(c.victim)) }),
				j.row("killed after "+j.numbered(i), func(c *cell) { c.onCall(kind, j.nth(i), lambdatest.KillAfter(c.victim)) }))
		}
	}
	return rows
}

func (j journey) row(what string, inject func(*cell)) row {
	return row{
		name: j.name + ": " + what, command: j.command, ready: j.ready, search: j.search,
		prepare: func(c *cell) {
			if j.prepare != nil {
				j.prepare(c)
			}
			inject(c)
		},
	}
}

// onCall lets something happen to the n-th call of a kind.
func (c *cell) onCall(kind string, n int, fault lambdatest.Fault) {
	c.proxyOf(kind).Inject(kind, append(make([]lambdatest.Fault, n-1), fault)...)
}

// nth counts the calls of one kind up to this one.
func (j journey) nth(i int) (n int) {
	for _, kind := range j.calls[:i+1] {
		if kind == j.calls[i] {
			n++
		}
	}
	return n
}

func (j journey) numbered(i int) string {
	if n := j.nth(i); n > 1 {
		return fmt.Sprintf("%s (%d)", j.calls[i], n)
	}
	return j.calls[i]
}

// madeItsCalls makes sure that the matrix knows every call.
func (j journey) madeItsCalls(c *cell) error {
	var seen []lambdatest.ProxyCall
	for _, p := range c.proxies.all() {
		seen = append(seen, p.Calls()...)
	}
	slices.SortFunc(seen, func(a, b lambdatest.ProxyCall) int { return a.At.Compare(b.At) })
	var kinds []string
	for _, call := range seen {
		if call.Kind != "next" {
			kinds = append(kinds, call.Kind)
		}
	}
	if !slices.Equal(kinds, j.calls) {
		return fmt.Errorf("%w: it made the calls\n%s, and the matrix knows\n%s", errOtherwise, strings.Join(kinds, ", "), strings.Join(j.calls, ", "))
	}
	return nil
}
