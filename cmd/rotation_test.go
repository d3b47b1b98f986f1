package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/provision"
)

// rush is many signups sent at once to several webhook processes, none of which
// has to wait for budget.
type rush struct {
	*cloud
	processes []*lambdatest.Process
	statuses  map[int]int
}

const unlimited = "EXOTEL_CALLS_PER_MINUTE=0"

// newRush starts the processes, with their credentials fetched.
func newRush(t *testing.T, processes int) *rush {
	t.Helper()
	r := &rush{cloud: newCloud(t), statuses: map[int]int{}}
	for range processes {
		p := r.start("webhook", unlimited, "REPLY_WITHIN=10s")
		r.processes = append(r.processes, p)
		r.send(p, get("nobody"))
	}
	r.counted(t, map[int]int{http.StatusNotFound: processes})
	clear(r.statuses)
	return r
}

// send sends one event, and counts how it was answered.
func (r *rush) send(p *lambdatest.Process, event events.APIGatewayV2HTTPRequest) {
	var answer events.APIGatewayV2HTTPResponse
	raw, err := p.Invoke(r.t.Context(), event, rushTime)
	if err = errors.Join(err, json.Unmarshal(raw, &answer)); err != nil {
		r.t.Errorf("%v\n%s", err, p.Output())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statuses[answer.StatusCode]++
}

// rushTime is long: what is tested here is not how fast a busy machine is.
const rushTime = 15 * time.Second

// sendAll sends so many signups at once, and returns when all are answered.
func (r *rush) sendAll(signups int) {
	var all sync.WaitGroup
	for i := range signups {
		all.Go(func() { r.send(r.processes[i%len(r.processes)], post(fmt.Sprintf("signup-%d", i))) })
	}
	all.Wait()
}

func (r *rush) counted(t *testing.T, want map[int]int) {
	t.Helper()
	if !maps.Equal(r.statuses, want) {
		t.Errorf("HTTP statuses %v, want %v", r.statuses, want)
	}
}

// refusals is how often Exotel refused the credentials.
func (c *cloud) refusals() (n int) {
	for _, call := range c.fake.Calls() {
		if call.Status == http.StatusUnauthorized {
			n++
		}
	}
	return n
}

const (
	rushed    = 200
	newKey    = "canary-key-9876543210"
	newToken  = "canary-token-9876543210"
	callTakes = 20 * time.Millisecond
)

// replaceKey ends the old key once so many trunks are made; the new one is in the
// secret by then, as in any rotation by the book.
func (c *cloud) replaceKey(t *testing.T, made int) {
	t.Helper()
	until(t, func() bool { return len(c.fake.Trunks()) >= made })
	c.store(newKey, newToken)
	c.fake.SetCredentials(newKey, newToken)
}

func TestKeyIsReplacedInTheMiddleOfTwoHundredSignups(t *testing.T) {
	t.Parallel()
	const processes = 8
	r := newRush(t, processes)
	r.fake.SetLatency(callTakes)
	fetches := r.secrets.Fetches()
	var both sync.WaitGroup
	both.Go(func() { r.sendAll(rushed) })
	r.replaceKey(t, rushed/2)
	both.Wait()
	r.counted(t, map[int]int{http.StatusCreated: rushed})
	refused, fetched := r.refusals(), r.secrets.Fetches()-fetches
	t.Logf("%d creates, %d of them refused; %d fetches; %d processes", r.fake.Count(exoteltest.Create), refused, fetched, processes)
	// One call is in flight for each process at most, since it has one event at a time.
	if refused == 0 || refused > processes || fetched > processes || r.fake.Count(exoteltest.Create) != rushed+refused {
		t.Errorf("of %d creates %d were refused, with %d fetches", r.fake.Count(exoteltest.Create), refused, fetched)
	}
	r.finished(t, rushed)
}

func (c *cloud) finished(t *testing.T, want int) {
	t.Helper()
	if signups, err := c.promiseKept(); err != nil || len(signups) != want {
		t.Errorf("%d signups, want %d; %v", len(signups), want, err)
	}
}

// In a pass eight calls are in flight, and one process fetches.
func TestKeyIsReplacedInTheMiddleOfAPass(t *testing.T) {
	t.Parallel()
	const inFlight = 8
	c := newCloud(t)
	c.fake.SetLatency(callTakes)
	for i := range rushed {
		c.leftBehind(fmt.Sprintf("signup-%d", i))
	}
	p := c.start("reconciler", unlimited)
	var both sync.WaitGroup
	both.Go(func() {
		if _, err := p.Invoke(t.Context(), map[string]any{}, 30*time.Second); err != nil {
			t.Errorf("%v\n%s", err, p.Output())
		}
	})
	until(t, func() bool { return c.fake.Count(exoteltest.Create) > 0 })
	fetches := c.secrets.Fetches()
	c.replaceKey(t, rushed/2)
	both.Wait()
	refused, fetched := c.refusals(), c.secrets.Fetches()-fetches
	t.Logf("%d creates, %d of them refused; %d fetches", c.fake.Count(exoteltest.Create), refused, fetched)
	if refused == 0 || refused > inFlight || fetched != 1 || c.fake.Count(exoteltest.Create) != rushed+refused {
		t.Errorf("of %d creates %d were refused, with %d fetches", c.fake.Count(exoteltest.Create), refused, fetched)
	}
	c.finished(t, rushed)
}

// leftBehind is a signup whose process died after the claim, a moment ago.
func (c *cloud) leftBehind(id string) {
	c.claimedAndLeft(provision.Signup{ID: id, Company: "Acme Telecom", Source: "api"})
}

func (c *cloud) claimedAndLeft(s provision.Signup) {
	now := time.Now()
	if _, _, err := c.ledger.Claim(c.t.Context(), provision.Claim{
		Signup:    s,
		TrunkName: provision.TrunkName("tst", s.ID), AccountSID: "exoteltest", Owner: "dead", Now: now.Add(-2 * time.Second), LeaseUntil: now,
	}); err != nil {
		c.t.Error(err)
	}
}

// The key is replaced, and the secret has a wrong one for a while.
func TestWrongSecretRejectsNothingAndAllFinishOnceItIsRight(t *testing.T) {
	t.Parallel()
	const signups = 40
	r := newRush(t, 4)
	reconciler := r.start("reconciler", unlimited)
	r.fake.SetCredentials(newKey, newToken)
	r.store("canary-wrong-key", "canary-wrong-token")

	r.sendAll(signups)
	r.counted(t, map[int]int{http.StatusAccepted: signups})
	time.Sleep(2100 * time.Millisecond) // until all are due
	for range 3 {
		r.pass(reconciler)
	}
	for i := range signups {
		if record, err := r.ledger.Get(t.Context(), fmt.Sprintf("signup-%d", i)); err != nil || record.Status != provision.StatusPending || !record.LeaseUntil.IsZero() {
			t.Errorf("while the secret is wrong: %+v, %v", record, err)
		}
	}
	if n := alarms(r.processes...); n != signups {
		t.Errorf("%d alarms of the webhooks for %d signups", n, signups)
	}
	if n := alarms(reconciler); n == 0 || n >= signups {
		t.Errorf("%d alarms in three passes: want some, and not one for each signup", n)
	}
	if n := len(r.fake.Trunks()); n != 0 {
		t.Errorf("%d trunks", n)
	}

	r.store(newKey, newToken)
	passes := 0
	for end := time.Now().Add(time.Minute); len(r.fake.Trunks()) < signups && time.Now().Before(end); passes++ {
		r.pass(reconciler)
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("all finished in %d passes", passes)
	r.finished(t, signups)
}

func (c *cloud) pass(p *lambdatest.Process) {
	c.t.Helper()
	if _, err := p.Invoke(c.t.Context(), map[string]any{}, 30*time.Second); err != nil {
		c.t.Errorf("%v\n%s", err, p.Output())
	}
}

// alarms is how many lines say that the credentials are refused.
func alarms(processes ...*lambdatest.Process) (n int) {
	for _, p := range processes {
		for line := range strings.Lines(p.Output()) {
			if strings.Contains(line, `"level":"ERROR"`) && strings.Contains(line, `"alarm":"credentials_refused"`) {
				n++
			}
		}
	}
	return n
}
