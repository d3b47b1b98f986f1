package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A page of another site can have its name point here.
func TestOnlyLoopbackNamesAreAnswered(t *testing.T) {
	t.Parallel()
	function := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"statusCode":204}`))
	}))
	defer function.Close()
	front := (&emulator{url: function.URL}).front()
	for host, want := range map[string]int{"evil.example": 421, "evil.example:3000": 421, "localhost:3000": 204, "[::1]:3000": 204, "127.0.0.1:3000": 204} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/signups/nobody", nil)
		r.Host = host
		w := httptest.NewRecorder()
		front.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d %s, want %d", host, w.Code, w.Body, want)
		}
	}
}

func TestOnlyLoopbackAddressesAreListenedOn(t *testing.T) {
	t.Parallel()
	for addr, legal := range map[string]bool{"127.0.0.1:3000": true, "localhost:3000": true, "[::1]:3000": true, "0.0.0.0:3000": false, ":3000": false, "10.0.0.1:3000": false, "127.0.0.1": false} {
		if err := checkLoopback(addr); (err == nil) != legal {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestPartsAreReachedWhereTheyAre(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://127.0.0.1:8000": "http://host.docker.internal:8000", "http://localhost:8000": "http://host.docker.internal:8000",
		"http://10.88.0.1:8000": "http://10.88.0.1:8000", "https://dynamodb.example": "https://dynamodb.example",
	} {
		if got := reached(address, "host.docker.internal"); got != want {
			t.Errorf("%s is reached at %s, want %s", address, got, want)
		}
	}
}
