package main

import (
	"crypto/rand"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/trunkhook/trunkhook/internal/door"
	"github.com/trunkhook/trunkhook/ledger/remote"
)

// doorPath is where cmd/trunkctl comes in: the table's file is locked by this process.
const doorPath = "/operator"

// openDoor makes a key for this run, and the door that it opens.
func openDoor(addr string, o options, v vendor, table remote.Store) (door.Key, http.Handler, error) {
	key := door.Key{URL: "http://" + addr + doorPath, Token: rand.Text()}
	folder, err := filepath.Abs(filepath.Join(o.dataDir, v.passwords))
	if err != nil {
		return key, nil, err
	}
	about := door.About{TrunkPrefix: o.prefix, CallsPerMinute: o.calls, Passwords: folder, ExotelURL: o.baseURL, ExotelSecret: v.secret}
	if v.isFake {
		about.ExotelURL = v.fake.URL
	} else if about.ExotelSecretFile, err = filepath.Abs(o.secretFile); err != nil {
		return key, nil, err
	}
	inside := http.StripPrefix(doorPath, about.Handler(remote.Handler(table)))
	return key, remote.Guard(key.Token, inside), key.Write(o.dataDir)
}

// withDoor leaves every other path as it came: what was signed isn't touched.
func withDoor(operator, signups http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, doorPath+"/") {
			operator.ServeHTTP(w, r)
			return
		}
		signups.ServeHTTP(w, r)
	})
}
