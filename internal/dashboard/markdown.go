package dashboard

import (
	"regexp"
	"strings"
)

// markup is **bold**, or a [link](to somewhere).
var markup = regexp.MustCompile(`\*\*([^*]+)\*\*|\[([^\]]+)\]\([^)]+\)`)

// markdown draws the little of it that our text widgets use: headings, paragraphs,
// bold words and links.
func (s *svg) markdown(text string, area box) {
	y := area.y + 8
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		level := len(line) - len(strings.TrimLeft(line, "#"))
		switch {
		case level == 1:
			y += 20
			s.text(area.x+12, y, strong, "", strings.TrimSpace(line[level:]))
		case level > 1:
			y += 16
			s.text(area.x+12, y, title, "", strings.TrimSpace(line[level:]))
		default:
			y = s.paragraph(line, area.x+12, y+4, area.w-24)
		}
	}
}

// paragraph draws a text in lines that fit, and returns where it ends.
func (s *svg) paragraph(text string, left, y, wide float64) float64 {
	const size, leading = 13.0, 18.5
	var line strings.Builder
	long := 0.0
	flush := func() {
		y += leading
		s.writef(`<text x="%s" y="%s" class="t">%s</text>`, px(left), px(y), line.String())
		line.Reset()
		long = 0
	}
	for _, w := range words(text) {
		own := width(w.text+" ", size)
		if long > 0 && long+own > wide {
			flush()
		}
		if long > 0 {
			line.WriteString(" ")
		}
		line.WriteString(w.span())
		long += own
	}
	flush()
	return y
}

type word struct {
	text, class string
	after       string // a punctuation mark behind the markup
}

func (w word) span() string {
	if w.class == "" {
		return escape(w.text)
	}
	return `<tspan class="` + w.class + `">` + escape(w.text) + "</tspan>" + escape(w.after)
}

// words of a text, each with the class of the markup around it.
func words(text string) (list []word) {
	end := 0
	add := func(part, class string) {
		for _, field := range strings.Fields(part) {
			list = append(list, word{text: field, class: class})
		}
	}
	for _, at := range markup.FindAllStringSubmatchIndex(text, -1) {
		add(text[end:at[0]], "")
		if at[2] >= 0 {
			add(text[at[2]:at[3]], "b")
		} else {
			add(text[at[4]:at[5]], "l")
		}
		end = at[1]
		if end < len(text) && strings.ContainsRune(".,:;)", rune(text[end])) {
			list[len(list)-1].after = text[end : end+1]
			end++
		}
	}
	add(text[end:], "")
	return list
}
