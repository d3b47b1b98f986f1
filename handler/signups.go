package handler

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// sourceAPI is the source of the API profile.
const sourceAPI = "api"

// signUp answers POST /signups.
func (h *Handler) signUp(ctx context.Context, r *request, replyBy time.Time, entry *entry) response {
	entry.source = sourceAPI
	if refusal := h.authenticate(ctx, r, sourceAPI, verifyAPI, replyBy); refusal != nil {
		return refusal.response()
	}
	if !r.isJSON() {
		return problem{Status: http.StatusUnsupportedMediaType, Detail: "The body must be application/json."}.response()
	}
	signup, err := parseSignup(r.body)
	signup.Source = sourceAPI
	entry.name(signup.ID)
	if err != nil {
		entry.err = err
		return refuseBody(err)
	}
	result, err := h.Provisioner.Provision(ctx, signup, h.within(ctx, replyBy))
	entry.note(result, err)
	if err != nil {
		return refuseBody(err)
	}
	return h.respond(r, result)
}

// stopMargin is kept between the answer and the end of the process.
const stopMargin = 500 * time.Millisecond

// within is how long the engine may take: until the reply is due, and not into
// the last moment of the process.
func (h *Handler) within(ctx context.Context, replyBy time.Time) time.Duration {
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-stopMargin).Before(replyBy) {
		replyBy = deadline.Add(-stopMargin)
	}
	return time.Until(replyBy)
}

// status answers GET /signups/{signup_id}.
func (h *Handler) status(ctx context.Context, r *request, id string, replyBy time.Time, entry *entry) response {
	entry.source = sourceAPI
	entry.name(id)
	if refusal := h.authenticate(ctx, r, sourceAPI, verifyBearer, replyBy); refusal != nil {
		return refusal.response()
	}
	ctx, cancel := context.WithDeadline(ctx, replyBy)
	defer cancel()
	record, err := h.Provisioner.Status(ctx, id)
	switch {
	case errors.Is(err, provision.ErrNotFound):
		return notFound()
	case err != nil:
		entry.err = err
		return unavailable()
	}
	entry.result.Record = record
	return success(http.StatusOK, record)
}
