package sources

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

const (
	maxXMLDepth    = 16
	maxXMLElements = 20_000
)

var errXML = BodyError{"The XML is broken."}

// xmlParser reads XML 1.0 with namespaces, as much of it as SOAP 1.1 allows: neither
// a DTD nor instructions (its section 3), and so no entities but XML's own five. It
// is stricter than encoding/xml, which takes prefixes that mean nothing, attributes
// that stand twice and text outside the root; and several times as fast. It takes no
// names but those of ASCII.
type xmlParser struct {
	text   string
	at     int
	open   []openElement // from a nameless one, which holds the root, to the innermost
	bound  []binding     // of namespaces, the innermost last
	attrs  []rawAttribute
	count  int
	spare  []element // made, and not used yet
	secret string    // the local name of elements whose text is dropped as it is read
}

// openElement has begun and not ended.
type openElement struct {
	*element
	name  string // as it is written
	bound int    // how many namespaces are bound outside of it
}

// parseXML reads a document and returns its root. The error is a BodyError.
func parseXML(body []byte, secret string) (*element, error) {
	text, ok := xmlText(body)
	if !ok {
		return nil, errXML
	}
	document := &element{}
	p := xmlParser{text: text, open: []openElement{{element: document}}, bound: []binding{{"xml", xmlNS}}, secret: secret}
	if err := p.declaration(); err != nil {
		return nil, err
	}
	for p.at < len(p.text) {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	switch {
	case len(p.open) > 1:
		return nil, errXML
	case document.first == nil:
		return nil, errRoot
	}
	return document.first, nil
}

var errRoot = BodyError{"The XML must have one root element."}

// xmlText is a body in UTF-8 that holds only what may stand in XML (2.2 Characters),
// with its ends of lines made one (2.11), and without a byte order mark.
func xmlText(body []byte) (string, bool) {
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	if !utf8.Valid(body) {
		return "", false
	}
	for i, c := range body {
		if c >= ' ' && c != 0xEF {
			continue // as nearly all
		}
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xEF && isNonCharacter(body[i:]) {
			return "", false
		}
	}
	text := string(body)
	if strings.IndexByte(text, '\r') >= 0 {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	return text, true
}

// isNonCharacter tells whether U+FFFE or U+FFFF is at hand.
func isNonCharacter(body []byte) bool { return body[1] == 0xBF && body[2] >= 0xBE }

// next reads one piece of the document.
func (p *xmlParser) next() error {
	switch rest := p.text[p.at:]; {
	case rest[0] != '<':
		return p.characters()
	case strings.HasPrefix(rest, "</"):
		return p.end()
	case strings.HasPrefix(rest, "<!--"):
		return p.comment()
	case strings.HasPrefix(rest, "<![CDATA["):
		return p.cdata()
	case strings.HasPrefix(rest, "<!"):
		return BodyError{"The XML must not have a DTD."}
	case strings.HasPrefix(rest, "<?"):
		return BodyError{"The XML must not have processing instructions."}
	}
	return p.start()
}

func (p *xmlParser) innermost() openElement { return p.open[len(p.open)-1] }

// start reads a tag that opens an element, or is all of it.
func (p *xmlParser) start() error {
	p.at++
	begin := p.at
	prefix, local, ok := p.name()
	if !ok {
		return errXML
	}
	opened := openElement{element: p.element(), name: p.text[begin:p.at], bound: len(p.bound)}
	opened.local = local
	if err := p.attributes(); err != nil {
		return err
	}
	if err := p.bind(); err != nil {
		return err
	}
	if opened.space, ok = p.resolve(prefix); !ok {
		return errXML
	}
	if err := p.setAttributes(opened.element); err != nil {
		return err
	}
	if err := p.add(opened); err != nil {
		return err
	}
	switch {
	case p.skip("/>"):
		p.pop()
	case !p.skip(">"):
		return errXML
	}
	return nil
}

// element makes one, of many at once.
func (p *xmlParser) element() *element {
	if len(p.spare) == 0 {
		p.spare = make([]element, 64)
	}
	one := &p.spare[0]
	p.spare = p.spare[1:]
	return one
}

// add puts an element into the innermost one, and makes it that.
func (p *xmlParser) add(opened openElement) error {
	parent := p.innermost()
	p.count++
	switch {
	case len(p.open) == 1 && parent.first != nil:
		return errRoot
	case len(p.open) > maxXMLDepth:
		return BodyError{"The XML nests deeper than 16."}
	case p.count > maxXMLElements:
		return BodyError{"The XML has more than 20000 elements."}
	case parent.first == nil:
		parent.first = opened.element
	default:
		parent.last.next = opened.element
	}
	parent.last = opened.element
	p.open = append(p.open, opened)
	return nil
}

func (p *xmlParser) pop() {
	p.bound = p.bound[:p.innermost().bound]
	p.open = p.open[:len(p.open)-1]
}

// end reads a tag that closes the innermost element.
func (p *xmlParser) end() error {
	p.at += len("</")
	if len(p.open) == 1 || !p.skip(p.innermost().name) {
		return errXML
	}
	if p.space(); !p.skip(">") {
		return errXML
	}
	p.pop()
	return nil
}

// characters reads text up to the next tag.
func (p *xmlParser) characters() error {
	raw := p.text[p.at:]
	if end := strings.IndexByte(raw, '<'); end >= 0 {
		raw = raw[:end]
	}
	p.at += len(raw)
	text, ok := unescaped(raw)
	if !ok || strings.Contains(raw, "]]>") {
		return errXML
	}
	return p.addText(text)
}

func (p *xmlParser) cdata() error {
	text, ok := p.until("<![CDATA[", "]]>")
	if !ok || len(p.open) == 1 {
		return errXML
	}
	return p.addText(text)
}

func (p *xmlParser) comment() error {
	if text, ok := p.until("<!--", "-->"); !ok || strings.Contains(text, "--") || strings.HasSuffix(text, "-") {
		return errXML
	}
	return nil
}

// until reads what stands between the opening at hand and the closing.
func (p *xmlParser) until(opening, closing string) (string, bool) {
	p.at += len(opening)
	text, _, ok := strings.Cut(p.text[p.at:], closing)
	p.at += len(text) + len(closing)
	return text, ok
}

func (p *xmlParser) addText(text string) error {
	innermost := p.innermost()
	switch {
	case len(p.open) == 1:
		if strings.Trim(text, " \t\n") != "" {
			return errRoot
		}
	case innermost.local != p.secret:
		innermost.addText(text)
	}
	return nil
}

// space skips what is white, and tells whether there was any.
func (p *xmlParser) space() bool {
	start := p.at
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n':
			p.at++
			continue
		}
		break
	}
	return p.at > start
}

// skip reads exactly that, if it is at hand.
func (p *xmlParser) skip(text string) bool {
	if !strings.HasPrefix(p.text[p.at:], text) {
		return false
	}
	p.at += len(text)
	return true
}

// name reads one, of ASCII, in the parts before and behind its colon.
func (p *xmlParser) name() (prefix, local string, ok bool) {
	start := p.at
	for p.at < len(p.text) && isNameByte(p.text[p.at]) {
		p.at++
	}
	name := p.text[start:p.at]
	prefix, local, qualified := strings.Cut(name, ":")
	if !qualified {
		prefix, local = "", name
	}
	return prefix, local, startsName(local) && startsName(prefix) == qualified && !strings.Contains(local, ":")
}

func isNameByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= ':' || c == '_' || c == '-' || c == '.'
}

func startsName(text string) bool {
	return text != "" && (text[0]|0x20 >= 'a' && text[0]|0x20 <= 'z' || text[0] == '_')
}
