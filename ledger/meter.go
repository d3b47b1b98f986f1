package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/provision"
)

// Items that aren't signups have keys that start with #, which no signup id can
// have, and only they expire.
const (
	budgetKey   = "#budget"
	progressKey = "#search"

	expireAfter = 24 * time.Hour
)

var _ provision.Meter = (*Ledger)(nil)

// empty_at is a number, in microseconds since 1970, so that DynamoDB can add to
// it. It takes two expressions, since none of DynamoDB's takes the later of two
// times: one for a bucket that isn't empty, one for one that is.
var (
	onwardExpr = newExpression(`SET #empty_at = #empty_at + :each, #expires_at = :expires`, `#empty_at BETWEEN :now AND :limit`)
	afreshExpr = newExpression(`SET #empty_at = :fresh, #expires_at = :expires`, `attribute_not_exists(#empty_at) OR #empty_at < :now`)
	shutExpr   = newExpression(`SET #empty_at = :until, #expires_at = :expires`, `attribute_not_exists(#empty_at) OR #empty_at < :until`)
)

// spendTries is how often a call is tried for while others move the bucket
// between empty and not.
const spendTries = 4

// Spend implements provision.Meter. What was last known of the bucket tells which
// expression will do, so that it is one call nearly always.
func (l *Ledger) Spend(ctx context.Context, w provision.Spend) (time.Time, bool, error) {
	emptyAt := w.Known
	for range spendTries {
		after, holds, err := l.meter(ctx, spendOn(emptyAt, w))
		if err != nil || holds {
			return after, holds, err
		}
		if _, mayStill := w.Apply(after); !mayStill {
			return after, false, nil
		}
		emptyAt = after
	}
	return time.Time{}, false, errors.New("ledger: the call budget changes too fast")
}

// charge is one conditional update of the bucket.
type charge struct {
	expression
	values item
}

func spendOn(emptyAt time.Time, w provision.Spend) charge {
	values := item{":now": micros(w.Now), ":expires": expiry(w.Now.Add(w.Ahead))}
	if emptyAt.Before(w.Now) {
		values[":fresh"] = micros(w.Now.Add(w.Each))
		return charge{afreshExpr, values}
	}
	values[":each"], values[":limit"] = number(int(w.Each.Microseconds())), micros(w.Now.Add(w.Ahead))
	return charge{onwardExpr, values}
}

// Shut implements provision.Meter.
func (l *Ledger) Shut(ctx context.Context, w provision.Shut) (time.Time, error) {
	emptyAt, _, err := l.meter(ctx, charge{shutExpr, item{":until": micros(w.EmptyAt), ":expires": expiry(w.EmptyAt)}})
	return emptyAt, err
}

// meter returns when the bucket is empty after the update, or, where its
// condition fails, as it stands.
func (l *Ledger) meter(ctx context.Context, c charge) (emptyAt time.Time, holds bool, err error) {
	out, err := l.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           &l.table,
		Key:                                 item{"signup_id": text(budgetKey)},
		UpdateExpression:                    &c.update,
		ConditionExpression:                 &c.condition,
		ExpressionAttributeNames:            c.names,
		ExpressionAttributeValues:           c.values,
		ReturnValues:                        types.ReturnValueUpdatedNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var refused *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &refused):
		emptyAt, err = emptyAtOf(refused.Item)
		return emptyAt, false, err
	case err != nil:
		return time.Time{}, false, fmt.Errorf("ledger: %w", err)
	}
	emptyAt, err = emptyAtOf(out.Attributes)
	return emptyAt, err == nil, err
}

// emptyAtOf is the zero time for a bucket that isn't there.
func emptyAtOf(it item) (time.Time, error) {
	r := reader{item: it}
	n := r.number("empty_at")
	if n == 0 || r.err != nil {
		return time.Time{}, r.err
	}
	return time.UnixMicro(int64(n)).UTC(), nil
}

func micros(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.UnixMicro(), 10)}
}

// expiry is in seconds, as DynamoDB wants it.
func expiry(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.Add(expireAfter).Unix(), 10)}
}

// Progress implements provision.Ledger.
func (l *Ledger) Progress(ctx context.Context) (provision.Progress, error) {
	out, err := l.api.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &l.table,
		Key:            item{"signup_id": text(progressKey)},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return provision.Progress{}, fmt.Errorf("ledger: %w", err)
	}
	r := reader{item: out.Item}
	return provision.Progress{AccountSID: r.text("account_sid"), BeganAt: r.time("began_at"), Offset: r.number("offset"), Unreadable: r.number("unreadable")}, r.err
}

var progressExpr = newExpression(`SET #account_sid = :account, #began_at = :began, #offset = :offset, #unreadable = :unreadable, #expires_at = :expires`, "")

// KeepProgress implements provision.Ledger.
func (l *Ledger) KeepProgress(ctx context.Context, p provision.Progress) error {
	began := text("")
	if !p.BeganAt.IsZero() {
		began = timestamp(p.BeganAt)
	}
	_, err := l.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                &l.table,
		Key:                      item{"signup_id": text(progressKey)},
		UpdateExpression:         &progressExpr.update,
		ExpressionAttributeNames: progressExpr.names,
		ExpressionAttributeValues: item{
			":account": text(p.AccountSID), ":began": began, ":offset": number(p.Offset), ":unreadable": number(p.Unreadable), ":expires": expiry(time.Now()),
		},
	})
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}
