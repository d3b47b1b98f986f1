package handler

import (
	"context"
	"net/http"

	"github.com/trunkhook/trunkhook/handler/verify"
)

// authenticate refuses a request, or returns nil. A source without secrets is
// closed, and looks as if it didn't exist.
func (h *Handler) authenticate(ctx context.Context, r *request, source string, kind verify.Kind) *problem {
	ctx, cancel := context.WithDeadline(ctx, r.replyBy)
	defer cancel()
	check := func(secrets []string) bool {
		return kind(verify.Request{Now: h.Now(), Secrets: secrets, Method: r.method, URL: h.urlOf(r), Header: r.header, Body: r.body})
	}
	secrets, err := h.Secrets.Of(ctx, source)
	switch {
	case err != nil:
		r.entry.err = err
		return unavailable()
	case len(secrets) > 0 && check(secrets):
		return nil
	}
	// The one that fits may just have been put in, the source's first or another.
	if renewed, err := h.Secrets.Renew(ctx, source); err == nil {
		secrets = renewed
	}
	switch {
	case len(secrets) == 0:
		return &problem{Status: http.StatusNotFound}
	case check(secrets):
		return nil
	}
	return &problem{Status: http.StatusUnauthorized, challenge: "Bearer"} // why is not for the sender to know
}

// verifyAPI takes either way of the API profile. What signs is no bearer token,
// and the reverse.
func verifyAPI(r verify.Request) bool { return verify.Bearer(r) || verify.StandardWebhooks(r) }

// urlOf is the URL that the sender called, as the setting says: what comes with
// the request can't tell it, since API Gateway leaves out a custom domain's path.
// Empty where it isn't set; a signature that covers it is refused then.
func (h *Handler) urlOf(r *request) string {
	switch {
	case h.PublicURL == "":
		return ""
	case r.event.RawQueryString == "":
		return h.PublicURL + r.path
	}
	return h.PublicURL + r.path + "?" + r.event.RawQueryString
}
