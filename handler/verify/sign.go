package verify

import (
	"net/http"
	"time"
)

// Sign returns what the sender of this kind adds to a request: its headers, and
// the body, which only kind form changes. The secret is one of those that verify
// the request, except for the whpk_ of Standard Webhooks, whose whsk_ signs.
func Sign(o Options, secret string, now time.Time, method, url string, body []byte) (http.Header, []byte, error) {
	s, err := o.scheme()
	if err != nil {
		return nil, nil, err
	}
	r := &Request{Now: now, Method: method, URL: url, Header: http.Header{}, Body: body}
	if err := s.sign(secret, r); err != nil {
		return nil, nil, err
	}
	return r.Header, r.Body, nil
}

// signer is a scheme's sign, for what can't fail once the secret is usable.
func signer(check func(secret string) error, sign func(secret string, r *Request)) func(string, *Request) error {
	return func(secret string, r *Request) error {
		if err := check(secret); err != nil {
			return err
		}
		sign(secret, r)
		return nil
	}
}
