package dashboard

import (
	"fmt"
	"strings"
)

const (
	pictureWidth = 1240.0
	margin       = 20.0
	column       = (pictureWidth - 2*margin) / 24 // of CloudWatch's grid
	row          = 42.0
	gap          = 5.0
	header       = 64.0
)

const style = `<style>
text{font-family:"Helvetica Neue",Helvetica,Arial,"DejaVu Sans",sans-serif;fill:#16191f}
.t{font-size:13px}.b{font-weight:bold}.s{font-size:11.5px;fill:#545b64}.h{font-size:19px;font-weight:bold}.l{fill:#0972d3}.m{font-family:Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:11.5px}.w{fill:#fff;font-weight:bold}
path{fill:none}.g{stroke:#e9ebed}.a{stroke:#879596}.c{stroke-width:1.6;stroke-linejoin:round}.n{stroke-width:1.4;stroke-dasharray:6 4}
</style>`

// Draw draws the dashboard as SVG, with the states of the alarms, as CloudWatch
// would show it with the sample's data.
func Draw(d Dashboard, alarms []Alarm, source Source) (string, error) {
	bottom := 0
	for _, w := range d.Widgets {
		bottom = max(bottom, w.Y+w.Height)
	}
	height := header + row*float64(bottom) + margin
	s := &svg{}
	s.writef(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-label="The dashboard %s with sample data">`,
		px(pictureWidth), px(height), px(pictureWidth), px(height), escape(d.Name))
	s.writef("%s", style)
	s.rect(box{0, 0, pictureWidth, height}, `fill="#f2f3f3"`)
	s.heading(d)
	for _, w := range d.Widgets {
		area := box{
			margin + column*float64(w.X) + gap, header + row*float64(w.Y) + gap,
			column*float64(w.Width) - 2*gap, row*float64(w.Height) - 2*gap,
		}
		if err := s.widget(w, area, alarms, source); err != nil {
			return "", fmt.Errorf("the widget %q: %w", w.Properties.Title, err)
		}
	}
	s.writef("</svg>")
	return s.String(), nil
}

func (s *svg) heading(d Dashboard) {
	s.text(margin+gap, 40, strong, "", d.Name)
	x := margin + gap + 1.08*width(d.Name, 19) + 22
	s.rect(box{x, 23, 108, 24}, `rx="4" fill="#8d6605"`)
	s.text(x+54, 39.5, "t w", "middle", "SAMPLE DATA")
	s.text(x+122, 39.5, plain, "", "made up, and drawn from the widgets in template.yaml")
	s.text(pictureWidth-margin-gap, 39.5, plain, "end", "3 hours, UTC")
}

func (s *svg) widget(w Widget, area box, alarms []Alarm, source Source) error {
	s.rect(area, `rx="3" fill="#fff" stroke="#d5dbdb"`)
	if w.Properties.Title != "" {
		s.text(area.x+12, area.y+21, title, "", w.Properties.Title)
	}
	switch w.Type {
	case "metric":
		return s.metric(w, area, source)
	case "alarm":
		return s.alarms(w, area, alarms, source)
	case "text":
		s.markdown(w.Properties.Markdown, area)
		return nil
	case "log":
		return s.log(w, area)
	}
	return fmt.Errorf("nothing draws a widget of type %s", w.Type)
}

// alarms draws a tile for each alarm.
func (s *svg) alarms(w Widget, area box, alarms []Alarm, source Source) error {
	const perRow, tile = 6, 32.0
	states := map[string]string{}
	for _, alarm := range alarms {
		state, err := alarm.State(source)
		if err != nil {
			return err
		}
		states[alarm.Name] = state
	}
	wide := (area.w - 24) / perRow
	for i, name := range w.Properties.Alarms {
		at := box{area.x + 12 + wide*float64(i%perRow), area.y + 34 + (tile+6)*float64(i/perRow), wide - 8, tile}
		colour, fill := "#1d8102", "#f2f8f0"
		switch states[name] {
		case StateAlarm:
			colour, fill = "#d13212", "#fdf3f1"
		case "":
			return fmt.Errorf("the alarm %s is none of the template's", name)
		}
		s.rect(at, fmt.Sprintf(`rx="3" fill="%s" stroke="%s"`, fill, colour))
		s.rect(box{at.x, at.y, 5, at.h}, fmt.Sprintf(`fill="%s"`, colour))
		s.text(at.x+13, at.y+20.5, plain, "", strings.TrimSuffix(name, "Alarm"))
		s.writef(`<text x="%s" y="%s" class="s b" text-anchor="end" style="fill:%s">%s</text>`, px(at.x+at.w-9), px(at.y+20.5), colour, states[name])
	}
	return nil
}

// log draws the sample's lines in the columns that the query asks for.
func (s *svg) log(w Widget, area box) error {
	_, rest, _ := strings.Cut(w.Properties.Query, "| fields ")
	list, _, found := strings.Cut(rest, " |")
	if !found {
		return fmt.Errorf("the query %s asks for no fields", w.Properties.Query)
	}
	y := area.y + 46
	x := area.x + 12
	widths := map[string]float64{"@timestamp": 165, "alarm": 140, "signup_id": 110, "outcome": 95}
	for _, name := range strings.Split(list, ", ") {
		s.text(x, y, "s b", "", name)
		for i, line := range sampleLines {
			s.text(x, y+24*float64(i+1), "m", "", line[name])
		}
		x += widths[name]
	}
	for i := range len(sampleLines) + 1 {
		s.line(area.x+12, y+8+24*float64(i), area.x+area.w-12, y+8+24*float64(i), `class="g"`)
	}
	return nil
}
