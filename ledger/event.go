package ledger

import "github.com/trunkhook/trunkhook/provision"

// events are what others are told of a signup that has ended (docs/events.md), by the
// state that it ended in. The pipe of template.yaml sends them out of the table's
// stream. It can't make a name out of a state, so the write stores the name.
var events = map[provision.Status]string{
	provision.StatusActive:     "TrunkActivated",
	provision.StatusIncomplete: "TrunkIncomplete",
	provision.StatusRejected:   "SignupRejected",
	provision.StatusDeleted:    "TrunkDeleted",
}

// ends sets the state that a signup ends in, and the event of it. The reason is the
// expression of a string: the pipe needs one, if an empty one.
func (c *change) ends(status provision.Status, reason string) {
	c.set += `, #status = :ended, #event = :event, #event_reason = ` + reason
	c.values[":ended"], c.values[":event"] = text(string(status)), text(events[status])
}
