package handler_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzHandle: whatever a stranger sends, the answer is one of ours, is JSON,
// and nothing is made. The secrets are none that a seed could know.
func FuzzHandle(f *testing.F) {
	for _, name := range eventNames(f) {
		if strings.HasPrefix(name, "event-") {
			continue
		}
		event := readEvent(f, "../events/"+name+".json")
		f.Add(event.RequestContext.HTTP.Method, event.RawPath, event.Headers["authorization"], event.Headers["webhook-timestamp"], event.Headers["webhook-signature"], event.Body, event.IsBase64Encoded)
	}
	w := newWorld(f)
	w.secrets.cached["api"] = []string{"Zk9vRXhQ2n-stranger", "whsec_WmtPdkV4UTJuLXN0cmFuZ2VyLWtleS0="}
	f.Fuzz(func(t *testing.T, method, path, authorization, timestamp, signature, body string, base64 bool) {
		event := signed("msg_signup0001", timestamp, signature, body)
		event.RequestContext.HTTP.Method, event.RawPath, event.IsBase64Encoded = method, path, base64
		event.Headers["authorization"] = authorization
		answer := w.send(t, event)
		switch answer.StatusCode {
		case 400, 401, 404, 405, 413:
		case 200: // the handshakes of web hooks
			if method != "HEAD" && method != "OPTIONS" || answer.Body != "" {
				t.Fatalf("status %d, body %s", answer.StatusCode, answer.Body)
			}
			return
		default:
			t.Fatalf("status %d", answer.StatusCode)
		}
		if !json.Valid([]byte(answer.Body)) {
			t.Fatalf("body %s", answer.Body)
		}
		if n := len(w.fake.Calls()); n != 0 {
			t.Fatalf("%d calls for a stranger", n)
		}
	})
}

// FuzzSignup: what somebody with the token sends is answered by what it is.
func FuzzSignup(f *testing.F) {
	for _, file := range []string{"signup", "signup-wrapped", "signup-bad-fields", "signup-broken-json", "signup-duplicate-key", "signup-conflict", "signup-line", "signup-line-more", "signup-line-bad-fields"} {
		f.Add(readEvent(f, "../events/"+file+".json").Body)
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, body string) {
		before := len(w.fake.Trunks())
		answer := w.send(t, signUp(body))
		made := len(w.fake.Trunks()) - before
		switch answer.StatusCode {
		case 201:
			if made != 1 {
				t.Fatalf("201, and %d trunks were made", made)
			}
		case 202: // a number that another trunk has
			if made > 1 {
				t.Fatalf("202, and %d trunks were made", made)
			}
		case 200, 400, 422, 413:
			if made != 0 {
				t.Fatalf("%d, and %d trunks were made", answer.StatusCode, made)
			}
		default:
			t.Fatalf("status %d", answer.StatusCode)
		}
		if !json.Valid([]byte(answer.Body)) {
			t.Fatalf("body %s", answer.Body)
		}
	})
}
