package function

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trunkhook/trunkhook/internal/secrets"
)

// Secrets Manager hangs: the process is up all the same, and its first request
// waits for the fetch that is under way.
func TestStartUpDoesNotWaitLongForSecrets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fetches atomic.Int64
		fetch := func(context.Context) (string, error) {
			fetches.Add(1)
			time.Sleep(2 * time.Second)
			return `{"api_key":"k","api_token":"t","account_sid":"acme1","subdomain":"api.exotel.com"}`, nil
		}
		log := slog.New(slog.DiscardHandler)
		p := Parts{Log: log, account: secrets.NewExotel(fetch, secrets.ExotelOptions{}, log)}
		start := time.Now()
		p.WarmUp()
		if took := time.Since(start); took > 500*time.Millisecond {
			t.Errorf("start-up took %v", took)
		}
		if account, err := p.account.Open(t.Context()); err != nil || account.SID != "acme1" || fetches.Load() != 1 || time.Since(start) != 2*time.Second {
			t.Errorf("%+v, %v after %d fetches and %v", account, err, fetches.Load(), time.Since(start))
		}
	})
}
