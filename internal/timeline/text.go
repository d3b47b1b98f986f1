package timeline

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// barWidth is in characters.
const barWidth = 24

// WriteText tells the story on a terminal: a line for each step, with a bar that says
// when it was within its spell, so that what was at once stands below each other.
func (s Story) WriteText(w io.Writer) error {
	var b strings.Builder
	day := ""
	for i, spell := range s.Spells {
		if i > 0 {
			fmt.Fprintf(&b, "\n%s later\n\n", Length(spell.After))
		}
		if today := spell.Start.Format(time.DateOnly); today != day {
			fmt.Fprintf(&b, "%s, UTC\n", today)
			day = today
		}
		for _, l := range spell.Lanes {
			for _, n := range l.Lost {
				fmt.Fprintf(&b, "%12s  try %d left no line: its process ended first, or the line is not in this log\n", "", n)
			}
			fmt.Fprintf(&b, "%s  %s\n", l.Start.Format("15:04:05.000"), printable(l.Title()))
			for _, step := range l.Steps {
				fmt.Fprintf(&b, "  %10s  [%s]  %-22s %9s  %s\n", "+"+Length(spell.Since(step.At)), spell.bar(step), printable(step.Name), Length(step.Duration), printable(step.detail()))
			}
			if text := l.OwnError(); text != "" {
				fmt.Fprintf(&b, "  %10s  %s\n", "", printable(text))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Title says in one line what the lane is, and what came of it.
func (l Lane) Title() string {
	var b strings.Builder
	b.WriteString(string(l.Kind))
	if l.Source != "" && l.Kind != Reconciler {
		b.WriteString(" from " + l.Source)
	}
	if l.Held() && l.Attempt > 0 {
		b.WriteString(", try " + strconv.Itoa(l.Attempt))
	}
	b.WriteString(": " + cmp.Or(strings.ReplaceAll(l.Outcome, "_", " "), "no outcome"))
	if l.Status != 0 {
		b.WriteString(", answered " + strconv.Itoa(l.Status))
	}
	b.WriteString(" in " + Length(l.End.Sub(l.Start)))
	if l.TrunkSID != "" {
		b.WriteString(", trunk " + l.TrunkSID)
	}
	if l.Alarm != "" {
		b.WriteString(", alarm " + l.Alarm)
	}
	return b.String()
}

// Request is the method and path of a call; empty for a write.
func (s Step) Request() string {
	if s.Method == "" {
		return ""
	}
	return s.Method + " …" + s.Path
}

func (s Step) detail() string {
	var parts []string
	for _, part := range []string{s.Request(), s.status(), s.Error} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if id := s.OwnRequestID(); id != "" {
		parts = append(parts, "request "+id)
	}
	return strings.Join(parts, "  ")
}

func (s Step) status() string {
	if s.HTTPStatus == 0 {
		return ""
	}
	return "HTTP " + strconv.Itoa(s.HTTPStatus)
}

func (s Spell) bar(step Step) string {
	bar := []byte(strings.Repeat(" ", barWidth))
	from, to := s.Place(step.At, barWidth), s.Place(step.At.Add(step.Duration), barWidth)
	for i := min(from, barWidth-1); i < max(to, min(from, barWidth-1)+1); i++ {
		bar[i] = '='
	}
	return string(bar)
}

// Since is how long after the spell's beginning a moment was; zero for one that isn't known.
func (s Spell) Since(at time.Time) time.Duration { return max(at.Sub(s.Start), 0) }

// Place is where a moment is on an axis of that length, from 0 to it.
func (s Spell) Place(at time.Time, length int) int {
	offset := min(s.Since(at), s.Length())
	return int(float64(offset) / float64(s.Length()) * float64(length))
}

// Length is a duration for people.
func Length(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// printable is a stranger's text on one line of a terminal, without what steers it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, text)
}
