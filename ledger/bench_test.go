package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/ledger"
	"github.com/trunkhook/trunkhook/provision"
)

// echo answers every update with the same item.
type echo struct {
	ledger.API
	item map[string]types.AttributeValue
}

func (e *echo) UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return &dynamodb.UpdateItemOutput{Attributes: e.item}, nil
}

// written is what the table answers to both writes of a new signup.
var written = map[string]types.AttributeValue{
	"signup_id": text("acme-42"), "company": text("Acme"), "source": text("api"), "fingerprint": text("d4c0fe6e889fb2ddd1adfcb8151567ec"),
	"status": text("pending"), "trunk_name": text("th_2p25m3xfxxipq"), "account_sid": text("acme1"), "owner": text("one"), "queue": text("pending"),
	"lease_until": text("2026-11-20T10:15:30.000Z"), "due_at": text("2026-11-20T10:15:30.000Z"), "attempts": &types.AttributeValueMemberN{Value: "1"},
	"created_at": text("2026-11-20T10:15:30.000Z"), "updated_at": text("2026-11-20T10:15:30.000Z"),
}

// writes are those of a new signup.
func writes(l *ledger.Ledger) map[string]func(ctx context.Context) (provision.Record, bool, error) {
	now := time.Now()
	claim := provision.Claim{Signup: provision.Signup{ID: "acme-42", Company: "Acme"}, TrunkName: "th_2p25m3xfxxipq", AccountSID: "acme1", Owner: "one", Now: now, LeaseUntil: now}
	record := provision.Activate{SignupID: "acme-42", Owner: "one", AccountSID: "acme1", Now: now, Trunk: exotel.Trunk{
		SID: "trmum1f708622631150902801a1n", Raw: []byte(`{"trunk_name":"outbound_trunk","date_created":"2026-01-23T09:24:59Z","trunk_sid":"trmum1f708622631150902801a1n","status":"active","domain_name":"exoteltest.pstn.exotel.com","auth_type":"IP-WHITELIST"}`),
	}}
	return map[string]func(ctx context.Context) (provision.Record, bool, error){
		"claim":    func(ctx context.Context) (provision.Record, bool, error) { return l.Claim(ctx, claim) },
		"activate": func(ctx context.Context) (provision.Record, bool, error) { return l.Activate(ctx, record) },
	}
}

// The ledger's own work: expressions and attributes, without the SDK's.
func BenchmarkLedger(b *testing.B) {
	for name, write := range writes(ledger.New(&echo{item: written}, "signups")) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, holds, err := write(b.Context()); !holds || err != nil {
					b.Fatal(holds, err)
				}
			}
		})
	}
}
