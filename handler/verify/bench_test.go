package verify_test

import (
	"bytes"
	"testing"
)

// A body of 20 kB and two secrets, of which the second fits.
func BenchmarkKinds(b *testing.B) {
	for name, s := range senders {
		b.Run(name, func(b *testing.B) {
			r := s.send(b, bytes.Repeat([]byte("a=0123456789abcdef&"), 20_000/19))
			r.Secrets = append([]string{"whsec_b2xkZXIga2V5IG9mIHRoaXMgb25l"}, r.Secrets...)
			kind := newKind(b, s.options)
			b.ReportAllocs()
			for b.Loop() {
				if !kind(r) {
					b.Fatal("refused")
				}
			}
		})
	}
}
