package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/trunkhook/trunkhook/handler/verify"
)

// form is what the secrets of a kind of authentication look like.
type form struct {
	name  string // of the form: kinds that can have the same secret share one
	wants string // for people
	// check refuses what package verify would take, and no sender has: a slip of
	// whoever types. Its error holds nothing of the secret.
	check func(secret string) error
	// looks tells a secret of this form from one of another; nil where that can't be
	// told.
	looks func(secret string) bool
	// made makes one; nil where only the sender can.
	made func(user string) string
}

// minLength is that of tokens and passwords, in bytes. A guessed one makes trunks.
const minLength = 16

var (
	formToken = form{
		name: "token", wants: fmt.Sprintf("a token of at least %d characters without white space or colon", minLength),
		check: checkToken, looks: madeHere.MatchString, made: func(string) string { return newSecret(false) },
	}
	formPassword = form{
		name: "user and password", wants: fmt.Sprintf("user:password with a password of at least %d characters", minLength),
		check: checkPassword, looks: func(secret string) bool { return strings.Contains(secret, ":") },
		made: func(user string) string { return user + ":" + newSecret(false) },
	}
	formSigning = form{
		name: "signing secret", wants: fmt.Sprintf("a signing secret, %s and at least %d bytes in base64", signingPrefix, signingBytes),
		check: checkSigning, looks: startsWith(signingPrefix), made: func(string) string { return newSecret(true) },
	}
	formPublic = form{
		name: "public key", wants: "a public key, " + publicPrefix + " and 32 bytes in base64",
		check: checkPublic, looks: startsWith(publicPrefix),
	}
	formHubSpot = form{
		name: "client secret", wants: "the client secret of the HubSpot app",
		check: checkKey, looks: clientSecret.MatchString,
	}
)

// forms are those of each kind of package verify.
var forms = map[string][]form{
	"token": {formToken}, "bearer": {formToken}, "header": {formToken}, "form": {formToken},
	"basic":             {formPassword},
	"standard-webhooks": {formSigning, formPublic},
	"hubspot-v1":        {formHubSpot}, "hubspot-v2": {formHubSpot}, "hubspot-v3": {formHubSpot},
	"stripe": {{
		name: "endpoint's secret", wants: "the endpoint's signing secret as Stripe shows it, " + signingPrefix + "...",
		check: checkStripe, looks: startsWith(signingPrefix),
	}},
	"shopify": {{name: "Shopify's key", wants: "the key that Shopify signs with, such as the app's client secret", check: checkKey}},
	"close": {{
		name: "signature_key", wants: fmt.Sprintf("the webhook's signature_key, at least %d hexadecimal digits", 2*minLength),
		check: checkHex, looks: func(secret string) bool { return checkHex(secret) == nil },
	}},
	// GitHub asks for a secret that one thinks of.
	"github": {{name: "webhook's secret", wants: fmt.Sprintf("the webhook's secret, at least %d characters without white space", minLength), check: checkKey, made: formToken.made}},
	"hmac":   {{name: "key", wants: fmt.Sprintf("the key that its sender signs with, at least %d characters without white space", minLength), check: checkVisible}},
}

var (
	// madeHere is newSecret's token.
	madeHere = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	// clientSecret is as HubSpot's example shows one
	// (legacydocs.hubspot.com/docs/faq/v1-request-validation, read 2026-11). That all
	// are so isn't said, so that another is taken too.
	clientSecret = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

func startsWith(prefix string) func(string) bool {
	return func(secret string) bool { return strings.HasPrefix(secret, prefix) }
}

// checkVisible is for what stands in a header or is shown on a page.
func checkVisible(secret string) error {
	for _, c := range []byte(secret) {
		if c <= ' ' || c > '~' {
			return errors.New("it holds white space, or another character than ASCII's")
		}
	}
	return checkLength(secret)
}

func checkLength(secret string) error {
	if len(secret) < minLength {
		return fmt.Errorf("it is shorter than %d characters", minLength)
	}
	return nil
}

func checkToken(secret string) error {
	if strings.Contains(secret, ":") {
		return errors.New("it holds a colon, as user:password does")
	}
	return checkVisible(secret)
}

// checkPassword allows spaces in it, and what isn't ASCII: RFC 7617 does.
func checkPassword(secret string) error {
	user, password, both := strings.Cut(secret, ":")
	if !both {
		return errors.New("it is not user:password")
	}
	if err := checkUser(user); err != nil {
		return err
	}
	if strings.ContainsFunc(password, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return errors.New("its password holds a control character")
	}
	if err := checkLength(password); err != nil {
		return fmt.Errorf("its password: %w", err)
	}
	return nil
}

// checkUser is for the half before the colon, which can hold none (RFC 7617).
func checkUser(user string) error {
	if user == "" || strings.ContainsFunc(user, func(c rune) bool { return c <= ' ' || c > '~' || c == ':' }) {
		return errors.New("its user is empty, or holds a colon, white space or another character than ASCII's")
	}
	return nil
}

// checkKey is for keys that stand for themselves. One of Standard Webhooks is
// somebody else's.
func checkKey(secret string) error {
	if verify.Signs(secret) {
		return errors.New("it is one of Stripe's or of Standard Webhooks, by its beginning")
	}
	return checkVisible(secret)
}

func checkStripe(secret string) error {
	if !strings.HasPrefix(secret, signingPrefix) {
		return errors.New("it does not start with " + signingPrefix + ", so it may be another key of Stripe's")
	}
	return checkVisible(secret)
}

func checkHex(secret string) error {
	key, err := hex.DecodeString(secret)
	switch {
	case err != nil:
		return errors.New("it is not hexadecimal")
	case len(key) < minLength:
		return fmt.Errorf("it is shorter than %d hexadecimal digits", 2*minLength)
	}
	return nil
}

func checkSigning(secret string) error {
	encoded, ok := strings.CutPrefix(secret, signingPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case !ok:
		return errors.New("it does not start with " + signingPrefix)
	case err != nil:
		return errors.New("behind " + signingPrefix + " it is not base64")
	case len(key) < signingBytes:
		return fmt.Errorf("its key is shorter than %d bytes", signingBytes)
	}
	return nil
}

// checkPublic leaves the rest to package verify.
func checkPublic(secret string) error {
	if !strings.HasPrefix(secret, publicPrefix) {
		return errors.New("it does not start with " + publicPrefix)
	}
	return nil
}
