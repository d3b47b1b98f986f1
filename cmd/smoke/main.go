// Command smoke sends a dry signup to a running system, as a sender would, and looks
// whether it came through: the sender's secret, the function, the table, Exotel's
// credentials and the way to Exotel. No trunk is made.
//
//	smoke -url https://hooks.example.com -secret-file secret.json
//
// make smoke URL=... SECRET_FILE=... calls it. The secret is one of source api: the file
// holds {"api": ["...", ...]}, as the sources' secret does, or what make secrets shows, a
// secret a line. One that starts with whsec_ signs; the status is asked for with a
// bearer token.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/trunkhook/trunkhook/internal/gateway"
)

// The exit codes. docs/operations.md has them too.
const (
	exitFailed  = 1 // something is wrong with what was deployed
	exitUsage   = 2 // the command line or the secret's file; nothing was sent
	exitPending = 3 // it is on disk, and did not come through in time
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "smoke: "+err.Error())
		stop()
		os.Exit(exitCode(err))
	}
}

// usageError is the caller's.
type usageError struct{ error }

func exitCode(err error) int {
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, errPending):
		return exitPending
	}
	return exitFailed
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var base, secretFile string
	wait := 90 * time.Second
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&base, "url", "http://127.0.0.1:8080", "where the signups go, without /signups")
	flags.StringVar(&secretFile, "secret-file", "", "a file with a secret of source api; of a local system not needed")
	flags.DurationVar(&wait, "wait", wait, "how long a pending signup is waited for; the reconciler comes every minute")
	if err := flags.Parse(args); err != nil {
		return usageError{err}
	}
	if flags.NArg() > 0 { // not repeated: it may be the secret
		return usageError{errors.New("there is more on the command line than options")}
	}
	target, local, err := parseURL(base)
	if err != nil {
		return usageError{err}
	}
	keys, err := readKeys(secretFile, local)
	if err != nil {
		return usageError{err}
	}
	t := test{client: newClient(target, keys), id: newID(time.Now()), wait: wait, every: pollEvery, out: out}
	return t.run(ctx)
}

// parseURL is the base that all paths are added to, and whether it is on this machine.
func parseURL(base string) (target string, local bool, err error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", false, errors.New("-url must be a scheme, a host and a path at most, such as https://hooks.example.com")
	case u.Scheme == "https", u.Scheme == "http" && gateway.IsLoopback(u.Hostname()):
		return strings.TrimRight(base, "/"), gateway.IsLoopback(u.Hostname()), nil
	}
	return "", false, errors.New("-url must be https, or http to this machine: a bearer token goes there")
}
