package console_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
)

func trunkOf(i int) exotel.Trunk { return exotel.Trunk{Name: fmt.Sprintf("dev_%05d", i)} }

// BenchmarkPage is a page of the console with 10,000 signups in the table, and as many
// trunks. One signup has come 50 times at once.
func BenchmarkPage(b *testing.B) {
	w := newWorld(b, 10_000, false, nobody)
	for i := range 10_000 {
		w.fake.Add(trunkOf(i))
		fmt.Fprintf(w.log, `{"time":"2026-11-25T22:00:01.100Z","msg":"request","method":"POST","status":201,"duration_ms":5,"source":"api","signup_id":"acme-%05d","outcome":"created","attempt":1,"steps":[{"name":"claim","at":"2026-11-25T22:00:01Z","duration_ms":1}]}`+"\n", i)
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	for range 50 {
		fmt.Fprintf(w.log, `{"time":%q,"msg":"request","method":"POST","status":202,"duration_ms":20,"source":"api","signup_id":"acme-00123","outcome":"in_progress","attempt":1,"steps":[{"name":"claim","at":%q,"duration_ms":2}]}`+"\n", now, now)
	}
	for name, path := range map[string]string{
		"signups": "/", "search": "/?q=company+9999&status=pending", "story": "/console/signups/acme-00123", "break": "/console/break", "vendor": "/console/vendor",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if page := w.get(b, path); page.Code != 200 {
					b.Fatal(page.Code)
				}
			}
		})
	}
}
