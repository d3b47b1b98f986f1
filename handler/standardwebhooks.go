package handler

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// signatureWindow is how far a signed timestamp may be off, either way.
const signatureWindow = 5 * time.Minute

// unixSeconds: digits only. What is signed is the header as it was sent, so a
// second spelling of the same number must not pass.
var unixSeconds = regexp.MustCompile(`^[1-9][0-9]{0,11}$`)

// verifyStandardWebhook follows Standard Webhooks 1.0.0 (symmetric, v1): the
// HMAC-SHA256 of "id.timestamp.body" in base64, several signatures and secrets
// allowed, versions that aren't known passed over.
func verifyStandardWebhook(now time.Time, secrets []string, r *request) bool {
	id, timestamp := r.header.Get("Webhook-Id"), r.header.Get("Webhook-Timestamp")
	if id == "" || !unixSeconds.MatchString(timestamp) {
		return false
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if age := now.Unix() - seconds; err != nil || max(age, -age) > int64(signatureWindow/time.Second) {
		return false
	}
	sent := signaturesV1(r.header.Get("Webhook-Signature"))
	found := false
	for _, secret := range secrets {
		key, err := signingKey(secret)
		if err != nil {
			continue // a bearer token, or no key: who keeps the secrets says so
		}
		want := standardWebhookMAC(key, id, timestamp, r.body)
		for _, signature := range sent {
			found = hmac.Equal(signature, want) || found
		}
	}
	return found
}

// SignStandardWebhook returns what a sender puts into the webhook-signature
// header. The error says that the secret is not whsec_ and base64.
func SignStandardWebhook(secret, id string, at time.Time, body []byte) (string, error) {
	key, err := signingKey(secret)
	if err != nil {
		return "", err
	}
	mac := standardWebhookMAC(key, id, strconv.FormatInt(at.Unix(), 10), body)
	return "v1," + base64.StdEncoding.EncodeToString(mac), nil
}

func standardWebhookMAC(key []byte, id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// CheckSecret refuses what can never match a request. The error holds nothing
// of the secret.
func CheckSecret(secret string) error {
	if secret == "" {
		return errors.New("it is empty")
	}
	if strings.HasPrefix(secret, signingPrefix) {
		_, err := signingKey(secret)
		return err
	}
	return nil
}

func signingKey(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, signingPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) == 0 {
		return nil, errors.New("a signing secret is whsec_ and base64")
	}
	return key, nil
}

// maxSignatures bounds the work that a stranger can ask for.
const maxSignatures = 16

// signaturesV1 are those of version 1 in a header such as "v1,AAAA v1a,BBBB v1,CCCC".
func signaturesV1(header string) (signatures [][]byte) {
	for _, part := range strings.SplitN(header, " ", maxSignatures) {
		encoded, ok := strings.CutPrefix(part, "v1,")
		signature, err := base64.StdEncoding.DecodeString(encoded)
		if ok && err == nil && len(signature) == sha256.Size {
			signatures = append(signatures, signature)
		}
	}
	return signatures
}
