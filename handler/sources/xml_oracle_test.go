package sources

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// oracle reads a document with encoding/xml, into our elements.
func oracle(body []byte, secret string) (*element, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	document := &element{}
	open := []*element{document}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return document.first, nil
		}
		if err != nil {
			return nil, err
		}
		innermost := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			child := &element{space: t.Name.Space, local: t.Name.Local}
			for _, attr := range t.Attr {
				if attr.Name.Space != "xmlns" && attr.Name != (xml.Name{Local: "xmlns"}) {
					child.attrs = append(child.attrs, attribute{attr.Name.Space, attr.Name.Local, attr.Value})
				}
			}
			if innermost.first == nil {
				innermost.first = child
			} else {
				innermost.last.next = child
			}
			innermost.last = child
			open = append(open, child)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if innermost.local != secret {
				innermost.addText(string(t))
			}
		}
	}
}

// dump is all that an element holds.
func dump(e *element) string {
	if e == nil {
		return ""
	}
	text := fmt.Sprintf("{%q %q %q %q", e.space, e.local, e.attrs, e.text+string(e.more))
	for child := e.first; child != nil; child = child.next {
		text += dump(child)
	}
	return text + "}"
}

// agree: what we take is what encoding/xml takes for the same.
func agree(t rapid.TB, body []byte) {
	t.Helper()
	ours, err := parseXML(body, "SessionId")
	if err != nil {
		var refused BodyError
		if !errors.As(err, &refused) || ours != nil {
			t.Fatalf("%v, %v", ours, err)
		}
		return
	}
	theirs, err := oracle(body, "SessionId")
	if err != nil || dump(ours) != dump(theirs) {
		t.Fatalf("%q:\nours   %s\ntheirs %s, %v", body, dump(ours), dump(theirs), err)
	}
}

func xmlSamples(t testing.TB) (bodies [][]byte) {
	t.Helper()
	files, err := filepath.Glob("testdata/samples/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, body)
	}
	return bodies
}

// taken and refused are documents, most of them short.
var (
	takenXML = []string{
		`<a/>`, `<a></a >`, "\ufeff<a/>", "<?xml version='1.0'?><a/>", "<?xml  version = \"1.0\"\tencoding=\"utf-8\" standalone='yes' ?>\n<a/>\n",
		`<a b="1" c='"'>x</a>`, `<a>1 &lt;&gt;&amp;&apos;&quot; &#65;&#x42;&#x1F600;&#0065;</a>`, "<a>x\r\ny\rz\n&#13;</a>", `<a><!-- c -->x<!---->y<![CDATA[<z>&amp;]]]]><![CDATA[>]]></a>`,
		`<!-- a --><a/><!-- b -->`, `<a xmlns="n"><b xmlns=""><c/></b><d/></a>`, `<p:a xmlns:p="n"><p:b xmlns:p="m"/><p:c/></p:a>`,
		`<a xml:lang="en"/>`, `<a xmlns:p="n" b="1" p:b="2"/>`, `<p:a p:b="1" xmlns:p="n"/>`, `<a><b>1</b>x<b/>y</a>`, `<a-b.c_1/>`, `<a><SessionId>secret<b>no</b></SessionId></a>`,
		"<a>é\u2028😀</a>", `<a b="&#10;&lt;>"/>`, `<a b=""/>`,
	}
	refusedXML = []string{
		``, ` `, `x`, `<a/>x`, `x<a/>`, `<a/><b/>`, `<a>`, `<a></b>`, `</a>`, `<a/></a>`, `<a><b></a></b>`, `<a`, `<a b`, `<a b=`, `<a b="`, `<a b=1/>`, `<a b="1"c="2"/>`, `<a b="1" b="2"/>`,
		`<a xmlns:p="n" xmlns:q="n" p:b="" q:b=""/>`, `<a xmlns:p="n" xmlns:p="m"/>`, `<a xmlns="n" xmlns="m"/>`, `<p:a/>`, `<a p:b="1"/>`, `<a xmlns:p=""/>`, `<a xmlns:xml="n"/>`, `<a xmlns:xmlns="n"/>`,
		`<xmlns:a/>`, `<a><p:b xmlns:p="n"/><p:c/></a>`, `<a:b:c xmlns:a="n"/>`, `<:a/>`, `<a:/>`, `<1a/>`, `<-a/>`, `< a/>`, `<é/>`, `<a b="<"/>`, `<a>&b;</a>`, `<a>&</a>`, `<a>&amp</a>`, `<a>&#;</a>`, `<a>&#x;</a>`,
		`<a>&#0;</a>`, `<a>&#xD800;</a>`, `<a>&#xFFFE;</a>`, `<a>&#x110000;</a>`, `<a>&#99999999999999999999;</a>`, `<a>&#X41;</a>`, `<a>&#+65;</a>`, `<a>&#6_5;</a>`, "<a>\x00</a>", "<a>\x1b</a>", "<a>\ufffe</a>", "<a>\uffff</a>",
		"<a>\xff</a>", `<a>]]></a>`, `<a><!-- -- --></a>`, `<a><!-- ---></a>`, `<a><!--></a>`, `<a><![CDATA[</a>`, `<![CDATA[ ]]><a/>`, `<a/><![CDATA[x]]>`, `<a><?b?></a>`, `<?b?><a/>`, ` <?xml version="1.0"?><a/>`,
		`<?xml?><a/>`, `<?xml version="1.1"?><a/>`, `<?xml encoding="utf-8"?><a/>`, `<?xml version="1.0" encoding="latin1"?><a/>`, `<?xml version="1.0" b="1"?><a/>`, `<?xml version="1.0" standalone="x"?><a/>`,
		`<?xml version="1.0"><a/>`, `<?xmlversion="1.0"?><a/>`, `<?xml p:version="1.0"?><a/>`, `<?xml standalone="yes" version="1.0"?><a/>`, `<!DOCTYPE a><a/>`, `<a><!DOCTYPE b></a>`, `<a><!ENTITY b "c"></a>`, `<![IGNORE[]]><a/>`,
		`<a` + strings.Repeat(` b="1"`, 40) + `/>`, `<a xmlns` + strings.Repeat(`:b`, 3) + `="1"/>`,
	}
)

func TestXMLThatIsTaken(t *testing.T) {
	t.Parallel()
	for _, body := range takenXML {
		if _, err := parseXML([]byte(body), ""); err != nil {
			t.Errorf("%q: %v", body, err)
		}
		agree(t, []byte(body))
	}
	for _, body := range xmlSamples(t) {
		agree(t, body)
	}
}

func TestXMLThatIsRefused(t *testing.T) {
	t.Parallel()
	for _, body := range refusedXML {
		if root, err := parseXML([]byte(body), ""); err == nil {
			t.Errorf("%q is taken for %s", body, dump(root))
		}
	}
}

// What could cost more than its size: pieces of text, attributes, bindings.
func TestXMLIsReadInProportionToItsSize(t *testing.T) { //nolint:paralleltest // it measures memory
	const size = 256 << 10
	repeat := func(text string) string { return strings.Repeat(text, size/len(text)) }
	for what, body := range map[string]string{
		"pieces of text":      "<a>" + repeat("x<!---->") + "</a>",
		"text and children":   "<a>" + strings.Repeat("x<b/>", 19_000) + "</a>",
		"attributes":          "<a " + repeat(`b="" `) + "/>",
		"references":          "<a>" + repeat("&lt;") + "</a>",
		"references, not one": "<a>" + repeat("&") + "</a>",
		"openings":            repeat("<a "),
		"comments":            "<a>" + repeat("<!--"),
		"CDATA":               "<a>" + repeat("<![CDATA[") + "</a>",
		"bindings":            `<a` + manyBindings(31) + `>` + strings.Repeat(`<p0:b/>`, 19_000) + "</a>",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, _ = parseXML([]byte(body), "")
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		t.Logf("%s: %d kB, %v", what, (after.TotalAlloc-before.TotalAlloc)>>10, took)
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 16<<20 || took > 10*time.Second {
			t.Errorf("%s: %d MB, %v", what, allocated>>20, took)
		}
	}
}

func manyBindings(n int) (text string) {
	for i := range n {
		text += fmt.Sprintf(` xmlns:p%d="n%d"`, i, i)
	}
	return text
}

// Whatever documents are put together of the parts of XML, right or nearly so.
func TestXMLIsReadAsByEncodingXML(t *testing.T) {
	t.Parallel()
	parts := rapid.SampledFrom([]string{
		"<a>", "</a>", "<b/>", "<p:a>", "</p:a>", `<a xmlns="n">`, `<p:a xmlns:p="n">`, `<a xmlns:p="m" p:b="1">`, `<a b='x&amp;"'>`, "text", " ", "\r\n", "&lt;", "&#233;", "&#xD;", "<!-- c -->",
		"<![CDATA[<&]]>", "é", "]]>", "&", "<", ">", `"`, "<SessionId>", "</SessionId>", "<?xml version='1.0'?>", "\t", "<a ", "/>", "=", "xmlns:xml='n'", "--",
	})
	rapid.Check(t, func(t *rapid.T) {
		var body strings.Builder
		body.WriteString(`<r xmlns:p="r">`)
		for _, part := range rapid.SliceOfN(parts, 0, 12).Draw(t, "parts") {
			body.WriteString(part)
		}
		body.WriteString("</r>")
		agree(t, []byte(body.String()))
	})
}

// FuzzXML: what we take of whatever a sender sends, encoding/xml takes for the same.
func FuzzXML(f *testing.F) {
	for _, body := range xmlSamples(f) {
		f.Add(body)
	}
	for _, body := range takenXML {
		f.Add([]byte(body))
	}
	for _, body := range refusedXML {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) { agree(t, body) })
}
