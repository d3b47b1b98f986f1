package console

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/trunkhook/trunkhook/provision"
)

// perPage is how many rows a page has.
const perPage = 50

var statuses = []provision.Status{
	provision.StatusPending, provision.StatusActive, provision.StatusIncomplete, provision.StatusRejected, provision.StatusDeleting, provision.StatusDeleted,
	provision.StatusDry,
}

// list is the page of all signups.
type list struct {
	Filter   Filter
	Statuses []provision.Status
	Sources  []string
	Rows     []Row
	Pager    pager
}

func (c *Console) signups(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	l := list{
		Filter:   Filter{Text: query.Get("q"), Status: provision.Status(query.Get("status")), Source: query.Get("source")},
		Statuses: statuses, Sources: c.Signups.Sources(),
	}
	l.Pager = newPager(r.URL)
	l.Rows, l.Pager.Total = c.Signups.Page(l.Filter, l.Pager.offset(), perPage)
	l.Pager.shown = len(l.Rows)
	c.show(w, r, "signups", "Signups", l)
}

// pager is where in a long list a page is.
type pager struct {
	Number int // from 1
	Total  int // rows of all pages
	shown  int
	at     url.URL
}

// maxPages is more than anybody turns.
const maxPages = 1 << 20

func newPager(at *url.URL) pager {
	number, err := strconv.Atoi(at.Query().Get("page"))
	if err != nil || number < 1 || number > maxPages {
		number = 1
	}
	return pager{Number: number, at: *at}
}

func (p pager) offset() int { return (p.Number - 1) * perPage }

// First is the number of the first row.
func (p pager) First() int { return min(p.offset()+1, p.Total) }

// Last is the number of the last one.
func (p pager) Last() int { return min(p.offset()+p.shown, p.Total) }

// Previous and Next are addresses, or empty.
func (p pager) Previous() string {
	if p.Number == 1 {
		return ""
	}
	return p.to(p.Number - 1)
}

// Next is the address of the next page, or empty.
func (p pager) Next() string {
	if p.offset()+perPage >= p.Total {
		return ""
	}
	return p.to(p.Number + 1)
}

func (p pager) to(number int) string {
	query := p.at.Query()
	query.Set("page", strconv.Itoa(number))
	return p.at.Path + "?" + query.Encode()
}
