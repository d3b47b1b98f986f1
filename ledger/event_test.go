package ledger_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/internal/pipetest"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/ledger/ledgertest"
	"github.com/trunkhook/trunkhook/provision"
)

// change is a write that changed an item.
type change struct{ before, after pipetest.Item }

// streamed is a table that keeps what its stream would hold.
type streamed struct {
	*dynamodb.Client
	mu      sync.Mutex
	changes []change
}

func (s *streamed) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, options ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, err := s.item(ctx, in)
	if err != nil {
		return nil, err
	}
	out, err := s.Client.UpdateItem(ctx, in, options...)
	if err != nil {
		return out, err
	}
	after, err := s.item(ctx, in)
	if !reflect.DeepEqual(before, after) { // DynamoDB streams nothing else
		s.changes = append(s.changes, change{before, after})
	}
	return out, err
}

func (s *streamed) item(ctx context.Context, in *dynamodb.UpdateItemInput) (pipetest.Item, error) {
	out, err := s.GetItem(ctx, &dynamodb.GetItemInput{TableName: in.TableName, Key: in.Key, ConsistentRead: aws.Bool(true)})
	if err != nil || len(out.Item) == 0 {
		return nil, err
	}
	return out.Item, nil
}

// ends are the states of docs/events.md.
var ends = map[string]string{"active": "TrunkActivated", "incomplete": "TrunkIncomplete", "rejected": "SignupRejected", "deleted": "TrunkDeleted"}

// check holds the pipe to send what the change is, and says whether it did.
func (c change) check(t *testing.T, pipe pipetest.Pipe) *pipetest.Event {
	t.Helper()
	event, err := pipe.Send(pipetest.Record(c.before, c.after))
	if err != nil {
		t.Fatalf("from %v to %v: %v", c.before, c.after, err)
	}
	var want *pipetest.Event
	if status := of(c.after, "status"); ends[status] != "" && of(c.before, "status") != status && !provision.Dry(of(c.after, "signup_id")) {
		want = &pipetest.Event{Source: "trunkhook", DetailType: ends[status], Detail: c.detail()}
	}
	if !reflect.DeepEqual(event, want) {
		t.Fatalf("from %v to %v is sent\n%+v, want\n%+v", c.before, c.after, event, want)
	}
	return event
}

// detail is as docs/events.md has it.
func (c change) detail() map[string]any {
	status := of(c.after, "status")
	reason := map[string]string{"rejected": of(c.after, "last_error"), "deleted": of(c.after, "reason")}[status]
	_, behind, hasColon := strings.Cut(of(c.after, "signup_id"), "hubspot:8675309:")
	if !hasColon {
		behind = of(c.after, "signup_id")
	}
	detail := map[string]any{
		"source_id": behind,
		"id":        fmt.Sprintf("%s/%s/%s", of(c.after, "signup_id"), ends[status], of(c.after, "updated_at")),
		"company":   map[string]any{"S": of(c.after, "company")},
		"reason":    map[string]any{"S": reason},
	}
	for _, name := range []string{"signup_id", "generation", "revision", "source", "status", "trunk_sid", "trunk_name", "domain_name", "created_at", "updated_at"} {
		detail[name] = of(c.after, name)
	}
	return detail
}

// of is the text or number of an attribute, empty where there is none.
func of(item pipetest.Item, name string) string {
	switch value := item[name].(type) {
	case *types.AttributeValueMemberS:
		return value.Value
	case *types.AttributeValueMemberN:
		return value.Value
	}
	return ""
}

// Whatever is written, in whatever order, one event tells of each end, and none of
// anything else: the suite of all ledgers, its random sequences included.
func TestEachEndIsSentOnceAndNothingElse(t *testing.T) {
	t.Parallel()
	engine, pipe := dynamotest.Start(t), pipetest.Load(t)
	var mu sync.Mutex
	sent := map[string]int{}
	t.Cleanup(func() {
		if !t.Failed() && (sent["TrunkActivated"] == 0 || sent["SignupRejected"] == 0) { // whatever is drawn
			t.Errorf("the suite sent %v", sent)
		}
	})
	ledgertest.Run(t, func(t *testing.T) ledgertest.Store {
		t.Helper()
		table := &streamed{Client: engine.Client()}
		t.Cleanup(func() {
			mu.Lock()
			defer mu.Unlock()
			for _, c := range table.changes {
				if event := c.check(t, pipe); event != nil {
					sent[event.DetailType]++
				}
			}
		})
		return ledger.New(table, engine.CreateTable(t))
	})
}

// A removal, a table that is restored, and items of other kinds are nobody's end.
func TestWhatIsNoEndIsNotSent(t *testing.T) {
	t.Parallel()
	pipe := pipetest.Load(t)
	item := func(id, status string) pipetest.Item {
		return pipetest.Item{"signup_id": text(id), "status": text(status), "event": text(ends[status]), "event_reason": text(""), "company": text("Acme")}
	}
	for name, c := range map[string]change{
		"removed":             {before: item("acme-42", "active")},
		"restored":            {after: item("acme-42", "active")},
		"restored over":       {item("acme-42", "active"), item("acme-42", "active")},
		"a dry signup":        {item("dry-1", "pending"), item("dry-1", "dry")},
		"a dry one, anew":     {nil, item("dry-1", "dry")},
		"the budget":          {pipetest.Item{"signup_id": text("#budget")}, pipetest.Item{"signup_id": text("#budget"), "empty_at": text("1")}},
		"by an older version": {pipetest.Item{"status": text("pending")}, pipetest.Item{"status": text("active")}},
	} {
		if event, err := pipe.Send(pipetest.Record(c.before, c.after)); err != nil || event != nil {
			t.Errorf("%s: %+v, %v", name, event, err)
		}
	}
}

// vendor opens one account.
type vendor struct{ account *provision.Account }

func (v vendor) Ready() *provision.Account { return v.account }

func (v vendor) Open(context.Context) (*provision.Account, error) { return v.account, nil }

func (v vendor) Reopen(context.Context, *provision.Account) (*provision.Account, error) {
	return v.account, nil
}

// journey is a signup's way through the engine, on a table with a stream.
type journey struct {
	t      *testing.T
	table  *streamed
	fake   *exoteltest.Server
	engine *provision.Engine
	later  time.Duration // than it is
}

func newJourney(t *testing.T) *journey {
	t.Helper()
	dynamo := dynamotest.Start(t)
	j := &journey{t: t, table: &streamed{Client: dynamo.Client()}, fake: exoteltest.Start(t)}
	client, err := exotel.New(j.fake.Config())
	if err != nil {
		t.Fatal(err)
	}
	store := ledger.New(j.table, dynamo.CreateTable(t))
	now := func() time.Time { return time.Now().Add(j.later) }
	j.engine = &provision.Engine{Ledger: store, Accounts: vendor{provision.OpenAccount(client)}, Prefix: "th", Now: now}
	return j
}

// quoted has all that JSON escapes in a company's name.
var quoted = provision.Signup{ID: "hubspot:8675309:4021", Company: `Acme "Telecom" \ <$.S> {Ünlimited} 🚀`, Source: "hubspot"}

func (j *journey) deliver(s provision.Signup) {
	j.t.Helper()
	if _, err := j.engine.Provision(j.t.Context(), s, 20*time.Second); err != nil {
		j.t.Fatal(err)
	}
}

func (j *journey) must(result provision.Result, err error) {
	j.t.Helper()
	if err != nil {
		j.t.Fatalf("%+v, %v", result, err)
	}
}

// delete sees a deletion through, which takes half an hour.
func (j *journey) delete(id string, generation int) {
	j.t.Helper()
	j.must(j.engine.Delete(j.t.Context(), id, generation, `said "no"`, 20*time.Second))
	for range 3 {
		j.later += 31 * time.Minute
		ctx, cancel := context.WithTimeout(j.t.Context(), 20*time.Second)
		if _, err := j.engine.Reconcile(ctx); err != nil {
			j.t.Error(err)
		}
		cancel()
	}
}

// with asks for a line of that number and those addresses.
func with(destinations ...string) provision.Signup {
	s := quoted
	s.Line = provision.Line{WhitelistedIPs: []string{"8.8.8.8"}, DestinationURIs: destinations}
	return s
}

func TestWholeJourneysSendTheirEndsInOrder(t *testing.T) {
	t.Parallel()
	pipe, documented := pipetest.Load(t), pipetest.Document(t)
	for name, test := range map[string]struct {
		journey func(j *journey)
		want    []string // type, generation, revision, whether there is a trunk, reason
	}{
		"a new signup, delivered twice": {func(j *journey) {
			j.deliver(quoted)
			j.deliver(quoted)
		}, []string{"TrunkActivated - - true "}},
		"a trunk that is there": {func(j *journey) {
			j.fake.Inject(exoteltest.Create, exoteltest.FailAfter(500))
			j.deliver(quoted)
			j.later += time.Hour
			j.deliver(quoted)
		}, []string{"TrunkActivated - - true "}},
		"another content": {func(j *journey) {
			j.deliver(quoted)
			other := quoted
			other.Company = "Other"
			j.deliver(other)
		}, []string{"TrunkActivated - - true "}},
		"a line that is refused in part, and mended": {func(j *journey) {
			j.deliver(with("8.8.8.8:5060", "1.1.1.1:5060"))
			s := with("8.8.8.8:5060", "1.1.1.1:5060")
			s.Line.WhitelistedIPs = append(s.Line.WhitelistedIPs, "1.1.1.1")
			j.deliver(s)
		}, []string{"TrunkIncomplete - - true ", "TrunkActivated - 1 true "}},
		"an addition": {func(j *journey) {
			j.deliver(with())
			j.deliver(with("8.8.8.8:5060"))
		}, []string{"TrunkActivated - - true ", "TrunkActivated - 1 true "}},
		"a rejection": {func(j *journey) {
			j.fake.Inject(exoteltest.Create, exoteltest.Fail(400))
			j.deliver(quoted)
			j.must(j.engine.Reject(j.t.Context(), quoted.ID, `not "ours" \o/`))
			j.deliver(quoted)
		}, []string{`SignupRejected - - false not "ours" \o/`}},
		"dry ones, ended by an operator": {func(j *journey) {
			dry := quoted
			dry.ID = "smoke:1"
			j.fake.Inject(exoteltest.List, exoteltest.RateLimit("1"))
			j.deliver(dry)
			j.must(j.engine.Reject(j.t.Context(), dry.ID, "a test"))
			dry.ID = "smoke:2"
			j.deliver(dry)
			j.delete(dry.ID, 1)
		}, nil},
		"a deletion, and the next generation": {func(j *journey) {
			j.deliver(quoted)
			j.delete(quoted.ID, 1)
			next := quoted
			next.Generation = 2
			j.deliver(next)
			j.delete(quoted.ID, 2)
		}, []string{"TrunkActivated - - true ", `TrunkDeleted - - true said "no"`, "TrunkActivated 2 - true ", `TrunkDeleted 2 - true said "no"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJourney(t)
			test.journey(j)
			var got []string
			ids := map[string]bool{}
			for _, c := range j.table.changes {
				event := c.check(t, pipe)
				if event == nil {
					continue
				}
				if err := documented.Check(event.Detail); err != nil || len(event.Detail) != len(documented.Fields()) {
					t.Errorf("%+v is not as documented: %v", event.Detail, err)
				}
				ids[event.Detail["id"].(string)] = true
				got = append(got, summary(event))
				if company := event.Detail["company"].(map[string]any)["S"]; company != quoted.Company {
					t.Errorf("the company is %s", company)
				}
			}
			if !slices.Equal(got, test.want) || len(ids) != len(got) {
				t.Errorf("sent %q, want %q, by the ids %v", got, test.want, ids)
			}
		})
	}
}

func summary(event *pipetest.Event) string {
	or := func(name string) string {
		if text := event.Detail[name].(string); text != "" {
			return text
		}
		return "-"
	}
	return fmt.Sprintf("%s %s %s %v %s", event.DetailType, or("generation"), or("revision"), event.Detail["trunk_sid"] != "", event.Detail["reason"].(map[string]any)["S"])
}
