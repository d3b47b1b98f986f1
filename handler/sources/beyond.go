package sources

import (
	"encoding/json"
	"fmt"

	"github.com/trunkhook/trunkhook/provision"
)

// maxList is how large a list of events becomes that is kept in one piece, in
// bytes. A dead letter keeps 64 KiB whole.
const maxList = 60 << 10

// beyond stands for the elements of a body that are more than one delivery may
// hold. They aren't read, but lost neither: a few lists hold them all, however many
// they are, so that keeping them takes no longer than the sender waits.
func (s *Source) beyond(elements []any) (events []Event) {
	for first := s.maxEvents + 1; len(elements) > 0; {
		list, n := s.list(elements)
		invalid := &provision.InvalidError{}
		invalid.Add("events", fmt.Sprintf("%d to %d are beyond the %d that one delivery may hold", first, first+n-1, s.maxEvents))
		events = append(events, Event{Signup: provision.Signup{Source: s.Name}, Fault: invalid, Raw: list, source: s})
		elements, first = elements[n:], first+n
	}
	return events
}

// list is JSON of as many elements as are kept in one piece, which is one at least.
func (s *Source) list(elements []any) (list json.RawMessage, n int) {
	list = append(list, '[')
	for _, element := range elements {
		raw := s.raw(element)
		if n > 0 && len(list)+len(raw) > maxList {
			break
		}
		if n > 0 {
			list = append(list, ',')
		}
		list, n = append(list, raw...), n+1
	}
	return append(list, ']'), n
}
