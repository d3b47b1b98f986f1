package handler_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/handler"
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

func (i *instant) Status(context.Context, string) (provision.Record, error) {
	return i.result.Record, nil
}

func benchHandler() *handler.Handler {
	record := provision.Record{
		SignupID: "acme-42", Company: "Acme Telecom", Status: provision.StatusActive, TrunkName: "th_2p25m3xfxxipq", TrunkSID: "trmum162a3ed53c2084081321a1n",
		DomainName: "exoteltest.pstn.exotel.com", Attempts: 1, CreatedAt: now, UpdatedAt: now,
	}
	steps := []provision.Step{{Name: provision.StepClaim, Start: now}, {Name: "create trunk", Start: now, Vendor: true, HTTPStatus: 200, RequestID: "65039389db0b878a0437efe1889d0c37"}, {Name: provision.StepRecord, Start: now}}
	h, err := handler.New(handler.Config{
		Provisioner: &instant{provision.Result{Record: record, Outcome: provision.OutcomeCreated, Steps: steps}},
		Secrets:     &secrets{cached: map[string][]string{"api": {bearer, signing}}},
		Log:         slog.New(slog.NewJSONHandler(discard{}, nil)),
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
	h := benchHandler()
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
