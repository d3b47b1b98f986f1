package function

import (
	"context"
	"errors"
	"log/slog"
	"strings"
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
		if err := warmUp(log, start, []Load{{Name: "exotel_secret", Do: p.openAccount}}); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 500*time.Millisecond {
			t.Errorf("start-up took %v", took)
		}
		if account, err := p.account.Open(t.Context()); err != nil || account.SID != "acme1" || fetches.Load() != 1 || time.Since(start) != 2*time.Second {
			t.Errorf("%+v, %v after %d fetches and %v", account, err, fetches.Load(), time.Since(start))
		}
	})
}

func TestTheStartUpLineSaysWhatTookHowLongAndWhatFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		err := warmUp(slog.New(slog.NewJSONHandler(&out, nil)), time.Now().Add(-5*time.Millisecond), []Load{
			{Name: "quick", Do: func(context.Context) error { time.Sleep(20 * time.Millisecond); return nil }},
			{Name: "slow", Do: func(ctx context.Context) error { <-ctx.Done(); return errors.New("no answer") }},
		})
		if err != nil {
			t.Error(err)
		}
		for _, want := range []string{`"msg":"not ready at start-up","part":"slow","error":"no answer"`, `"msg":"started","init_ms":{"quick":20,"slow":500,"total":505}`} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s lacks %s", out.String(), want)
			}
		}
	})
}

func TestWithoutWhatIsRequiredThereIsNoFunction(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := warmUp(slog.New(slog.NewJSONHandler(&out, nil)), time.Now(), []Load{
		{Name: "sources", Required: true, Do: func(context.Context) error { return errors.New("line 3 is broken") }},
	})
	if err == nil || err.Error() != "line 3 is broken" || out.String() != "" {
		t.Errorf("%v, and the log has %q", err, out.String())
	}
}
