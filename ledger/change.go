package ledger

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// change is a conditional update. Every name in its expressions is an alias, # and
// the name: status, owner and queue are reserved words of DynamoDB or may become so.
type change struct {
	set, remove, condition string
	values                 item
	steps                  []string // keys of steps that are set, by their aliases #k0, #k1, ...
}

const (
	// A claim that meets itself is refused, so that it doesn't count twice.
	isFree  = `#owner <> :owner AND (attribute_not_exists(#lease_until) OR #lease_until <= :now)`
	isOpen  = `#status IN (:pending, :deleting)`
	isHeld  = `#status = :pending AND #owner = :owner` // with whereAttempt
	settled = `#owner, #lease_until, #due_at, #queue`
)

var (
	pending  = text(string(provision.StatusPending))
	deleting = text(string(provision.StatusDeleting))
)

// withAccount decides the account where it isn't yet.
func (c *change) withAccount(accountSID string) {
	if accountSID != "" {
		c.set += `, #account_sid = if_not_exists(#account_sid, :account)`
		c.values[":account"] = text(accountSID)
	}
}

// withTrunk sets what is kept of a trunk.
func (c *change) withTrunk(trunk exotel.Trunk, accountSID string) error {
	document, err := fromJSON(provision.TrunkDocument(trunk, accountSID))
	if err != nil {
		return fmt.Errorf("ledger: what Exotel answered can't be stored: %w", err)
	}
	c.set += `, #trunk_sid = :trunk_sid, #domain_name = :domain_name, #trunk = :trunk`
	c.values[":trunk_sid"], c.values[":domain_name"] = text(trunk.SID), text(provision.TrunkDomain(trunk, accountSID))
	c.values[":trunk"] = document
	return nil
}

// whereAttempt: no other claim has come since, not even a copy of the try's own.
func (c *change) whereAttempt(attempt int) {
	if attempt != 0 {
		c.condition += ` AND #attempts = :attempt`
		c.values[":attempt"] = number(attempt)
	}
}

// whereSeen holds the change to a line that nothing was added to since. Whether the
// signup is complete is for the rest of the condition.
func (c *change) whereSeen(seen provision.Seen) {
	if seen.Steps {
		c.condition += ` AND attribute_exists(#steps)`
	} else {
		c.condition += ` AND attribute_not_exists(#steps)`
	}
	c.whereRevision(seen.Revision)
	c.whereGeneration(seen.Generation)
}

// whereGeneration: the first has no number.
func (c *change) whereGeneration(generation int) {
	if generation <= 1 {
		c.condition += ` AND attribute_not_exists(#generation)`
		return
	}
	c.condition += ` AND #generation = :generation`
	c.values[":generation"] = number(generation)
}

func (c *change) whereRevision(revision int) {
	if revision == 0 {
		c.condition += ` AND attribute_not_exists(#revision)`
		return
	}
	c.condition += ` AND #revision = :revision`
	c.values[":revision"] = number(revision)
}

// withSteps sets steps of an item that has some, each by itself, so that what
// somebody else adds meanwhile stays.
func (c *change) withSteps(steps map[string]provision.LineStep) {
	c.steps = slices.Sorted(maps.Keys(steps))
	for i, key := range c.steps {
		n := strconv.Itoa(i)
		c.set += `, #steps.#k` + n + `=:k` + n // short: an expression has 4 kB
		c.values[":k"+n] = stepAttribute(steps[key])
	}
}

func stepsAttribute(steps map[string]provision.LineStep) types.AttributeValue {
	fields := make(item, len(steps))
	for key, step := range steps {
		fields[key] = stepAttribute(step)
	}
	return &types.AttributeValueMemberM{Value: fields}
}

func stepAttribute(step provision.LineStep) types.AttributeValue {
	document, err := json.Marshal(step)
	if err != nil {
		panic(err) // strings and times can always be written
	}
	value, err := fromJSON(document)
	if err != nil {
		panic(err) // it is JSON
	}
	return value
}

func (c *change) expression() string {
	if c.remove == "" {
		return "SET " + c.set
	}
	return "SET " + c.set + " REMOVE " + c.remove
}

func (c *change) names() map[string]string {
	names := namesIn(c.set, c.remove, c.condition)
	for i, key := range c.steps {
		names["#k"+strconv.Itoa(i)] = key
	}
	return names
}
