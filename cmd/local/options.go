package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/internal/gateway"
	"github.com/trunkhook/trunkhook/internal/settings"
	"github.com/trunkhook/trunkhook/provision"
)

// options are what the environment says.
type options struct {
	addr       string
	dataDir    string
	secretFile string // of a real account; empty for the fake
	baseURL    string // replaces the host that the secret names
	prefix     string
	calls      int // a minute; 0 for no limit

	allowDelete bool
}

// readOptions refuses, with one error for all that is wrong, what it can't use.
func readOptions(getenv func(string) string) (options, error) {
	o := options{
		addr:       cmp.Or(getenv("ADDR"), "127.0.0.1:8080"),
		dataDir:    cmp.Or(getenv("DATA_DIR"), ".local"),
		secretFile: getenv("EXOTEL_SECRET_FILE"),
		baseURL:    getenv("EXOTEL_BASE_URL"),
		// Not the default of the functions: who tries a real account must not
		// meet the trunks of production.
		prefix: cmp.Or(getenv("TRUNK_PREFIX"), "dev"),
	}
	var faults []string
	host, _, err := net.SplitHostPort(o.addr)
	switch {
	case err != nil:
		faults = append(faults, fmt.Sprintf("ADDR %q must be host:port", o.addr))
	case !gateway.IsLoopback(host):
		faults = append(faults, fmt.Sprintf("ADDR %q must be a loopback address: the bearer secret is %q, which everybody knows", o.addr, bearer))
	}
	if err := provision.CheckPrefix(o.prefix); err != nil {
		faults = append(faults, "TRUNK_PREFIX "+err.Error())
	}
	var callsErr error
	if o.calls, callsErr = settings.CallsPerMinute(getenv); callsErr != nil {
		faults = append(faults, callsErr.Error())
	}
	var deleteErr error
	if o.allowDelete, deleteErr = settings.AllowDelete(getenv); deleteErr != nil {
		faults = append(faults, deleteErr.Error())
	}
	if _, err := exotel.ParseBaseURL(o.baseURL); o.baseURL != "" && err != nil {
		faults = append(faults, "EXOTEL_BASE_URL "+err.Error())
	}
	if len(faults) > 0 {
		return options{}, errors.New(strings.Join(faults, "; "))
	}
	return o, nil
}
