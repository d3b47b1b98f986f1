package ledger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/provision"
)

// What an engine can't be made to show.

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// stub answers from fields.
type stub struct {
	ledger.API
	updated *dynamodb.UpdateItemInput
	update  *dynamodb.UpdateItemOutput
	refuse  error
	got     *dynamodb.GetItemInput
	pages   [][]string // of the index, ids each
	asked   int
}

func (s *stub) UpdateItem(_ context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	s.updated = in
	return s.update, s.refuse
}

func (s *stub) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	s.got = in
	return &dynamodb.GetItemOutput{}, nil
}

func (s *stub) Query(_ context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if queue := in.ExpressionAttributeValues[":queue"].(*types.AttributeValueMemberS).Value; queue != "pending" {
		return &dynamodb.QueryOutput{}, nil
	}
	page := s.asked
	if wanted := fmt.Sprint(page); page > 0 && in.ExclusiveStartKey["signup_id"].(*types.AttributeValueMemberS).Value != wanted {
		return nil, errors.New("another page was asked for")
	}
	s.asked++
	out := &dynamodb.QueryOutput{}
	for _, id := range s.pages[page] {
		out.Items = append(out.Items, map[string]types.AttributeValue{"signup_id": text(id), "created_at": text("2026-11-20T10:15:30.000Z"), "due_at": text("edited by hand")})
	}
	if s.asked < len(s.pages) {
		out.LastEvaluatedKey = map[string]types.AttributeValue{"signup_id": text(fmt.Sprint(s.asked))}
	}
	return out, nil
}

func TestGetIsConsistent(t *testing.T) {
	t.Parallel()
	api := &stub{}
	if _, err := ledger.New(api, "signups").Get(t.Context(), "acme-42"); !errors.Is(err, provision.ErrNotFound) {
		t.Error(err)
	}
	if api.got.ConsistentRead == nil || !*api.got.ConsistentRead {
		t.Error("the read may be stale")
	}
}

func TestDueReadsPageAfterPageUntilThereAreEnough(t *testing.T) {
	t.Parallel()
	pages := [][]string{{"a", "b"}, {}, {"c"}, {"d", "e"}}
	for limit, want := range map[int][]string{1: {"a"}, 3: {"a", "b", "c"}, 4: {"a", "b", "c", "d"}, 100: {"a", "b", "c", "d", "e"}} {
		got, err := ledger.New(&stub{pages: pages}, "signups").Due(t.Context(), time.Now(), limit)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("at most %d: %v, %v; want %v", limit, got, err, want)
		}
	}
}

func TestBacklogStopsCountingAtTenPages(t *testing.T) {
	t.Parallel()
	pages := slices.Repeat([][]string{{"a", "b"}}, 12)
	api := &stub{pages: pages}
	if got, err := ledger.New(api, "signups").Backlog(t.Context(), time.Time{}); err != nil || got.Pending != 20 || api.asked != 10 {
		t.Errorf("%+v of %d pages, %v", got, api.asked, err)
	}
}

func TestItemThatCannotBeReadAfterAWriteIsAnError(t *testing.T) {
	t.Parallel()
	broken := map[string]types.AttributeValue{"signup_id": text("acme-42"), "lease_until": text("tomorrow")}
	for name, api := range map[string]*stub{
		"written": {update: &dynamodb.UpdateItemOutput{Attributes: broken}},
		"refused": {refuse: &types.ConditionalCheckFailedException{Item: broken}},
	} {
		if record, holds, err := ledger.New(api, "signups").Release(t.Context(), provision.Release{SignupID: "acme-42"}); err == nil || holds {
			t.Errorf("%s: %+v, holds %v, %v", name, record, holds, err)
		}
	}
}

// A refused write is recognised by its owner only while the signup is pending:
// an operator may have decided it meanwhile.
func TestDecidedSignupIsNobodysClaim(t *testing.T) {
	t.Parallel()
	api := &stub{refuse: &types.ConditionalCheckFailedException{Item: map[string]types.AttributeValue{
		"signup_id": text("acme-42"), "status": text("rejected"), "owner": text("one"),
	}}}
	if record, holds, err := ledger.New(api, "signups").Claim(t.Context(), provision.Claim{Signup: provision.Signup{ID: "acme-42"}, Owner: "one"}); err != nil || holds || record.Status != provision.StatusRejected {
		t.Errorf("%+v, holds %v, %v", record, holds, err)
	}
}

// What DynamoDB can't hold must not cost the record of a trunk.
func TestWhatExotelAnsweredAlwaysFits(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 60) + `1` + strings.Repeat(`}`, 60)
	digits := strings.Repeat("9", 40)
	api := &stub{update: &dynamodb.UpdateItemOutput{}}
	raw := `{"trunk_sid":"trmum1a","deep":` + deep + `,"digits":` + digits + `,"exponent":1e300}`
	if _, _, err := ledger.New(api, "signups").Activate(t.Context(), provision.Activate{SignupID: "acme-42", Trunk: exotel.Trunk{SID: "trmum1a", Raw: json.RawMessage(raw)}}); err != nil {
		t.Fatal(err)
	}
	trunk := api.updated.ExpressionAttributeValues[":trunk"]
	if n := nesting(trunk); n > 32 {
		t.Errorf("it nests %d deep", n)
	}
	fields := trunk.(*types.AttributeValueMemberM).Value
	for name, want := range map[string]string{"digits": digits, "exponent": "1e300"} {
		if got, ok := fields[name].(*types.AttributeValueMemberS); !ok || got.Value != want {
			t.Errorf("%s is %#v", name, fields[name])
		}
	}
}

func nesting(value types.AttributeValue) int {
	deepest := 0
	if m, ok := value.(*types.AttributeValueMemberM); ok {
		for _, inner := range m.Value {
			deepest = max(deepest, nesting(inner))
		}
	}
	return deepest + 1
}

// A trunk comes back as Exotel sent it, whatever is in it.
func TestTrunkIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, document := range []string{
		`{"status":"active","trunk_sid":"trmum1a"}`,
		`{"a <b> & \"c\" \\":"\u0000\u0001\t\n\u007f \u2028 \u00e9 😀","a":"<>&"}`,
		`{"none":null,"yes":true,"no":false,"zero":0,"price":-12.50,"digits":12345678901234567890}`,
		`{"list":[],"map":{},"lists":[[1,"a"],{"b":[null]}],"":""}`,
	} {
		api := &stub{update: &dynamodb.UpdateItemOutput{}}
		write := provision.Activate{SignupID: "acme-42", Trunk: exotel.Trunk{SID: "trmum1a", Raw: json.RawMessage(document)}}
		if _, _, err := ledger.New(api, "signups").Activate(t.Context(), write); err != nil {
			t.Fatal(err)
		}
		api.update.Attributes = map[string]types.AttributeValue{"trunk": api.updated.ExpressionAttributeValues[":trunk"]}
		record, _, err := ledger.New(api, "signups").Activate(t.Context(), write)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(record.Trunk), marshalled(t, provision.TrunkDocument(write.Trunk, "")); got != want {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	}
}

// marshalled is a document as json.Marshal writes it, keys in their order.
func marshalled(t *testing.T, document json.RawMessage) string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNumberThatIsNoneIsNoDocument(t *testing.T) {
	t.Parallel()
	trunk := map[string]types.AttributeValue{"price": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "one"}}}}
	api := &stub{update: &dynamodb.UpdateItemOutput{Attributes: map[string]types.AttributeValue{"trunk": &types.AttributeValueMemberM{Value: trunk}}}}
	if _, holds, err := ledger.New(api, "signups").Release(t.Context(), provision.Release{SignupID: "acme-42"}); err == nil || holds {
		t.Errorf("holds %v, %v", holds, err)
	}
}
