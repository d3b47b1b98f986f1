package verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
)

// holds tells whether one of what was sent is one of the secrets. It takes as
// long whichever fits, or none, and for secrets of any length: hashes are
// compared. A secret that signs is no token.
func holds(secrets []string, sent ...string) bool {
	hashes := make([][sha256.Size]byte, len(sent))
	for i, token := range sent {
		hashes[i] = sha256.Sum256([]byte(token))
	}
	found := 0
	for _, secret := range secrets {
		if checkToken(secret) != nil {
			continue
		}
		known := sha256.Sum256([]byte(secret))
		for i := range hashes {
			found |= subtle.ConstantTimeCompare(hashes[i][:], known[:])
		}
	}
	return found == 1
}

// signedBy tells whether one of the signatures is one that a secret makes. It
// takes as long whichever fits, or none. The function returns nothing for a
// secret that can't sign.
//
// Texts are compared, not what they decode to: a sender writes each signature in
// one way only.
func signedBy(secrets, signatures []string, sign func(secret string) string) bool {
	found := 0
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		want := sign(secret)
		if want == "" {
			continue
		}
		for _, signature := range signatures {
			found |= subtle.ConstantTimeCompare([]byte(signature), []byte(want))
		}
	}
	return found == 1
}

// mac is the HMAC-SHA256 of head, body and tail.
func mac(key []byte, head string, body []byte, tail string) []byte {
	hash := hmac.New(sha256.New, key)
	hash.Write([]byte(head))
	hash.Write(body)
	hash.Write([]byte(tail))
	return hash.Sum(nil)
}
