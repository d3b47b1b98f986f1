package cmd_test

import (
	"net/http"
	"slices"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

// vendorRows are what Exotel, or the way to it, does to the first try.
func vendorRows() []row {
	create := func(name string, faults ...exoteltest.Fault) row {
		return row{name: "create: " + name, command: "webhook", prepare: func(c *cell) { c.vendorFault(exoteltest.Create, faults...) }}
	}
	list := func(name string, faults ...exoteltest.Fault) row {
		return row{name: "list: " + name, command: "webhook", prepare: func(c *cell) {
			c.trunkExists()
			c.vendorFault(exoteltest.List, faults...)
		}}
	}
	lateFirst := create("processed after the sender was told, before the next try", exoteltest.ProcessLate(replyWithin+100*time.Millisecond))
	lateFirst.wait = time.Second
	lateLast := create("processed after the next try", exoteltest.ProcessLate(2*replyWithin))
	lateLast.after = 2 * replyWithin
	rows := []row{
		create("answer lost", exoteltest.LoseAnswer),
		create("request lost", exoteltest.LoseRequest),
		create("time-out, not made", exoteltest.Hang),
		create("time-out, made", exoteltest.HangAfter),
		lateFirst,
		lateLast,
		create("503, not made", exoteltest.Fail(http.StatusServiceUnavailable)),
		create("503, made", exoteltest.FailAfter(http.StatusServiceUnavailable)),
		create("HTML 502, not made", exoteltest.HTML),
		create("HTML 502, made", exoteltest.HTMLAfter),
		create("JSON cut off", exoteltest.CutOff),
		create("empty trunk_sid", exoteltest.EmptySID),
		create("huge body", exoteltest.Huge),
		create("slow body", exoteltest.Slow),
		create("429", exoteltest.RateLimit("1")),
		create("400", exoteltest.Fail(http.StatusBadRequest)),
		create("401", exoteltest.Fail(http.StatusUnauthorized)),
		create("403", exoteltest.Fail(http.StatusForbidden)),
		create("302", exoteltest.Fail(http.StatusFound)),
		{name: "create: answer lost, and the list lags", command: "webhook", prepare: func(c *cell) {
			c.vendorFault(exoteltest.Create, exoteltest.LoseAnswer)
			c.fake.SetListLag(4 * time.Second)
		}},
		{name: "duplicate: 200 with 409 inside", command: "webhook", prepare: (*cell).trunkExists},
		{name: "duplicate: HTTP 409", command: "webhook", prepare: func(c *cell) {
			c.fake.SetDuplicateStatus(http.StatusConflict)
			c.trunkExists()
		}},
		list("answer lost", exoteltest.LoseAnswer),
		list("503, three times", exoteltest.Fail(503), exoteltest.Fail(503), exoteltest.Fail(503)),
		list("time-out", exoteltest.HangAfter),
		list("HTML 502", exoteltest.HTML),
		list("JSON cut off", exoteltest.CutOff),
		list("huge body", exoteltest.Huge),
		list("slow body", exoteltest.Slow),
		list("429", exoteltest.RateLimit("1")),
	}
	return append(rows, connectionRows()...)
}

// connectionRows are about connections that were used before and lay idle.
func connectionRows() []row {
	used := func(name string, then func(*cell)) row {
		return row{name: "used connection " + name, command: "webhook", ready: func(c *cell) {
			for status := 0; status != http.StatusCreated && status != http.StatusOK; {
				status, _ = invokeFor(c.t, c.first, post("warm-up"), 20*time.Second) // what it takes is not what is tested
			}
			then(c)
		}}
	}
	return []row{
		used("to Exotel: reset, not made", func(c *cell) { c.vendorFault(exoteltest.Create, exoteltest.LoseRequest) }),
		used("to Exotel: reset, made", func(c *cell) { c.vendorFault(exoteltest.Create, exoteltest.LoseAnswer) }),
		used("to Exotel: reset while frozen", func(c *cell) { c.frozen(c.proxies.vendor.ResetIdle) }),
		used("to the table: reset", func(c *cell) { c.onCall(claim, 1, lambdatest.LoseRequest) }),
		used("to the table: reset while frozen", func(c *cell) { c.frozen(c.proxies.table.ResetIdle) }),
		used("to the table: silent", func(c *cell) { c.onCall(claim, 1, lambdatest.HangBefore) }),
	}
}

// frozen does something while the process is stopped, as Lambda stops it between
// invocations; it goes on when its next event is there already.
func (c *cell) frozen(do func()) {
	if err := c.first.Freeze(); err != nil {
		c.t.Error(err)
	}
	do()
	time.AfterFunc(50*time.Millisecond, func() { _ = c.first.Thaw() })
}

// What DynamoDB says when it fails, and when it is asked too often.
var (
	failed    = lambdatest.Respond(http.StatusInternalServerError, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"The request could not be completed"}`)
	throttled = lambdatest.Respond(http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"The level of configured provisioned throughput was exceeded"}`)
)

// tableRows are what the table, or the way to it, does to each kind of call, and
// to everything from it on.
func tableRows() (rows []row) {
	type kindOfFault struct {
		name  string
		fault lambdatest.Fault
	}
	once := []kindOfFault{
		{"answer lost", lambdatest.LoseAnswer},
		{"answer late", lambdatest.HangAfter},
		{"request lost", lambdatest.LoseRequest},
		{"throttled", throttled},
		{"500", failed},
	}
	lasting := []kindOfFault{
		{"throttled", throttled},
		{"down", lambdatest.LoseRequest},
		{"dumb", lambdatest.LoseAnswer},
	}
	for _, at := range slices.Concat(tableCalls, lineCalls) {
		j := journeyNamed(at.journey)
		for _, f := range once {
			r := j.row(at.kind+": "+f.name, func(c *cell) { c.proxies.table.Inject(at.kind, f.fault) })
			r.dumb = !f.fault.Lost
			rows = append(rows, r)
		}
		for _, f := range lasting {
			r := j.row("table "+f.name+" from "+at.kind+" on", func(c *cell) { c.proxies.table.From(at.kind, f.fault) })
			r.dumb = !f.fault.Lost
			rows = append(rows, r)
		}
	}
	return rows
}

// tableCall is a call to the table, in a journey that makes it.
type tableCall struct{ kind, journey string }

// tableCalls are all that bare trunks make.
var tableCalls = []tableCall{
	{claim, "new"},
	{takeBudget, "new"},
	{record, "new"},
	{giveBack, "create fails"},
	{closeBudget, "rate limited"},
	{pinAccount, "no credentials at start"},
	{listDue, "pass: due"},
	{takeOver, "pass: due"},
	{record, "pass: due"},
	{keepPlace, "pass: search"},
}

// secretRows are about Secrets Manager.
func secretRows() []row {
	at := func(name string, prepare func(*cell)) row {
		return row{name: "Secrets Manager " + name, command: "webhook", prepare: prepare}
	}
	withoutCredentials := at("has no secret of Exotel's yet", (*cell).noCredentials)
	withoutCredentials.check = func(c *cell) error { c.store("canary-key-0123456789", token); return nil }
	rotated := row{name: "Secrets Manager down while the key rotates", command: "webhook", ready: func(c *cell) {
		c.proxies.secrets.Always(failed)
		c.keyRotates()
	}}
	return []row{
		at("down", func(c *cell) { c.proxies.secrets.Always(failed) }),
		at("hangs", func(c *cell) { c.proxies.secrets.Always(lambdatest.HangBefore) }),
		withoutCredentials,
		rotated,
	}
}
