package sources

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

const (
	maxXMLDepth    = 16
	maxXMLElements = 20_000
)

// element is one of an XML document.
type element struct {
	name     xml.Name
	attrs    []xml.Attr
	text     []byte // of its own, without its children's
	children []*element
}

// xmlReader builds a document's elements.
type xmlReader struct {
	open   []*element // from a nameless one, which holds the root, to the innermost
	count  int
	secret string // the local name of elements whose text is dropped as it is read
}

// parseXML reads a document that has no DTD, and so no entities but XML's own
// five. It returns the root.
func parseXML(body []byte, secret string) (*element, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	document := &element{}
	r := xmlReader{open: []*element{document}, secret: secret}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, BodyError{"The XML is broken."}
		}
		if err := r.take(token); err != nil {
			return nil, err
		}
	}
	if len(document.children) != 1 {
		return nil, BodyError{"The XML must have one root element."}
	}
	return document.children[0], nil
}

// take adds one token.
func (r *xmlReader) take(token xml.Token) error {
	innermost := r.open[len(r.open)-1]
	switch t := token.(type) {
	case xml.StartElement:
		r.count++
		switch {
		case len(r.open) > maxXMLDepth:
			return BodyError{"The XML nests deeper than 16."}
		case r.count > maxXMLElements:
			return BodyError{"The XML has more than 20000 elements."}
		}
		child := &element{name: t.Name, attrs: t.Attr}
		innermost.children = append(innermost.children, child)
		r.open = append(r.open, child)
	case xml.EndElement:
		r.open = r.open[:len(r.open)-1]
	case xml.CharData:
		if innermost.name.Local != r.secret {
			innermost.text = append(innermost.text, t...)
		}
	case xml.Directive: // <!DOCTYPE and what else starts so
		return BodyError{"The XML must not have a DTD."}
	}
	return nil
}

// attr is the value of an attribute; empty where there is none.
func (e *element) attr(space, local string) string {
	for _, attr := range e.attrs {
		if attr.Name.Space == space && attr.Name.Local == local {
			return attr.Value
		}
	}
	return ""
}

// all are the children of a name.
func (e *element) all(space, local string) []*element {
	var found []*element
	for _, child := range e.children {
		if child.name.Space == space && child.name.Local == local {
			found = append(found, child)
		}
	}
	return found
}

// one is the only child of a name, which has to be there.
func (e *element) one(space, local string) (*element, error) {
	if found := e.all(space, local); len(found) == 1 {
		return found[0], nil
	}
	return nil, BodyError{"The XML must have one " + local + " in its " + e.name.Local + "."}
}

// value is an element as expressions see one: its text, trimmed; an object where
// it has children; nil where it is marked so.
func (e *element) value() (any, error) {
	if nilled := e.attr(instanceNS, "nil"); nilled == "true" || nilled == "1" {
		return nil, nil
	}
	if len(e.children) == 0 {
		return strings.TrimSpace(string(e.text)), nil
	}
	return e.object(make(map[string]any, len(e.children)+1))
}

// object adds the children to an object by their local names.
func (e *element) object(object map[string]any) (map[string]any, error) {
	for _, child := range e.children {
		name := child.name.Local
		if _, twice := object[name]; twice {
			return nil, BodyError{"An element stands twice in one place of the XML."}
		}
		value, err := child.value()
		if err != nil {
			return nil, err
		}
		object[name] = value
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
	for _, child := range e.children {
		if text := strings.TrimSpace(string(child.text)); text != "" {
			list, _ := found[child.name.Local].([]any)
			found[child.name.Local] = append(list, text)
		}
		child.collect(found)
	}
}
