package verify_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trunkhook/trunkhook/handler/verify"
)

// changed is the text with one byte turned into another printable one.
func changed(t *rapid.T, text string) string {
	i := rapid.IntRange(0, len(text)-1).Draw(t, "place")
	other := rapid.ByteRange('!', '~').Filter(func(b byte) bool { return b != text[i] }).Draw(t, "byte")
	return text[:i] + string(rune(other)) + text[i+1:]
}

// Whatever a sender sends is taken, at any time in the window and beside any
// other secrets.
func TestWhatWasSignedIsTaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s sender) {
		kind := newKind(t, s.options)
		rapid.Check(t, func(rt *rapid.T) {
			body := rapid.SliceOf(rapid.Byte()).Draw(rt, "body")
			if s.options.Kind == "hubspot-v1" || s.options.Kind == "hubspot-v2" {
				body = []byte(rapid.String().Draw(rt, "text"))
			}
			r := s.send(t, body)
			r.Now = now.Add(time.Duration(rapid.Int64Range(-300_000, 300_000).Draw(rt, "off by")) * time.Millisecond)
			others := rapid.SliceOfN(rapid.SampledFrom([]string{"", "x", "whsec_eA==", public, "78", "x:y"}), 0, 3).Draw(rt, "others")
			r.Secrets = slices.Insert(others, rapid.IntRange(0, len(others)).Draw(rt, "place"), r.Secrets...)
			if !kind(r) {
				rt.Fatalf("refused: %v", r)
			}
		})
	})
}

// Nothing of it can be changed in a single byte.
func TestWhatWasChangedIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s sender) {
		kind := newKind(t, s.options)
		rapid.Check(t, func(rt *rapid.T) {
			r := s.send(t, s.content())
			switch rapid.SampledFrom([]string{"secret", "proof", "body", "time"}).Draw(rt, "what") {
			case "secret":
				secret := r.Secrets[0]
				if r.Secrets[0] = changed(rt, secret); s.options.Kind == "close" && strings.EqualFold(r.Secrets[0], secret) {
					return // the same key in hex
				}
				if s.known != "" && r.Secrets[0][:len(secret)-2] == secret[:len(secret)-2] {
					return // bits of the last digit that are no part of the key
				}
			case "proof":
				if s.proof == "" {
					return
				}
				front, proof := s.skip, strings.TrimPrefix(r.Header.Get(s.proof), s.skip)
				r = with(r, s.proof, front+changed(rt, proof))
			case "body":
				if !s.covers {
					return
				}
				r.Body = []byte(changed(rt, string(r.Body)))
			case "time":
				if !s.dated {
					return
				}
				off := time.Duration(rapid.Int64Range(300_001, 1<<42).Draw(rt, "ms")) * time.Millisecond
				r.Now = now.Add(rapid.SampledFrom([]time.Duration{off, -off}).Draw(rt, "off by"))
			}
			if kind(r) {
				rt.Fatalf("taken: %v", r)
			}
		})
	})
}

// The timestamp itself is signed too: moved within the window it is refused.
func TestTimestampThatWasMovedIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s sender) {
		if s.stamp == "" {
			return
		}
		kind := newKind(t, s.options)
		rapid.Check(t, func(rt *rapid.T) {
			r := s.send(t, s.content())
			if r = with(r, s.stamp, changed(rt, r.Header.Get(s.stamp))); kind(r) {
				rt.Fatalf("taken: %v", r)
			}
		})
	})
}

// A kind doesn't touch what it is given, and says the same twice.
func TestKindsArePure(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s sender) {
		kind := newKind(t, s.options)
		r := s.send(t, s.content())
		header, body, secrets := r.Header.Clone(), bytes.Clone(r.Body), slices.Clone(r.Secrets)
		first := kind(r)
		if second := kind(r); !first || !second {
			t.Errorf("said %v, then %v", first, second)
		}
		for name := range header {
			if !slices.Equal(header[name], r.Header[name]) {
				t.Errorf("changed %s", name)
			}
		}
		if len(header) != len(r.Header) || !bytes.Equal(body, r.Body) || !slices.Equal(secrets, r.Secrets) {
			t.Error("changed the request")
		}
	})
}

// Sign leaves its caller's body alone.
func TestSignIsPure(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s sender) {
		body := append(make([]byte, 0, 4096), s.content()...)
		before := bytes.Clone(body[:cap(body)])
		if _, _, err := verify.Sign(s.options, s.secret, now, "POST", address, body); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, body[:cap(body)]) {
			t.Error("changed the body")
		}
	})
}
