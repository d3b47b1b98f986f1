package sources

import "strings"

// element is one of an XML document.
type element struct {
	space, local string // the name: its namespace, and what is behind the colon
	attrs        []attribute
	text         string   // of its own, without its children's: the first piece,
	more         []byte   // and the others
	first, last  *element // of its children
	next         *element // its sibling
}

// attribute is one that binds no namespace.
type attribute struct{ space, local, value string }

func (e *element) addText(text string) {
	if e.text == "" {
		e.text = text
		return
	}
	e.more = append(e.more, text...)
}

// trimmed is the text without white space around it.
func (e *element) trimmed() string {
	if e.more == nil {
		return strings.TrimSpace(e.text)
	}
	return strings.TrimSpace(e.text + string(e.more))
}

// attr is the value of an attribute; empty where there is none.
func (e *element) attr(space, local string) string {
	for _, attr := range e.attrs {
		if attr.space == space && attr.local == local {
			return attr.value
		}
	}
	return ""
}

// all are the children of a name.
func (e *element) all(space, local string) (found []*element) {
	for child := e.first; child != nil; child = child.next {
		if child.space == space && child.local == local {
			found = append(found, child)
		}
	}
	return found
}

// one is the only child of a name, which has to be there.
func (e *element) one(space, local string) (*element, error) {
	var found *element
	for child := e.first; child != nil; child = child.next {
		if child.space != space || child.local != local {
			continue
		}
		if found != nil {
			return nil, e.notOne(local)
		}
		found = child
	}
	if found == nil {
		return nil, e.notOne(local)
	}
	return found, nil
}

func (e *element) notOne(local string) error {
	return BodyError{"The XML must have one " + local + " in its " + e.local + "."}
}

// value is an element as expressions see one: its text, trimmed; an object where
// it has children; nil where it is marked so.
func (e *element) value() (any, error) {
	if nilled := e.attr(instanceNS, "nil"); nilled == "true" || nilled == "1" {
		return nil, nil
	}
	if e.first == nil {
		return e.trimmed(), nil
	}
	return e.object(make(map[string]any))
}

// object adds the children to an object by their local names.
func (e *element) object(object map[string]any) (map[string]any, error) {
	for child := e.first; child != nil; child = child.next {
		if _, twice := object[child.local]; twice {
			return nil, BodyError{"An element stands twice in one place of the XML."}
		}
		value, err := child.value()
		if err != nil {
			return nil, err
		}
		object[child.local] = value
	}
	return object, nil
}

// texts are all texts below an element by their local names, in their order. It
// loses nothing where names stand twice.
func (e *element) texts() map[string]any {
	found := make(map[string]any)
	e.collect(found)
	return found
}

func (e *element) collect(found map[string]any) {
	for child := e.first; child != nil; child = child.next {
		if text := child.trimmed(); text != "" {
			list, _ := found[child.local].([]any)
			found[child.local] = append(list, text)
		}
		child.collect(found)
	}
}
