package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/provision"
)

// tableName is that of the cloud's, the last one of its environment.
func (c cloud) tableName() (name string) {
	for _, variable := range c.env {
		if value, ok := strings.CutPrefix(variable, "SIGNUPS_TABLE="); ok {
			name = value
		}
	}
	return name
}

// copyEnded is what docs/operations.md does with the AWS CLI: the items of what was
// ended for good, from one table to another, none over one that is there.
func copyEnded(t *testing.T, from, to cloud) (copied int) {
	t.Helper()
	client := dynamotest.Start(t).Client()
	page, err := client.Scan(t.Context(), &dynamodb.ScanInput{
		TableName: aws.String(from.tableName()), FilterExpression: aws.String("#s IN (:r, :d)"), ExpressionAttributeNames: map[string]string{"#s": "status"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":r": &types.AttributeValueMemberS{Value: "rejected"}, ":d": &types.AttributeValueMemberS{Value: "deleted"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range page.Items {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(to.tableName()), Item: item, ConditionExpression: aws.String("attribute_not_exists(signup_id)")})
		var there *types.ConditionalCheckFailedException
		switch {
		case errors.As(err, &there):
		case err != nil:
			t.Fatal(err)
		default:
			copied++
		}
	}
	return copied
}

// Items of the running stack's table are lost, and come back out of a table that was
// restored beside it: what was ended for good as it was, the rest through the engine.
func TestRestoredTableIsBroughtIntoTheStacks(t *testing.T) {
	t.Parallel()
	restored := startCloud(t)
	restored.trunkctl(t, "replay", "--yes", written(t, `{"signup_id":"acme-1","company":"Acme"}`, `{"signup_id":"acme-2","company":"Acme","whitelisted_ips":["9.9.9.9"]}`)).wants(t, exitOK, `2 complete`, ``)
	ended := func(id string, end func(record provision.Record)) {
		t.Helper()
		now := time.Now().UTC().Truncate(time.Millisecond)
		record, holds, err := restored.table.Claim(t.Context(), provision.Claim{
			Signup: provision.Signup{ID: id, Company: "Acme", Source: "api"}, TrunkName: provision.TrunkName("pr", id),
			AccountSID: exoteltest.DefaultAccountSID, Owner: "one", Now: now, LeaseUntil: now,
		})
		if err != nil || !holds {
			t.Fatal(holds, err)
		}
		end(record)
	}
	must := func(_ provision.Record, holds bool, err error) {
		t.Helper()
		if err != nil || !holds {
			t.Fatal(holds, err)
		}
	}
	ended("acme-3", func(r provision.Record) {
		must(restored.table.Reject(t.Context(), provision.Reject{SignupID: r.SignupID, Owner: "one", Reason: "a test", Now: r.UpdatedAt}))
	})
	ended("acme-4", func(r provision.Record) {
		must(restored.table.Delete(t.Context(), provision.Delete{SignupID: r.SignupID, Reason: "it is over", Now: r.UpdatedAt, QuietAt: r.UpdatedAt}))
		must(restored.table.TakeOver(t.Context(), provision.TakeOver{SignupID: r.SignupID, Owner: "two", Now: r.UpdatedAt, LeaseUntil: r.UpdatedAt, Early: true}))
		must(restored.table.Bury(t.Context(), provision.Bury{SignupID: r.SignupID, Owner: "two", Now: r.UpdatedAt}))
	})
	ended("smoke:1", func(r provision.Record) {
		must(restored.table.Prove(t.Context(), provision.Prove{SignupID: r.SignupID, Owner: "one", Now: r.UpdatedAt}))
	})
	stack := restored.withEmptyTable(t)
	stack.trunkctl(t, "replay", "--yes", written(t, `{"signup_id":"acme-5","company":"Acme"}`)).wants(t, exitOK, `1 complete`, ``) // after that point

	if n := copyEnded(t, restored, stack); n != 2 {
		t.Errorf("%d copied, want the rejected one and the tombstone", n)
	}
	if n := copyEnded(t, restored, stack); n != 0 {
		t.Errorf("%d copied again", n)
	}
	file := written(t, strings.TrimSpace(restored.trunkctl(t, "export").out))
	stack.trunkctl(t, "replay", file, "--yes").wants(t, exitOK, `^2 complete, 0 taken and pending, 0 refused\n$`, `3 more are of signups that were ended for good, or dry`)
	stack.trunkctl(t, "audit", "--lines").wants(t, exitOK, `nothing is wrong`, ``)
	for _, id := range []string{"acme-1", "acme-2", "acme-3", "acme-4"} {
		before, err := restored.table.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if after, err := stack.table.Get(t.Context(), id); err != nil || after.Status != before.Status || after.TrunkSID != before.TrunkSID || after.TrunkName != before.TrunkName {
			t.Errorf("was %+v\nis %+v, %v", before, after, err)
		}
	}
	// Delivered once more, none of them gets a trunk of its own.
	stack.trunkctl(t, "replay", "--yes", written(t, `{"signup_id":"acme-3","company":"Acme"}`, `{"signup_id":"acme-4","company":"Acme"}`)).wants(t, exitOK, ``, `(?s)"outcome":"replayed".*"outcome":"replayed"`)
	if n := len(restored.fake.Trunks()); n != 3 {
		t.Errorf("%d trunks", n)
	}
}
