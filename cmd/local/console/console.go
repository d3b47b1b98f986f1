// Package console is the page of the local system: its signups as they become trunks,
// each one's story on an axis of time, and switches that break the fake Exotel, the
// table and a worker, for whoever wants to see what follows. It stands on this machine
// only, and nothing but cmd/local links it.
package console

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/trunkhook/trunkhook/cmd/local/outage"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/timeline"
	"github.com/trunkhook/trunkhook/provision"
)

// Pace is how often the reconciler passes.
type Pace interface {
	Every() time.Duration
	Set(every time.Duration)
}

// Config is what a console shows, and what it may break.
type Config struct {
	URL            string // of the system that it sends to, such as http://127.0.0.1:8080
	DataDir        string // for the commands that it names
	Vendor         string // what Exotel is here, for people
	CallsPerMinute int    // the call budget; 0 for no limit

	Bell    *Bell
	Signups *Index
	Records interface { // the table's, down or not
		Get(ctx context.Context, signupID string) (provision.Record, error)
	}
	Log     *timeline.Store
	Sources sources.Set
	Errors  *slog.Logger // of the console itself

	Pace   Pace
	Outage *outage.Table
	Fake   *exoteltest.Server // nil with a real account, of which nothing is asked and nothing is broken
}

// Console answers the pages. It is safe for concurrent use.
type Console struct {
	Config
	ended    <-chan struct{}
	sendings sendings
	handler  http.Handler

	// What the switches stand at, where what they turn doesn't say.
	queued  atomic.Value // the name of the fault that was asked for last
	isWrong atomic.Bool
	lags    atomic.Bool
	latency atomic.Int64 // a time.Duration
}

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed static/*
var staticFiles embed.FS

// New makes a console that ends its streams, and what it is sending, with the context.
func New(ctx context.Context, config Config) *Console {
	c := &Console{Config: config, ended: ctx.Done()}
	c.sendings.ctx = ctx
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.signups)
	mux.HandleFunc("GET /console/signups/{id}", c.signup)
	mux.HandleFunc("GET /console/send", c.sendForm)
	mux.HandleFunc("POST /console/send", c.send)
	mux.HandleFunc("POST /console/try", c.try)
	mux.HandleFunc("GET /console/break", c.breakPage)
	mux.HandleFunc("POST /console/break", c.flip)
	mux.HandleFunc("GET /console/vendor", c.vendor)
	mux.HandleFunc("GET /console/events", c.events)
	mux.Handle("GET /console/static/", http.StripPrefix("/console", http.FileServerFS(staticFiles)))
	c.handler = guard(mux)
	return c
}

// Is tells whether a path is the console's, and not the system's own.
func Is(path string) bool {
	return path == "/" || path == "/console" || strings.HasPrefix(path, "/console/")
}

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// maxForm is in bytes: the largest payload that the system takes, as a form has it.
const maxForm = 1 << 20

// policy lets a page load what this server has, and nothing run that is written into it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard refuses what another site's page has a browser send, and keeps what is answered
// to this page.
func guard(h http.Handler) http.Handler {
	h = http.NewCrossOriginProtection().Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		h.ServeHTTP(w, r)
	})
}

var functions = template.FuncMap{
	"age": age, "length": timeline.Length, "clock": clock, "stamp": stamp, "words": words, "did": did, "kind": kindOf,
	"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
	"plus":    func(a, b int) int { return a + b },
	"listing": func(rows []Row, caption string, now time.Time) listing { return listing{rows, caption, now} },
}

// listing is a table of signups.
type listing struct {
	Rows    []Row
	Caption string
	Now     time.Time
}

// pages are the templates, each with the frame around it.
var pages = func() map[string]*template.Template {
	pages := map[string]*template.Template{}
	for _, name := range []string{"signups", "signup", "send", "break", "vendor"} {
		pages[name] = template.Must(template.New("frame.html").Funcs(functions).ParseFS(pageFiles, "pages/frame.html", "pages/parts.html", "pages/"+name+".html"))
	}
	return pages
}()

// view is what every page is made of.
type view struct {
	Page    string // of the navigation
	Title   string
	Vendor  string
	Fake    bool
	Balance balance
	Now     time.Time
	Body    any
}

// show writes a page. It is made whole first, so that what fails isn't half a page.
func (c *Console) show(w http.ResponseWriter, r *http.Request, page, title string, body any) {
	var made strings.Builder
	v := view{Page: page, Title: title, Vendor: c.Vendor, Fake: c.Fake != nil, Balance: c.balance(), Now: time.Now(), Body: body}
	if err := pages[page].Execute(&made, v); err != nil {
		c.Errors.ErrorContext(r.Context(), "a page of the console can't be made", "page", page, "error", err)
		http.Error(w, "the page can't be made; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(made.String()))
}

// words are how the system's names read in a sentence.
func words(name any) string { return strings.ReplaceAll(fmt.Sprint(name), "_", " ") }

// clock is a moment on this machine's clock; one of another day says which.
func clock(t time.Time) string {
	t = t.Local()
	if time.Now().Format(time.DateOnly) != t.Format(time.DateOnly) {
		return t.Format("2006-01-02 15:04:05.000")
	}
	return t.Format("15:04:05.000")
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// age is how long ago a moment was, as the script counts it on.
func age(t, now time.Time) string {
	switch d := now.Sub(t); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}
