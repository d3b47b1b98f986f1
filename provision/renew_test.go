package provision_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/provision"
)

// buried makes the signup wait for the search: its trunk exists, behind more than
// a try looks through.
func (w *world) buried(t *testing.T) {
	t.Helper()
	w.fake.Add(exotel.Trunk{Name: provision.TrunkName("th", acme.ID), DomainName: "exoteltest.pstn.exotel.com"})
	for i := range 120 {
		w.fake.Add(exotel.Trunk{Name: fmt.Sprintf("other%d", i)})
	}
	if result := w.provisionWithin(t, 4*time.Second); !result.Record.Searching {
		t.Fatalf("it doesn't wait for the search: %s, %+v", result.Outcome, result.Problem)
	}
}

func TestSearchGoesOnWithARotatedKey(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.buried(t)
		w.fake.SetCredentials("new-key", "new-token")
		w.accounts.secret = w.fake.Config()
		if pass, err := w.engine.Reconcile(t.Context()); err != nil || pass.Err != nil || pass.Halted != nil {
			t.Errorf("%+v, %v", pass, err)
		}
		if record := w.stored(t); record.Status != provision.StatusActive || w.accounts.reopened != 1 {
			t.Errorf("reopened %d times, record %+v", w.accounts.reopened, record)
		}
	})
}

// The place in one account's list means nothing in another's.
func TestSearchBeginsAnewInAnotherAccount(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.buried(t)
		w.ledger.progress = provision.Progress{AccountSID: "exoteltest", BeganAt: time.Now(), Offset: 100}
		w.fake.SetCredentials("new-key", "new-token")
		w.accounts.secret = w.fake.Config()
		w.accounts.secret.AccountSID = "another"
		calls := len(w.fake.Calls())
		pass, err := w.engine.Reconcile(t.Context())
		if n := len(w.fake.Calls()) - calls; err != nil || !errors.Is(pass.Err, exotel.ErrUnauthorized) || n != 1 {
			t.Errorf("%d calls, %+v, %v", n, pass, err)
		}
	})
}

func TestPassThatIsRefusedIsLoggedWithoutAnySignup(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fails func(w *world)
		says  []string
	}{
		"wrong key":   {func(w *world) { w.fake.SetCredentials("new", "new") }, []string{`"level":"ERROR"`, `"alarm":"credentials_refused"`}},
		"no secret":   {func(w *world) { w.accounts.down = errors.New("down") }, []string{`"level":"ERROR"`, `"alarm":"credentials_unavailable"`}},
		"all is well": {func(*world) {}, []string{`"level":"INFO"`, `"finished":1`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.buried(t)
				test.fails(w)
				pass, err := w.engine.Reconcile(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				var out bytes.Buffer
				pass.Log(t.Context(), slog.New(slog.NewJSONHandler(&out, nil)))
				for _, part := range append(test.says, `"msg":"pass"`) {
					if !strings.Contains(out.String(), part) {
						t.Errorf("%s is not in\n%s", part, out.String())
					}
				}
			})
		})
	}
}

func TestPassWithNothingToSayIsNotLogged(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	provision.Pass{}.Log(t.Context(), slog.New(slog.NewJSONHandler(&out, nil)))
	if out.Len() > 0 {
		t.Errorf("logged %s", out.String())
	}
}

// The secret was mended while the process went on with what it had.
func TestMendedSecretIsSeenWhateverItsFaultLookedLike(t *testing.T) {
	t.Parallel()
	for name, stale := range map[string]func(w *world){
		"401": func(*world) {},
		"403": func(w *world) { w.fake.Inject(exoteltest.Create, exoteltest.Fail(403)) },
		"404": func(w *world) { w.fake.Inject(exoteltest.Create, exoteltest.Fail(404)) },
		"the account of another": func(w *world) {
			w.accounts.unready = true // so that the claim doesn't pin it
			w.accounts.opened.AccountSID, w.accounts.open.SID = "another", "another"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.fake.Inject(exoteltest.Create, exoteltest.LoseRequest)
				w.provisionWithin(t, 4*time.Second)
				stale(w)
				w.fake.SetCredentials("new-key", "new-token")
				w.accounts.secret = w.fake.Config()
				if result := w.provisionWithin(t, 4*time.Second); result.Outcome != provision.OutcomeCreated || w.accounts.reopened != 1 {
					t.Errorf("%s by %s, reopened %d times, %+v", result.Outcome, steps(result), w.accounts.reopened, result.Problem)
				}
				w.oneTrunk(t)
			})
		})
	}
}

func TestSecretIsLookedAtAgainAtMostEveryTenSecondsExceptForA401(t *testing.T) {
	t.Parallel()
	for status, want := range map[int][2]int{403: {1, 2}, 404: {1, 2}, 401: {5, 10}} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				fiveTries := func(want int) {
					t.Helper()
					for range 5 {
						w.fake.Inject(exoteltest.Create, exoteltest.Fail(status))
						w.provisionWithin(t, 4*time.Second)
						time.Sleep(time.Second)
					}
					if w.accounts.reopened != want {
						t.Errorf("reopened %d times, want %d", w.accounts.reopened, want)
					}
				}
				fiveTries(want[0])
				time.Sleep(5 * time.Second)
				fiveTries(want[1])
			})
		})
	}
}
