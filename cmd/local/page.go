package main

import (
	"net/http"

	"github.com/trunkhook/trunkhook/cmd/local/console"
)

// withConsole leaves every path that is the system's own as it came.
func withConsole(page *console.Console, signups http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if console.Is(r.URL.Path) {
			page.ServeHTTP(w, r)
			return
		}
		signups.ServeHTTP(w, r)
	})
}
