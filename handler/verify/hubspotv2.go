package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"unicode/utf8"
)

func hubSpotV2(Options) scheme {
	sign := func(secret string, r *Request) error {
		if err := errors.Join(checkKey(secret), checkURL(r.URL)); err != nil {
			return err
		}
		setHubSpotHash(r, "v2", hubSpotHash(secret, r.Method+r.URL, r.Body))
		return nil
	}
	return scheme{verify: verifyHubSpotV2, sign: sign, check: checkKey}
}

// verifyHubSpotV2 takes X-HubSpot-Signature of version v2: the SHA-256 in hex of
// secret, method, URL and body (developers.hubspot.com/docs/faq/v2-request-validation,
// read 2026-11). No time is signed, so such a request can be replayed.
func verifyHubSpotV2(r Request) bool {
	return signableURL(r.URL) && hubSpotHashed(r, "v2", r.Method+r.URL)
}

// hubSpotHashed checks v2 and v1. Their hash is no HMAC: a stranger who has seen
// one can continue it, with a body that begins with the one that was hashed and
// SHA-256's padding. That padding starts with the byte 0x80 behind a whole body,
// which is never UTF-8, and HubSpot's bodies always are.
func hubSpotHashed(r Request, version, head string) bool {
	if r.header("X-Hubspot-Signature-Version") != version || !utf8.Valid(r.Body) {
		return false
	}
	signatures := []string{r.header("X-Hubspot-Signature")}
	return signedBy(r.Secrets, signatures, func(secret string) string { return hubSpotHash(secret, head, r.Body) })
}

func hubSpotHash(secret, head string, body []byte) string {
	hash := sha256.New()
	hash.Write([]byte(secret + head))
	hash.Write(body)
	return hex.EncodeToString(hash.Sum(nil))
}

func setHubSpotHash(r *Request, version, hash string) {
	r.Header.Set("X-Hubspot-Signature-Version", version)
	r.Header.Set("X-Hubspot-Signature", hash)
}
