package handler

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/trunkhook/trunkhook/provision"
)

// route picks by path, then by method. The path is the request's own, less a
// named stage: what API Gateway matched (routeKey) is the template's business.
func (h *Handler) route(ctx context.Context, r *request) response {
	if r.path == "/signups" {
		if r.method != http.MethodPost {
			return notAllowed(http.MethodPost)
		}
		return h.signUp(ctx, r)
	}
	if r.path == "/me/signup" {
		return h.me(ctx, r)
	}
	if name, ok := strings.CutPrefix(r.path, "/webhooks/"); ok {
		return h.webhook(ctx, r, name)
	}
	if escaped, ok := strings.CutPrefix(r.path, "/signups/"); ok {
		id, err := url.PathUnescape(escaped)
		switch {
		case err != nil || !provision.ValidSignupID(id):
			return notFound()
		case r.method == http.MethodGet:
			return h.status(ctx, r, id)
		case r.method == http.MethodDelete && h.AllowDelete:
			return h.delete(ctx, r, id)
		case h.AllowDelete:
			return notAllowed("DELETE, GET")
		}
		return notAllowed(http.MethodGet)
	}
	return notFound()
}
