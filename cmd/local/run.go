package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/trunkhook/trunkhook/cmd/local/console"
	"github.com/trunkhook/trunkhook/cmd/local/outage"
	"github.com/trunkhook/trunkhook/handler"
	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/gateway"
	"github.com/trunkhook/trunkhook/internal/passwords"
	"github.com/trunkhook/trunkhook/internal/settings"
	"github.com/trunkhook/trunkhook/provision"
)

// run is the system, from start to stop.
func run(ctx context.Context, getenv func(string) string, out io.Writer) error {
	o, err := readOptions(getenv)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, o.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := os.MkdirAll(o.dataDir, 0o700); err != nil {
		return fmt.Errorf("DATA_DIR %s can't be made: %w", o.dataDir, unwrapPath(err))
	}
	bell := new(console.Bell)
	logFile, lines, err := openLog(o.dataDir, bell.Ring)
	if err != nil {
		return fmt.Errorf("DATA_DIR %s can't be written to: %w", o.dataDir, unwrapPath(err))
	}
	defer logFile.Close()
	log := slog.New(slog.NewJSONHandler(io.MultiWriter(logFile, lines), nil))
	vendor, err := openVendor(ctx, o, log)
	if err != nil {
		return err
	}
	defer vendor.close()
	file, index, err := openTable(filepath.Join(o.dataDir, vendor.tableFile), bell.Ring)
	if err != nil {
		return err
	}
	defer file.Close()
	table := outage.NewTable(file)
	kept := passwords.NewFiles(filepath.Join(o.dataDir, vendor.passwords))
	known, err := vendor.remind(ctx, file, kept)
	if err != nil {
		return err
	}

	story := newStory(out)
	engine := &narrator{Engine: &provision.Engine{Ledger: table, Accounts: vendor.accounts, Prefix: o.prefix, Passwords: kept}, story: story}
	set, err := sources.Load(getenv("SOURCES_OVERRIDES"))
	if err != nil {
		return fmt.Errorf("SOURCES_OVERRIDES or the sources' files: %w", err)
	}
	h, err := handler.New(handler.Config{
		Provisioner: engine, Secrets: localSecrets{}, Sources: set, DeadLetters: table, Log: log,
		ReplyWithin: settings.DefaultReplyWithin, AllowDelete: o.allowDelete, PublicURL: "http://" + listener.Addr().String(),
	})
	if err != nil {
		return err
	}
	story.begin(listener.Addr().String(), o, known, vendor)
	if known == 0 && vendor.isFake { // before there is a budget, of which they would take a whole burst
		if err := story.sample(ctx, h); err != nil {
			return err
		}
	}
	if o.calls > 0 {
		engine.Budget = provision.NewBudget(table, o.calls, nil)
	}
	vendor.limit()
	key, operator, err := openDoor(listener.Addr().String(), o, vendor, table)
	if err != nil {
		return fmt.Errorf("DATA_DIR %s: the operator's key can't be written: %w", o.dataDir, unwrapPath(err))
	}
	defer func() { _ = key.Remove(o.dataDir) }()
	every := newPace(passEvery)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	page := console.New(ctx, console.Config{
		URL: "http://" + listener.Addr().String(), DataDir: o.dataDir, Vendor: vendor.where, CallsPerMinute: o.calls,
		Bell: bell, Signups: index, Records: file, Log: lines, Sources: set, Errors: log, Pace: every, Outage: table, Fake: vendor.fake,
	})
	story.yourTurn(listener.Addr().String(), o.dataDir)
	return serve(ctx, listener, withDoor(operator, withConsole(page, server{h, log})), engine, log, every)
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("ADDR %s is in use by another program; choose another, such as ADDR=127.0.0.1:8081", addr)
	case err != nil:
		return nil, fmt.Errorf("ADDR %s can't be listened on: %w", addr, err)
	}
	return listener, nil
}

func unwrapPath(err error) error {
	var inPath *os.PathError
	if errors.As(err, &inPath) {
		return inPath.Err
	}
	return err
}

// functionTimeout is the webhook's in template.yaml.
const functionTimeout = 10 * time.Second

// serve answers until the context ends, and reconciles meanwhile. Both are over
// when it returns: the table is closed after it.
func serve(ctx context.Context, listener net.Listener, h http.Handler, engine *narrator, log *slog.Logger, every *pace) error {
	httpServer := &http.Server{Handler: gateway.LoopbackOnly(h), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var parts sync.WaitGroup
	parts.Go(func() { reconcile(ctx, engine, log, every) })
	parts.Go(func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), functionTimeout)
		defer cancel()
		if err := httpServer.Shutdown(grace); err != nil {
			log.WarnContext(ctx, "requests were cut off", "error", err)
		}
	})
	err := httpServer.Serve(listener)
	cancel()
	parts.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

const (
	passEvery = 2 * time.Second // every minute in AWS; nobody waits so long at a terminal
	passTime  = 30 * time.Second
)

func reconcile(ctx context.Context, engine *narrator, log *slog.Logger, every *pace) {
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-every.changed:
			continue
		case <-time.After(time.Until(last.Add(every.Every()))):
		}
		last = time.Now()
		passCtx, cancel := context.WithTimeout(ctx, passTime)
		pass, err := engine.Reconcile(passCtx)
		cancel()
		if err != nil {
			log.ErrorContext(ctx, "the pass failed", "error", err)
		}
		pass.Log(ctx, log)
	}
}
