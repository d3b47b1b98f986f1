package cmd_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/provision"
)

// vendorFault is something that Exotel, or the way to it, does to a call.
type vendorFault struct {
	name  string
	fault exoteltest.Fault
}

// What may have been done all the same, and what was not.
var (
	unknown = []vendorFault{
		{"answer lost", exoteltest.LoseAnswer},
		{"request lost", exoteltest.LoseRequest},
		{"time-out, not done", exoteltest.Hang},
		{"time-out, done", exoteltest.HangAfter},
		{"503, not done", exoteltest.Fail(http.StatusServiceUnavailable)},
		{"503, done", exoteltest.FailAfter(http.StatusServiceUnavailable)},
		{"HTML 502, done", exoteltest.HTMLAfter},
		{"JSON cut off", exoteltest.CutOff},
		{"huge body", exoteltest.Huge},
		{"slow body", exoteltest.Slow},
	}
	notDone = []vendorFault{
		{"429", exoteltest.RateLimit("1")},
		{"401", exoteltest.Fail(http.StatusUnauthorized)},
		{"302", exoteltest.Fail(http.StatusFound)},
	}
	reading = []vendorFault{
		{"answer lost", exoteltest.LoseAnswer},
		{"time-out", exoteltest.HangAfter},
		{"HTML 502", exoteltest.HTML},
		{"JSON cut off", exoteltest.CutOff},
		{"429", exoteltest.RateLimit("1")},
	}
)

// lineRows are what Exotel, or the way to it, does to a line in the first try.
func lineRows() (rows []row) {
	each := func(op exoteltest.Op, prepare func(*cell), faults ...vendorFault) {
		for _, f := range faults {
			rows = append(rows, row{name: string(op) + ": " + f.name, command: "webhook", prepare: func(c *cell) {
				prepare(c)
				c.vendorFault(op, f.fault)
			}})
		}
	}
	all := slices.Concat(unknown, notDone)
	for _, op := range []exoteltest.Op{exoteltest.MapPhoneNumber, exoteltest.WhitelistIP, exoteltest.AddDestinationURIs, exoteltest.CreateCredential, exoteltest.SetSettings} {
		each(op, (*cell).lineOfOld, all...)
		rows = append(rows, lateRows(op)...)
	}
	for _, op := range []exoteltest.Op{exoteltest.ListPhoneNumbers, exoteltest.ListWhitelistedIPs, exoteltest.ListDestinationURIs, exoteltest.ListCredentials} {
		each(op, (*cell).lineExists, reading...)
	}
	for _, op := range []exoteltest.Op{exoteltest.UpdatePhoneNumber, exoteltest.UpdateCredential} {
		each(op, (*cell).lineExists, unknown[:6]...)
		each(op, (*cell).lineExists, notDone...)
	}
	return append(rows, refusedRows()...)
}

// lateRows: the call is done when its caller has given it up, before the next try
// or after it.
func lateRows(op exoteltest.Op) []row {
	late := func(name string, after time.Duration) row {
		return row{name: string(op) + ": processed " + name, command: "webhook", after: after, prepare: func(c *cell) {
			c.lineOfOld()
			c.vendorFault(op, exoteltest.ProcessLate(after))
		}}
	}
	before := late("after the sender was told, before the next try", replyWithin+100*time.Millisecond)
	before.wait = time.Second
	return []row{before, late("after the next try", 3*replyWithin)}
}

// refusedRows: Exotel refuses a step for good, and the signup is incomplete.
func refusedRows() []row {
	refused := func(name string, prepare func(*cell), keys ...string) row {
		return row{name: name, command: "webhook", prepare: func(c *cell) {
			c.lineOfOld()
			c.refused = keys
			prepare(c)
		}, check: func(c *cell) error { return c.refusedByNow(keys[0]) }}
	}
	with := func(op exoteltest.Op, status int) func(*cell) {
		return func(c *cell) { c.vendorFault(op, exoteltest.Fail(status)) }
	}
	const first, credential, callerID = "phone_number +912247788868", "credential acme.phone", "caller_id"
	return []row{
		refused("map phone number: 400", with(exoteltest.MapPhoneNumber, http.StatusBadRequest), first),
		refused("map phone number: 403", with(exoteltest.MapPhoneNumber, http.StatusForbidden), first),
		// And so is the destination that needed it.
		refused("whitelist ip: 404", with(exoteltest.WhitelistIP, http.StatusNotFound), "whitelisted_ip 8.8.8.0/24", "destination_uri 8.8.8.8:5060"),
		refused("add destination uris: 207, one is refused", func(c *cell) {
			c.line.DestinationURIs = []string{"sip.acme.invalid:5060", "sip.acme.example:5060"}
		}, "destination_uri sip.acme.invalid:5060"),
		refused("add destination uris: 200, all are refused", func(c *cell) {
			c.line.DestinationURIs = []string{"sip.acme.invalid:5060"}
		}, "destination_uri sip.acme.invalid:5060"),
		refused("create credential: 400", with(exoteltest.CreateCredential, http.StatusBadRequest), credential),
		refused("set settings: 400", with(exoteltest.SetSettings, http.StatusBadRequest), callerID),
	}
}

// refusedByNow: a process that is out of time between a refusal and what it asks to
// make sure of it leaves the step for the next one, to which nothing is refused.
func (c *cell) refusedByNow(key string) error {
	record, err := c.ledger.Get(c.t.Context(), c.id)
	if step := record.Steps[key]; step.Status != provision.StepRefused {
		return errors.Join(fmt.Errorf("%w: %s is %q", errOtherwise, key, step.Status), err)
	}
	return nil
}

// keeperRows are about Systems Manager.
func keeperRows() (rows []row) {
	deny := lambdatest.Respond(http.StatusBadRequest, `{"__type":"AccessDeniedException","Message":"not authorized"}`)
	tooOften := lambdatest.Respond(http.StatusBadRequest, `{"__type":"ThrottlingException","message":"Rate exceeded"}`)
	at := func(kind string, prepare func(*cell)) {
		add := func(what string, inject func(*cell)) {
			rows = append(rows, row{name: "Systems Manager " + what + ": " + kind, command: "webhook", prepare: func(c *cell) {
				prepare(c)
				inject(c)
			}})
		}
		once := func(what string, fault lambdatest.Fault) { add(what, func(c *cell) { c.onCall(kind, 1, fault) }) }
		lasts := func(what string, fault lambdatest.Fault) {
			add(what, func(c *cell) { c.proxies.keeper.From(kind, fault) })
		}
		once("loses the answer", lambdatest.LoseAnswer)
		once("loses the request", lambdatest.LoseRequest)
		once("answers late", lambdatest.HangAfter)
		once("throttles", tooOften)
		lasts("is down", failed)
		lasts("is dumb", lambdatest.LoseAnswer)
		lasts("hangs", lambdatest.HangBefore)
		lasts("denies", deny)
	}
	at(keepPassword, (*cell).lineOfOld)
	at(readPassword, (*cell).lineExists)
	return rows
}

// lineCalls are the calls to the table that only lines make, or make otherwise.
var lineCalls = []tableCall{
	{recordTrunk, "pass: line"},
	{mark, "line, trunk exists"},
	{record, "line, trunk exists"},
	{giveBack, "line, list lags"},
	{extend, "line, extended"},
}
