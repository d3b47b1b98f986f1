package sources

// ReadKept takes the events out of what is kept of one that could not be used
// (Event.Raw): the event itself, or a list of those that were beyond the most of a
// delivery. The error is a BodyError, such as where it was cut off.
func (s *Source) ReadKept(raw []byte) ([]Event, error) {
	value, err := parseJSON(raw)
	if err != nil {
		return nil, err
	}
	elements, ok := value.([]any)
	if !ok {
		elements = []any{value}
	}
	events := make([]Event, len(elements))
	for i, element := range elements {
		events[i] = s.read(element)
	}
	return events, nil
}
