package handler

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/provision"
)

// webhook answers /webhooks/{source}. Once the sender is known it is never told
// 4xx, which bans or deletes a webhook with most CRMs, but for a body of a type that
// the source doesn't send; and 503 only where something isn't on disk.
func (h *Handler) webhook(ctx context.Context, r *request, name string) response {
	way, ok := h.ways[name]
	if !ok {
		return notFound()
	}
	r.entry.source = name
	switch r.method {
	case http.MethodHead: // the handshake of some senders, LeadSquared among them
		return response{StatusCode: http.StatusOK}
	case http.MethodOptions:
		return r.handshake()
	case http.MethodPost:
		return h.takeWebhook(ctx, r, way)
	}
	return notAllowed("HEAD, POST")
}

// handshake is that of CloudEvents' web hooks (HTTP 1.1 Web Hooks for Event
// Delivery, 2.1): a sender asks whether it may deliver at all.
func (r *request) handshake() response {
	origin := r.header.Get("WebHook-Request-Origin")
	if len(origin) > 253 || !hostname.MatchString(origin) {
		return notAllowed("HEAD, POST")
	}
	return response{StatusCode: http.StatusOK, Headers: map[string]string{
		"Allow": "POST", "WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*",
	}}
}

// hostname is what an origin is there, or "*".
var hostname = regexp.MustCompile(`^(\*|[A-Za-z0-9.-]+)$`)

func (h *Handler) takeWebhook(ctx context.Context, r *request, w way) response {
	if refusal := r.readBody(); refusal != nil {
		return refusal.response()
	}
	if refusal := h.authenticate(ctx, r, w.source.Name, w.verify); refusal != nil {
		return refusal.response()
	}
	list, err := w.source.Read(r.header.Get("Content-Type"), r.body)
	if errors.Is(err, sources.ErrContentType) {
		const detail = "This source does not send bodies of that type."
		if w.source.Reply != sources.ReplyLeadSquared {
			return problem{Status: http.StatusUnsupportedMediaType, Detail: detail}.response()
		}
		err = sources.BodyError{Detail: detail}
	}
	if err != nil {
		list = []sources.Event{{Fault: err, Raw: unreadable(r.body)}}
	}
	taken := h.take(ctx, r, w.source.Name, list, h.provisionAll)
	answer := w.reply(taken)
	r.entry.notTaken = taken.unavailable && answer.StatusCode < http.StatusInternalServerError
	return answer
}

// unreadable stands for a body that can't be read: what of it is a secret can't be
// told, so it isn't kept.
func unreadable(body []byte) json.RawMessage {
	sum := sha256.Sum256(body)
	return fmt.Appendf(nil, `{"unreadable_bytes":%d,"sha256":"%x"}`, len(body), sum[:])
}

// taken is what became of the events of one delivery, in their order.
type taken struct {
	events      []sources.Event
	delivered   []provision.Delivered // of each event; empty where it was not for us, or unusable
	unavailable bool                  // something that had to be is not on disk
}

// take has the signups provisioned, and keeps what can't be used meanwhile, so that
// neither waits for the other's writes.
func (h *Handler) take(ctx context.Context, r *request, source string, list []sources.Event, provisionAll provisionFunc) taken {
	t := taken{events: list, delivered: make([]provision.Delivered, len(list))}
	var signups []provision.Signup
	var places, cancelled []int
	var unusable []sources.Event
	for i, event := range list {
		switch {
		case event.Ignored:
		case event.Fault != nil:
			unusable = append(unusable, event)
		case event.Cancelled:
			cancelled = append(cancelled, i)
		default:
			signups, places = append(signups, event.Signup), append(places, i)
		}
	}
	kept := make(chan error, 1)
	go func() { kept <- h.keep(ctx, r.replyBy, source, unusable) }()
	for i, d := range provisionAll(ctx, r, signups) {
		t.delivered[places[i]] = d
		r.entry.err = cmp.Or(r.entry.err, d.Err)
	}
	h.cancel(ctx, r, &t, cancelled) // after the signups of the same delivery
	r.entry.err = cmp.Or(r.entry.err, <-kept)
	t.unavailable = r.entry.err != nil
	r.entry.tell(ctx, h.log(), source, t)
	return t
}

type provisionFunc func(ctx context.Context, r *request, signups []provision.Signup) []provision.Delivered

func (h *Handler) provisionAll(ctx context.Context, r *request, signups []provision.Signup) []provision.Delivered {
	within := time.Until(r.replyBy)
	if len(signups) == 1 {
		result, err := h.Provisioner.Provision(ctx, signups[0], within)
		return []provision.Delivered{{Result: result, Err: err}}
	}
	return h.Provisioner.ProvisionAll(ctx, signups, within)
}

// keepsAtOnce is how many events are put on disk at once. One after the other a full
// batch would be too late for its sender where the table is slow.
const keepsAtOnce = 16

// keep puts events on disk for an operator. The error is that of one which isn't;
// the others are, as far as the time goes.
func (h *Handler) keep(ctx context.Context, by time.Time, source string, list []sources.Event) error {
	ctx, cancel := context.WithDeadline(ctx, by)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(keepsAtOnce)
	for _, event := range list {
		group.Go(func() error {
			return h.DeadLetters.KeepDeadLetter(ctx, provision.DeadLetter{
				Source: source, Faults: faultsOf(event.Fault), Payload: string(event.Raw), ReceivedAt: h.Now(),
			})
		})
	}
	return group.Wait()
}

// faultsOf are the fields at fault.
func faultsOf(err error) []provision.Fault {
	var invalid *provision.InvalidError
	if errors.As(err, &invalid) {
		return invalid.Faults
	}
	return []provision.Fault{{Field: "body", Detail: err.Error()}}
}
