package cmd_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
	"github.com/trunkhook/trunkhook/provision"
)

func del(id string) events.APIGatewayV2HTTPRequest {
	event := get(id)
	event.RequestContext.HTTP.Method = "DELETE"
	return event
}

func TestDeletionByTheProcesses(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	closed := c.start("webhook")
	invoke(t, closed, post("acme-42"))
	if status, _ := invoke(t, closed, del("acme-42")); status != 405 || len(c.fake.Trunks()) != 1 {
		t.Errorf("where it is not allowed: %d, trunks %+v", status, c.fake.Trunks())
	}
	p := c.start("webhook", "ALLOW_DELETE=true")
	for range 2 {
		status, told := invoke(t, p, del("acme-42"))
		if status != 202 || told.Status != string(provision.StatusDeleting) || len(c.fake.Trunks()) != 0 {
			t.Errorf("%d %+v, trunks %+v", status, told, c.fake.Trunks())
		}
	}
	if status, told := invoke(t, p, post("acme-42")); status != 202 || told.Status != string(provision.StatusDeleting) || len(c.fake.Trunks()) != 0 {
		t.Errorf("late: %d %+v, trunks %+v", status, told, c.fake.Trunks())
	}
	record, err := c.ledger.Get(t.Context(), "acme-42")
	if err != nil || record.DueAt.Before(time.Now()) || time.Until(record.QuietAt) < 29*time.Minute || record.Owner == "" || !record.LeaseUntil.IsZero() {
		t.Errorf("%+v, %v", record, err)
	}
}

// A process that deletes is killed at each of its calls, before and after. Whoever was
// not answered asks again.
func TestDeletionOutlivesAKillAtEachCall(t *testing.T) {
	t.Parallel()
	every := func(*http.Request, []byte) string { return "call" }
	kills := map[string]func(*lambdatest.Victim) lambdatest.Fault{"before": lambdatest.KillBefore, "after": lambdatest.KillAfter}
	for to, calls := range map[string]int{"the table": 5, "Exotel": 2} {
		for n := range calls {
			for when, kill := range kills {
				t.Run(fmt.Sprintf("%s call %d to %s", when, n+1, to), func(t *testing.T) {
					t.Parallel()
					c := newCloud(t)
					first := c.start("webhook", "ALLOW_DELETE=true")
					invoke(t, first, post("acme-42"))
					table, vendor := lambdatest.StartProxy(t, c.engine.Endpoint, every), lambdatest.StartProxy(t, c.fake.URL, every)
					victim := lambdatest.NewVictim()
					faults := append(make([]lambdatest.Fault, n), kill(victim))
					p := c.start("webhook", "ALLOW_DELETE=true", "AWS_ENDPOINT_URL_DYNAMODB="+table.URL, "EXOTEL_BASE_URL="+vendor.URL)
					victim.Is(p)
					if to == "Exotel" {
						vendor.Inject("call", faults...)
					} else {
						table.Inject("call", faults...)
					}
					if _, err := p.Invoke(t.Context(), del("acme-42"), timeout); !errors.Is(err, lambdatest.ErrExited) {
						t.Fatalf("it was not killed: %v", err)
					}
					until(t, func() bool { // the lease of who was killed ends, after six seconds
						time.Sleep(20 * time.Millisecond)
						status, told := invoke(t, first, del("acme-42"))
						return status == 202 && told.Status == string(provision.StatusDeleting) && len(c.fake.Trunks()) == 0
					})
					if n := c.fake.Count(exoteltest.Create); n != 1 {
						t.Errorf("%d creates", n)
					}
				})
			}
		}
	}
}
