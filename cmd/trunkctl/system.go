package main

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"

	"github.com/trunkhook/trunkhook/provision"
)

// archive is the table, for who reads the whole of it.
type archive interface {
	All(ctx context.Context) iter.Seq2[provision.Record, error]
	DeadLetters(ctx context.Context) iter.Seq2[provision.KeptDeadLetter, error]
	DropDeadLetter(ctx context.Context, id string) error
}

// system is what a command works on.
type system struct {
	engine  *provision.Engine
	archive archive
	who     func(ctx context.Context) string // who changes something, for the log
	getenv  func(string) string
}

// open opens the local system or the deployed one; which is said, and never guessed.
func (c *cli) open(ctx context.Context, getenv func(string) string, s streams) (system, error) {
	log := slog.New(slog.NewJSONHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	switch {
	case c.Local != "" && c.Outputs != "":
		return system{}, usageError{errors.New("--local or --outputs: one of them")}
	case c.Local != "":
		return openLocal(ctx, c.Local, getenv, log)
	case c.Outputs != "" || getenv("SIGNUPS_TABLE") != "":
		return openAWS(ctx, c.Outputs, getenv, s.err)
	}
	return system{}, usageError{errors.New("which system? --local .local is the one of make run; make trunkctl ENV=prod ARGS=... a deployed one")}
}

func user(getenv func(string) string) string {
	if name := getenv("USER"); name != "" {
		return name
	}
	return "unknown"
}

// change is one line of JSON about something that was changed, or was to be.
func (i *invocation) change(command, what, reason, outcome string, err error) {
	attrs := []slog.Attr{slog.String("command", command), slog.String("on", what), slog.String("who", i.who(i.ctx)), slog.String("why", reason), slog.String("outcome", outcome)}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	changes(i.err).LogAttrs(i.ctx, slog.LevelInfo, "change", attrs...)
}

func changes(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }
