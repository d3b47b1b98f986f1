package verify

import "encoding/base64"

func basic(Options) scheme {
	sign := func(secret string, r *Request) {
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(secret)))
	}
	return scheme{verify: verifyBasic, sign: signer(checkPassword, sign), check: checkPassword}
}

// verifyBasic takes HTTP Basic (RFC 7617) in UTF-8; secrets are user:password, and
// the password may have colons.
func verifyBasic(r Request) bool {
	var known []string
	for _, secret := range r.Secrets {
		if checkPassword(secret) == nil {
			known = append(known, base64.StdEncoding.EncodeToString([]byte(secret)))
		}
	}
	return holds(known, r.credentials("Basic"))
}
