package exotel

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawn is an answer of any make, and what of it is there.
type drawn struct {
	status  int
	fields  map[string]any // of the envelope
	results []map[string]any
}

var statuses = []int{100, 200, 201, 204, 299, 300, 302, 399, 400, 401, 403, 404, 408, 409, 415, 418, 429, 499, 500, 502, 503, 504, 599, 600}

func draw(t *rapid.T) drawn {
	d := drawn{status: rapid.SampledFrom(statuses).Draw(t, "status"), fields: map[string]any{}}
	maybe(t, d.fields, "request_id", "id", "", 7, nil)
	maybe(t, d.fields, "http_code", numbers()...)
	maybe(t, d.fields, "metadata", nil, "x", map[string]any{"next_page_uri": "/x?offset=50"})
	for range rapid.IntRange(0, 2).Draw(t, "results") {
		d.results = append(d.results, drawResult(t))
	}
	switch {
	case len(d.results) == 1 && rapid.Bool().Draw(t, "object"):
		d.fields["response"] = d.results[0]
	case len(d.results) > 0:
		d.fields["response"] = d.results
	default:
		maybe(t, d.fields, "response", nil, "gone", []any{}, 17, map[string]any{})
	}
	return d
}

func drawResult(t *rapid.T) map[string]any {
	result, errorData, data := map[string]any{}, map[string]any{}, map[string]any{}
	maybe(t, result, "code", numbers()...)
	maybe(t, result, "status", "success", "failure", "", true)
	maybe(t, errorData, "code", 0, 1000, 1001, 1002, 1008, "1008", 1010, 1030, "x")
	maybe(t, errorData, "message", "why", nil, 3)
	maybe(t, result, "error_data", errorData, nil, "x")
	maybe(t, data, "trunk_sid", "trmum1a", "", 7, nil)
	maybe(t, data, "trunk_name", "acme_42")
	maybe(t, data, "id", "41523", 41523, "", nil)
	maybe(t, data, "phone_number", "+919876543210", "+911111111111", 7)
	maybe(t, data, "ip", "44.248.146.11", "44.248.146.0/24", 7)
	maybe(t, data, "destination", "sip:44.248.146.11:5061;transport=tls", "x")
	maybe(t, data, "user_name", "voice_ai_user", "x")
	maybe(t, data, "name", "trunk_external_alias", "x")
	maybe(t, result, "data", data, nil, []any{}, "x")
	return result
}

// numbers are statuses, as numbers and as texts, and what is neither.
func numbers() []any {
	all := []any{nil, "x", -1, 0, 1.5}
	for _, status := range statuses {
		all = append(all, status, strconv.Itoa(status))
	}
	return all
}

func maybe(t *rapid.T, object map[string]any, name string, values ...any) {
	if i := rapid.IntRange(-1, len(values)-1).Draw(t, name); i >= 0 {
		object[name] = values[i]
	}
}

func (d drawn) body(t *rapid.T) []byte {
	body, err := json.Marshal(d.fields)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// isOneOf: as a number or as a text of it.
func isOneOf(value any, numbers ...int) bool {
	return slices.ContainsFunc(numbers, func(n int) bool { return value == n || value == strconv.Itoa(n) })
}

// saysDuplicate tells whether a 409 or a 1008 stands anywhere in an answer about
// one trunk.
func (d drawn) saysDuplicate() bool {
	if d.status == http.StatusConflict || isOneOf(d.fields["http_code"], http.StatusConflict) {
		return true
	}
	if len(d.results) != 1 {
		return false
	}
	errorData, _ := d.results[0]["error_data"].(map[string]any)
	return isOneOf(d.results[0]["code"], http.StatusConflict) || isOneOf(errorData["code"], CodeDuplicate)
}

func (d drawn) serverError() bool {
	code, _ := strconv.Atoi(jsonText(d.fields["http_code"]))
	return d.status >= 500 || code >= 500
}

func jsonText(value any) string {
	raw, _ := json.Marshal(value)
	return text(raw)
}

// notMade are the kinds that say for certain that nothing was made.
var notMade = []Kind{ErrInvalid, ErrUnauthorized, ErrForbidden, ErrNotFound, ErrRateLimited, ErrNotSent}

func TestWhatDecodeNeverDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for range 50 { // the answers that matter are rare
			checkDecode(t, draw(t))
		}
	})
}

func checkDecode(t *rapid.T, d drawn) {
	body := d.body(t)
	var trunk Trunk
	_, err := decode(d.status, body, oneTrunk(&trunk))
	if err == nil && trunk.SID == "" {
		t.Fatalf("neither a trunk nor an error: %d %s", d.status, body)
	}
	if err != nil && !slices.Contains(slices.Concat(notMade, []Kind{ErrDuplicate, ErrOutcomeUnknown}), err.Kind) {
		t.Fatalf("an error of no kind: %+v", err)
	}
	_, isEnvelope := parseEnvelope(body)
	if isEnvelope && d.saysDuplicate() && (err == nil || err.Kind != ErrDuplicate) {
		t.Fatalf("a duplicate was taken for %v: %d %s", err, d.status, body)
	}
	if d.serverError() && (err == nil || slices.Contains(notMade, err.Kind)) {
		t.Fatalf("a server error was taken for %v: %d %s", err, d.status, body)
	}
}

// What the client gives is a value or an error, whatever comes and whatever is asked for.
func TestEveryCallGivesAValueOrAnError(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		client, err := New(Config{
			APIKey: "key-0123456789", APIToken: "token-0123456789", AccountSID: "exoteltest", Subdomain: Mumbai,
			HTTPClient: &http.Client{Transport: answering{d.status, nil, string(d.body(t))}},
		})
		if err != nil {
			t.Fatal(err)
		}
		created, createErr := client.Trunks.Create(t.Context(), goodRequest)
		deleted, deleteErr := client.Trunks.Delete(t.Context(), "trmum1a")
		for what, got := range map[string]struct {
			trunk *Trunk
			err   error
		}{"create": {created, createErr}, "delete": {deleted, deleteErr}} {
			var failed *Error
			switch {
			case (got.trunk == nil) == (got.err == nil), got.trunk != nil && got.trunk.SID == "":
				t.Fatalf("%s: %+v and %v", what, got.trunk, got.err)
			case got.err != nil && (!errors.As(got.err, &failed) || !errors.Is(got.err, failed.Kind)):
				t.Fatalf("%s: an error without a kind: %v", what, got.err)
			}
		}
	})
}

func TestRetryAfterIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 10, 15, 30, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64().Draw(t, "seconds")
		want := time.Duration(min(max(seconds, 0), 3600)) * time.Second
		if got := parseRetryAfter(strconv.FormatInt(seconds, 10), now); got != want && (got != 0 || seconds < 1<<31) {
			t.Fatalf("%d: %v, want %v", seconds, got, want)
		}
		date := now.Add(time.Duration(rapid.Int64Range(-1e6, 1e6).Draw(t, "later")) * time.Second)
		want = min(max(date.Sub(now), 0), time.Hour)
		if got := parseRetryAfter(date.Format(http.TimeFormat), now); got != want {
			t.Fatalf("%v: %v, want %v", date, got, want)
		}
	})
}

// A walk over pages ends: each next page is further on, or an error.
func TestNextPageAdvances(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		asked := PageOptions{PageSize: rapid.IntRange(0, 50).Draw(t, "size"), Offset: rapid.IntRange(0, 1000).Draw(t, "offset")}
		query := map[string]string{}
		for _, name := range []string{"offset", "page_size"} {
			if value := rapid.SampledFrom([]string{"none", "", "0", "-1", "50", "1001", "9223372036854775807", "9223372036854775808", "1e3", " 50", "0x50"}).Draw(t, name); value != "none" {
				query[name] = value
			}
		}
		uri := "/v2/accounts/acme1/trunks?"
		for _, name := range slices.Sorted(maps.Keys(query)) {
			uri += name + "=" + query[name] + "&"
		}
		next, err := asked.next(uri)
		if (next == nil) == (err == nil) || next != nil && (next.Offset <= asked.Offset || next.PageSize < 0) {
			t.Fatalf("%s after %+v: %+v, %v", uri, asked, next, err)
		}
	})
}
