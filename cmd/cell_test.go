package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/provision"
)

// Times of the matrix: short, since many a cell waits until a lease ends, which is
// 2 s after the time that a process has.
const (
	replyWithin  = 2 * time.Second
	webhookTime  = 2600 * time.Millisecond
	passTime     = 7 * time.Second // a pass begins nothing with less than 4 s left
	finishWithin = 40 * time.Second
)

// cell is one cell of the crash matrix: something happens to one process that has
// a signup to finish, and others finish it.
type cell struct {
	*cloud
	id      string
	proxies proxies
	first   *lambdatest.Process // it happens to this one
	victim  *lambdatest.Victim  // the same, for whoever kills it
	faults  map[exoteltest.Op]int

	told string // what the sender was told by the first process
	then string // and at the end
}

// proxies are in front of all that the first process calls. Those that finish
// its work call directly.
type proxies struct{ runtime, table, vendor, secrets *lambdatest.Proxy }

func newCell(t *testing.T) *cell {
	t.Helper()
	c := &cell{cloud: newCloud(t), id: "acme-42", victim: lambdatest.NewVictim(), faults: map[exoteltest.Op]int{}}
	c.proxies = proxies{
		runtime: lambdatest.StartProxy(t, "", kindOfRuntime),
		table:   lambdatest.StartProxy(t, c.engine.Endpoint, kindOfTable),
		vendor:  lambdatest.StartProxy(t, c.fake.URL, kindOfVendor),
		secrets: lambdatest.StartProxy(t, c.secrets.URL, kindOfSecret),
	}
	return c
}

// proxyOf is the one through which calls of that kind go.
func (c *cell) proxyOf(kind string) *lambdatest.Proxy {
	switch kind {
	case reply:
		return c.proxies.runtime
	case createTrunk, listTrunks:
		return c.proxies.vendor
	case fetchSecret:
		return c.proxies.secrets
	}
	return c.proxies.table
}

// vendorFault queues faults of the fake Exotel's own.
func (c *cell) vendorFault(op exoteltest.Op, faults ...exoteltest.Fault) {
	c.fake.Inject(op, faults...)
	c.faults[op] += len(faults)
}

// name is the signup's trunk's.
func (c *cell) name() string { return provision.TrunkName("tst", c.id) }

// trunkExists puts the trunk at the vendor, as an earlier try could have.
func (c *cell) trunkExists() {
	c.fake.Add(exotel.Trunk{Name: c.name(), DomainName: exotel.DomainName("exoteltest")})
}

// run is the whole story of a cell.
func (c *cell) run(r row, col column) error {
	begin := time.Now()
	if r.prepare != nil {
		r.prepare(c)
	}
	c.first = c.startThrough(c.proxies.runtime, r.command, "REPLY_WITHIN="+replyWithin.String(),
		"AWS_ENDPOINT_URL_DYNAMODB="+c.proxies.table.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER="+c.proxies.secrets.URL, "EXOTEL_BASE_URL="+c.proxies.vendor.URL)
	c.victim.Is(c.first)
	if err := c.happen(r); err != nil {
		return fmt.Errorf("at first: %w", err)
	}
	if err := c.metItsFault(); err != nil {
		return err
	}
	time.Sleep(r.wait)
	if err := col.finish(c); err != nil {
		return err
	}
	time.Sleep(r.after - time.Since(begin))
	signups, err := c.promiseKept()
	if err == nil && !slices.Contains(signups, c.id) {
		err = fmt.Errorf("%s is not on disk", c.id)
	}
	return err
}

// happen hands the first process its event.
func (c *cell) happen(r row) (err error) {
	if r.ready != nil {
		until(c.t, func() bool { return len(c.proxies.runtime.Calls()) > 0 })
		r.ready(c)
	}
	if r.command == "reconciler" {
		_, _ = c.first.Invoke(c.t.Context(), map[string]any{}, passTime) // whether it dies, fails or goes well, nobody was told anything
	} else {
		c.told, _, err = c.deliver(c.first)
		err = errors.Join(err, c.heard(r))
	}
	if err == nil && r.check != nil {
		err = r.check(c)
	}
	return err
}

// heard: 503 is for a signup that is not on disk, unless the table did it and could
// not say so, or in time.
func (c *cell) heard(r row) error {
	if c.told != "503" || r.dumb {
		return nil
	}
	if record, err := c.ledger.Get(c.t.Context(), c.id); !errors.Is(err, provision.ErrNotFound) {
		return errors.Join(fmt.Errorf("%w: told 503, and on disk: %+v", errOtherwise, record), err)
	}
	return nil
}

// errOtherwise: something else happened than was meant to, perhaps because the machine
// is so busy that the process was out of time before, or a client tried again. Such
// a cell proves nothing, and is done again in more peace.
var errOtherwise = errors.New("not what was meant to happen")

func (c *cell) metItsFault() error {
	for _, p := range []*lambdatest.Proxy{c.proxies.runtime, c.proxies.table, c.proxies.vendor, c.proxies.secrets} {
		if n := p.Waiting(); n > 0 {
			return fmt.Errorf("%w: %d faults were met by no call", errOtherwise, n)
		}
	}
	for op, n := range c.faults {
		if c.fake.Count(op) < n {
			return fmt.Errorf("%w: %d calls to %s, and %d faults", errOtherwise, c.fake.Count(op), op, n)
		}
	}
	return nil
}

// died is what a sender is told by a process that is killed.
const died = "died"

// deliver sends the signup, and is an error where the sender is not told the truth.
func (c *cell) deliver(p *lambdatest.Process) (told string, finished bool, err error) {
	raw, err := p.Invoke(c.t.Context(), post(c.id), webhookTime)
	if errors.Is(err, lambdatest.ErrExited) {
		return died, false, nil
	}
	var answer events.APIGatewayV2HTTPResponse
	var signup shown
	if err := errors.Join(err, json.Unmarshal(raw, &answer), json.Unmarshal([]byte(answer.Body), &signup)); err != nil {
		return "", false, err
	}
	told = fmt.Sprint(answer.StatusCode)
	record, err := c.ledger.Get(c.t.Context(), c.id)
	switch {
	case answer.StatusCode == 503:
		return told, false, nil
	case err != nil:
		err = fmt.Errorf("told %s, and on disk: %w", told, err)
	case answer.StatusCode == 202 && signup.TrunkSID == "":
		return told, false, nil
	case answer.StatusCode != 200 && answer.StatusCode != 201, signup.TrunkSID == "", record.TrunkSID != signup.TrunkSID:
		err = fmt.Errorf("told %s %s, and on disk is %+v", told, answer.Body, record)
	}
	return told, true, err
}

// redeliver sends the signup to another process, as senders do, until it is told
// that the trunk is there.
func (c *cell) redeliver() error {
	p := c.start("webhook", "REPLY_WITHIN="+replyWithin.String())
	for end := time.Now().Add(finishWithin); time.Now().Before(end); {
		told, finished, err := c.deliver(p)
		if err != nil || finished {
			c.then = told
			return err
		}
		if told == died { // out of time, on a machine that is busy
			p = c.start("webhook", "REPLY_WITHIN="+replyWithin.String())
		}
		c.pause(retryAfter, func(r provision.Record) time.Time { return r.LeaseUntil })
	}
	return c.stuck("the sender is not told of its trunk")
}

// reconcile runs one pass after the other until the signup is active.
func (c *cell) reconcile() error {
	p := c.start("reconciler")
	for end := time.Now().Add(finishWithin); time.Now().Before(end); {
		if _, err := p.Invoke(c.t.Context(), map[string]any{}, passTime); errors.Is(err, lambdatest.ErrExited) {
			p = c.start("reconciler")
		}
		if record, err := c.ledger.Get(c.t.Context(), c.id); err == nil && record.Status == provision.StatusActive {
			return nil
		}
		c.pause(0, func(r provision.Record) time.Time { return r.DueAt })
	}
	return c.stuck("the reconciler does not finish it")
}

func (c *cell) stuck(what string) error {
	record, err := c.ledger.Get(c.t.Context(), c.id)
	return errors.Join(fmt.Errorf("%s: %+v", what, record), err)
}

// retryAfter is what a sender is told.
const retryAfter = 2 * time.Second

// pause waits until the time that the record names, for as long as it names one,
// and where it names none at first, for so long.
func (c *cell) pause(otherwise time.Duration, at func(provision.Record) time.Time) {
	end := time.Now().Add(otherwise)
	for limit := time.Now().Add(finishWithin); time.Now().Before(limit); {
		time.Sleep(100 * time.Millisecond)
		record, err := c.ledger.Get(c.t.Context(), c.id)
		now := time.Now()
		switch {
		case err == nil && at(record).After(now):
			end = now
		case now.After(end):
			return
		}
	}
}

// The columns of the matrix.

// byRedelivery: the sender sends again.
func byRedelivery(c *cell) error { return c.redeliver() }

// byReconciler: nobody sends again, unless nothing was promised.
func byReconciler(c *cell) error {
	_, err := c.ledger.Get(c.t.Context(), c.id)
	if errors.Is(err, provision.ErrNotFound) {
		return c.redeliver()
	}
	c.then = "ok"
	return errors.Join(err, c.reconcile())
}

// byBoth at once.
func byBoth(c *cell) error {
	var both sync.WaitGroup
	var redelivered, reconciled error
	both.Go(func() { redelivered = c.redeliver() })
	both.Go(func() { reconciled = c.reconcile() })
	both.Wait()
	return errors.Join(redelivered, reconciled)
}
