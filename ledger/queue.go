package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/trunkhook/trunkhook/provision"
)

const (
	queueKeyCond = `#queue = :queue`
	dueKeyCond   = queueKeyCond + ` AND #due_at <= :until`
)

// Due implements provision.Ledger.
func (l *Ledger) Due(ctx context.Context, until time.Time, limit int) (due []string, err error) {
	err = l.query(ctx, dueKeyCond, item{":queue": text(pendingQueue), ":until": timestamp(until)}, func(page []item) bool {
		for _, found := range page {
			if id := (&reader{item: found}).text("signup_id"); id != "" && len(due) < limit {
				due = append(due, id)
			}
		}
		return len(due) < limit
	})
	return due, err
}

// Searching implements provision.Ledger.
func (l *Ledger) Searching(ctx context.Context, limit int) (wanted []provision.Wanted, err error) {
	err = l.query(ctx, queueKeyCond, item{":queue": text(searchQueue)}, func(page []item) bool {
		for _, found := range page {
			r := reader{item: found}
			w := provision.Wanted{SignupID: r.text("signup_id"), TrunkName: r.text("trunk_name"), Since: r.time("due_at")}
			if w.SignupID != "" && w.TrunkName != "" && len(wanted) < limit {
				wanted = append(wanted, w)
			}
		}
		return len(wanted) < limit
	})
	return wanted, err
}

// backlogPages bounds what one count reads of a queue: a page is 1 MB of the
// index, some ten thousand signups.
const backlogPages = 10

// Backlog implements provision.Ledger.
func (l *Ledger) Backlog(ctx context.Context, stuckBefore time.Time) (backlog provision.Backlog, err error) {
	for _, queue := range []string{pendingQueue, searchQueue} {
		pages := 0
		err = l.query(ctx, queueKeyCond, item{":queue": text(queue)}, func(page []item) bool {
			for _, found := range page {
				r := reader{item: found}
				record := provision.Record{CreatedAt: r.time("created_at"), ReopenedAt: r.time("reopened_at")}
				if since := record.PendingSince(); !since.IsZero() {
					backlog.Add(since, stuckBefore)
				}
			}
			pages++
			return pages < backlogPages
		})
		if err != nil {
			return provision.Backlog{}, err
		}
	}
	return backlog, nil
}

// query reads the index page by page, for as long as the function says so. What
// it can't read of an item is the function's to pass over: one that was edited
// by hand must not keep the others from being finished.
func (l *Ledger) query(ctx context.Context, condition string, values item, more func(page []item) bool) error {
	names := map[string]string{"#queue": "queue"}
	if condition == dueKeyCond {
		names["#due_at"] = "due_at"
	}
	var from item
	for {
		out, err := l.api.Query(ctx, &dynamodb.QueryInput{
			TableName: &l.table, IndexName: aws.String(DueIndex),
			KeyConditionExpression: &condition, ExpressionAttributeNames: names, ExpressionAttributeValues: values,
			ExclusiveStartKey: from,
		})
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
		if from = out.LastEvaluatedKey; !more(out.Items) || from == nil {
			return nil
		}
	}
}
