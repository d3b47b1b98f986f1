package exoteltest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// kept is what lists show, with the moment in which it was made.
type kept interface{ made() time.Time }

func (t times) made() time.Time { return t.created }

// listed are those of the entries that a list shows, oldest first, in a slice of
// their own.
func listed[T kept](s *Server, op Op, entries []T) []T {
	n := len(entries)
	for n > 0 && time.Since(entries[n-1].made()) < s.lags[op] {
		n--
	}
	return slices.Clone(entries[:n])
}

// maxPageSize stands for the server's maximum, whose value nobody documents.
const maxPageSize = 50

// page answers with one page of the entries, which are oldest first, newest first.
func page[T any](q query, entries []T, describe func(T) object) reply {
	values, total := q.URL.Query(), len(entries)
	size := bounded(values.Get("page_size"), maxPageSize, maxPageSize)
	offset := min(bounded(values.Get("offset"), 0, total), total)
	results := make([]object, 0, size)
	for _, e := range slices.Backward(entries[max(0, total-offset-size) : total-offset]) {
		results = append(results, result(http.StatusOK, nil, describe(e)))
	}
	answer := reply{http.StatusOK, wrap(q.Request, http.StatusOK, results)}
	if len(results) > 0 { // an empty list has no metadata (recorded, credentials)
		answer.envelope["metadata"] = metadata(q, offset, size, total)
	}
	return answer
}

func metadata(q query, offset, size, total int) object {
	uri := func(offset int) any {
		if offset < 0 || offset >= total {
			return nil
		}
		values := url.Values{"offset": {strconv.Itoa(offset)}, "page_size": {strconv.Itoa(size)}}
		return fmt.Sprintf("%s?%s", q.URL.Path, values.Encode())
	}
	data := object{"page_size": size, "first_page_uri": uri(0), "prev_page_uri": uri(offset - size), "next_page_uri": uri(offset + size)}
	if q.op == ListCredentials { // documented of them alone
		data["total"], data["page"] = total, offset/size+1
	}
	return data
}

// bounded reads a query value: the default where it is absent, unreadable or not
// positive, the limit where it is over it.
func bounded(text string, otherwise, limit int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return otherwise
	}
	return min(n, limit)
}
