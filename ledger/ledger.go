package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/exotel"
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

// Claim implements provision.Ledger.
func (l *Ledger) Claim(ctx context.Context, w provision.Claim) (provision.Record, bool, error) {
	c := lease(w.Owner, w.Now, w.LeaseUntil)
	c.set += `, #status = :pending, #created_at = if_not_exists(#created_at, :now),
		#company = if_not_exists(#company, :company), #source = if_not_exists(#source, :source),
		#fingerprint = if_not_exists(#fingerprint, :fingerprint), #trunk_name = if_not_exists(#trunk_name, :trunk_name)`
	mine := `#status = :pending AND ` + isFree + ` AND #fingerprint = :fingerprint`
	if w.Signup.Generation > 0 {
		c.set += `, #generation = if_not_exists(#generation, :generation)`
		mine += ` AND #generation = :generation`
		c.values[":generation"] = number(w.Signup.Generation)
	} else {
		mine += ` AND attribute_not_exists(#generation)`
	}
	c.condition = `attribute_not_exists(#signup_id)`
	if w.Trunk == nil {
		c.condition += ` OR (` + mine + `)`
	} else if err := c.withTrunk(*w.Trunk, w.AccountSID); err != nil {
		return provision.Record{}, false, err
	}
	c.values[":pending"] = pending
	c.values[":company"], c.values[":source"] = text(w.Signup.Company), text(w.Signup.Source)
	c.values[":fingerprint"], c.values[":trunk_name"] = text(w.Signup.Fingerprint()), text(w.TrunkName)
	c.withAccount(w.AccountSID)
	if steps := w.Signup.Line.Steps(); len(steps) > 0 {
		c.set += `, #steps = if_not_exists(#steps, :steps)`
		c.values[":steps"] = stepsAttribute(steps)
	}
	return l.update(ctx, w.Signup.ID, c, heldBy(w.Owner))
}

// Restart implements provision.Ledger. What the generation before has left and this
// one doesn't set is taken away.
func (l *Ledger) Restart(ctx context.Context, w provision.Restart) (provision.Record, bool, error) {
	c := lease(w.Owner, w.Now, w.LeaseUntil)
	c.set = strings.Replace(c.set, `if_not_exists(#attempts, :zero) + :one`, `:one`, 1)
	delete(c.values, ":zero")
	c.set += `, #status = :pending, #created_at = :now, #company = :company, #source = :source,
		#fingerprint = :fingerprint, #trunk_name = :trunk_name, #generation = :generation`
	c.remove = `#revision, #reopened_at, #quiet_at, #reason, #last_error`
	if w.Trunk == nil {
		c.remove += `, #trunk_sid, #domain_name, #trunk`
	} else if err := c.withTrunk(*w.Trunk, w.AccountSID); err != nil {
		return provision.Record{}, false, err
	}
	c.condition = `#status = :deleted AND `
	if w.Signup.Generation == 2 {
		c.condition += `attribute_not_exists(#generation)`
	} else {
		c.condition += `#generation = :before`
		c.values[":before"] = number(w.Signup.Generation - 1)
	}
	c.values[":pending"], c.values[":deleted"] = pending, text(string(provision.StatusDeleted))
	c.values[":company"], c.values[":source"] = text(w.Signup.Company), text(w.Signup.Source)
	c.values[":fingerprint"], c.values[":trunk_name"] = text(w.Signup.Fingerprint()), text(w.TrunkName)
	c.values[":generation"] = number(w.Signup.Generation)
	if w.AccountSID != "" {
		c.set += `, #account_sid = :account`
		c.values[":account"] = text(w.AccountSID)
	} else {
		c.remove += `, #account_sid`
	}
	if steps := w.Signup.Line.Steps(); len(steps) > 0 {
		c.set += `, #steps = :steps`
		c.values[":steps"] = stepsAttribute(steps)
	} else {
		c.remove += `, #steps`
	}
	return l.update(ctx, w.Signup.ID, c, heldBy(w.Owner))
}

// TakeOver implements provision.Ledger.
func (l *Ledger) TakeOver(ctx context.Context, w provision.TakeOver) (provision.Record, bool, error) {
	c := lease(w.Owner, w.Now, w.LeaseUntil)
	c.condition = isOpen + ` AND ` + isFree
	c.values[":pending"], c.values[":deleting"] = pending, deleting
	if !w.Early {
		c.condition += ` AND #due_at <= :now`
	}
	c.withAccount(w.AccountSID)
	return l.update(ctx, w.SignupID, c, workedOnBy(w.Owner))
}

func lease(owner string, now, until time.Time) change {
	return change{
		set: `#queue = :queue, #owner = :owner, #lease_until = :until, #due_at = :until,
			#attempts = if_not_exists(#attempts, :zero) + :one, #updated_at = :now`,
		values: item{
			":queue": text(pendingQueue), ":owner": text(owner),
			":until": timestamp(until), ":now": timestamp(now), ":zero": number(0), ":one": number(1),
		},
	}
}

// Pin implements provision.Ledger.
func (l *Ledger) Pin(ctx context.Context, w provision.Pin) (provision.Record, bool, error) {
	c := change{
		set:       `#account_sid = :account, #updated_at = :now`,
		condition: isOpen + ` AND #owner = :owner AND (attribute_not_exists(#account_sid) OR #account_sid = :account)`,
		values:    item{":pending": pending, ":deleting": deleting, ":owner": text(w.Owner), ":account": text(w.AccountSID), ":now": timestamp(w.Now)},
	}
	c.whereAttempt(w.Attempt)
	return l.update(ctx, w.SignupID, c, never)
}

// Attach implements provision.Ledger.
func (l *Ledger) Attach(ctx context.Context, w provision.Attach) (provision.Record, bool, error) {
	c, err := recordTrunk(isOpen+` AND #owner = :owner`, w.Owner, w.Attempt, w.Trunk, w.AccountSID, w.Now)
	if err != nil {
		return provision.Record{}, false, err
	}
	c.values[":deleting"] = deleting
	if !w.Replace {
		c.condition += ` AND (attribute_not_exists(#trunk_sid) OR #trunk_sid = :trunk_sid)`
	}
	if len(w.Steps) == 0 {
		return l.update(ctx, w.SignupID, c, never)
	}
	c.condition += ` AND (attribute_not_exists(#trunk_sid) OR #trunk_sid <> :trunk_sid)`
	c.withSteps(w.Steps)
	return l.update(ctx, w.SignupID, c, func(old provision.Record) bool {
		return workedOnBy(w.Owner)(old) && (w.Attempt == 0 || old.Attempts == w.Attempt) && old.TrunkSID == w.Trunk.SID
	})
}

// Mark implements provision.Ledger.
func (l *Ledger) Mark(ctx context.Context, w provision.Mark) (provision.Record, bool, error) {
	c := change{
		set:       `#updated_at = :now`,
		condition: isHeld + ` AND attribute_exists(#steps)`,
		values:    item{":pending": pending, ":owner": text(w.Owner), ":now": timestamp(w.Now)},
	}
	c.whereAttempt(w.Attempt)
	c.withSteps(w.Steps)
	return l.update(ctx, w.SignupID, c, never)
}

// Extend implements provision.Ledger.
func (l *Ledger) Extend(ctx context.Context, w provision.Extend) (provision.Record, bool, error) {
	c := change{
		set:    `#revision = if_not_exists(#revision, :zero) + :one, #updated_at = :now`,
		values: item{":zero": number(0), ":one": number(1), ":now": timestamp(w.Now), ":pending": pending},
	}
	if w.Seen.Complete {
		c.set += `, #status = :pending, #queue = :queue, #due_at = :now, #reopened_at = :now`
		c.condition = `#status IN (:active, :incomplete)`
		c.values[":queue"] = text(pendingQueue)
		c.values[":active"], c.values[":incomplete"] = text(string(provision.StatusActive)), text(string(provision.StatusIncomplete))
	} else {
		c.condition = `#status = :pending`
	}
	c.whereSeen(w.Seen)
	switch {
	case w.Seen.Steps:
		c.withSteps(w.Steps)
	case len(w.Steps) > 0:
		c.set += `, #steps = :steps`
		c.values[":steps"] = stepsAttribute(w.Steps)
	}
	return l.update(ctx, w.SignupID, c, w.Done)
}

// Activate implements provision.Ledger.
func (l *Ledger) Activate(ctx context.Context, w provision.Activate) (provision.Record, bool, error) {
	c, err := recordTrunk(isHeld, w.Owner, w.Attempt, w.Trunk, w.AccountSID, w.Now)
	if err != nil {
		return provision.Record{}, false, err
	}
	c.ends(w.SignupID, w.Status(), `:no_reason`)
	c.remove = settled + `, #last_error`
	c.values[":no_reason"] = text("")
	c.whereSeen(w.Seen)
	c.withSteps(w.Steps)
	return l.update(ctx, w.SignupID, c, func(old provision.Record) bool {
		return (old.Status == provision.StatusActive || old.Status == provision.StatusIncomplete) && old.TrunkSID == w.Trunk.SID
	})
}

// recordTrunk records a trunk of a signup that a try holds on that condition.
func recordTrunk(held, owner string, attempt int, trunk exotel.Trunk, accountSID string, now time.Time) (change, error) {
	c := change{
		set:       `#updated_at = :now`,
		condition: held,
		values:    item{":pending": pending, ":owner": text(owner), ":now": timestamp(now)},
	}
	if err := c.withTrunk(trunk, accountSID); err != nil {
		return change{}, err
	}
	c.whereAttempt(attempt)
	c.withAccount(accountSID)
	return c, nil
}

// Reject implements provision.Ledger.
func (l *Ledger) Reject(ctx context.Context, w provision.Reject) (provision.Record, bool, error) {
	c := change{
		set:       `#last_error = :reason, #updated_at = :now`,
		remove:    settled,
		condition: isHeld,
		values:    item{":pending": pending, ":owner": text(w.Owner), ":reason": text(w.Reason), ":now": timestamp(w.Now)},
	}
	c.ends(w.SignupID, provision.StatusRejected, `:reason`)
	c.whereAttempt(w.Attempt)
	return l.update(ctx, w.SignupID, c, func(old provision.Record) bool { return old.Status == provision.StatusRejected })
}

// Prove implements provision.Ledger.
func (l *Ledger) Prove(ctx context.Context, w provision.Prove) (provision.Record, bool, error) {
	c := change{
		set:       `#status = :dry, #updated_at = :now`,
		remove:    settled + `, #last_error`,
		condition: isHeld,
		values:    item{":pending": pending, ":dry": text(string(provision.StatusDry)), ":owner": text(w.Owner), ":now": timestamp(w.Now)},
	}
	c.whereAttempt(w.Attempt)
	return l.update(ctx, w.SignupID, c, func(old provision.Record) bool { return old.Status == provision.StatusDry })
}

// Delete implements provision.Ledger.
func (l *Ledger) Delete(ctx context.Context, w provision.Delete) (provision.Record, bool, error) {
	c := change{
		set: `#status = :deleting, #queue = :queue, #due_at = :now, #reopened_at = :now, #updated_at = :now,
			#quiet_at = :quiet_at, #reason = :reason`,
		remove:    `#owner, #lease_until, #last_error`,
		condition: `#status IN (:pending, :active, :incomplete, :rejected, :dry)`,
		values: item{
			":deleting": deleting, ":queue": text(pendingQueue), ":now": timestamp(w.Now), ":quiet_at": timestamp(w.QuietAt), ":reason": text(w.Reason),
			":pending": pending, ":active": text(string(provision.StatusActive)), ":incomplete": text(string(provision.StatusIncomplete)),
			":rejected": text(string(provision.StatusRejected)), ":dry": text(string(provision.StatusDry)),
		},
	}
	c.whereGeneration(w.Generation)
	return l.update(ctx, w.SignupID, c, w.Done)
}

// Bury implements provision.Ledger.
func (l *Ledger) Bury(ctx context.Context, w provision.Bury) (provision.Record, bool, error) {
	c := change{
		set:       `#updated_at = :now`,
		remove:    settled + `, #quiet_at, #last_error`,
		condition: `#status = :deleting AND #owner = :owner`,
		values:    item{":deleting": deleting, ":owner": text(w.Owner), ":now": timestamp(w.Now), ":no_reason": text("")},
	}
	c.ends(w.SignupID, provision.StatusDeleted, `if_not_exists(#reason, :no_reason)`)
	return l.update(ctx, w.SignupID, c, func(old provision.Record) bool { return old.Status == provision.StatusDeleted })
}

// Release implements provision.Ledger.
func (l *Ledger) Release(ctx context.Context, w provision.Release) (provision.Record, bool, error) {
	queue := pendingQueue
	if w.Searching {
		queue = searchQueue
	}
	c := change{
		set:       `#queue = :queue, #due_at = :due_at, #last_error = :last_error, #updated_at = :now`,
		remove:    `#lease_until`,
		condition: isOpen + ` AND #owner = :owner`,
		values: item{
			":pending": pending, ":deleting": deleting, ":queue": text(queue), ":owner": text(w.Owner),
			":due_at": timestamp(w.DueAt), ":last_error": text(w.LastError), ":now": timestamp(w.Now),
		},
	}
	c.whereAttempt(w.Attempt)
	c.whereRevision(w.Revision)
	c.withSteps(w.Steps)
	return l.update(ctx, w.SignupID, c, never)
}

// update is the one write. Where the condition fails, the old item tells
// whether this very write was done before: the client sends again by itself
// when an answer is lost.
func (l *Ledger) update(ctx context.Context, id string, c change, done func(provision.Record) bool) (provision.Record, bool, error) {
	out, err := l.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           &l.table,
		Key:                                 item{"signup_id": text(id)},
		UpdateExpression:                    aws.String(c.expression()),
		ConditionExpression:                 &c.condition,
		ExpressionAttributeNames:            c.names(),
		ExpressionAttributeValues:           c.values,
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

func workedOnBy(owner string) func(provision.Record) bool {
	return func(old provision.Record) bool {
		return (old.Status == provision.StatusPending || old.Status == provision.StatusDeleting) && old.Owner == owner
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
