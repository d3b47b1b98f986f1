package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/provision"
)

// ArchiveAPI is what the archive needs of a *dynamodb.Client. It is not in API, so
// that the functions don't link what they never call.
type ArchiveAPI interface {
	Scan(ctx context.Context, in *dynamodb.ScanInput, opts ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// Archive reads a whole table, for an operator.
type Archive struct {
	api   ArchiveAPI
	table string
}

// NewArchive returns the archive of a table. It makes no call.
func NewArchive(api ArchiveAPI, table string) *Archive { return &Archive{api, table} }

// All walks over all signups, page by page (1 MB each), in no order, each as it stood
// when its page was read. It ends at the first error.
func (a *Archive) All(ctx context.Context) iter.Seq2[provision.Record, error] {
	return func(yield func(provision.Record, error) bool) {
		var from item
		for {
			out, err := a.api.Scan(ctx, &dynamodb.ScanInput{TableName: &a.table, ConsistentRead: aws.Bool(true), ExclusiveStartKey: from})
			if err != nil {
				yield(provision.Record{}, fmt.Errorf("ledger: %w", err))
				return
			}
			for _, found := range out.Items {
				if strings.HasPrefix((&reader{item: found}).text("signup_id"), "#") {
					continue
				}
				if record, err := decode(found); !yield(record, err) || err != nil {
					return
				}
			}
			if from = out.LastEvaluatedKey; from == nil {
				return
			}
		}
	}
}

// DeadLetters walks over what could not be used, the oldest first, without what
// DynamoDB is about to delete. The index may lag behind the writes by a moment. It
// ends at the first error.
func (a *Archive) DeadLetters(ctx context.Context) iter.Seq2[provision.KeptDeadLetter, error] {
	return func(yield func(provision.KeptDeadLetter, error) bool) {
		var from item
		for {
			out, err := a.api.Query(ctx, &dynamodb.QueryInput{
				TableName: &a.table, IndexName: aws.String(DueIndex), KeyConditionExpression: aws.String(queueKeyCond),
				ExpressionAttributeNames: map[string]string{"#queue": "queue"}, ExpressionAttributeValues: item{":queue": text(rejectQueue)},
				ExclusiveStartKey: from,
			})
			if err != nil {
				yield(provision.KeptDeadLetter{}, fmt.Errorf("ledger: %w", err))
				return
			}
			for _, found := range out.Items {
				letter, err := a.deadLetter(ctx, (&reader{item: found}).text("signup_id"))
				if errors.Is(err, provision.ErrNotFound) { // dropped meanwhile, or expired
					continue
				}
				if !yield(letter, err) || err != nil {
					return
				}
			}
			if from = out.LastEvaluatedKey; from == nil {
				return
			}
		}
	}
}

// deadLetter reads one; the index has only its key.
func (a *Archive) deadLetter(ctx context.Context, key string) (provision.KeptDeadLetter, error) {
	out, err := a.api.GetItem(ctx, &dynamodb.GetItemInput{TableName: &a.table, Key: item{"signup_id": text(key)}, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return provision.KeptDeadLetter{}, fmt.Errorf("ledger: %w", err)
	}
	r := reader{item: out.Item}
	letter := provision.KeptDeadLetter{
		DeadLetter: provision.DeadLetter{Source: r.text("source"), Faults: r.faults(), Payload: r.text("payload"), ReceivedAt: r.time("updated_at")},
		ID:         provision.DeadLetterID(key), Deliveries: r.number("deliveries"),
	}
	if expires := r.number("expires_at"); r.err == nil && (len(out.Item) == 0 || int64(expires) <= time.Now().Unix()) {
		return letter, provision.ErrNotFound
	}
	return letter, r.err
}

// faults are those of a dead letter.
func (r *reader) faults() (faults []provision.Fault) {
	list, _ := r.item["faults"].(*types.AttributeValueMemberL)
	if list == nil {
		return nil
	}
	for _, value := range list.Value {
		if fault, ok := value.(*types.AttributeValueMemberM); ok {
			f := reader{item: fault.Value}
			faults = append(faults, provision.Fault{Field: f.text("field"), Detail: f.text("detail")})
		}
	}
	return faults
}

// DropDeadLetter forgets one, or says ErrNotFound.
func (a *Archive) DropDeadLetter(ctx context.Context, id string) error {
	out, err := a.api.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &a.table, Key: item{"signup_id": text(provision.DeadLetterKey(id))}, ReturnValues: types.ReturnValueAllOld,
	})
	switch {
	case err != nil:
		return fmt.Errorf("ledger: %w", err)
	case len(out.Attributes) == 0:
		return provision.ErrNotFound
	}
	return nil
}
