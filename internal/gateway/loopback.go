package gateway

import (
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
	h = http.NewCrossOriginProtection().Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if named := (&url.URL{Host: r.Host}); !IsLoopback(named.Hostname()) { // without a port it is 80, which clients leave out
			http.Error(w, "this server answers to its loopback address only", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}
