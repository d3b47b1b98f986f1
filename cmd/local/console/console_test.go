package console_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/cmd/local/console"
	"github.com/trunkhook/trunkhook/cmd/local/outage"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/timeline"
	"github.com/trunkhook/trunkhook/provision"
)

// records is a table in memory that counts what is read of it.
type records struct {
	mu    sync.Mutex
	byID  map[string]provision.Record
	reads int
}

func (r *records) Get(_ context.Context, id string) (provision.Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	record, ok := r.byID[id]
	if !ok {
		return record, provision.ErrNotFound
	}
	return record, nil
}

func (r *records) Each(do func(provision.Record) error) error {
	for _, record := range r.byID {
		r.reads++
		if err := do(record); err != nil {
			return err
		}
	}
	return nil
}

type pace struct{ every time.Duration }

func (p *pace) Every() time.Duration    { return p.every }
func (p *pace) Set(every time.Duration) { p.every = every }

// world is a console with what it shows.
type world struct {
	*console.Console
	records *records
	index   *console.Index
	log     *timeline.Store
	fake    *exoteltest.Server
	bell    *console.Bell
	outage  *outage.Table
	pace    *pace
}

// newWorld has so many signups, active but for every tenth. The system that the
// console sends to is the handler given.
func newWorld(t testing.TB, signups int, isReal bool, system http.HandlerFunc) *world {
	t.Helper()
	w := &world{records: &records{byID: map[string]provision.Record{}}, bell: new(console.Bell), outage: outage.NewTable(nil), pace: &pace{2 * time.Second}}
	begin := time.Now().Add(-time.Hour).UTC()
	for i := range signups {
		w.records.byID[fmt.Sprintf("acme-%05d", i)] = record(i, begin)
	}
	var err error
	if w.index, err = console.NewIndex(w.records, w.bell.Ring); err != nil {
		t.Fatal(err)
	}
	w.log = timeline.NewStore(64<<20, w.bell.Ring)
	config := console.Config{
		DataDir: ".local", Vendor: "the real account acme1", CallsPerMinute: 180, Bell: w.bell, Signups: w.index, Records: w.records, Log: w.log,
		Errors: slog.New(slog.NewTextHandler(t.Output(), nil)), Pace: w.pace, Outage: w.outage,
	}
	if !isReal {
		w.fake = exoteltest.Start(t)
		config.Fake = w.fake
	}
	if config.Sources, err = sources.Load(""); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(system)
	t.Cleanup(server.Close)
	config.URL = server.URL
	w.Console = console.New(t.Context(), config)
	return w
}

func record(i int, begin time.Time) provision.Record {
	r := provision.Record{
		SignupID: fmt.Sprintf("acme-%05d", i), Company: fmt.Sprintf("Company %d", i), Source: "api", Status: provision.StatusActive,
		TrunkName: fmt.Sprintf("dev_%05d", i), TrunkSID: fmt.Sprintf("trmum1%05d", i), Attempts: 1, CreatedAt: begin.Add(time.Duration(i) * time.Millisecond),
	}
	if i%10 == 9 {
		r.Status, r.TrunkSID = provision.StatusPending, ""
	}
	return r
}

func nobody(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }

func (w *world) get(t testing.TB, path string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	return answer
}

func (w *world) post(path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	return answer
}

// 10,000 signups: a page reads nothing of the table and has one page's rows, a story
// reads one record.
func TestPagesDoTheSameWorkHoweverManySignupsThereAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10_000, false, nobody)
	for path, want := range map[string]int{
		"/": 50, "/?page=200": 50, "/?page=201": 0, "/?status=pending&q=COMPANY+1": 50, "/?q=acme-00123": 1, "/?q=dev_00123": 1, "/?q=trmum100123": 1, "/?source=zoho": 0,
		"/?page=-1": 50, "/?page=99999999999999999999": 50,
	} {
		w.records.reads = 0
		page := w.get(t, path)
		if rows := strings.Count(page.Body.String(), `id="row-`); page.Code != 200 || rows != want || w.records.reads != 0 {
			t.Errorf("%s: HTTP %d, %d rows, %d reads", path, page.Code, rows, w.records.reads)
		}
	}
	w.records.reads = 0
	if page := w.get(t, "/console/signups/acme-00123"); page.Code != 200 || w.records.reads != 1 {
		t.Errorf("HTTP %d, %d reads", page.Code, w.records.reads)
	}
	first := w.get(t, "/").Body.String()
	if !strings.Contains(first, "1–50 of 10000") || strings.Index(first, "row-acme-09999") > strings.Index(first, "row-acme-09998") || strings.Contains(first, "Newer") {
		t.Errorf("the first page is %s", first)
	}
}

func TestIndexFollowsTheTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, false, nobody)
	rung := w.bell.Next()
	changed := w.records.byID["acme-00009"]
	changed.Status, changed.TrunkSID, changed.Source = provision.StatusActive, "trmum1new", "zoho"
	w.records.byID["acme-00009"] = changed
	w.index.Refresh("acme-00009")
	select {
	case <-rung:
	default:
		t.Error("nobody was told")
	}
	rows, total := w.index.Page(console.Filter{}, 0, 50)
	counts, _ := w.index.Counts()
	if total != 10 || rows[0].TrunkSID != "trmum1new" || counts[provision.StatusActive] != 10 || counts[provision.StatusPending] != 0 || len(w.index.Sources()) != 2 {
		t.Errorf("%d %+v %v %v", total, rows[0], counts, w.index.Sources())
	}
	// A deleted signup that begins anew is the newest.
	again := w.records.byID["acme-00000"]
	again.CreatedAt = time.Now().UTC()
	w.records.byID["acme-00000"] = again
	w.index.Refresh("acme-00000")
	w.index.Refresh("nobody")
	if rows, total := w.index.Page(console.Filter{}, 0, 50); total != 10 || rows[0].ID != "acme-00000" {
		t.Errorf("%d %+v", total, rows[0])
	}
}

func TestNumbersThatMustStayEqual(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 9, false, nobody)
	state := func() string {
		page := w.get(t, "/").Body.String()
		_, rest, _ := strings.Cut(page, `data-live data-state="`)
		state, _, _ := strings.Cut(rest, `"`)
		return state
	}
	if got := state(); got != "differ" { // nine signups, and no trunk
		t.Error(got)
	}
	for i := range 9 {
		w.fake.Add(trunkOf(i))
	}
	if got := state(); got != "equal" {
		t.Error(got)
	}
	w.records.byID["acme-00009"] = record(9, time.Now())
	w.index.Refresh("acme-00009")
	if got := state(); got != "between" { // pending, not made yet
		t.Error(got)
	}
	w.fake.Add(trunkOf(9))
	if got := state(); got != "between" { // made, and not written down
		t.Error(got)
	}
	w.fake.Add(trunkOf(10))
	if got := state(); got != "differ" {
		t.Error(got)
	}
	if page := newWorld(t, 9, true, nobody).get(t, "/").Body.String(); !strings.Contains(page, `data-state="unknown"`) {
		t.Error("the trunks of a real account are known")
	}
}

// What strangers send is shown as text, in every place, and nothing may run that is not
// the console's own file.
func TestHostileTextIsText(t *testing.T) {
	t.Parallel()
	const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	w := newWorld(t, 0, false, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"signup_id":"a|b"}`+hostile) })
	id := "a|b:c@d"
	w.records.byID[id] = provision.Record{SignupID: id, Company: hostile, Source: hostile, LastError: hostile, Status: provision.StatusPending, TrunkName: "dev_a", CreatedAt: time.Now()}
	w.index.Refresh(id)
	fmt.Fprintf(w.log, `{"time":%q,"msg":"request","signup_id":%q,"source":%q,"outcome":%q,"error":%q,"steps":[{"name":%q,"at":%q,"duration_ms":1,"method":"POST","path":%q,"error":%q}]}`+"\n",
		time.Now().UTC().Format(time.RFC3339Nano), id, hostile, hostile, hostile, hostile, time.Now().UTC().Format(time.RFC3339Nano), hostile, hostile)
	w.post("/console/send", url.Values{"source": {"zoho"}, "content_type": {hostile}, "payload": {hostile}, "action": {"1"}})
	w.post("/console/send", url.Values{"source": {"zoho"}, "content_type": {"application/json"}, "payload": {hostile}, "action": {"map"}})
	w.post("/console/send", url.Values{"source": {hostile}, "payload": {hostile}, "action": {"1"}})
	for _, path := range []string{"/", "/?q=" + url.QueryEscape(hostile) + "&source=" + url.QueryEscape(hostile), "/console/signups/" + url.PathEscape(id), "/console/send?id=1", "/console/send?id=2", "/console/send?id=3", "/console/break", "/console/vendor"} {
		page := w.get(t, path)
		if body := page.Body.String(); page.Code != 200 || strings.Contains(body, "<script>alert") || strings.Contains(body, "<img") {
			t.Errorf("%s: HTTP %d\n%s", path, page.Code, body)
		}
		policy := page.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			page.Header().Get("X-Content-Type-Options") != "nosniff" || page.Header().Get("Referrer-Policy") != "no-referrer" || len(page.Result().Cookies()) != 0 {
			t.Errorf("%s: %v", path, page.Header())
		}
	}
}

func TestOtherSitesPostNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, false, nobody)
	form := url.Values{"switch": {"lose"}, "on": {"true"}}
	for name, header := range map[string][]string{
		"another site":     {"Sec-Fetch-Site", "cross-site"},
		"another port":     {"Sec-Fetch-Site", "same-site"},
		"an older browser": {"Origin", "https://evil.example"},
		"no origin at all": {"Origin", "null"},
	} {
		for _, path := range []string{"/console/break", "/console/send", "/console/try"} {
			if answer := w.post(path, form, header...); answer.Code != http.StatusForbidden || w.fake.Waiting(exoteltest.Create) != 0 {
				t.Errorf("%s to %s: HTTP %d", name, path, answer.Code)
			}
		}
	}
	if answer := w.post("/console/break", form, "Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"); answer.Code != http.StatusSeeOther || w.fake.Waiting(exoteltest.Create) != 1 {
		t.Errorf("the page itself: HTTP %d", answer.Code)
	}
	if answer := w.post("/console/send", url.Values{"payload": {strings.Repeat("x", 2<<20)}}); answer.Code != http.StatusBadRequest {
		t.Errorf("2 MiB: HTTP %d", answer.Code)
	}
	if answer := w.get(t, "/console/break?switch=down&on=true"); answer.Code != 200 || w.outage.Down() {
		t.Errorf("a link: HTTP %d, down %v", answer.Code, w.outage.Down())
	}
}

func TestSwitchesTurnOnAndOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, false, nobody)
	isOn := func(name string) bool {
		_, rest, _ := strings.Cut(w.get(t, "/console/break").Body.String(), `id="b-`+name+`"`)
		tag, _, _ := strings.Cut(rest, ">")
		return strings.Contains(tag, `aria-checked="true"`)
	}
	flip := func(name, on string) {
		if answer := w.post("/console/break", url.Values{"switch": {name}, "on": {on}}); answer.Code != http.StatusSeeOther {
			t.Errorf("%s %s: HTTP %d", name, on, answer.Code)
		}
	}
	names := []string{"lose", "hang", "500", "429", "kill", "secret", "lag", "down"}
	for _, name := range names {
		for _, on := range []string{"true", "false", "true"} {
			if flip(name, on); isOn(name) != (on == "true") {
				t.Errorf("%s is %s", name, on)
			}
		}
	}
	if isOn("lose") || w.fake.Waiting(exoteltest.Create) != 1 {
		t.Error("two faults wait for one create")
	}
	flip("off", "")
	for _, name := range names {
		if isOn(name) {
			t.Errorf("%s is still on", name)
		}
	}
	w.post("/console/break", url.Values{"switch": {"pass"}, "value": {"0"}})
	w.post("/console/break", url.Values{"switch": {"pass"}, "value": {"99"}})
	if w.pace.every != 500*time.Millisecond {
		t.Errorf("a pass every %v", w.pace.every)
	}
}

func TestRealAccountIsNotBroken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, true, nobody)
	for _, name := range []string{"lose", "down", "kill", "secret", "off"} {
		if answer := w.post("/console/break", url.Values{"switch": {name}, "on": {"true"}}); answer.Code != http.StatusForbidden {
			t.Errorf("%s: HTTP %d", name, answer.Code)
		}
	}
	if w.outage.Down() || w.outage.KillsNext() {
		t.Error("something is broken")
	}
	if answer := w.post("/console/try", url.Values{"how": {"many"}}); answer.Code != http.StatusForbidden {
		t.Errorf("50 real trunks: HTTP %d", answer.Code)
	}
	if page := w.get(t, "/console/send").Body.String(); !strings.Contains(page, "gets a real trunk") {
		t.Error("nobody says that trunks are real")
	}
	for _, path := range []string{"/console/break", "/console/vendor"} {
		if page := w.get(t, path).Body.String(); !strings.Contains(page, "eal account") || strings.Contains(page, `role="switch"`) {
			t.Errorf("%s: %s", path, page)
		}
	}
}

// sent waits for all answers of a sending, and returns the page.
func (w *world) sent(t *testing.T, answer *httptest.ResponseRecorder) string {
	t.Helper()
	path, _, _ := strings.Cut(answer.Header().Get("Location"), "#")
	for range 1000 {
		if page := w.get(t, path).Body.String(); !strings.Contains(page, "under way") {
			return page
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the answers never came")
	return ""
}

func TestSendingSignsAsTheSenderDoes(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	got := map[string]http.Header{}
	w := newWorld(t, 0, false, func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path+" "+fmt.Sprint(len(got))] = r.Header
		rw.WriteHeader(http.StatusCreated)
	})
	page := w.sent(t, w.post("/console/send", url.Values{"source": {"hubspot"}, "content_type": {"application/json"}, "payload": {`{"vid": 1}`}, "action": {"50"}}))
	if len(got) != 50 || !strings.Contains(page, "50 of 50 answered") || !strings.Contains(page, "x-hubspot-signature-v3") || !strings.Contains(page, "curl -sS http://127.0.0.1") {
		t.Errorf("%d came; %s", len(got), page)
	}
	for path, header := range got {
		if !strings.HasPrefix(path, "/webhooks/hubspot ") || header.Get("X-HubSpot-Signature-v3") == "" {
			t.Errorf("%s: %v", path, header)
		}
	}
	clear(got)
	w.post("/console/send", url.Values{"source": {"hubspot"}, "payload": {`{}`}, "action": {"51"}})
	w.post("/console/send", url.Values{"source": {"hubspot"}, "payload": {`{}`}, "action": {"sign"}})
	if page := w.get(t, "/console/send?id=3").Body.String(); len(got) != 0 || !strings.Contains(page, "Signed, and not sent") {
		t.Errorf("%d came; %s", len(got), page)
	}
	page = w.sent(t, w.post("/console/send", url.Values{"source": {"api-signed"}, "content_type": {"application/json"}, "payload": {`{}`}, "action": {"1"}}))
	if !strings.Contains(page, "webhook-signature") || !strings.Contains(page, "HTTP 201") {
		t.Error(page)
	}
}

func TestMappingIsTried(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, false, nobody)
	page := w.sent(t, w.post("/console/send", url.Values{
		"source": {"zoho"}, "content_type": {"application/json"}, "action": {"map"},
		"payload": {`{"signup_id":"5725767000000412001","account":"Northwind","numbers":"+912247788868"}`},
	}))
	for _, part := range []string{"signup_id zoho:5725767000000412001, company &#34;Northwind&#34;", "asks for phone_number &#43;912247788868 (pstn)", "5725767000000412001"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %s:\n%s", part, page)
		}
	}
}

// A page that is open hears of a change, and the stream ends with the process.
func TestStreamTellsOfChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, false, nobody)
	server := httptest.NewServer(w)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/console/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatal(kind)
	}
	heard := make([]byte, 256)
	n, err := resp.Body.Read(heard)
	if err != nil || !strings.Contains(string(heard[:n]), "event: changed") {
		t.Fatalf("at the start: %q, %v", heard[:n], err)
	}
	w.index.Refresh("acme-00000")
	if n, err = resp.Body.Read(heard); err != nil || !strings.Contains(string(heard[:n]), "event: changed") {
		t.Errorf("after a change: %q, %v", heard[:n], err)
	}
}

func TestOwnPathsAreTold(t *testing.T) {
	t.Parallel()
	for path, own := range map[string]bool{"/": true, "/console": true, "/console/send": true, "/consoles": false, "/signups": false, "/signups/a": false, "/webhooks/zoho": false, "/me/signup": false, "/operator/get": false, "": false} {
		if console.Is(path) != own {
			t.Errorf("%q", path)
		}
	}
	w := newWorld(t, 0, false, nobody)
	for _, path := range []string{"/console/signups/nobody", "/console/nothing", "/console/static/../console.go"} {
		if answer := w.get(t, path); answer.Code != http.StatusNotFound && answer.Code/100 != 3 {
			t.Errorf("%s: HTTP %d", path, answer.Code)
		}
	}
	for _, path := range []string{"/console/static/console.css", "/console/static/console.js", "/console/static/icon.svg"} {
		if answer := w.get(t, path); answer.Code != http.StatusOK {
			t.Errorf("%s: HTTP %d", path, answer.Code)
		}
	}
}
