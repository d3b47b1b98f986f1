// Command local is the whole system on one machine: the handler and the engine
// of the Lambda functions, a table in a file, a fake Exotel and the reconciler
// in a loop.
//
// ADDR says where it listens (127.0.0.1:8080), DATA_DIR where its files are
// (.local), EXOTEL_SECRET_FILE names a file with the credentials of a real
// Exotel account to use instead of the fake, EXOTEL_BASE_URL another host for
// that account, TRUNK_PREFIX what trunk names start with (dev),
// EXOTEL_CALLS_PER_MINUTE the call budget (180; 0 for none).
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	if err := run(ctx, os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "trunkhook: "+err.Error())
		stop()
		os.Exit(1)
	}
}
