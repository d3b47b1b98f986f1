package exotel

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
)

// PageOptions chooses a page of a list.
type PageOptions struct {
	// PageSize: zero for the server's default, 50. The server has a maximum
	// that is documented nowhere.
	PageSize int
	// Offset: how many to pass over. Lists are newest first, so offsets shift
	// while entries are made.
	Offset int
}

func (o PageOptions) query() url.Values {
	query := url.Values{}
	if o.PageSize > 0 {
		query.Set("page_size", strconv.Itoa(o.PageSize))
	}
	if o.Offset > 0 {
		query.Set("offset", strconv.Itoa(o.Offset))
	}
	return query
}

// next reads the offset and size out of next_page_uri, which is a path on the
// API's host. The path itself is not followed: it would bypass Config.BaseURL.
// One that can't be read, or doesn't advance, is an error: taken for the end it
// would say of all entries behind it that they don't exist.
func (o PageOptions) next(uri string) (*PageOptions, error) {
	if uri == "" {
		return nil, nil
	}
	parsed, err := url.Parse(uri)
	if err != nil {
		return nil, errors.New("the next page's address is unreadable")
	}
	offset, err := strconv.Atoi(parsed.Query().Get("offset"))
	if err != nil || offset <= max(o.Offset, 0) {
		return nil, errors.New("the next page's address doesn't advance")
	}
	o.Offset = offset
	if size, err := strconv.Atoi(parsed.Query().Get("page_size")); err == nil && size > 0 {
		o.PageSize = size
	}
	return &o, nil
}

// only is a filter in a query, or none where it is empty.
func only(name, value string) url.Values {
	if value == "" {
		return nil
	}
	return url.Values{name: {value}}
}

// page is what every list gives.
type page[T entry] struct {
	entries    []T
	unreadable int
	next       *PageOptions
	total      int
}

// list gets one page. The request has the filters, the options say which page.
func list[T entry](ctx context.Context, client *Client, req request, options PageOptions) (got page[T], err error) {
	req.method = http.MethodGet
	query := options.query()
	maps.Copy(query, req.query)
	req.query = query
	req.read = func(ans answer) (err error) {
		got = readPage[T](ans.results)
		got.total = ans.total
		got.next, err = options.next(ans.nextPage)
		return err
	}
	return got, client.do(ctx, req)
}

// readPage keeps what can be read and counts the rest. A page of the vendor's of
// 2025 shows a list as the data of one result (README at 84b2dcc, withdrawn).
func readPage[T entry](results []result) (got page[T]) {
	if len(results) == 1 && isList(results[0].data) && !results[0].failed() {
		results = results[0].split()
	}
	for _, r := range results {
		var e T
		if r.failed() || !r.into(&e) || e.key() == "" {
			got.unreadable++
			continue
		}
		got.entries = append(got.entries, e)
	}
	return got
}

// split makes a result of each element of the data.
func (r result) split() (results []result) {
	var elements []json.RawMessage
	if json.Unmarshal(r.data, &elements) != nil {
		return []result{r}
	}
	for _, data := range elements {
		results = append(results, result{code: r.code, status: r.status, data: data})
	}
	return results
}

// all walks over every page. An entry that a shift of the pages shows twice is
// given once. Whoever must know that something is not there needs to know that
// all was readable, hence the error at the end where it was not.
func all[T entry](ctx context.Context, client *Client, req request, options PageOptions) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		seen, unreadable := make(map[string]bool), 0
		for next := &options; next != nil; {
			page, err := list[T](ctx, client, req, *next)
			if err != nil {
				yield(none, err)
				return
			}
			for _, e := range page.entries {
				if !seen[e.key()] && !yield(e, nil) {
					return
				}
				seen[e.key()] = true
			}
			unreadable += page.unreadable
			next = page.next
		}
		if unreadable > 0 {
			yield(none, &Error{Op: req.op, Kind: ErrOutcomeUnknown, Message: strconv.Itoa(unreadable) + " in the list can't be read"})
		}
	}
}
