package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
)

// atVendor is the page of the fake.
type atVendor struct {
	Trunks  []trunk
	Pager   pager
	Calls   []exoteltest.Call // the newest first
	Total   int               // calls ever
	Refused int
	Chart   chart
	Limit   int // of the vendor, calls a minute
	Budget  int
}

// trunk is one with what it has.
type trunk struct {
	exotel.Trunk
	SignupID                                 string // empty where no signup has it
	Numbers, Addresses, Destinations, Others []string
}

// recentCalls is how many the page shows.
const recentCalls = 50

func (c *Console) vendor(w http.ResponseWriter, r *http.Request) {
	v := atVendor{Budget: c.CallsPerMinute, Limit: exoteltest.VendorLimits.Calls}
	if c.Fake != nil {
		c.fill(&v, r)
	}
	c.show(w, r, "vendor", "Vendor", v)
}

func (c *Console) fill(v *atVendor, r *http.Request) {
	all := c.Fake.Trunks()
	v.Pager = newPager(r.URL)
	v.Pager.Total = len(all)
	shown := all[min(v.Pager.offset(), len(all)):min(v.Pager.offset()+perPage, len(all))]
	v.Pager.shown = len(shown)
	names := map[string]bool{}
	for _, t := range shown {
		names[t.Name] = true
	}
	ids := c.Signups.byTrunk(names)
	for _, t := range shown {
		v.Trunks = append(v.Trunks, c.described(t, ids[t.Name]))
	}
	calls := c.Fake.Calls()
	v.Total, v.Refused, v.Chart = len(calls), c.Fake.Refused(), chartOf(calls, time.Now(), v.Limit, v.Budget)
	v.Calls = calls[max(0, len(calls)-recentCalls):]
	slices.Reverse(v.Calls)
}

func (c *Console) described(t exotel.Trunk, signupID string) trunk {
	line := c.Fake.Line(t.SID)
	d := trunk{Trunk: t, SignupID: signupID}
	for _, p := range line.PhoneNumbers {
		d.Numbers = append(d.Numbers, p.PhoneNumber)
	}
	for _, a := range line.WhitelistedIPs {
		text := a.IP
		if a.Mask != 32 {
			text += "/" + strconv.Itoa(a.Mask)
		}
		d.Addresses = append(d.Addresses, text)
	}
	for _, u := range line.DestinationURIs {
		d.Destinations = append(d.Destinations, strings.TrimPrefix(u.Destination, "sip:"))
	}
	for _, u := range line.Credentials {
		d.Others = append(d.Others, u.UserName)
	}
	for _, s := range line.Settings {
		d.Others = append(d.Others, s.Name+" "+s.Value)
	}
	return d
}

// chart is how many calls came in the minute before each moment of the last ten.
type chart struct {
	Points string // of a polyline in 600 × 100 units
	Budget int    // the line's place, from the top; 0 for none
	Limit  int    // the same
	Now    int    // calls in the last minute
	Peak   int    // the most in any shown
}

const (
	chartSpan   = 10 * time.Minute
	chartStep   = 5 * time.Second
	chartWidth  = 600
	chartHeight = 100
)

func chartOf(calls []exoteltest.Call, now time.Time, limit, budget int) (ch chart) {
	var times []time.Time
	for _, call := range calls[max(0, len(calls)-maxCharted):] {
		times = append(times, call.At)
	}
	slices.SortFunc(times, time.Time.Compare) // they are in the order of the answers
	steps := int(chartSpan / chartStep)
	counts := make([]int, 0, steps+1)
	for i := range steps + 1 {
		at := now.Add(-chartSpan + time.Duration(i)*chartStep)
		until, _ := slices.BinarySearchFunc(times, at, time.Time.Compare)
		since, _ := slices.BinarySearchFunc(times, at.Add(-time.Minute), time.Time.Compare)
		counts = append(counts, until-since)
	}
	ch.Now, ch.Peak = counts[steps], slices.Max(counts)
	top := max(limit, budget, ch.Peak) * 11 / 10
	height := func(count int) int { return chartHeight - count*chartHeight/top }
	points := []string{"0," + strconv.Itoa(chartHeight)}
	for i, count := range counts {
		points = append(points, strconv.Itoa(i*chartWidth/steps)+","+strconv.Itoa(height(count)))
	}
	ch.Points = strings.Join(append(points, strconv.Itoa(chartWidth)+","+strconv.Itoa(chartHeight)), " ")
	ch.Limit = height(limit)
	if budget > 0 {
		ch.Budget = height(budget)
	}
	return ch
}

// did is what the fake did with a call. Code is zero where it did nothing, and in lists.
func did(call exoteltest.Call) string {
	switch {
	case call.Code == http.StatusOK, call.Code == 0 && call.Status == http.StatusOK:
		return "done"
	case call.Code == http.StatusConflict:
		return "refused: it is there already"
	case call.Code == http.StatusUnauthorized:
		return "refused: the credentials"
	case call.Code != 0:
		return "refused, code " + strconv.Itoa(call.Code)
	}
	return "nothing"
}

// maxCharted is more calls than the limit lets through in the time that is shown.
const maxCharted = 5000
