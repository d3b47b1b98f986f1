package verify

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// The prefixes of Standard Webhooks' secrets.
const (
	prefixKey     = "whsec_" // of HMAC
	prefixPublic  = "whpk_"  // of Ed25519: ours, to verify
	prefixPrivate = "whsk_"  // of Ed25519: the sender's
)

// Signs tells whether a secret is one of Standard Webhooks, by its prefix. Such a
// secret is never taken as a token or a password.
func Signs(secret string) bool {
	return strings.HasPrefix(secret, prefixKey) || strings.HasPrefix(secret, prefixPublic) || strings.HasPrefix(secret, prefixPrivate)
}

// CheckSecret refuses a secret of the API profile, which is a bearer token or one
// of Standard Webhooks, if it can never match a request. The error holds nothing
// of the secret. [Options.CheckSecret] does the same for any kind.
func CheckSecret(secret string) error {
	if Signs(secret) {
		return checkStandardWebhooks(secret)
	}
	return checkToken(secret)
}

var errEmpty = errors.New("it is empty")

// checkKey is for secrets that are keys as they stand.
func checkKey(secret string) error {
	if secret == "" {
		return errEmpty
	}
	return nil
}

func checkToken(secret string) error {
	if Signs(secret) {
		return errors.New("it is one that signs, and no token")
	}
	return checkKey(secret)
}

// checkPassword wants a password, so that a setting that was left empty doesn't
// open the source to everybody who can guess the user.
func checkPassword(secret string) error {
	if _, password, _ := strings.Cut(secret, ":"); password == "" {
		return errors.New("it is not user:password")
	}
	return checkToken(secret)
}

func checkHex(secret string) error {
	_, err := hexKey(secret)
	return err
}

func hexKey(secret string) ([]byte, error) {
	key, err := hex.DecodeString(secret)
	if err != nil || len(key) == 0 {
		return nil, errors.New("it is not hexadecimal")
	}
	return key, nil
}

func checkStandardWebhooks(secret string) error {
	var err error
	switch {
	case strings.HasPrefix(secret, prefixPublic):
		_, err = publicKey(secret)
	case strings.HasPrefix(secret, prefixPrivate):
		err = errors.New("it is the sender's private key; the public one, whpk_, belongs here")
	default:
		_, err = symmetricKey(secret)
	}
	return err
}

func symmetricKey(secret string) ([]byte, error) {
	key := decoded(secret, prefixKey)
	if len(key) == 0 {
		return nil, errors.New("a signing secret is whsec_ and base64")
	}
	return key, nil
}

func publicKey(secret string) (ed25519.PublicKey, error) {
	key := decoded(secret, prefixPublic)
	if len(key) != ed25519.PublicKeySize {
		return nil, errors.New("a public key is whpk_ and 32 bytes in base64")
	}
	return key, nil
}

// privateKey takes both forms: the seed alone, and the seed with the public key
// behind it, which is derived anew rather than believed.
func privateKey(secret string) (ed25519.PrivateKey, error) {
	key := decoded(secret, prefixPrivate)
	if len(key) != ed25519.SeedSize && len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("a private key is whsk_ and 32 or 64 bytes in base64")
	}
	return ed25519.NewKeyFromSeed(key[:ed25519.SeedSize]), nil
}

// decoded is what is behind the prefix, or nothing.
func decoded(secret, prefix string) []byte {
	encoded, ok := strings.CutPrefix(secret, prefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil
	}
	return key
}
