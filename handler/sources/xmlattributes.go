package sources

import (
	"slices"
	"strings"
)

// maxXMLAttributes is how many one element may have.
const maxXMLAttributes = 32

// xmlNS is what the prefix xml means everywhere (Namespaces in XML 1.0, 3).
const xmlNS = "http://www.w3.org/XML/1998/namespace"

// rawAttribute is one as it is written, its value without references.
type rawAttribute struct{ prefix, local, value string }

// binding says which namespace a prefix stands for.
type binding struct{ prefix, space string }

// declaration reads <?xml version="1.0" encoding="UTF-8"?>, if it is there.
func (p *xmlParser) declaration() error {
	const start = "<?xml"
	if !strings.HasPrefix(p.text, start) {
		return nil
	}
	p.at += len(start)
	if err := p.attributes(); err != nil || !p.skip("?>") {
		return errXML
	}
	for i, attr := range p.attrs {
		ok := attr.prefix == ""
		switch attr.local {
		case "version":
			ok = ok && i == 0 && attr.value == "1.0"
		case "encoding":
			ok = ok && i == 1 && strings.EqualFold(attr.value, "utf-8")
		case "standalone":
			ok = ok && i > 0 && (attr.value == "yes" || attr.value == "no")
		default:
			ok = false
		}
		if !ok {
			return errXML
		}
	}
	if len(p.attrs) == 0 {
		return errXML
	}
	return nil
}

// attributes reads those of a tag, and the white space around them, into p.attrs.
func (p *xmlParser) attributes() error {
	p.attrs = p.attrs[:0]
	for p.space() && p.at < len(p.text) && isNameByte(p.text[p.at]) {
		prefix, local, ok := p.name()
		if !ok {
			return errXML
		}
		value, ok := p.attributeValue()
		same := func(a rawAttribute) bool { return a.prefix == prefix && a.local == local }
		switch {
		case !ok, slices.ContainsFunc(p.attrs, same):
			return errXML
		case len(p.attrs) == maxXMLAttributes:
			return BodyError{"An element of the XML has more than 32 attributes."}
		}
		p.attrs = append(p.attrs, rawAttribute{prefix, local, value})
	}
	return nil
}

// attributeValue reads = and what stands in quotes.
func (p *xmlParser) attributeValue() (string, bool) {
	p.space()
	if !p.skip("=") {
		return "", false
	}
	p.space()
	quote := `"`
	if strings.HasPrefix(p.text[p.at:], "'") {
		quote = "'"
	}
	if !strings.HasPrefix(p.text[p.at:], quote) {
		return "", false
	}
	raw, ok := p.until(quote, quote)
	if !ok || strings.Contains(raw, "<") {
		return "", false
	}
	return unescaped(raw)
}

// bind takes the namespaces that p.attrs bind.
func (p *xmlParser) bind() error {
	for _, attr := range p.attrs {
		prefix := attr.local
		switch {
		case attr.prefix == "" && attr.local == "xmlns":
			prefix = ""
		case attr.prefix != "xmlns":
			continue
		case attr.value == "" || prefix == "xml" || prefix == "xmlns":
			return errXML
		}
		p.bound = append(p.bound, binding{prefix, attr.value})
	}
	return nil
}

// resolve is the namespace of a prefix; an empty one may have none.
func (p *xmlParser) resolve(prefix string) (string, bool) {
	for _, b := range slices.Backward(p.bound) {
		if b.prefix == prefix {
			return b.space, true
		}
	}
	return "", prefix == ""
}

// setAttributes gives an element those of p.attrs that bind no namespace. One
// without a prefix is in none.
func (p *xmlParser) setAttributes(e *element) error {
	for _, attr := range p.attrs {
		if attr.prefix == "xmlns" || attr.prefix == "" && attr.local == "xmlns" {
			continue
		}
		var space string
		if attr.prefix != "" {
			var ok bool
			space, ok = p.resolve(attr.prefix)
			same := func(a attribute) bool { return a.space == space && a.local == attr.local }
			if !ok || slices.ContainsFunc(e.attrs, same) {
				return errXML
			}
		}
		e.attrs = append(e.attrs, attribute{space, attr.local, attr.value})
	}
	return nil
}
