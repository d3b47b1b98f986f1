package ledger

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/provision"
)

// rejectQueue lists the dead letters in the index, by when they came last.
const rejectQueue = "reject"

var deadLetterExpr = newExpression(`SET #queue = :queue, #due_at = :received, #created_at = if_not_exists(#created_at, :received), #updated_at = :received,
	#source = :source, #faults = :faults, #payload = :payload, #expires_at = :expires ADD #deliveries :one`, "")

// KeepDeadLetter keeps what could not be used, and counts how often it came.
func (l *Ledger) KeepDeadLetter(ctx context.Context, d provision.DeadLetter) error {
	faults := make([]types.AttributeValue, len(d.Faults))
	for i, fault := range d.Faults {
		faults[i] = &types.AttributeValueMemberM{Value: item{"field": text(fault.Field), "detail": text(fault.Detail)}}
	}
	_, err := l.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                &l.table,
		Key:                      item{"signup_id": text(d.Key())},
		UpdateExpression:         &deadLetterExpr.update,
		ExpressionAttributeNames: deadLetterExpr.names,
		ExpressionAttributeValues: item{
			":queue": text(rejectQueue), ":received": timestamp(d.ReceivedAt), ":source": text(d.Source),
			":faults": &types.AttributeValueMemberL{Value: faults}, ":payload": text(d.Kept()),
			":expires": &types.AttributeValueMemberN{Value: strconv.FormatInt(d.ExpiresAt().Unix(), 10)}, ":one": number(1),
		},
	})
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}
