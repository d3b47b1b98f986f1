package simulation_test

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// wishes are what a signup asks for beside its trunk: some of its deliveries for the
// base, some for more.
type wishes struct {
	base, more provision.Line
	contradict bool // some for something else
}

// Numbers that more than one might have.
const (
	sharedNumber  = "+918000000000" // two signups ask for it
	foreignNumber = "+918000000001" // somebody else's trunk has it
)

// drawWishes decides what each signup asks for. A try lasts 10 s and reads a whole
// list before it adds anything: with one call in that time it gets no line done, and
// with two none whose list has two pages.
func (p *plan) drawWishes(d *dice) {
	if p.callsPerMinute == 6 || !d.chance(0.4) {
		return
	}
	p.thingsPage = p.pageSize
	if p.callsPerMinute == 12 {
		p.thingsPage = 50
	}
	p.wishes = make(map[string]wishes)
	for n, id := range p.ids {
		p.wishes[id] = wishes{base: drawLine(d, n, 0), more: drawLine(d, n, 1), contradict: p.upheaval != tableIsWiped && d.chance(0.3)}
	}
	if len(p.ids) > 1 && d.chance(0.1) {
		p.share(d, sharedNumber, p.ids[0], p.ids[1])
	}
	if d.chance(0.1) {
		p.foreign = true
		p.share(d, foreignNumber, p.ids[0])
	}
}

// share lets signups ask for a number.
func (p *plan) share(d *dice, number string, ids ...string) {
	for _, id := range ids {
		w := p.wishes[id]
		line := pick(d, &w.base, &w.more)
		line.PhoneNumbers = append(line.PhoneNumbers, provision.PhoneNumber{PhoneNumber: number, Mode: exotel.ModePSTN})
		p.wishes[id] = w
	}
}

// drawLine draws a line whose values no other signup has, nor the other part of its
// own; but a trunk has one caller id.
func drawLine(d *dice, signup, part int) (l provision.Line) {
	name := func(format string, i int) string { return fmt.Sprintf(format, signup, part, i) }
	for i := range pick(d, 0, 0, 1, 2) {
		number := provision.PhoneNumber{PhoneNumber: name("+9180%d%d%d5555", i), Mode: pick(d, exotel.ModePSTN, exotel.ModeFlow)}
		l.PhoneNumbers = append(l.PhoneNumbers, number)
	}
	for i := range pick(d, 0, 0, 1, 2) {
		l.WhitelistedIPs = append(l.WhitelistedIPs, name(pick(d, "8.8.%d.1%d%d", "9.%d.1%d%d.0/24"), i))
	}
	for i := range pick(d, 0, 1, 1, 2, 3) {
		l.DestinationURIs = append(l.DestinationURIs, name("sip%d-%d-%d.acme.com:5060", i))
	}
	for i := range pick(d, 0, 0, 1, 1, 2) {
		l.Credentials = append(l.Credentials, provision.Credential{UserName: name("user-%d-%d-%d", i), FriendlyName: "desk"})
	}
	if d.chance(0.15) {
		l.CallerID = fmt.Sprintf("+9190%d55555", signup)
	}
	return l
}

// lineOf is what a delivery of the signup asks for.
func (p *plan) lineOf(d *dice, id string) provision.Line {
	w, asks := p.wishes[id]
	if !asks {
		return provision.Line{}
	}
	switch kind := d.below(10); {
	case kind == 0:
		return provision.Line{}
	case kind <= 3:
		return w.all()
	case kind == 4 && w.contradict:
		return otherwise(w.all())
	}
	return w.base
}

// all is the base and more.
func (w wishes) all() provision.Line {
	return provision.Line{
		PhoneNumbers:    slices.Concat(w.base.PhoneNumbers, w.more.PhoneNumbers),
		WhitelistedIPs:  slices.Concat(w.base.WhitelistedIPs, w.more.WhitelistedIPs),
		DestinationURIs: slices.Concat(w.base.DestinationURIs, w.more.DestinationURIs),
		Credentials:     slices.Concat(w.base.Credentials, w.more.Credentials),
		CallerID:        cmp.Or(w.base.CallerID, w.more.CallerID),
	}
}

// otherwise asks for the same in another way, where there is one; of what there are
// several of for the last.
func otherwise(l provision.Line) provision.Line {
	switch {
	case len(l.Credentials) > 0:
		l.Credentials[len(l.Credentials)-1].FriendlyName = "mobile"
	case l.CallerID != "":
		l.CallerID += "9"
	case len(l.PhoneNumbers) > 0:
		last := &l.PhoneNumbers[len(l.PhoneNumbers)-1]
		if last.Mode == exotel.ModeFlow {
			last.Mode = exotel.ModePSTN
		} else {
			last.Mode = exotel.ModeFlow
		}
	}
	return l
}

// asks tells whether a signup ever asks for that.
func (p *plan) asks(id string, key string) bool {
	w := p.wishes[id]
	_, asks := w.all().Steps()[key]
	return asks
}
