package handler_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
)

// mac is Standard Webhooks' own, written down once more.
func mac(id, timestamp, body string) []byte {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(signing, "whsec_"))
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + timestamp + "." + body))
	return h.Sum(nil)
}

// FuzzSignatureHeader: who gets in has the MAC of just this in a version 1, with a
// time that is near, and has written the time in the one way.
func FuzzSignatureHeader(f *testing.F) {
	for _, name := range eventNames(f) {
		if strings.HasPrefix(name, "event-") {
			continue
		}
		event := readEvent(f, "../events/"+name+".json")
		f.Add(event.Headers["webhook-id"], event.Headers["webhook-timestamp"], event.Headers["webhook-signature"], event.Body, false)
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	good := base64.StdEncoding.EncodeToString(mac("msg_1", stamp, acme))
	for _, header := range []string{"v1," + good, "v1a,x v1," + good, "v1,x v2," + good, "v1," + good[:20], strings.Repeat("v1,x ", 20) + "v1," + good, "v1,,", ","} {
		f.Add("msg_1", stamp, header, acme, false)
	}
	f.Add("msg_1", stamp, "v1,", acme, true)
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, id, timestamp, header, body string, addGood bool) {
		want := mac(id, timestamp, body)
		if addGood { // no fuzzer finds one
			header += " v1," + base64.StdEncoding.EncodeToString(want)
		}
		answer := w.send(t, signed(id, timestamp, header, body))
		entered := answer.StatusCode != 401 && answer.StatusCode != 413
		if !entered {
			return
		}
		has := false
		for part := range strings.SplitSeq(header, " ") {
			encoded, isV1 := strings.CutPrefix(part, "v1,")
			sent, err := base64.StdEncoding.DecodeString(encoded)
			has = has || isV1 && err == nil && hmac.Equal(sent, want)
		}
		seconds, err := strconv.ParseInt(timestamp, 10, 64)
		if !has || id == "" || err != nil || strconv.FormatInt(seconds, 10) != timestamp || max(now.Unix()-seconds, seconds-now.Unix()) > 300 {
			t.Fatalf("id %q at %q with %q got in: %d", id, timestamp, header, answer.StatusCode)
		}
	})
}
