package ledger

import (
	"strings"

	"github.com/trunkhook/trunkhook/provision"
)

// events are what others are told of a signup that has ended (docs/events.md), by the
// state that it ended in. The pipe of template.yaml sends them out of the table's
// stream. It can't make a name out of a state, so the write stores the name.
var events = map[provision.Status]string{
	provision.StatusActive:     "TrunkActivated",
	provision.StatusIncomplete: "TrunkIncomplete",
	provision.StatusRejected:   "SignupRejected",
	provision.StatusDeleted:    "TrunkDeleted",
}

// ends sets the state that a signup ends in, and what its event needs that the item
// doesn't have: the name; the reason as one attribute that is always there (it is the
// expression of a string); and what stands behind the last colon of the signup id,
// which is a CRM's own id of its record: neither the pipe nor a rule can take an id apart.
// A dry signup gets no name, so that nobody is told of it, however it ends.
func (c *change) ends(signupID string, status provision.Status, reason string) {
	c.set += `, #status = :ended, #event_source_id = :source_id, #event_reason = ` + reason
	c.values[":ended"], c.values[":source_id"] = text(string(status)), text(signupID[strings.LastIndexByte(signupID, ':')+1:])
	if !provision.Dry(signupID) {
		c.set += `, #event = :event`
		c.values[":event"] = text(events[status])
	}
}
