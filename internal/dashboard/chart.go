package dashboard

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// palette is for lines without a colour of their own.
var palette = []string{"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"}

// drawn is a series as it is drawn.
type drawn struct {
	series
	color string
	right bool
	base  []float64 // what it is stacked on
}

// chart is the graph of a widget, with its place.
type chart struct {
	plot        box
	lines       []drawn
	left, right scale
	widget      Widget
}

// scale is an axis: from 0 to top, with a tick at each step.
type scale struct {
	top, step float64
	used      bool
}

func (s *svg) metric(w Widget, area box, source Source) error {
	queries, options, err := w.queries()
	if err != nil {
		return err
	}
	found, err := evaluate(queries, source)
	if err != nil {
		return err
	}
	c := chart{widget: w}
	for i, one := range found {
		o := options[one.of]
		c.lines = append(c.lines, drawn{series: one, color: cmp.Or(o.Color, palette[i%len(palette)]), right: o.YAxis == "right"})
	}
	if w.Properties.Stacked {
		c.stack()
	}
	if err := c.measure(); err != nil {
		return err
	}
	legend := c.legend(area.w - 24)
	c.plot = box{area.x + 50, area.y + 53, area.w - 76, area.h - 53 - 30 - 17*float64(len(legend))}
	if c.right.used {
		c.plot.w -= 28
	}
	s.axes(c, area)
	for _, l := range c.lines {
		s.curve(c, l)
	}
	for _, a := range w.Properties.Annotations.Horizontal {
		s.annotation(c, a)
	}
	s.legend(legend, area)
	return nil
}

// stack puts each line on those before it; what is missing is nothing.
func (c *chart) stack() {
	for i := range c.lines {
		l := &c.lines[i]
		l.base = make([]float64, len(l.values))
		sum := make([]float64, len(l.values))
		for j, value := range l.values {
			if i > 0 {
				l.base[j] = c.lines[i-1].values[j]
			}
			if math.IsNaN(value) {
				value = 0
			}
			sum[j] = l.base[j] + value
		}
		l.values = sum
	}
}

// measure finds the scales that all lines and annotations fit into.
func (c *chart) measure() error {
	for side, axis := range c.widget.Properties.YAxis {
		if axis.Min == nil || *axis.Min != 0 {
			return fmt.Errorf("its %s axis doesn't begin at 0, and would be drawn wrong", side)
		}
	}
	grow := func(right bool, value float64) {
		at := &c.left
		if right {
			at = &c.right
		}
		at.used = true
		if !math.IsNaN(value) {
			at.top = max(at.top, value)
		}
	}
	for _, l := range c.lines {
		for _, value := range l.values {
			grow(l.right, value)
		}
	}
	for _, a := range c.widget.Properties.Annotations.Horizontal {
		grow(a.YAxis == "right", a.Value)
	}
	c.left.round()
	c.right.round()
	return nil
}

// round makes the axis end at a tick, a little over the top, with three to six of them.
func (s *scale) round() {
	if s.top == 0 {
		s.top, s.step = 1, 0.5
		return
	}
	s.step = math.Pow(10, math.Floor(math.Log10(s.top))-1)
	for _, factor := range []float64{2, 2.5, 2, 2} { // 1, 2, 5, 10, 20
		if 1.04*s.top/s.step <= 5 {
			break
		}
		s.step *= factor
	}
	s.top = s.step * math.Ceil(1.04*s.top/s.step)
}

func (c chart) y(value float64, right bool) float64 {
	top := c.left.top
	if right {
		top = c.right.top
	}
	return c.plot.y + c.plot.h*(1-value/top)
}

// x is where the i-th of n periods is.
func (c chart) x(i, n int) float64 { return c.plot.x + c.plot.w*(float64(i)+0.5)/float64(n) }

func (s *svg) axes(c chart, area box) {
	y := c.widget.Properties.YAxis
	s.text(area.x+12, area.y+39, small, "", y["left"].Label)
	for value := 0.0; value <= c.left.top*1.001; value += c.left.step {
		at := c.y(value, false)
		s.line(c.plot.x, at, c.plot.x+c.plot.w, at, `class="g"`)
		s.text(c.plot.x-6, at+4, small, "end", tick(value))
	}
	if c.right.used {
		s.text(area.x+area.w-12, area.y+39, small, "end", y["right"].Label)
		for value := 0.0; value <= c.right.top*1.001; value += c.right.step {
			s.text(c.plot.x+c.plot.w+6, c.y(value, true)+4, small, "", tick(value))
		}
	}
	bottom := c.plot.y + c.plot.h
	s.line(c.plot.x, bottom, c.plot.x+c.plot.w, bottom, `class="a"`)
	for minute := 0; minute <= sampleMinutes; minute += 30 {
		x := c.plot.x + c.plot.w*float64(minute)/sampleMinutes
		s.line(x, bottom, x, bottom+4, `class="a"`)
		s.text(x, bottom+17, small, "middle", sampleEnd.Add(time.Duration(minute-sampleMinutes)*time.Minute).Format("15:04"))
	}
}

func tick(value float64) string {
	if thousands := math.Floor(value / 1000); thousands >= 1 {
		return fmt.Sprintf("%.0f,%03.0f", thousands, value-1000*thousands)
	}
	return strconv.FormatFloat(math.Round(value*1e6)/1e6, 'g', -1, 64)
}

// curve draws a line, with gaps where there is no data, or an area.
func (s *svg) curve(c chart, l drawn) {
	n := len(l.values)
	var d strings.Builder
	pen := false
	for i, value := range l.values {
		if math.IsNaN(value) {
			pen = false
			continue
		}
		x, y := c.x(i, n), c.y(value, l.right)
		alone := !pen && (i+1 == n || math.IsNaN(l.values[i+1]))
		switch {
		case alone:
			s.writef(`<circle cx="%s" cy="%s" r="2" fill="%s"/>`, px(x), px(y), l.color)
		case pen:
			fmt.Fprintf(&d, "L%s %s", px(x), px(y))
		default:
			fmt.Fprintf(&d, "M%s %s", px(x), px(y))
		}
		pen = !alone
	}
	if d.Len() == 0 {
		return
	}
	line := d.String()
	if l.base != nil {
		for i := n - 1; i >= 0; i-- {
			fmt.Fprintf(&d, "L%s %s", px(c.x(i, n)), px(c.y(l.base[i], l.right)))
		}
		s.writef(`<path d="%sZ" style="fill:%s;fill-opacity:.55"/>`, d.String(), l.color)
	}
	s.writef(`<path d="%s" class="c" stroke="%s"/>`, line, l.color)
}

func (s *svg) annotation(c chart, a annotation) {
	y := c.y(a.Value, a.YAxis == "right")
	s.line(c.plot.x, y, c.plot.x+c.plot.w, y, fmt.Sprintf(`class="n" stroke="%s"`, cmp.Or(a.Color, palette[3])))
	s.writef(`<text x="%s" y="%s" class="s" style="fill:%s">%s %s</text>`, px(c.plot.x+6), px(y-5), cmp.Or(a.Color, palette[3]), escape(a.Label), tick(a.Value))
}

// entry of a legend, in the row that it stands in.
type entry struct {
	x            float64
	label, color string
}

// legend breaks the labels into rows that fit.
func (c chart) legend(wide float64) (rows [][]entry) {
	const swatch, between = 16.0, 14.0
	x := 0.0
	for i, l := range c.lines {
		long := swatch + width(l.label, 11.5)
		if i == 0 || x+long > wide {
			rows, x = append(rows, nil), 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], entry{x, l.label, l.color})
		x += long + between
	}
	return rows
}

func (s *svg) legend(rows [][]entry, area box) {
	for i, row := range rows {
		y := area.y + area.h - 10 - 17*float64(len(rows)-1-i)
		for _, e := range row {
			s.rect(box{area.x + 12 + e.x, y - 9, 11, 10}, fmt.Sprintf(`rx="2" fill="%s"`, e.color))
			s.text(area.x+12+e.x+16, y, small, "", e.label)
		}
	}
}
