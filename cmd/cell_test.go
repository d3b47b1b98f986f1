package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
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
	finishWithin = 2 * time.Minute
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

	env     []string       // of all its processes, beside the usual
	line    provision.Line // what is asked for beside the trunk
	refused []string       // keys of the steps that Exotel refuses for good
	quiet   time.Time      // from then on Exotel is at nothing any more
	alone   bool           // what would double had been sent, and was left alone

	told string // what the sender was told by the first process
	then string // and at the end
}

// proxies are in front of all that the first process calls. Those that finish
// its work call directly.
type proxies struct{ runtime, table, vendor, secrets, keeper *lambdatest.Proxy }

func (p proxies) all() []*lambdatest.Proxy {
	return []*lambdatest.Proxy{p.runtime, p.table, p.vendor, p.secrets, p.keeper}
}

func newCell(t *testing.T) *cell {
	t.Helper()
	c := &cell{cloud: newCloud(t), id: "acme-42", victim: lambdatest.NewVictim(), faults: map[exoteltest.Op]int{}}
	c.proxies = proxies{
		runtime: lambdatest.StartProxy(t, "", kindOfRuntime),
		table:   lambdatest.StartProxy(t, c.engine.Endpoint, kindOfTable),
		vendor:  lambdatest.StartProxy(t, c.fake.URL, kindOfVendor),
		secrets: lambdatest.StartProxy(t, c.secrets.URL, kindOfSecret),
		keeper:  lambdatest.StartProxy(t, c.keeper.URL, kindOfKeeper),
	}
	return c
}

// proxyOf is the one through which calls of that kind go.
func (c *cell) proxyOf(kind string) *lambdatest.Proxy {
	switch kind {
	case reply:
		return c.proxies.runtime
	case fetchSecret:
		return c.proxies.secrets
	case keepPassword, readPassword:
		return c.proxies.keeper
	}
	for _, kinds := range vendorKinds {
		if slices.Contains(slices.Collect(maps.Values(kinds)), kind) {
			return c.proxies.vendor
		}
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
	if r.prepare != nil {
		r.prepare(c)
	}
	c.first = c.startThrough(c.proxies.runtime, r.command, append(slices.Clone(c.env), "REPLY_WITHIN="+replyWithin.String(),
		"AWS_ENDPOINT_URL_DYNAMODB="+c.proxies.table.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER="+c.proxies.secrets.URL,
		"AWS_ENDPOINT_URL_SSM="+c.proxies.keeper.URL, "EXOTEL_BASE_URL="+c.proxies.vendor.URL)...)
	c.victim.Is(c.first)
	if err := c.happen(r); err != nil {
		return fmt.Errorf("at first: %w", err)
	}
	c.quiet = time.Now().Add(r.after)
	if err := c.metItsFault(); err != nil {
		return err
	}
	time.Sleep(r.wait)
	if err := c.leftAlone(); err != nil {
		return fmt.Errorf("while it isn't known what came of a call: %w", err)
	}
	if err := col.finish(c); err != nil {
		return err
	}
	time.Sleep(time.Until(c.quiet))
	return c.kept()
}

// kept checks the promise at the end.
func (c *cell) kept() error {
	var incomplete []string
	if len(c.refused) > 0 {
		incomplete = append(incomplete, c.id)
	}
	signups, err := c.promiseKept(incomplete...)
	if err == nil && !slices.Contains(signups, c.id) {
		err = fmt.Errorf("%s is not on disk", c.id)
	}
	return errors.Join(err, c.lineKept())
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
	if record, taken, err := c.taken(); taken || err != nil {
		return errors.Join(fmt.Errorf("%w: told 503, and on disk: %+v", errOtherwise, record), err)
	}
	return nil
}

// taken tells whether all of the signup is on disk.
func (c *cell) taken() (provision.Record, bool, error) {
	record, err := c.ledger.Get(c.t.Context(), c.id)
	if errors.Is(err, provision.ErrNotFound) {
		return record, false, nil
	}
	for key := range c.steps() {
		if _, there := record.Steps[key]; !there {
			return record, false, err
		}
	}
	return record, err == nil, err
}

// errOtherwise: something else happened than was meant to, perhaps because the machine
// is so busy that the process was out of time before, or a client tried again. Such
// a cell proves nothing, and is done again in more peace.
var errOtherwise = errors.New("not what was meant to happen")

func (c *cell) metItsFault() error {
	for _, p := range c.proxies.all() {
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
	raw, err := p.Invoke(c.t.Context(), c.delivery(), webhookTime)
	if errors.Is(err, lambdatest.ErrExited) {
		return died, false, nil
	}
	var answer events.APIGatewayV2HTTPResponse
	var signup shown
	if err := errors.Join(err, json.Unmarshal(raw, &answer), json.Unmarshal([]byte(answer.Body), &signup)); err != nil {
		return "", false, err
	}
	told = fmt.Sprint(answer.StatusCode)
	if answer.StatusCode == http.StatusServiceUnavailable {
		return told, false, nil
	}
	record, taken, err := c.taken()
	finished = answer.StatusCode == http.StatusOK || answer.StatusCode == http.StatusCreated
	switch {
	case err != nil || !taken:
		err = errors.Join(fmt.Errorf("told %s, and not all is on disk: %+v", told, record), err)
	case !finished && answer.StatusCode != http.StatusAccepted, finished && signup.TrunkSID == "",
		signup.TrunkSID != "" && signup.TrunkSID != record.TrunkSID, finished && !c.ended(record):
		err = fmt.Errorf("told %s %s, and on disk is %+v", told, answer.Body, record)
	}
	return told, finished, err
}

// again starts another process, which calls directly.
func (c *cell) again(command string) *lambdatest.Process {
	return c.start(command, append(slices.Clone(c.env), "REPLY_WITHIN="+replyWithin.String())...)
}

// redeliver sends the signup to another process, as senders do, until it is told
// that the trunk is there.
func (c *cell) redeliver() error {
	p := c.again("webhook")
	for end := time.Now().Add(finishWithin); time.Now().Before(end); {
		told, finished, err := c.deliver(p)
		if err != nil || finished {
			c.then = told
			return err
		}
		if told == died { // out of time, on a machine that is busy
			p = c.again("webhook")
		}
		if c.settle() {
			continue
		}
		c.pause(retryAfter, func(r provision.Record) time.Time { return r.LeaseUntil })
	}
	return c.stuck("the sender is not told of its trunk")
}

// reconcile runs one pass after the other until the signup is complete.
func (c *cell) reconcile() error {
	p := c.again("reconciler")
	for end := time.Now().Add(finishWithin); time.Now().Before(end); {
		if _, err := p.Invoke(c.t.Context(), map[string]any{}, passTime); errors.Is(err, lambdatest.ErrExited) {
			p = c.again("reconciler")
		}
		if record, taken, err := c.taken(); err == nil && taken && c.ended(record) {
			return nil
		}
		if c.settle() {
			continue
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
	_, taken, err := c.taken()
	if err == nil && !taken {
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
