package secrets_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/trunkhook/trunkhook/internal/secrets"
)

// store is a secrets store of one secret.
type store struct {
	mu      sync.Mutex
	text    string
	down    error
	takes   time.Duration
	fetches atomic.Int64
}

func (s *store) set(text string, down error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.down = text, down
}

func (s *store) fetch(ctx context.Context) (string, error) {
	s.fetches.Add(1)
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text, s.down
}

func (s *store) counted(t *testing.T, want int64, when string) {
	t.Helper()
	if got := s.fetches.Swap(0); got != want {
		t.Errorf("%s: %d fetches, want %d", when, got, want)
	}
}

const (
	firstKey  = `{"api_key":"first","api_token":"first-token","account_sid":"acme1","subdomain":"api.exotel.com"}`
	secondKey = `{"api_key":"second","api_token":"second-token","account_sid":"acme1","subdomain":"api.exotel.com"}`
)

func exotelOf(s *store) *secrets.Exotel {
	return secrets.NewExotel(s.fetch, secrets.ExotelOptions{}, slog.New(slog.DiscardHandler))
}

func TestCredentialsAreFetchedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: firstKey, takes: 10 * time.Millisecond}
		e := exotelOf(s)
		if e.Ready() != nil {
			t.Error("ready before any fetch")
		}
		first, err := e.Open(t.Context())
		if err != nil || first.SID != "acme1" {
			t.Fatalf("got %+v, %v", first, err)
		}
		time.Sleep(24 * time.Hour)
		if again, _ := e.Open(t.Context()); again != first || e.Ready() != first {
			t.Error("another account")
		}
		s.counted(t, 1, "in a day")
	})
}

func TestSourcesAreFetchedEveryFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: `{"api":["one"]}`, takes: 10 * time.Millisecond}
		sources := sourcesOf(s)
		for range 10 {
			if got, err := sources.Of(t.Context(), "api"); err != nil || len(got) != 1 {
				t.Fatalf("got %v, %v", got, err)
			}
			time.Sleep(time.Minute)
		}
		s.counted(t, 2, "in ten minutes")
	})
}

func TestOneFetchServesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: firstKey, takes: time.Second}
		e := exotelOf(s)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if _, err := e.Open(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		s.counted(t, 1, "fifty at once")
	})
}

func TestWhoGivesUpDoesNotEndTheFetchOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: firstKey, takes: 2 * time.Second}
		e := exotelOf(s)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := e.Open(short); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one in a hurry: %v", err)
			}
		})
		both.Go(func() {
			if _, err := e.Open(t.Context()); err != nil {
				t.Errorf("the patient one: %v", err)
			}
		})
		both.Wait()
		s.counted(t, 1, "both")
	})
}

func TestStaleSecretIsKeptWhileTheStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: `{"api":["one"]}`}
		sources := sourcesOf(s)
		good := func(when string) {
			t.Helper()
			start := time.Now()
			if got, err := sources.Of(t.Context(), "api"); err != nil || len(got) != 1 || got[0] != "one" {
				t.Errorf("%s: %v, %v", when, got, err)
			}
			if waited := time.Since(start); waited > 300*time.Millisecond {
				t.Errorf("%s: waited %v", when, waited)
			}
		}
		good("at first")
		s.counted(t, 1, "at first")
		s.set("", errors.New("down"))
		time.Sleep(6 * time.Minute)
		for range 5 {
			good("down")
		}
		s.counted(t, 1, "five in a row")
		time.Sleep(11 * time.Second)
		good("still down")
		s.counted(t, 1, "after ten seconds")
		s.set("{broken", nil)
		time.Sleep(11 * time.Second)
		good("broken in the store")
		s.set(`{"api":["one"]}`, nil)
		s.takes = 2 * time.Second // slow, and then it comes
		time.Sleep(11 * time.Second)
		good("slow")
		time.Sleep(3 * time.Second)
		s.counted(t, 2, "broken and slow")
		good("after the slow fetch")
		s.counted(t, 0, "after the slow fetch")
	})
}

func TestFirstFetchThatFailsIsTriedAgainASecondLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{down: errors.New("down")}
		e := exotelOf(s)
		for range 10 {
			if _, err := e.Open(t.Context()); err == nil {
				t.Error("no error")
			}
		}
		s.counted(t, 1, "ten in a row")
		s.set(firstKey, nil)
		time.Sleep(time.Second)
		if _, err := e.Open(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestFetchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{takes: time.Hour}
		start := time.Now()
		if _, err := exotelOf(s).Open(t.Context()); err == nil || time.Since(start) > 4*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestReopenAfterARotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: firstKey, takes: time.Second}
		e := exotelOf(s)
		first, _ := e.Open(t.Context())
		s.counted(t, 1, "so far")
		if same, err := e.Reopen(t.Context(), first); err != nil || same != first {
			t.Errorf("not rotated: %v, %v", same, err)
		}
		s.counted(t, 1, "not rotated")
		s.set(secondKey, nil)
		var all sync.WaitGroup
		for range 20 { // refused in mid-flight, all at once
			all.Go(func() {
				if renewed, err := e.Reopen(t.Context(), first); err != nil || renewed == first {
					t.Errorf("rotated: %v, %v", renewed, err)
				}
			})
		}
		all.Wait()
		s.counted(t, 1, "twenty refused at once")
		if _, err := e.Reopen(t.Context(), first); err != nil {
			t.Error(err)
		}
		s.counted(t, 0, "refused with what was replaced already")
	})
}

// Without a clock to stand still: who was refused just before a fetch ends may ask
// for another just after it.
func TestManyRefusedAtOnceFetchOnce(t *testing.T) {
	t.Parallel()
	for range 2000 {
		s := &store{text: firstKey}
		e := exotelOf(s)
		refused, err := e.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.set(secondKey, nil)
		s.fetches.Store(0)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if renewed, err := e.Reopen(t.Context(), refused); err != nil || renewed == refused {
					t.Errorf("the same account, %v", err)
				}
			})
		}
		all.Wait()
		if n := s.fetches.Load(); n != 1 {
			t.Fatalf("%d fetches", n)
		}
	}
}

func TestCredentialsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`hunter2`:             "it is not {",
		`["hunter2"]`:         "it is not {",
		`{"api_key":1234567}`: "it is not {",
		`{"api_key":"hunter2","api_token":" ","subdomain":"api.exotel.com"}`:                     "lacks api_token, account_sid",
		`{"api_key":"k","api_token":"hunter2","account_sid":"a","subdomain":"evil.exotel.com"}`:  "subdomain must be",
		`{"api_key":"k","api_token":"hunter2","account_sid":"a/b","subdomain":"api.exotel.com"}`: "AccountSID",
		`{"api_key":"k:k","api_token":"hunter2","account_sid":"a","subdomain":"api.exotel.com"}`: "APIKey",
		`{"api_key":"k","api_token":"hunter2","account_sid":"a","subdomain":"x/api.exotel.com"}`: "subdomain must be",
	} {
		account, err := exotelOf(&store{text: text}).Open(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "1234567") {
			t.Errorf("%s: %v, %v; want %q", text, account, err, want)
		}
	}
	if _, err := exotelOf(&store{text: strings.ReplaceAll(firstKey, `first"`, `first\n"`)}).Open(t.Context()); err != nil {
		t.Errorf("with a line break behind: %v", err)
	}
}

func sourcesOf(s *store) *secrets.Sources {
	return secrets.NewSources(s.fetch, slog.New(slog.DiscardHandler))
}

func TestSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: `{"api":["one","two"],"hubspot":[]}`}
		sources := sourcesOf(s)
		if err := sources.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		for source, want := range map[string]int{"api": 2, "hubspot": 0, "pipedrive": 0} {
			if got, err := sources.Of(t.Context(), source); err != nil || len(got) != want {
				t.Errorf("%s: %v, %v", source, got, err)
			}
		}
		s.counted(t, 1, "all")
	})
}

func TestSecretThatWasJustRotatedInWorksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: `{"api":["one"]}`}
		sources := sourcesOf(s)
		renewed := func(when, want string) {
			t.Helper()
			if got, err := sources.Renew(t.Context(), "api"); err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("%s: %v, %v", when, got, err)
			}
		}
		if err := sources.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.set(`{"api":["two"]}`, nil)
		renewed("right after the start", "two")
		s.set(`{"api":["three"]}`, nil)
		renewed("again", "three")
		s.counted(t, 3, "so far")
		s.set("", errors.New("down"))
		time.Sleep(time.Minute)
		if got, err := sources.Renew(t.Context(), "api"); err == nil {
			t.Errorf("renewed to %v although the store is down", got)
		}
		if got, err := sources.Of(t.Context(), "api"); err != nil || len(got) != 1 {
			t.Errorf("lost while the store is down: %v, %v", got, err)
		}
	})
}

// A source that had no secret at all is renewed as any other is, within the same limit.
func TestFirstSecretOfASourceIsFoundAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: `{"api":["one"]}`}
		sources := sourcesOf(s)
		if err := sources.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		renewed := func(want int) {
			t.Helper()
			if got, err := sources.Renew(t.Context(), "zoho"); err != nil || len(got) != want {
				t.Errorf("%v, %v; want %d", got, err, want)
			}
		}
		for range 100 {
			renewed(0)
		}
		s.counted(t, 4, "by strangers at a closed source")
		s.set(`{"api":["one"],"zoho":["two"]}`, nil)
		renewed(0)
		time.Sleep(10 * time.Second)
		renewed(1)
		s.counted(t, 1, "since")
	})
}

func TestStrangersMakeUsFetchThreeTimesAndThenEveryTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: `{"api":["one"]}`}
		sources := sourcesOf(s)
		strangers := func(count int) {
			t.Helper()
			for range count {
				if got, err := sources.Renew(t.Context(), "api"); err != nil || len(got) != 1 {
					t.Fatalf("%v, %v", got, err)
				}
			}
		}
		if err := sources.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.counted(t, 1, "the start")
		strangers(100)
		s.counted(t, 3, "a hundred at once")
		time.Sleep(9 * time.Second)
		strangers(100)
		s.counted(t, 0, "nine seconds later")
		time.Sleep(time.Second)
		strangers(100)
		s.counted(t, 1, "ten seconds later")
		for range 60 {
			time.Sleep(time.Second)
			strangers(10)
		}
		s.counted(t, 6, "in a minute")
	})
}

func TestWrongSecretIsAnsweredSoonWhateverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: `{"api":["one"]}`}
		sources := sourcesOf(s)
		if err := sources.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.takes = time.Hour
		start := time.Now()
		if got, err := sources.Renew(t.Context(), "api"); err == nil || time.Since(start) > time.Second {
			t.Errorf("%v, %v after %v", got, err, time.Since(start))
		}
		time.Sleep(time.Minute) // the fetch ends
	})
}

// Who comes while a fetch is under way waits for that one.
func TestStrangersAtOnceShareAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{text: `{"api":["one"]}`}
		sources := sourcesOf(s)
		if err := sources.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.set(`{"api":["two"]}`, nil)
		s.takes = 100 * time.Millisecond
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if got, err := sources.Renew(t.Context(), "api"); err != nil || len(got) != 1 || got[0] != "two" {
					t.Errorf("%v, %v", got, err)
				}
			})
		}
		all.Wait()
		s.counted(t, 2, "twenty at once")
	})
}

func TestUnusableEntryIsSaidAndTheOthersWork(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := &store{text: `{"api":["", "whsec_###hunter2", " good\n", "whsec_c2lnbnVw"]}`}
	sources := secrets.NewSources(s.fetch, slog.New(slog.NewTextHandler(&log, nil)))
	got, err := sources.Of(t.Context(), "api")
	if err != nil || len(got) != 2 || got[0] != "good" || got[1] != "whsec_c2lnbnVw" {
		t.Errorf("got %q, %v", got, err)
	}
	if said := log.String(); strings.Count(said, "\n") != 2 || !strings.Contains(said, "source=api index=0") || !strings.Contains(said, "source=api index=1") || strings.Contains(said, "hunter2") {
		t.Errorf("said %s", said)
	}
}

func TestOtherSourcesSecretsLookAsTheirSendersShowThem(t *testing.T) {
	t.Parallel()
	sources := sourcesOf(&store{text: `{"stripe":["whsec_not/base64","","whsec_b2xk"]}`})
	got, err := sources.Of(t.Context(), "stripe")
	if err != nil || !slices.Equal(got, []string{"whsec_not/base64", "whsec_b2xk"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestMalformedSourceIsClosedAndTheOthersWork(t *testing.T) {
	t.Parallel()
	for _, malformed := range []string{`"hunter2"`, `[1234567]`, `{"hunter2":[]}`} {
		var log bytes.Buffer
		s := &store{text: `{"api":["good"],"zoho":` + malformed + `,"hubspot":["good too"]}`}
		sources := secrets.NewSources(s.fetch, slog.New(slog.NewTextHandler(&log, nil)))
		for source, want := range map[string]int{"api": 1, "zoho": 0, "hubspot": 1} {
			if got, err := sources.Of(t.Context(), source); err != nil || len(got) != want {
				t.Errorf("%s: %s has %v, %v", malformed, source, got, err)
			}
		}
		if said := log.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "source=zoho") || strings.Contains(said, "hunter2") || strings.Contains(said, "1234567") {
			t.Errorf("%s: said %s", malformed, said)
		}
	}
}

func TestSourcesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"hunter2", `["hunter2"]`, "null", ""} {
		if err := sourcesOf(&store{text: text}).Load(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// manager is Secrets Manager with one secret.
type manager struct{ text *string }

func (m manager) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	if *in.SecretId != "trunkhook/exotel" {
		return nil, errors.New("no such secret")
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: m.text}, nil
}

func TestFromSecretsManager(t *testing.T) {
	t.Parallel()
	text := firstKey
	if got, err := secrets.From(manager{&text}, "trunkhook/exotel")(t.Context()); err != nil || got != firstKey {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := secrets.From(manager{&text}, "other")(t.Context()); err == nil {
		t.Error("no error for an unknown secret")
	}
	if _, err := secrets.From(manager{nil}, "trunkhook/exotel")(t.Context()); err == nil {
		t.Error("no error for a binary secret")
	}
}
