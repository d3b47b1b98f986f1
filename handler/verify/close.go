package verify

import (
	"encoding/hex"
	"time"
)

func closeCRM(Options) scheme {
	sign := func(secret string, r *Request) {
		timestamp := stamp(r.Now, time.Second)
		r.Header.Set("Close-Sig-Timestamp", timestamp)
		r.Header.Set("Close-Sig-Hash", closeSignature(secret, timestamp, r.Body))
	}
	return scheme{verify: verifyClose, sign: signer(checkHex, sign), check: checkHex}
}

// verifyClose takes close-sig-hash: the HMAC-SHA256 in hex of timestamp and body
// with nothing between them, the timestamp in seconds, the key in hex
// (developer.close.com/api/resources/webhooks, read 2026-11).
func verifyClose(r Request) bool {
	timestamp := r.header("Close-Sig-Timestamp")
	signatures := []string{r.header("Close-Sig-Hash")}
	return fresh(r.Now, timestamp, time.Second) &&
		signedBy(r.Secrets, signatures, func(secret string) string { return closeSignature(secret, timestamp, r.Body) })
}

func closeSignature(secret, timestamp string, body []byte) string {
	key, err := hexKey(secret)
	if err != nil {
		return ""
	}
	return hex.EncodeToString(mac(key, timestamp, body, ""))
}
