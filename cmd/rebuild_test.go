package cmd_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

// deliverAll posts every id to the processes, each process one after the other,
// and counts the answers by their status.
func deliverAll(t *testing.T, processes []*lambdatest.Process, ids []string) map[int]int {
	t.Helper()
	var mu sync.Mutex
	statuses := map[int]int{}
	queue := make(chan string)
	var all sync.WaitGroup
	for _, p := range processes {
		all.Go(func() {
			for id := range queue {
				status, _ := invoke(t, p, post(id))
				mu.Lock()
				statuses[status]++
				mu.Unlock()
			}
		})
	}
	for _, id := range ids {
		queue <- id
	}
	close(queue)
	all.Wait()
	return statuses
}

func signupIDs(count int) []string {
	ids := make([]string, count)
	for i := range ids {
		ids[i] = fmt.Sprintf("signup-%05d", i)
	}
	return ids
}

// drain runs passes back to back until nothing is pending.
func (c *cloud) drain(reconciler *lambdatest.Process, within time.Duration) {
	c.t.Helper()
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if _, err := reconciler.Invoke(c.t.Context(), map[string]any{}, 30*time.Second); err != nil {
			c.t.Fatalf("%v\n%s", err, reconciler.Output())
		}
		backlog, err := c.ledger.Backlog(c.t.Context(), time.Time{})
		switch {
		case err != nil:
			c.t.Fatal(err)
		case backlog.Pending == 0:
			return
		case time.Since(start) > within:
			c.t.Fatalf("%d are still pending", backlog.Pending)
		}
	}
}

// sids is each signup's trunk, as the table has it.
func (c *cloud) sids(ids []string) map[string]string {
	c.t.Helper()
	sids := map[string]string{}
	for _, id := range ids {
		record, err := c.ledger.Get(c.t.Context(), id)
		if err != nil {
			c.t.Fatal(err)
		}
		sids[id] = record.TrunkSID
	}
	return sids
}

// empty deletes every item of the table.
func (c *cloud) empty() {
	c.t.Helper()
	client := c.engine.Client()
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &c.table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		for _, item := range page.Items {
			key := map[string]types.AttributeValue{"signup_id": item["signup_id"]}
			if _, err := client.DeleteItem(c.t.Context(), &dynamodb.DeleteItemInput{TableName: &c.table, Key: key}); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

// Everything that the table knew is lost, and every signup delivered again: the
// newest hundred trunks are adopted at once, and the others found by the search.
func TestEmptiedTableIsRebuiltFromRedeliveries(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	var processes []*lambdatest.Process
	for range 4 {
		processes = append(processes, c.start("webhook", "EXOTEL_CALLS_PER_MINUTE=30000"))
	}
	ids := signupIDs(500)
	deliverAll(t, processes, ids)
	reconciler := c.start("reconciler", "EXOTEL_CALLS_PER_MINUTE=30000")
	c.drain(reconciler, 5*time.Minute)
	before := c.sids(ids)

	c.empty()
	statuses := deliverAll(t, processes, ids)
	c.drain(reconciler, 5*time.Minute)
	t.Logf("answers to the redeliveries: %v", statuses)
	if statuses[201] == 0 || statuses[202] == 0 || statuses[201]+statuses[202] != len(ids) {
		t.Errorf("statuses %v", statuses)
	}
	if n := len(c.fake.Trunks()); n != len(ids) {
		t.Errorf("%d trunks", n)
	}
	for id, sid := range c.sids(ids) {
		if sid == "" || sid != before[id] {
			t.Errorf("%s has %q, had %s", id, sid, before[id])
		}
	}
}
