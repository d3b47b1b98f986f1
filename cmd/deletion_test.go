package cmd_test

import (
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

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
