package handler

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/provision"
)

// errNotTaken makes the invoker try again.
var errNotTaken = errors.New("the event is not on disk")

// event takes what came without HTTP. Who may invoke the function is AWS's to
// check, by its permissions.
func (h *Handler) event(ctx context.Context, payload json.RawMessage) (any, error) {
	start := time.Now()
	r := &request{entry: &entry{method: methodEvent}, replyBy: h.replyBy(ctx, start)}
	answer, err := h.takeEvent(ctx, r, payload)
	status := 200 // as if it were a request, for the line's level
	if err != nil {
		r.entry.err, status = cmp.Or(r.entry.err, err), 503
	}
	h.write(ctx, r.entry, status, time.Since(start))
	return answer, err
}

func (h *Handler) takeEvent(ctx context.Context, r *request, payload json.RawMessage) (answer any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			h.logPanic(ctx, cause, r.header)
			err = errNotTaken
		}
	}()
	source, ok := h.Sources.ForEvent(payload)
	if !ok {
		return nil, errors.New("no source knows this event")
	}
	r.entry.source = source.Name
	list, err := source.Read("application/json", payload)
	if err != nil {
		list = []sources.Event{{Fault: err, Raw: unreadable(payload)}}
	}
	// Cognito's user waits, for five seconds at the most, and an error is the
	// user's: the signup is only written down, and the event goes back as it came
	// (docs.aws.amazon.com, Cognito, post confirmation trigger, read 2026-11).
	echo := source.Reply == sources.ReplyEcho
	provisionAll := h.provisionAll
	if echo {
		provisionAll = h.acceptAll
	}
	if t := h.take(ctx, r, source.Name, list, provisionAll); t.unavailable {
		return nil, errNotTaken
	}
	if echo {
		return payload, nil
	}
	return nil, nil
}

// acceptAll leaves the signups to the reconciler.
func (h *Handler) acceptAll(ctx context.Context, r *request, signups []provision.Signup) []provision.Delivered {
	ctx, cancel := context.WithDeadline(ctx, r.replyBy)
	defer cancel()
	delivered := make([]provision.Delivered, len(signups))
	for i, signup := range signups {
		delivered[i].Result, delivered[i].Err = h.Provisioner.Accept(ctx, signup)
	}
	return delivered
}
