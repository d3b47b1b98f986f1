package exotel_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
)

func newClient(t *testing.T, fake *exoteltest.Server) *exotel.Client {
	t.Helper()
	return clientFor(t, fake, exotel.DefaultTimeout)
}

// hasty is the timeout of a client that is to give up: enough for a call on a machine that
// has a lot to do.
const hasty = 2 * time.Second

func clientFor(t *testing.T, fake *exoteltest.Server, timeout time.Duration) *exotel.Client {
	t.Helper()
	config := fake.Config()
	config.Timeout = timeout
	client, err := exotel.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func named(name string) exotel.CreateTrunkRequest {
	return exotel.CreateTrunkRequest{TrunkName: name, NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName(exoteltest.DefaultAccountSID)}
}

func TestCreateListDelete(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	client := newClient(t, fake)
	made, err := client.Trunks.Create(t.Context(), named("acme_42"))
	if err != nil || made.SID == "" || made.Name != "acme_42" || made.DomainName != "exoteltest.pstn.exotel.com" {
		t.Fatalf("made %+v, %v", made, err)
	}
	page, err := client.Trunks.List(t.Context(), exotel.ListOptions{TrunkSID: made.SID})
	if err != nil || len(page.Trunks) != 1 || page.Trunks[0].SID != made.SID || page.Next != nil {
		t.Fatalf("listed %+v, %v", page, err)
	}
	gone, err := client.Trunks.Delete(t.Context(), made.SID)
	if err != nil || gone.SID != made.SID || len(fake.Trunks()) != 0 {
		t.Fatalf("deleted %+v, %v; left %d", gone, err, len(fake.Trunks()))
	}
	if _, err := client.Trunks.Delete(t.Context(), made.SID); !errors.Is(err, exotel.ErrNotFound) {
		t.Errorf("deleting again: %v", err)
	}
	page, err = client.Trunks.List(t.Context(), exotel.ListOptions{})
	if err != nil || len(page.Trunks) != 0 || page.Next != nil {
		t.Errorf("empty list: %+v, %v", page, err)
	}
}

// Each fault of the fake, seen through the client: what it is called, and
// whether the trunk exists afterwards.
var createFaults = map[string]struct {
	fault exoteltest.Fault
	kind  exotel.Kind // empty: success
	made  bool
}{
	"answer lost":            {exoteltest.LoseAnswer, exotel.ErrOutcomeUnknown, true},
	"request lost":           {exoteltest.LoseRequest, exotel.ErrOutcomeUnknown, false},
	"hang before":            {exoteltest.Hang, exotel.ErrOutcomeUnknown, false},
	"hang after":             {exoteltest.HangAfter, exotel.ErrOutcomeUnknown, true},
	"503 before":             {exoteltest.Fail(503), exotel.ErrOutcomeUnknown, false},
	"503 after":              {exoteltest.FailAfter(503), exotel.ErrOutcomeUnknown, true},
	"HTML":                   {exoteltest.HTML, exotel.ErrOutcomeUnknown, false},
	"HTML after":             {exoteltest.HTMLAfter, exotel.ErrOutcomeUnknown, true},
	"cut off":                {exoteltest.CutOff, exotel.ErrOutcomeUnknown, true},
	"empty sid":              {exoteltest.EmptySID, exotel.ErrOutcomeUnknown, true},
	"huge body":              {exoteltest.Huge, exotel.ErrOutcomeUnknown, true},
	"slow body":              {exoteltest.Slow, exotel.ErrOutcomeUnknown, true},
	"delay":                  {exoteltest.Delay(50 * time.Millisecond), "", true},
	"delay past the timeout": {exoteltest.Delay(2 * hasty), exotel.ErrOutcomeUnknown, true},
	"processed late":         {exoteltest.ProcessLate(2 * hasty), exotel.ErrOutcomeUnknown, true},
	"rate limit":             {exoteltest.RateLimit("7"), exotel.ErrRateLimited, false},
	"refused":                {exoteltest.Fail(400), exotel.ErrInvalid, false},
}

func TestCreateUnderFaults(t *testing.T) {
	t.Parallel()
	for name, test := range createFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := exoteltest.Start(t)
			fake.Inject(exoteltest.Create, test.fault)
			trunk, err := clientFor(t, fake, hasty).Trunks.Create(t.Context(), named("acme_42"))
			if (trunk == nil) == (err == nil) {
				t.Fatalf("got %v and %v: want one of them", trunk, err)
			}
			if test.kind == "" && err != nil || test.kind != "" && !errors.Is(err, test.kind) {
				t.Errorf("error %v, want %q", err, test.kind)
			}
			made := func() bool { return len(fake.Trunks()) == 1 }
			if test.made && !eventually(made) || !test.made && made() {
				t.Errorf("made %v, want %v", made(), test.made)
			}
			if n := fake.Count(exoteltest.Create); n > 1 {
				t.Errorf("%d creates were sent", n)
			}
		})
	}
}

// Without a network, in a bubble, the faults must look the same.
func TestCreateUnderFaultsOffline(t *testing.T) {
	t.Parallel()
	for name, test := range createFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := exoteltest.Offline(exoteltest.Options{})
				defer fake.Close()
				fake.Inject(exoteltest.Create, test.fault)
				config := fake.Config()
				config.Timeout, config.HTTPClient = hasty, &http.Client{Transport: fake.Transport()}
				client, err := exotel.New(config)
				if err != nil {
					t.Fatal(err)
				}
				trunk, err := client.Trunks.Create(t.Context(), named("acme_42"))
				if (trunk == nil) == (err == nil) || test.kind == "" && err != nil || test.kind != "" && !errors.Is(err, test.kind) {
					t.Errorf("got %v, %v; want %q", trunk, err, test.kind)
				}
				time.Sleep(2 * hasty) // the API works on
				if made := len(fake.Trunks()) == 1; made != test.made {
					t.Errorf("made %v, want %v", made, test.made)
				}
			})
		})
	}
}

// eventually waits for what the fake does after the client gave up.
func eventually(holds func() bool) bool {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return holds()
}

func TestCreateProcessedLongAfterTheClientGaveUp(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	client := clientFor(t, fake, hasty)
	fake.Inject(exoteltest.Create, exoteltest.ProcessLate(2*hasty))
	if _, err := client.Trunks.Create(t.Context(), named("late")); !errors.Is(err, exotel.ErrOutcomeUnknown) {
		t.Fatal(err)
	}
	if len(fake.Trunks()) != 0 {
		t.Fatal("made already")
	}
	if !eventually(func() bool { return len(fake.Trunks()) == 1 }) {
		t.Fatal("never made")
	}
	if _, err := client.Trunks.Create(t.Context(), named("late")); !errors.Is(err, exotel.ErrDuplicate) {
		t.Errorf("again: %v", err)
	}
}

func TestDuplicateInBothForms(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusConflict} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			fake := exoteltest.Start(t)
			fake.SetDuplicateStatus(status)
			client := newClient(t, fake)
			if _, err := client.Trunks.Create(t.Context(), named("twice")); err != nil {
				t.Fatal(err)
			}
			_, err := client.Trunks.Create(t.Context(), named("twice"))
			var failed *exotel.Error
			if !errors.Is(err, exotel.ErrDuplicate) || !errors.As(err, &failed) || failed.HTTPStatus != status || failed.Code != exotel.CodeDuplicate {
				t.Errorf("got %v", err)
			}
			if len(fake.Trunks()) != 1 {
				t.Errorf("%d trunks", len(fake.Trunks()))
			}
		})
	}
}

func TestRotatedCredentials(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	old := newClient(t, fake)
	fake.SetCredentials("new-key", "new-token")
	if _, err := old.Trunks.Create(t.Context(), named("a")); !errors.Is(err, exotel.ErrUnauthorized) {
		t.Errorf("old key: %v", err)
	}
	if _, err := newClient(t, fake).Trunks.Create(t.Context(), named("a")); err != nil {
		t.Errorf("new key: %v", err)
	}
}

func TestRateLimitSaysWhen(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	fake.Inject(exoteltest.List, exoteltest.RateLimit("42"))
	_, err := newClient(t, fake).Trunks.List(t.Context(), exotel.ListOptions{})
	var failed *exotel.Error
	if !errors.As(err, &failed) || failed.Kind != exotel.ErrRateLimited || failed.RetryAfter != 42*time.Second {
		t.Errorf("got %v", err)
	}
	if fake.Count(exoteltest.List) != 1 {
		t.Errorf("a rate limit was retried: %d calls", fake.Count(exoteltest.List))
	}
}

func TestAllWalksEveryPageNewestFirst(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	var want []string
	for i := range 120 {
		want = append(want, fake.Add(exotel.Trunk{Name: fmt.Sprintf("t%d", i)}))
	}
	slices.Reverse(want)
	if got := sids(t, newClient(t, fake), func(int) {}); !slices.Equal(got, want) {
		t.Errorf("got %d trunks, want %d in order", len(got), len(want))
	}
	if n := fake.Count(exoteltest.List); n != 3 {
		t.Errorf("%d pages were asked for, want 3", n)
	}
}

// A trunk made during the walk pushes the others down: the last of the first
// page comes again on the second. It must be given once, and none be missed.
func TestAllWhileTrunksAreMade(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	want := map[string]bool{}
	for i := range 120 {
		want[fake.Add(exotel.Trunk{Name: fmt.Sprintf("t%d", i)})] = true
	}
	got := sids(t, newClient(t, fake), func(seen int) {
		if seen == 10 || seen == 60 {
			fake.Add(exotel.Trunk{Name: fmt.Sprintf("new%d", seen)})
		}
	})
	if len(got) != len(want) {
		t.Errorf("%d trunks were given, want %d", len(got), len(want))
	}
	for _, sid := range got {
		delete(want, sid)
	}
	if len(want) != 0 {
		t.Errorf("%d trunks were missed", len(want))
	}
}

func sids(t *testing.T, client *exotel.Client, onEach func(seen int)) (list []string) {
	t.Helper()
	for trunk, err := range client.Trunks.All(t.Context(), exotel.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, trunk.SID)
		onEach(len(list))
	}
	return list
}

func TestAllEndsAtAnError(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	fake.Inject(exoteltest.List, exoteltest.Fail(404))
	count := 0
	for _, err := range newClient(t, fake).Trunks.All(t.Context(), exotel.ListOptions{}) {
		count++
		if !errors.Is(err, exotel.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
	if count != 1 {
		t.Errorf("%d steps, want one with the error", count)
	}
}

// answering is a client of a server that always answers so.
func answering(t *testing.T, status int, body string) *exotel.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	client, err := exotel.New(exotel.Config{APIKey: "k", APIToken: "t", AccountSID: "x", BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Taken for the end of the list, it would say that older trunks don't exist.
func TestNextPageThatCannotBeFollowedIsAnError(t *testing.T) {
	t.Parallel()
	for name, uri := range map[string]string{
		"does not advance": `"/v2/accounts/x/trunks?offset=0"`, "has no offset": `"/v2/accounts/x/trunks?page=2"`,
		"is no address": `"%zz"`, "is a number": `7`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := answering(t, 200, `{"http_code":200,"metadata":{"next_page_uri":`+uri+`},"response":[{"code":200,"data":{"trunk_sid":"a"}}]}`)
			if page, err := client.Trunks.List(t.Context(), exotel.ListOptions{}); !errors.Is(err, exotel.ErrOutcomeUnknown) {
				t.Errorf("got %+v, %v", page, err)
			}
		})
	}
}

func TestListSaysWhatItCannotRead(t *testing.T) {
	t.Parallel()
	client := answering(t, 200, `{"http_code":200,"response":[{"code":200,"data":{"trunk_sid":"a"}},{"code":200,"data":null},{"code":500,"data":{"trunk_sid":"b"}},7]}`)
	page, err := client.Trunks.List(t.Context(), exotel.ListOptions{})
	if err != nil || len(page.Trunks) != 1 || page.Unreadable != 3 {
		t.Errorf("got %+v, %v", page, err)
	}
	var got []string
	var last error
	for trunk, err := range client.Trunks.All(t.Context(), exotel.ListOptions{}) {
		got, last = append(got, trunk.SID), err
	}
	if len(got) != 2 || got[0] != "a" || !errors.Is(last, exotel.ErrOutcomeUnknown) {
		t.Errorf("walked over %q, ended with %v", got, last)
	}
}

func TestListThatFailsOutsideIsNoEmptyList(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"http_code":503,"response":[]}`, `{"response":[]}`} {
		if page, err := answering(t, 503, body).Trunks.List(t.Context(), exotel.ListOptions{}); !errors.Is(err, exotel.ErrOutcomeUnknown) {
			t.Errorf("%s: %+v, %v", body, page, err)
		}
	}
}

func TestAnswerAboutAnotherTrunkIsUnknown(t *testing.T) {
	t.Parallel()
	client := answering(t, 200, `{"http_code":200,"response":{"code":200,"data":{"trunk_sid":"a","trunk_name":"other"}}}`)
	if trunk, err := client.Trunks.Create(t.Context(), named("mine")); !errors.Is(err, exotel.ErrOutcomeUnknown) {
		t.Errorf("got %+v, %v", trunk, err)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var leaked bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked = leaked || r.Header.Get("Authorization") != "" }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	client, err := exotel.New(exotel.Config{APIKey: "k", APIToken: "t", AccountSID: "x", BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Trunks.Create(t.Context(), named("a")); !errors.Is(err, exotel.ErrOutcomeUnknown) || leaked {
		t.Errorf("error %v, credentials leaked %v", err, leaked)
	}
}

func TestNoConnectionIsNotSent(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	base := server.URL
	server.Close()
	for name, config := range map[string]exotel.Config{
		"refused": {BaseURL: base},
		"not TLS": {BaseURL: "https" + plainServer(t)},
	} {
		config.APIKey, config.APIToken, config.AccountSID = "k", "t", "x"
		client, err := exotel.New(config)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		if _, err := client.Trunks.Create(ctx, named("a")); !errors.Is(err, exotel.ErrNotSent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// plainServer is the address of a server without TLS, less the scheme.
func plainServer(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return server.URL[len("http"):]
}

func TestCreateValidatesBeforeSending(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	client := newClient(t, fake)
	for field, r := range map[string]exotel.CreateTrunkRequest{
		"trunk_name":                        {TrunkName: "", NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("x")},
		"trunk_name must":                   {TrunkName: "seventeen_letters", NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("x")},
		"trunk_name must be 1":              {TrunkName: "a-b", NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("x")},
		"trunk_name must be 1 to 16":        {TrunkName: "a\n", NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("x")},
		"nso_code":                          {TrunkName: "a", DomainName: exotel.DomainName("x")},
		"domain_name":                       {TrunkName: "a", NSOCode: exotel.AnyNSO, DomainName: "x.example"},
		"domain_name must be <account_sid>": {TrunkName: "a", NSOCode: exotel.AnyNSO, DomainName: exotel.DomainName("")},
	} {
		_, err := client.Trunks.Create(t.Context(), r)
		var failed *exotel.Error
		if !errors.Is(err, exotel.ErrInvalid) || !errors.As(err, &failed) || len(failed.Message) < len(field) || failed.Message[:len(field)] != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if n := len(fake.Calls()); n != 0 {
		t.Errorf("%d calls were sent", n)
	}
}

func TestHooksRunAroundEveryExchange(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	fake.Inject(exoteltest.List, exoteltest.HTML)
	var asked []string
	var seen []exotel.Call
	ctx := exotel.WithHooks(t.Context(), exotel.Hooks{
		Before: func(_ context.Context, op string) error { asked = append(asked, op); return nil },
		After:  func(c exotel.Call) { seen = append(seen, c) },
	})
	if _, err := newClient(t, fake).Trunks.List(ctx, exotel.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(asked, []string{"list trunks", "list trunks"}) {
		t.Errorf("asked before %q", asked)
	}
	if len(seen) != 2 || seen[0].HTTPStatus != 502 || !errors.Is(seen[0].Err, exotel.ErrOutcomeUnknown) || seen[1].HTTPStatus != 200 || seen[1].RequestID == "" || seen[1].Err != nil {
		t.Errorf("saw %+v", seen)
	}
}

func TestHookKeepsACallFromBeingSent(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	fake.Inject(exoteltest.List, exoteltest.HTML)
	spent := errors.New("budget spent")
	asked := 0
	ctx := exotel.WithHooks(t.Context(), exotel.Hooks{Before: func(context.Context, string) error {
		if asked++; asked > 1 { // the second exchange of the call is asked for on its own
			return spent
		}
		return nil
	}})
	_, err := newClient(t, fake).Trunks.List(ctx, exotel.ListOptions{})
	if !errors.Is(err, exotel.ErrNotSent) || !errors.Is(err, spent) || len(fake.Calls()) != 1 || asked != 2 {
		t.Errorf("%d calls, asked %d times, error %v", len(fake.Calls()), asked, err)
	}
}

// The same over TLS, where Go speaks HTTP/2: a reset stream is unknown too.
func TestOverTLS(t *testing.T) {
	t.Parallel()
	fake := exoteltest.Start(t)
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", fake.URL[len("http://"):] }})
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	config := fake.Config()
	config.BaseURL, config.HTTPClient, config.Timeout = server.URL, server.Client(), hasty
	client, err := exotel.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Trunks.Create(t.Context(), named("a")); err != nil {
		t.Error(err)
	}
	for name, fault := range map[string]exoteltest.Fault{"hangs": exoteltest.HangAfter, "bad_gateway": exoteltest.LoseAnswer} {
		fake.Inject(exoteltest.Create, fault)
		if _, err := client.Trunks.Create(t.Context(), named(name)); !errors.Is(err, exotel.ErrOutcomeUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	config.HTTPClient = nil // which doesn't trust the server's certificate
	if client, err = exotel.New(config); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := client.Trunks.Create(ctx, named("b")); !errors.Is(err, exotel.ErrNotSent) {
		t.Errorf("untrusted: %v", err)
	}
}
