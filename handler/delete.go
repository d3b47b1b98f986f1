package handler

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/trunkhook/trunkhook/handler/verify"
	"github.com/trunkhook/trunkhook/provision"
)

// reasonAPI is the reason of what the API deletes, for people.
const reasonAPI = "deleted through the API"

// delete answers DELETE /signups/{signup_id}. As a signup without a generation is the
// first, so is what is deleted without one: a deletion that comes late, or twice, must
// not end the next.
func (h *Handler) delete(ctx context.Context, r *request, id string) response {
	r.entry.source = sourceAPI
	r.entry.setSignupID(id)
	if refusal := h.authenticate(ctx, r, sourceAPI, verify.Bearer); refusal != nil {
		return refusal.response()
	}
	generation, err := r.generation()
	if err != nil {
		return r.refuse(err)
	}
	result, err := h.Provisioner.Delete(ctx, id, generation, reasonAPI, time.Until(r.replyBy))
	r.entry.result.Steps = result.Steps
	switch {
	case errors.Is(err, provision.ErrNotFound):
		return notFound()
	case errors.Is(err, provision.ErrGeneration):
		return anotherGeneration().response()
	case err != nil:
		return r.refuse(err)
	}
	r.entry.result = result
	return h.respond(r, result)
}

// generation is the one that the query names; zero for none.
func (r *request) generation() (int, error) {
	query, err := url.ParseQuery(r.event.RawQueryString)
	values, named := query[fieldGeneration]
	if err == nil && !named {
		return 0, nil
	}
	if err == nil && len(values) == 1 {
		if n, err := strconv.Atoi(values[0]); err == nil && n >= 1 && n <= provision.MaxGeneration {
			return n, nil
		}
	}
	return 0, &provision.InvalidError{Faults: []provision.Fault{badGeneration}}
}

func anotherGeneration() problem {
	return problem{
		Status: http.StatusUnprocessableEntity, Detail: "The signup is of another generation. Nothing was deleted.",
		Errors: []provision.Fault{{Field: fieldGeneration, Detail: "is not that of the signup now; the query names it, as in ?generation=2"}},
	}
}
