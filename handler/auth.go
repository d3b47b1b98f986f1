package handler

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"
)

// A verifier tells whether a request comes from somebody who has one of the
// secrets. It is pure: time comes in.
type verifier func(now time.Time, secrets []string, r *request) error

// errUnauthenticated: why is not for the sender to know.
var errUnauthenticated = errors.New("no valid signature or token")

// authenticate refuses a request, or returns nil. A source without secrets is
// closed, and looks as if it didn't exist.
func (h *Handler) authenticate(ctx context.Context, r *request, source string, verify verifier, replyBy time.Time) *problem {
	ctx, cancel := context.WithDeadline(ctx, replyBy)
	defer cancel()
	secrets, err := h.Secrets.Of(ctx, source)
	switch {
	case err != nil:
		h.Log.ErrorContext(ctx, "the sources' secrets can't be had", "error", err)
		return &problem{Status: http.StatusServiceUnavailable, retryAfter: retryAfterOutage}
	case len(secrets) == 0:
		return &problem{Status: http.StatusNotFound}
	case verify(h.Now(), secrets, r) == nil:
		return nil
	}
	// One may just have been rotated in.
	if renewed, changed := h.Secrets.Renew(ctx, source, secrets); changed && verify(h.Now(), renewed, r) == nil {
		return nil
	}
	return &problem{Status: http.StatusUnauthorized, challenge: "Bearer"}
}

// signingPrefix marks a secret of Standard Webhooks. Such a secret signs and is
// no bearer token; any other is a token and signs nothing.
const signingPrefix = "whsec_"

// verifyAPI takes either way of the API profile.
func verifyAPI(now time.Time, secrets []string, r *request) error {
	if verifyBearer(now, secrets, r) == nil {
		return nil
	}
	return verifyStandardWebhook(now, secrets, r)
}

// verifyBearer takes "Authorization: Bearer <secret>" (RFC 6750).
func verifyBearer(_ time.Time, secrets []string, r *request) error {
	scheme, token, _ := strings.Cut(r.header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return errUnauthenticated
	}
	sent := sha256.Sum256([]byte(strings.Trim(token, " ")))
	found := 0
	for _, secret := range secrets {
		if secret == "" || strings.HasPrefix(secret, signingPrefix) {
			continue
		}
		// Hashed, so that the comparison takes as long for any length.
		known := sha256.Sum256([]byte(secret))
		found |= subtle.ConstantTimeCompare(sent[:], known[:])
	}
	if found != 1 {
		return errUnauthenticated
	}
	return nil
}
