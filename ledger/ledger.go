package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/provision"
)

// API is what the ledger needs of a *dynamodb.Client.
type API interface {
	UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// Ledger is a provision.Ledger over a DynamoDB table.
type Ledger struct {
	api   API
	table string
}

var _ provision.Ledger = (*Ledger)(nil)

// New returns the ledger of a table. It makes no call.
func New(api API, table string) *Ledger { return &Ledger{api: api, table: table} }

// DueIndex is the name of the table's sparse index of what is pending: key
// queue, sorted by due_at.
const DueIndex = "due"

// The values of queue: what is tried again when it is due, and what waits for the
// search.
const (
	pendingQueue = "pending"
	searchQueue  = "search"
)

// Every name in an expression is an alias: status, owner and queue are
// reserved words of DynamoDB or may become so.
var (
	lease = `SET #status = :pending, #queue = :queue, #owner = :owner, #lease_until = :until, #due_at = :until,
		#attempts = if_not_exists(#attempts, :zero) + :one, #updated_at = :now`
	firstClaim = lease + `, #created_at = if_not_exists(#created_at, :now),
		#company = if_not_exists(#company, :company), #source = if_not_exists(#source, :source),
		#fingerprint = if_not_exists(#fingerprint, :fingerprint), #trunk_name = if_not_exists(#trunk_name, :trunk_name)`
	activation  = `SET #status = :active, #trunk_sid = :trunk_sid, #domain_name = :domain_name, #trunk = :trunk, #updated_at = :now`
	settled     = ` REMOVE #owner, #lease_until, #due_at, #queue`
	withAccount = `, #account_sid = if_not_exists(#account_sid, :account)`
	// A claim that meets itself is refused, so that it doesn't count twice.
	isFree = `#status = :pending AND #owner <> :owner AND (attribute_not_exists(#lease_until) OR #lease_until <= :now)`
	isHeld = `#status = :pending AND #owner = :owner`
	isNew  = `attribute_not_exists(#signup_id)`

	claimExpr           = newExpression(firstClaim, isNew+` OR (#fingerprint = :fingerprint AND `+isFree+`)`)
	claimAccountExpr    = newExpression(firstClaim+withAccount, claimExpr.condition)
	takeOverExpr        = newExpression(lease, isFree+` AND #due_at <= :now`)
	takeOverAccountExpr = newExpression(lease+withAccount, takeOverExpr.condition)
	earlyExpr           = newExpression(lease, isFree)
	earlyAccountExpr    = newExpression(lease+withAccount, isFree)
	pinExpr             = newExpression(`SET #account_sid = :account, #updated_at = :now`, isHeld+` AND (attribute_not_exists(#account_sid) OR #account_sid = :account)`)
	activateExpr        = newExpression(activation+settled+`, #last_error`, isHeld)
	activateAccountExpr = newExpression(activation+withAccount+settled+`, #last_error`, isHeld)
	rejectExpr          = newExpression(`SET #status = :rejected, #last_error = :reason, #updated_at = :now`+settled, isHeld)
	releaseExpr         = newExpression(`SET #queue = :queue, #due_at = :due_at, #last_error = :last_error, #updated_at = :now REMOVE #lease_until`, isHeld)
)

// Claim implements provision.Ledger.
func (l *Ledger) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	expr, v := claimExpr, leaseValues(w.Owner, w.Now, w.LeaseUntil)
	v[":company"], v[":source"] = text(w.Signup.Company), text(w.Signup.Source)
	v[":fingerprint"], v[":trunk_name"] = text(w.Signup.Fingerprint()), text(w.TrunkName)
	if w.AccountSID != "" {
		expr, v[":account"] = claimAccountExpr, text(w.AccountSID)
	}
	return l.update(ctx, w.Signup.ID, expr, v, heldBy(w.Owner))
}

// TakeOver implements provision.Ledger.
func (l *Ledger) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	expr, withAccount, v := takeOverExpr, takeOverAccountExpr, leaseValues(w.Owner, w.Now, w.LeaseUntil)
	if w.Early {
		expr, withAccount = earlyExpr, earlyAccountExpr
	}
	if w.AccountSID != "" {
		expr, v[":account"] = withAccount, text(w.AccountSID)
	}
	return l.update(ctx, w.SignupID, expr, v, heldBy(w.Owner))
}

func leaseValues(owner string, now, until time.Time) item {
	return item{
		":pending": text(string(provision.StatusPending)), ":queue": text(pendingQueue), ":owner": text(owner),
		":until": timestamp(until), ":now": timestamp(now), ":zero": number(0), ":one": number(1),
	}
}

// Pin implements provision.Ledger.
func (l *Ledger) Pin(ctx context.Context, w provision.Pin) (provision.Record, bool, error) {
	return l.update(ctx, w.SignupID, pinExpr, item{
		":pending": text(string(provision.StatusPending)), ":owner": text(w.Owner),
		":account": text(w.AccountSID), ":now": timestamp(w.Now),
	}, never)
}

// Activate implements provision.Ledger.
func (l *Ledger) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	document, err := fromJSON(w.Document())
	if err != nil {
		return provision.Record{}, false, fmt.Errorf("ledger: what Exotel answered can't be stored: %w", err)
	}
	expr, v := activateExpr, item{
		":pending": text(string(provision.StatusPending)), ":active": text(string(provision.StatusActive)), ":owner": text(w.Owner),
		":trunk_sid": text(w.Trunk.SID), ":domain_name": text(w.DomainName()), ":trunk": document, ":now": timestamp(w.Now),
	}
	if w.AccountSID != "" {
		expr, v[":account"] = activateAccountExpr, text(w.AccountSID)
	}
	return l.update(ctx, w.SignupID, expr, v, func(old provision.Record) bool {
		return old.Status == provision.StatusActive && old.TrunkSID == w.Trunk.SID
	})
}

// Reject implements provision.Ledger.
func (l *Ledger) Reject(ctx context.Context, w provision.Reject) (provision.Record, bool, error) {
	return l.update(ctx, w.SignupID, rejectExpr, item{
		":pending": text(string(provision.StatusPending)), ":rejected": text(string(provision.StatusRejected)), ":owner": text(w.Owner),
		":reason": text(w.Reason), ":now": timestamp(w.Now),
	}, func(old provision.Record) bool { return old.Status == provision.StatusRejected })
}

// Release implements provision.Ledger.
func (l *Ledger) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	queue := pendingQueue
	if w.Searching {
		queue = searchQueue
	}
	return l.update(ctx, w.SignupID, releaseExpr, item{
		":pending": text(string(provision.StatusPending)), ":queue": text(queue), ":owner": text(w.Owner),
		":due_at": timestamp(w.DueAt), ":last_error": text(w.LastError), ":now": timestamp(w.Now),
	}, never)
}

// update is the one write. Where the condition fails, the old item tells
// whether this very write was done before: the client sends again by itself
// when an answer is lost.
func (l *Ledger) update(ctx context.Context, id string, expr expression, values item, done func(provision.Record) bool) (provision.Record, bool, error) {
	out, err := l.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           &l.table,
		Key:                                 item{"signup_id": text(id)},
		UpdateExpression:                    &expr.update,
		ConditionExpression:                 &expr.condition,
		ExpressionAttributeNames:            expr.names,
		ExpressionAttributeValues:           values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var refused *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &refused) && len(refused.Item) == 0:
		return provision.Record{}, false, nil
	case errors.As(err, &refused):
		old, err := decode(refused.Item)
		return old, err == nil && done(old), err
	case err != nil:
		return provision.Record{}, false, fmt.Errorf("ledger: %w", err)
	}
	record, err := decode(out.Attributes)
	return record, err == nil, err
}

func heldBy(owner string) func(provision.Record) bool {
	return func(old provision.Record) bool {
		return old.Status == provision.StatusPending && old.Owner == owner
	}
}

// never is for writes whose condition still holds after they were done.
func never(provision.Record) bool { return false }

// Get implements provision.Ledger.
func (l *Ledger) Get(ctx context.Context, signupID string) (provision.Record, error) {
	out, err := l.api.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &l.table,
		Key:            item{"signup_id": text(signupID)},
		ConsistentRead: aws.Bool(true),
	})
	switch {
	case err != nil:
		return provision.Record{}, fmt.Errorf("ledger: %w", err)
	case len(out.Item) == 0:
		return provision.Record{}, provision.ErrNotFound
	}
	return decode(out.Item)
}
