package verify

import "strings"

func bearer(Options) scheme {
	return scheme{verify: Bearer, sign: signer(checkToken, signBearer), check: checkToken}
}

// Bearer takes "Authorization: Bearer <secret>" (RFC 6750).
func Bearer(r Request) bool { return holds(r.Secrets, r.credentials("Bearer")) }

func signBearer(secret string, r *Request) { r.Header.Set("Authorization", "Bearer "+secret) }

// credentials are those of the Authorization header, if it is of this scheme.
func (r Request) credentials(scheme string) string {
	sent, credentials, _ := strings.Cut(r.header("Authorization"), " ")
	if !strings.EqualFold(sent, scheme) {
		return ""
	}
	return strings.Trim(credentials, " ")
}
