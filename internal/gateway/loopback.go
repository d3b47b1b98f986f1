package gateway

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
)

// IsLoopback tells whether a host is this machine, and nobody else's.
func IsLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// LoopbackOnly lets through what was sent to this machine by such a name. A page
// of another site that has its name point here would be let in by the browser, and
// the secrets of a server that stands here are known to everybody. For that reason
// nothing is taken either that such a page has a browser post, a form with a token in
// it for one.
func LoopbackOnly(h http.Handler) http.Handler {
	pages := http.NewCrossOriginProtection()
	pages.SetDenyHandler(refusal(http.StatusForbidden, "Nothing is taken that a page of another site sends."))
	h, elsewhere := pages.Handler(h), refusal(http.StatusMisdirectedRequest, "This server answers to its loopback address only.")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if named := (&url.URL{Host: r.Host}); !IsLoopback(named.Hostname()) { // without a port it is 80, which clients leave out
			elsewhere.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// refusal answers with a problem (RFC 9457), as the functions do.
func refusal(status int, detail string) http.Handler {
	body, err := json.Marshal(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
	if err != nil {
		panic(err) // strings and numbers can always be written
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}
