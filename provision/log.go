package provision

import (
	"context"
	"errors"
	"log/slog"
)

// LogAttrs are what a log line says of a result.
func (r Result) LogAttrs() []slog.Attr {
	var attrs []slog.Attr
	text := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	text("signup_id", r.Record.SignupID)
	text("outcome", string(r.Outcome))
	text("trunk_sid", r.Record.TrunkSID)
	if r.Record.Attempts > 0 {
		attrs = append(attrs, slog.Int("attempt", r.Record.Attempts))
	}
	if r.Problem != nil {
		text("alarm", string(r.Problem.Alarm))
		text("error", r.Problem.Err.Error())
	}
	if len(r.Steps) > 0 {
		attrs = append(attrs, slog.Any("steps", r.Steps))
	}
	return attrs
}

// Level is that of the result's log line: an alarm is an error, anything else that isn't finished a warning.
func (r Result) Level() slog.Level {
	switch {
	case r.Problem != nil && r.Problem.Alarm != "":
		return slog.LevelError
	case r.Problem != nil:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// Log writes a line for each signup that the pass held, and one for the pass if
// it met any, or ended early.
func (p Pass) Log(ctx context.Context, log *slog.Logger) {
	finished := 0
	for _, result := range p.Results {
		if result.Record.Status != StatusPending {
			finished++
		}
		log.LogAttrs(ctx, result.Level(), "reconciled", append(result.LogAttrs(), slog.String("source", result.Record.Source))...)
	}
	if len(p.Results)+p.Missed+p.Failed == 0 && p.Err == nil && p.Halted == nil {
		return
	}
	attrs := []slog.Attr{
		slog.Int("finished", finished), slog.Int("pending", len(p.Results)-finished), slog.Int("missed", p.Missed), slog.Int("failed", p.Failed),
	}
	level := slog.LevelInfo
	if p.Err != nil {
		attrs, level = append(attrs, slog.String("error", p.Err.Error())), slog.LevelError
	}
	if p.Halted != nil {
		attrs = append(attrs, slog.String("halted", p.Halted.Error()))
	}
	if alarm := alarmOf(errors.Join(p.Err, p.Halted), 0, 0); alarm != "" { // what befell the search has no line of a signup's
		attrs, level = append(attrs, slog.String("alarm", string(alarm))), slog.LevelError
	}
	log.LogAttrs(ctx, level, "pass", attrs...)
}
