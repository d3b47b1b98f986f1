package handler

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/trunkhook/trunkhook/handler/verify"
	"github.com/trunkhook/trunkhook/provision"
)

// sourceAPI is the source of the API profile.
const sourceAPI = "api"

// signUp answers POST /signups.
func (h *Handler) signUp(ctx context.Context, r *request) response {
	r.entry.source = sourceAPI
	if refusal := r.readBody(); refusal != nil {
		return refusal.response()
	}
	if refusal := h.authenticate(ctx, r, sourceAPI, verifyAPI); refusal != nil {
		return refusal.response()
	}
	if !r.isJSON() {
		return notJSON().response()
	}
	signup, err := parseSignup(r.body)
	signup.Source = sourceAPI
	r.entry.setSignupID(signup.ID)
	if err != nil {
		return r.refuse(err)
	}
	return h.provision(ctx, r, signup)
}

// provision is the API profile's way through the engine.
func (h *Handler) provision(ctx context.Context, r *request, signup provision.Signup) response {
	result, err := h.Provisioner.Provision(ctx, signup, time.Until(r.replyBy))
	if err != nil {
		r.entry.result.Steps = result.Steps
		return r.refuse(err)
	}
	r.entry.result = result
	return h.respond(r, result)
}

// status answers GET /signups/{signup_id}.
func (h *Handler) status(ctx context.Context, r *request, id string) response {
	r.entry.source = sourceAPI
	r.entry.setSignupID(id)
	if refusal := h.authenticate(ctx, r, sourceAPI, verify.Bearer); refusal != nil {
		return refusal.response()
	}
	return h.show(ctx, r, id)
}

// show tells where a signup stands.
func (h *Handler) show(ctx context.Context, r *request, id string) response {
	ctx, cancel := context.WithDeadline(ctx, r.replyBy)
	defer cancel()
	record, err := h.Provisioner.Status(ctx, id)
	switch {
	case errors.Is(err, provision.ErrNotFound):
		return notFound()
	case err != nil:
		return r.refuse(err)
	}
	r.entry.result.Record = record
	return success(http.StatusOK, record)
}
