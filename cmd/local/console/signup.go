package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/timeline"
	"github.com/trunkhook/trunkhook/provision"
)

// story is the page of one signup.
type story struct {
	Record  provision.Record
	Steps   []provision.LineStep
	Next    string // what happens next, for people; empty where nothing does
	Spells  []spell
	AtFake  []exoteltest.Call
	Command string // that tells the same at a terminal
}

// spell is one axis, with its lanes.
type spell struct {
	timeline.Spell
	Ticks []string // at equal distances
	Lanes []lane
	Left  int  // lanes that aren't shown
	Open  bool // the steps are shown without asking
}

// lane is a delivery or a try on the axis.
type lane struct {
	timeline.Lane
	ID   string // of the element
	Span bar
	Bars []bar
}

// bar is a step on the axis, in thousandths of it.
type bar struct {
	X, Width int
	Kind     string // write, call, wait, refused, failed
	Title    string
}

const (
	axis     = 1000 // units
	thinnest = 4    // units that can still be seen
	// fewLanes are shown with all their steps at once.
	fewLanes = 3
	// maxLanes bounds a page: 50 deliveries at once are meant to be seen, a flood isn't.
	maxLanes = 200
)

func (c *Console) signup(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	record, err := c.Records.Get(ctx, id)
	switch {
	case errors.Is(err, provision.ErrNotFound):
		http.Error(w, "there is no such signup", http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, "the table can't be read", http.StatusServiceUnavailable)
		return
	}
	told := timeline.Tell(id, c.Log.Entries(id))
	s := story{Record: record, Steps: record.LineSteps(), Next: next(record, time.Now()), Spells: spellsOf(told), Command: "go run ./cmd/trunkctl --local " + c.DataDir + " trace " + shellQuoted(id)}
	if c.Fake != nil {
		s.AtFake = callsFor(c.Fake.Calls(), record)
	}
	c.show(w, r, "signup", id, s)
}

// callsFor are the calls that the fake saw about a signup's trunk, lost answers too.
func callsFor(calls []exoteltest.Call, record provision.Record) []exoteltest.Call {
	return slices.DeleteFunc(calls, func(call exoteltest.Call) bool {
		return (call.TrunkName == "" || call.TrunkName != record.TrunkName) && (call.TrunkSID == "" || call.TrunkSID != record.TrunkSID)
	})
}

func spellsOf(told timeline.Story) []spell {
	var spells []spell
	lanes := 0
	for i, s := range told.Spells {
		one := spell{Spell: s, Open: len(s.Lanes) <= fewLanes}
		for part := range 5 {
			one.Ticks = append(one.Ticks, "+"+timeline.Length(s.Length()*time.Duration(part)/4))
		}
		for n, l := range s.Lanes {
			if lanes++; lanes > maxLanes {
				one.Left = len(s.Lanes) - n
				break
			}
			one.Lanes = append(one.Lanes, laneOn(s, l, "lane-"+strconv.Itoa(i)+"-"+strconv.Itoa(n)))
		}
		spells = append(spells, one)
	}
	return spells
}

func laneOn(s timeline.Spell, l timeline.Lane, id string) lane {
	on := lane{Lane: l, ID: id, Span: barOn(s, l.Start, l.End.Sub(l.Start))}
	for _, step := range l.Steps {
		b := barOn(s, step.At, step.Duration)
		b.Kind, b.Title = kindOf(step), step.Name
		on.Bars = append(on.Bars, b)
	}
	return on
}

func barOn(s timeline.Spell, at time.Time, d time.Duration) bar {
	x, end := s.Place(at, axis), s.Place(at.Add(d), axis)
	x = min(x, axis-thinnest)
	return bar{X: x, Width: max(end-x, thinnest)}
}

func kindOf(step timeline.Step) string {
	switch {
	case step.Refused():
		return "refused"
	case step.Error != "":
		return "failed"
	case step.IsCall():
		return "call"
	case step.Name == provision.StepBudget:
		return "wait"
	}
	return "write"
}

// next is what a signup waits for.
func next(r provision.Record, now time.Time) string {
	switch {
	case r.Status != provision.StatusPending && r.Status != provision.StatusDeleting:
		return ""
	case r.LeaseUntil.After(now):
		return "A try holds it until " + clock(r.LeaseUntil) + ", or until it is done. If its process is gone, the reconciler takes over then."
	case r.Searching:
		return "Exotel says that its trunk is there, and the newest pages of the list don't show it: the search looks through all."
	case r.DueAt.After(now):
		return "The reconciler comes back to it at " + clock(r.DueAt) + ", or the next delivery before."
	}
	return "It is due: the reconciler's next pass takes it."
}
