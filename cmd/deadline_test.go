package cmd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/provision"
)

// A sender would wait for long here, but the process has 3.5 s: it answers half a
// second before, which leaves 3 s, of which the last 0.75 s are for the record.
func TestTimeIsKeptForTheRecordBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	const hasTime = 3500 * time.Millisecond
	slow := lambdatest.Fault{Delay: 650 * time.Millisecond}
	for name, test := range map[string]struct {
		vendor exoteltest.Fault
		table  map[string][]lambdatest.Fault
		status int
		sent   bool // a create
	}{
		"nothing is sent that can't be recorded": {
			table:  map[string][]lambdatest.Fault{claim: {lambdatest.HangBefore, slow}, takeBudget: {lambdatest.HangBefore, slow, slow}},
			status: 202, sent: false,
		},
		"a create that doesn't end is given back": {
			vendor: exoteltest.Hang,
			table:  map[string][]lambdatest.Fault{giveBack: {lambdatest.LoseRequest}},
			status: 202, sent: true,
		},
		"a create that takes long is recorded": {
			vendor: exoteltest.Delay(1200 * time.Millisecond),
			table:  map[string][]lambdatest.Fault{record: {lambdatest.LoseRequest}},
			status: 201, sent: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			table := lambdatest.StartProxy(t, c.engine.Endpoint, kindOfTable)
			for kind, faults := range test.table {
				table.Inject(kind, faults...)
			}
			c.fake.Inject(exoteltest.Create, test.vendor)
			p := c.start("webhook", "REPLY_WITHIN=20s", "AWS_ENDPOINT_URL_DYNAMODB="+table.URL)
			status, _ := invokeFor(t, p, post("acme-42"), hasTime)
			got, err := c.ledger.Get(t.Context(), "acme-42")
			if err != nil || status != test.status || !got.LeaseUntil.IsZero() || (got.Status == provision.StatusActive) != (status == 201) {
				t.Errorf("HTTP %d, %+v, %v", status, got, err)
			}
			if sent := strings.Contains(p.Output(), `"name":"create trunk"`); sent != test.sent {
				t.Errorf("a create was sent: %v\n%s", sent, p.Output())
			}
		})
	}
}

// A pass of 6 s begins nothing after 2 s, and leaves nothing held.
func TestPassBeginsNothingNearItsDeadline(t *testing.T) {
	t.Parallel()
	const signups = 60
	c := newCloud(t)
	for i := range signups {
		c.leftBehind(fmt.Sprintf("signup-%d", i))
	}
	p := c.start("reconciler", unlimited)
	c.fake.SetLatency(time.Second)
	if _, err := p.Invoke(t.Context(), map[string]any{}, 6*time.Second); err != nil {
		t.Fatalf("%v\n%s", err, p.Output())
	}
	begun := 0
	for i := range signups {
		got, err := c.ledger.Get(t.Context(), fmt.Sprintf("signup-%d", i))
		if err != nil {
			t.Fatal(err)
		}
		if got.Attempts > 1 {
			begun++
		}
		if got.LeaseUntil.After(time.Now()) || got.Attempts > 1 && got.Status != provision.StatusActive {
			t.Errorf("after the pass: %+v", got)
		}
	}
	t.Logf("%d of %d", begun, signups)
	if begun == 0 || begun > 32 {
		t.Errorf("%d of %d were begun by 8 workers in 2 s, at a second each", begun, signups)
	}
	c.fake.SetLatency(0)
	c.pass(p)
	c.finished(t, signups)
}
