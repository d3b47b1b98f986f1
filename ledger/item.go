package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/provision"
)

type item = map[string]types.AttributeValue

// timeFormat is RFC 3339, of one length, so that DynamoDB can compare it.
const timeFormat = "2006-01-02T15:04:05.000Z"

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

func timestamp(t time.Time) types.AttributeValue { return text(t.UTC().Format(timeFormat)) }

// decode reads an item. What is there but has another type is an error: it was
// not written by us, and must not be overwritten by a guess.
func decode(it item) (provision.Record, error) {
	r := reader{item: it}
	record := provision.Record{
		SignupID:    r.text("signup_id"),
		Company:     r.text("company"),
		Source:      r.text("source"),
		Fingerprint: r.text("fingerprint"),
		Generation:  r.number("generation"),
		Status:      provision.Status(r.text("status")),
		TrunkName:   r.text("trunk_name"),
		AccountSID:  r.text("account_sid"),
		TrunkSID:    r.text("trunk_sid"),
		DomainName:  r.text("domain_name"),
		Trunk:       r.json("trunk"),
		Steps:       r.steps("steps"),
		Revision:    r.number("revision"),
		Owner:       r.text("owner"),
		LeaseUntil:  r.time("lease_until"),
		DueAt:       r.time("due_at"),
		Searching:   r.text("queue") == searchQueue,
		Attempts:    r.number("attempts"),
		LastError:   r.text("last_error"),
		CreatedAt:   r.time("created_at"),
		UpdatedAt:   r.time("updated_at"),
		ReopenedAt:  r.time("reopened_at"),
		Reason:      r.text("reason"),
		QuietAt:     r.time("quiet_at"),
	}
	return record, r.err
}

// reader takes attributes out of an item and keeps the first error. An absent
// attribute is a zero value.
type reader struct {
	item item
	err  error
}

func (r *reader) fail(name, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("ledger: attribute %s is not %s", name, want)
	}
}

func (r *reader) text(name string) string {
	switch value := r.item[name].(type) {
	case nil:
	case *types.AttributeValueMemberS:
		return value.Value
	default:
		r.fail(name, "a string")
	}
	return ""
}

func (r *reader) number(name string) int {
	switch value := r.item[name].(type) {
	case nil:
	case *types.AttributeValueMemberN:
		if n, err := strconv.Atoi(value.Value); err == nil {
			return n
		}
		r.fail(name, "a whole number")
	default:
		r.fail(name, "a number")
	}
	return 0
}

func (r *reader) time(name string) time.Time {
	value := r.text(name)
	if value == "" {
		return time.Time{}
	}
	t, err := time.Parse(timeFormat, value)
	if err != nil {
		r.fail(name, "a time such as "+timeFormat)
	}
	return t
}

func (r *reader) json(name string) json.RawMessage {
	value, there := r.item[name]
	if !there {
		return nil
	}
	document, err := appendJSON(make([]byte, 0, 1024), value)
	if err != nil {
		r.fail(name, "a document")
	}
	return document
}

func (r *reader) steps(name string) map[string]provision.LineStep {
	document := r.json(name)
	if document == nil {
		return nil
	}
	var steps map[string]provision.LineStep
	if err := json.Unmarshal(document, &steps); err != nil {
		r.fail(name, "a map of steps")
	}
	return steps
}

// fromJSON turns a JSON document into an attribute, numbers to the digit.
func fromJSON(document json.RawMessage) (types.AttributeValue, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errors.New("it is not JSON")
	}
	return attribute(value, 0), nil
}

// maxNesting is how deep DynamoDB nests, less the attribute itself. What is
// deeper is kept as JSON text rather than lost, and the signup with it.
const maxNesting = 30

func attribute(value any, depth int) types.AttributeValue {
	if depth == maxNesting {
		deep, _ := json.Marshal(value) // it came out of JSON
		return text(string(deep))
	}
	switch value := value.(type) {
	case string:
		return text(value)
	case json.Number:
		return storedNumber(value)
	case bool:
		return &types.AttributeValueMemberBOOL{Value: value}
	case []any:
		list := make([]types.AttributeValue, len(value))
		for i, element := range value {
			list[i] = attribute(element, depth+1)
		}
		return &types.AttributeValueMemberL{Value: list}
	case map[string]any:
		fields := make(item, len(value))
		for name, element := range value {
			fields[name] = attribute(element, depth+1)
		}
		return &types.AttributeValueMemberM{Value: fields}
	}
	return &types.AttributeValueMemberNULL{Value: true}
}

// storedNumber: DynamoDB keeps 38 digits and exponents up to 125. What is
// beyond that is kept as text rather than lost, and the signup with it.
func storedNumber(n json.Number) types.AttributeValue {
	if len(n) <= 38 && !strings.ContainsAny(string(n), "eE") {
		return &types.AttributeValueMemberN{Value: string(n)}
	}
	return text(string(n))
}

// appendJSON writes an attribute as json.Marshal would, without making a tree of any for
// it first: every replay and every record reads a trunk.
func appendJSON(b []byte, value types.AttributeValue) ([]byte, error) {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return appendText(b, value.Value), nil
	case *types.AttributeValueMemberN:
		number, err := json.Marshal(json.Number(value.Value))
		return append(b, number...), err
	case *types.AttributeValueMemberBOOL:
		return strconv.AppendBool(b, value.Value), nil
	case *types.AttributeValueMemberL:
		return appendList(b, value.Value)
	case *types.AttributeValueMemberM:
		return appendMap(b, value.Value)
	}
	return append(b, "null"...), nil
}

func appendList(b []byte, list []types.AttributeValue) (_ []byte, err error) {
	b = append(b, '[')
	for i, element := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendJSON(b, element); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendMap(b []byte, fields item) (_ []byte, err error) {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendJSON(append(appendText(b, name), ':'), fields[name]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendText(b []byte, s string) []byte {
	if strings.IndexFunc(s, escaped) < 0 {
		return append(append(append(b, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // every string can be written
	return append(b, quoted...)
}

// escaped is what json.Marshal writes, or may write, in another way.
func escaped(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) }
