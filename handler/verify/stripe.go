package verify

import (
	"encoding/hex"
	"strings"
	"time"
)

func stripe(Options) scheme {
	sign := func(secret string, r *Request) {
		timestamp := stamp(r.Now, time.Second)
		r.Header.Set("Stripe-Signature", "t="+timestamp+",v1="+stripeSignature(secret, timestamp, r.Body))
	}
	return scheme{verify: verifyStripe, sign: signer(checkKey, sign), check: checkKey}
}

// verifyStripe takes "Stripe-Signature: t=<seconds>,v1=<signature>,...": the
// HMAC-SHA256 of "timestamp.body" in hex, one for each secret of the endpoint
// (github.com/stripe/stripe-go, webhook/client.go, a1e3932f, 2026-08-07). Other
// schemes, such as v0 of test events, are passed over.
func verifyStripe(r Request) bool {
	timestamp, signatures := stripeParts(r.header("Stripe-Signature"))
	return fresh(r.Now, timestamp, time.Second) &&
		signedBy(r.Secrets, signatures, func(secret string) string { return stripeSignature(secret, timestamp, r.Body) })
}

// stripeParts returns nothing for a header with two timestamps, of which only one
// can have been signed.
func stripeParts(header string) (timestamp string, signatures []string) {
	parts := strings.SplitN(header, ",", maxSignatures+1)
	timestamps := 0
	for _, part := range parts[:min(len(parts), maxSignatures)] {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "t":
			timestamp = value
			timestamps++
		case "v1":
			signatures = append(signatures, value)
		}
	}
	if timestamps != 1 {
		return "", nil
	}
	return timestamp, signatures
}

// stripeSignature: the key is the secret as it stands, whsec_ included.
func stripeSignature(secret, timestamp string, body []byte) string {
	return hex.EncodeToString(mac([]byte(secret), timestamp+".", body, ""))
}
