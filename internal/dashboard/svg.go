package dashboard

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// svg is a picture that is being written.
type svg struct{ strings.Builder }

// box is a part of the picture, in its pixels.
type box struct{ x, y, w, h float64 }

func (s *svg) writef(format string, arguments ...any) {
	fmt.Fprintf(&s.Builder, format+"\n", arguments...)
}

// The classes of texts, which the picture's style sheet knows.
const (
	plain  = "t"
	title  = "t b"
	small  = "s"
	strong = "h"
)

func (s *svg) text(x, y float64, class, anchor, text string) {
	if anchor != "" {
		anchor = ` text-anchor="` + anchor + `"`
	}
	s.writef(`<text x="%s" y="%s" class="%s"%s>%s</text>`, px(x), px(y), class, anchor, escape(text))
}

func (s *svg) line(x1, y1, x2, y2 float64, style string) {
	s.writef(`<path d="M%s %sL%s %s" %s/>`, px(x1), px(y1), px(x2), px(y2), style)
}

func (s *svg) rect(b box, style string) {
	s.writef(`<rect x="%s" y="%s" width="%s" height="%s" %s/>`, px(b.x), px(b.y), px(b.w), px(b.h), style)
}

// px is a length with a tenth of a pixel.
func px(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

func escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return ""
	}
	return b.String()
}

// width estimates how wide a text is in a sans-serif font of that size.
func width(text string, size float64) float64 {
	units := 0.0
	for _, r := range text {
		switch {
		case strings.ContainsRune("ijl.,:;'|!() I", r):
			units += 0.34
		case strings.ContainsRune("mwMW%@_", r):
			units += 0.85
		case r >= 'A' && r <= 'Z':
			units += 0.68
		default:
			units += 0.57
		}
	}
	return units * size
}
