package exotel

import "testing"

func BenchmarkDecode(b *testing.B) {
	for _, file := range []string{"create_success.json", "duplicate_inner.json"} {
		body := vendor(b, file)
		b.Run(file, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = decode(200, body, oneTrunk(new(Trunk)))
			}
		})
	}
}
