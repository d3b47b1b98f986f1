package embedded_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/provision"
)

// Both writes of a signup that has to wait, from 32 senders for each processor: what
// cmd/local can take.
func BenchmarkClaimAndRelease(b *testing.B) {
	l := open(b, filepath.Join(b.TempDir(), "signups.db"))
	defer l.Close()
	now := time.Now().UTC()
	var signups atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := fmt.Sprintf("acme-%d", signups.Add(1))
			_, claimed, err := l.Claim(b.Context(), provision.Claim{Signup: provision.Signup{ID: id, Company: "Acme"}, TrunkName: "th_a", AccountSID: "acme1", Owner: "one", Now: now, LeaseUntil: now.Add(time.Minute)})
			if !claimed || err != nil {
				b.Error(claimed, err)
			}
			if _, holds, err := l.Release(b.Context(), provision.Release{SignupID: id, Owner: "one", Now: now, DueAt: now.Add(time.Minute), LastError: "spent"}); !holds || err != nil {
				b.Error(holds, err)
			}
		}
	})
}
