package verify

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
)

// maxAsymmetric bounds the signatures that are verified with a public key, which
// costs a hundred times as much as comparing one.
const maxAsymmetric = 4

func standardWebhooks(Options) scheme {
	return scheme{verify: StandardWebhooks, sign: signStandardWebhooks, check: checkStandardWebhooks}
}

// StandardWebhooks is Standard Webhooks 1.0.0 (github.com/standard-webhooks,
// b2fa7b87, 2026-08-17): over "id.timestamp.body" an HMAC-SHA256 (v1, whsec_) or
// Ed25519 (v1a, whpk_), several signatures allowed, unknown versions passed over.
// Svix does the same with names of its own.
//
// An id may hold full stops, so that the same signature fits another id, timestamp
// and body, cut elsewhere. Of two such bodies the longer one begins with a
// timestamp and a full stop, and so is no JSON.
func StandardWebhooks(r Request) bool {
	return standardWebhook(r, "Webhook-") || standardWebhook(r, "Svix-")
}

func standardWebhook(r Request, prefix string) bool {
	id, timestamp := r.header(prefix+"Id"), r.header(prefix+"Timestamp")
	if id == "" || !fresh(r.Now, timestamp, time.Second) {
		return false
	}
	signatures := strings.SplitN(r.header(prefix+"Signature"), " ", maxSignatures+1)
	signatures = signatures[:min(len(signatures), maxSignatures)]
	head := id + "." + timestamp + "."
	return signedBy(r.Secrets, signatures, func(secret string) string { return signatureV1(secret, head, r.Body) }) ||
		signedV1a(r.Secrets, signatures, head, r.Body)
}

// signatureV1 is nothing for a secret that isn't whsec_.
func signatureV1(secret, head string, body []byte) string {
	key, err := symmetricKey(secret)
	if err != nil {
		return ""
	}
	return "v1," + base64.StdEncoding.EncodeToString(mac(key, head, body, ""))
}

func signedV1a(secrets, signatures []string, head string, body []byte) bool {
	decoded := signaturesV1a(signatures)
	if len(decoded) == 0 {
		return false
	}
	content := append([]byte(head), body...)
	for _, secret := range secrets {
		key, err := publicKey(secret)
		if err != nil {
			continue
		}
		for _, signature := range decoded {
			if ed25519.Verify(key, content, signature) {
				return true // nothing here is secret
			}
		}
	}
	return false
}

func signaturesV1a(signatures []string) (decoded [][]byte) {
	for _, part := range signatures {
		encoded, ok := strings.CutPrefix(part, "v1a,")
		signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if ok && err == nil && len(signature) == ed25519.SignatureSize && len(decoded) < maxAsymmetric {
			decoded = append(decoded, signature)
		}
	}
	return decoded
}

// SignStandardWebhook returns what a sender puts into the webhook-signature
// header: v1 with a whsec_ secret, v1a with a whsk_ one. The error says that the
// secret is neither.
func SignStandardWebhook(secret, id string, at time.Time, body []byte) (string, error) {
	head := id + "." + stamp(at, time.Second) + "."
	if !strings.HasPrefix(secret, prefixPrivate) {
		_, err := symmetricKey(secret)
		return signatureV1(secret, head, body), err
	}
	key, err := privateKey(secret)
	if err != nil {
		return "", err
	}
	return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(key, append([]byte(head), body...))), nil
}

// signStandardWebhooks takes the id from the body: the same event, the same id.
func signStandardWebhooks(secret string, r *Request) error {
	hash := sha256.Sum256(r.Body)
	id := "msg_" + hex.EncodeToString(hash[:12])
	signature, err := SignStandardWebhook(secret, id, r.Now, r.Body)
	if err != nil {
		return err
	}
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", stamp(r.Now, time.Second))
	r.Header.Set("Webhook-Signature", signature)
	return nil
}
