package handler_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzHandle: whatever a stranger sends, the answer is one of ours, is JSON,
// and makes no trunk unless it is authenticated.
func FuzzHandle(f *testing.F) {
	files, err := filepath.Glob("../events/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		event := readEvent(f, file)
		f.Add(event.RequestContext.HTTP.Method, event.RawPath, event.Headers["authorization"], event.Headers["webhook-timestamp"], event.Headers["webhook-signature"], event.Body, event.IsBase64Encoded)
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, method, path, authorization, timestamp, signature, body string, base64 bool) {
		event := signed("msg_signup0001", timestamp, signature, body)
		event.RequestContext.HTTP.Method, event.RawPath, event.IsBase64Encoded = method, path, base64
		event.Headers["authorization"] = authorization
		trunks := len(w.fake.Trunks())
		answer := w.send(t, event)
		switch answer.StatusCode {
		case 200, 201, 202, 400, 401, 404, 405, 413, 415, 422:
		default:
			t.Fatalf("status %d", answer.StatusCode)
		}
		if !json.Valid([]byte(answer.Body)) {
			t.Fatalf("body %s", answer.Body)
		}
		if !strings.HasPrefix(strings.ToLower(authorization), "bearer ") && signature == "" && len(w.fake.Trunks()) != trunks {
			t.Fatal("a trunk was made for a stranger")
		}
	})
}
