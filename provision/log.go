package provision

import (
	"context"
	"errors"
	"log/slog"
)

// LogAttrs are what a log line says of a result.
func (r Result) LogAttrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, 8)
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

// LogLine is one line of a pass's log.
type LogLine struct {
	Level   slog.Level
	Message string
	Attrs   []slog.Attr
	Outcome Outcome // of the signup that it is about; empty where it is about none
	Source  string  // of that signup
	Figures Figures
}

// Log writes the lines of LogLines.
func (p Pass) Log(ctx context.Context, log *slog.Logger) {
	for _, line := range p.LogLines() {
		log.LogAttrs(ctx, line.Level, line.Message, line.Attrs...) //nolint:sloglint // those of LogLines are constants
	}
}

// LogLines are a line for each signup that the pass held, and one for the pass if
// it met any, or called Exotel, or ended early.
func (p Pass) LogLines() []LogLine {
	lines := make([]LogLine, 0, len(p.Results)+1)
	for _, result := range p.Results {
		lines = append(lines, LogLine{
			Level: result.Level(), Message: "reconciled", Attrs: append(result.LogAttrs(), slog.String("source", result.Record.Source)),
			Outcome: result.Outcome, Source: result.Record.Source, Figures: result.Figures(),
		})
	}
	if len(p.Results)+p.Missed+p.Failed+len(p.Steps) == 0 && p.Err == nil && p.Halted == nil {
		return lines
	}
	return append(lines, p.logLine())
}

func (p Pass) logLine() LogLine {
	finished := 0
	for _, result := range p.Results {
		if result.Record.Status != StatusPending {
			finished++
		}
	}
	line := LogLine{Level: slog.LevelInfo, Message: "pass", Figures: figuresOf(p.Steps), Attrs: []slog.Attr{
		slog.Int("finished", finished), slog.Int("pending", len(p.Results)-finished), slog.Int("missed", p.Missed), slog.Int("failed", p.Failed),
	}}
	if p.Err != nil {
		line.Attrs, line.Level = append(line.Attrs, slog.String("error", p.Err.Error())), slog.LevelError
	}
	if p.Halted != nil {
		line.Attrs = append(line.Attrs, slog.String("halted", p.Halted.Error()))
	}
	if len(p.Steps) > 0 {
		line.Attrs = append(line.Attrs, slog.Any("steps", p.Steps))
	}
	if alarm := alarmOf(errors.Join(p.Err, p.Halted), 0, 0); alarm != "" { // what befell the search has no line of a signup's
		line.Attrs, line.Level = append(line.Attrs, slog.String("alarm", string(alarm))), slog.LevelError
	}
	return line
}
