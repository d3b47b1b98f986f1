package handler_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/sender"
	"github.com/trunkhook/trunkhook/provision"
)

// instant is an engine that has always finished already.
type instant struct{ result provision.Result }

func (i *instant) Provision(context.Context, provision.Signup, time.Duration) (provision.Result, error) {
	return i.result, nil
}

func (i *instant) ProvisionAll(_ context.Context, signups []provision.Signup, _ time.Duration) []provision.Delivered {
	return slices.Repeat([]provision.Delivered{{Result: i.result}}, len(signups))
}

func (i *instant) Accept(context.Context, provision.Signup) (provision.Result, error) {
	return i.result, nil
}

func (i *instant) Delete(context.Context, string, int, string, time.Duration) (provision.Result, error) {
	return i.result, nil
}

func (i *instant) Status(context.Context, string) (provision.Record, error) {
	return i.result.Record, nil
}

func benchHandler(set sources.Set) *handler.Handler {
	record := provision.Record{
		SignupID: "acme-42", Company: "Acme Telecom", Status: provision.StatusActive, TrunkName: "th_2p25m3xfxxipq", TrunkSID: "trmum162a3ed53c2084081321a1n",
		DomainName: "exoteltest.pstn.exotel.com", Attempts: 1, CreatedAt: now, UpdatedAt: now,
	}
	steps := []provision.Step{{Name: provision.StepClaim, Start: now}, {Name: "create trunk", Start: now, Vendor: true, HTTPStatus: 200, RequestID: "65039389db0b878a0437efe1889d0c37"}, {Name: provision.StepRecord, Start: now}}
	h, err := handler.New(handler.Config{
		Provisioner: &instant{provision.Result{Record: record, Outcome: provision.OutcomeCreated, Steps: steps}},
		Secrets:     &secrets{cached: sender.Secrets()},
		Sources:     set,
		PublicURL:   "https://hooks.example.com",
		Log:         slog.New(slog.NewJSONHandler(discard{}, nil)),
		Function:    "trunkhook-webhook",
		ReplyWithin: time.Second,
		Now:         func() time.Time { return now },
	})
	if err != nil {
		panic(err)
	}
	return h
}

// discard is an io.Writer; slog knows io.Discard and would skip the work.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// The handler's own work: everything but the engine's calls.
func BenchmarkHandle(b *testing.B) {
	h := benchHandler(sources.Set{})
	for name, event := range map[string]events.APIGatewayV2HTTPRequest{
		"bearer": signUp(acme),
		"signed": sign(b, signing, "msg_1", now, acme),
		"status": get("/signups/acme-42", "Bearer local"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if answer, _ := h.Handle(b.Context(), event); answer.StatusCode > 201 {
					b.Fatal(answer)
				}
			}
		})
	}
}

// A contact of 20 kB, as HubSpot's workflow sends and signs it, all the way. It must
// stay below 200 µs.
func BenchmarkWebhook(b *testing.B) {
	set, err := sources.Load("")
	if err != nil {
		b.Fatal(err)
	}
	h := benchHandler(set)
	var body strings.Builder
	body.WriteString(`{"vid":4021,"portal-id":8675309,"is-contact":true,"properties":{"company":{"value":"Acme"}`)
	for i := 0; body.Len() < 20_000; i++ {
		fmt.Fprintf(&body, `,"property_%d":{"value":"some value","versions":[{"value":"some value","source-type":"FORM","timestamp":1790000000000,"selected":false}]}`, i)
	}
	body.WriteString("}}")
	event := post("/webhooks/hubspot", "application/json", "", body.String())
	if err := sender.Sign(&event, set, sender.Secrets()["hubspot"][0], now, h.PublicURL); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if answer, _ := h.Handle(b.Context(), event); answer.StatusCode != 200 {
			b.Fatal(answer)
		}
	}
}
