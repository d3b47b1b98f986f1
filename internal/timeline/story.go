package timeline

import (
	"slices"
	"time"
)

// Story is what happened to one signup.
type Story struct {
	SignupID string  `json:"signup_id"`
	Spells   []Spell `json:"spells"`
}

// Spell is a time in which something happened, with what happened at once side by side.
type Spell struct {
	Start time.Time     `json:"start"`
	End   time.Time     `json:"end"`
	After time.Duration `json:"after_ns"` // since the spell before; zero for the first
	Lanes []Lane        `json:"lanes"`    // in the order in which they began
}

// Length is the spell's, at least a moment.
func (s Spell) Length() time.Duration { return max(s.End.Sub(s.Start), time.Millisecond) }

// Lane is one delivery, or one try.
type Lane struct {
	Entry
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Lost  []int     `json:"lost,omitempty"` // tries before this one that left no line
}

// Held tells whether the try had the signup, and was not told to leave it alone.
func (l Lane) Held() bool {
	switch l.Outcome {
	case "created", "adopted", "completed", "dry", "pending", "rejected", "deleting", "deleted", "killed":
		return true
	}
	return false
}

// apart is how long nothing must happen for a new spell to begin.
const apart = 500 * time.Millisecond

// Tell puts a signup's entries in order. Those of other signups are left out.
func Tell(signupID string, entries []Entry) Story {
	story := Story{SignupID: signupID}
	var lanes []Lane
	for _, e := range entries {
		if e.SignupID == signupID {
			lanes = append(lanes, laneOf(e))
		}
	}
	slices.SortStableFunc(lanes, func(a, b Lane) int { return a.Start.Compare(b.Start) })
	noteLost(lanes)
	for _, l := range lanes {
		last := len(story.Spells) - 1
		if last < 0 || l.Start.Sub(story.Spells[last].End) > max(apart, story.Spells[last].Length()) {
			spell := Spell{Start: l.Start, End: l.End}
			if last >= 0 {
				spell.After = l.Start.Sub(story.Spells[last].End)
			}
			story.Spells = append(story.Spells, spell)
			last++
		}
		spell := &story.Spells[last]
		spell.Lanes = append(spell.Lanes, l)
		if l.End.After(spell.End) {
			spell.End = l.End
		}
	}
	return story
}

// laneOf takes the earliest and the latest that the entry knows.
func laneOf(e Entry) Lane {
	l := Lane{Entry: e, Start: e.At, End: e.At}
	if !e.At.IsZero() {
		l.Start = e.At.Add(-e.Duration)
	}
	for _, s := range e.Steps {
		if s.At.IsZero() {
			continue
		}
		if l.Start.IsZero() || s.At.Before(l.Start) {
			l.Start = s.At
		}
		if end := s.At.Add(s.Duration); end.After(l.End) {
			l.End = end
		}
	}
	return l
}

// noteLost finds the tries of which there is no line: each claim counts one, and a
// process that is killed can't write any more. Before the first try that is known
// there may be more, which the log is too short for.
func noteLost(lanes []Lane) {
	known := map[int]bool{}
	for _, l := range lanes {
		if l.Held() {
			known[l.Attempt] = true
		}
	}
	told := 0
	for i := range lanes {
		if !lanes[i].Held() {
			continue
		}
		for n := told + 1; n < lanes[i].Attempt && len(lanes[i].Lost) < maxLost; n++ {
			if !known[n] {
				lanes[i].Lost = append(lanes[i].Lost, n)
			}
		}
		told = max(told, lanes[i].Attempt)
	}
}

// maxLost bounds what a number in a line can make of it.
const maxLost = 20
