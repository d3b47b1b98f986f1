package handler

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"
)

// A verifier tells whether a request comes from somebody who has one of the
// secrets. It is pure: time comes in.
type verifier func(now time.Time, secrets []string, r *request) bool

// authenticate refuses a request, or returns nil. A source without secrets is
// closed, and looks as if it didn't exist.
func (h *Handler) authenticate(ctx context.Context, r *request, source string, verify verifier) *problem {
	ctx, cancel := context.WithDeadline(ctx, r.replyBy)
	defer cancel()
	secrets, err := h.Secrets.Of(ctx, source)
	switch {
	case err != nil:
		r.entry.err = err
		return unavailable()
	case len(secrets) == 0:
		return &problem{Status: http.StatusNotFound}
	case verify(h.Now(), secrets, r):
		return nil
	}
	// One may just have been rotated in.
	if renewed, err := h.Secrets.Renew(ctx, source); err == nil && verify(h.Now(), renewed, r) {
		return nil
	}
	return &problem{Status: http.StatusUnauthorized, challenge: "Bearer"} // why is not for the sender to know
}

// signingPrefix marks a secret of Standard Webhooks. Such a secret signs and is
// no bearer token; any other is a token and signs nothing.
const signingPrefix = "whsec_"

// verifyAPI takes either way of the API profile.
func verifyAPI(now time.Time, secrets []string, r *request) bool {
	return verifyBearer(now, secrets, r) || verifyStandardWebhook(now, secrets, r)
}

// verifyBearer takes "Authorization: Bearer <secret>" (RFC 6750).
func verifyBearer(_ time.Time, secrets []string, r *request) bool {
	scheme, token, _ := strings.Cut(r.header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return false
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
	return found == 1
}
