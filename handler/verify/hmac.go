package verify

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
)

func genericHMAC(o Options) scheme {
	return scheme{verify: o.verifyHMAC, sign: signer(checkKey, o.signHMAC), check: checkKey}
}

// verifyHMAC takes the HMAC-SHA256 of the body, or of "timestamp.body" with the
// timestamp in seconds. Without one, such a request can be replayed.
func (o Options) verifyHMAC(r Request) bool {
	head := ""
	if o.TimestampHeader != "" {
		timestamp := r.header(o.TimestampHeader)
		if !fresh(r.Now, timestamp, time.Second) {
			return false
		}
		head = timestamp + "."
	}
	signature, ok := strings.CutPrefix(r.header(o.Header), o.Prefix)
	return ok && signedBy(r.Secrets, []string{signature}, func(secret string) string { return o.hmacSignature(secret, head, r.Body) })
}

func (o Options) signHMAC(secret string, r *Request) {
	head := ""
	if o.TimestampHeader != "" {
		timestamp := stamp(r.Now, time.Second)
		r.Header.Set(o.TimestampHeader, timestamp)
		head = timestamp + "."
	}
	r.Header.Set(o.Header, o.Prefix+o.hmacSignature(secret, head, r.Body))
}

func (o Options) hmacSignature(secret, head string, body []byte) string {
	sum := mac([]byte(secret), head, body, "")
	if o.Encoding == "hex" {
		return hex.EncodeToString(sum)
	}
	return base64.StdEncoding.EncodeToString(sum)
}
