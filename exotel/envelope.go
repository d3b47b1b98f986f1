package exotel

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// answer is what a good call gave: one result, or those of a list.
type answer struct {
	results   []result
	nextPage  string // metadata.next_page_uri of a list
	total     int    // metadata.total of a list; zero where it isn't given
	requestID string
	status    int // the worse of HTTP's and the envelope's
}

// reader takes out of an answer what the caller asked for. It fails where that
// is not there, although Exotel said "success".
type reader func(answer) error

// envelope is what Exotel wraps every answer in. A list has an array of results
// as its response, everything else has one result.
type envelope struct {
	requestID string
	httpCode  int
	nextPage  string
	total     int
	response  json.RawMessage
}

// result is one outcome. Its own code and status are the honest fields: a
// duplicate comes as HTTP 200, http_code 200, code 409, status "failure" (T,
// recorded in the vendor's API reference for numbers and addresses, 2026-01).
type result struct {
	code    int
	status  string
	vendor  int    // error_data.code
	message string // of error_data
	data    json.RawMessage
}

// decode reads what came back. It is the one place that decides what Exotel
// said, in this order: no envelope; "duplicate", wherever it stands, because the
// trunk is then looked for, which can't be wrong; nothing else is believed of an
// answer that is a 5xx outside; the code, inner before outer; the vendor's own word
// "failure"; data that is missing.
func decode(status int, body []byte, read reader) (requestID string, failed *Error) {
	env, ok := parseEnvelope(body)
	if !ok {
		return "", &Error{Kind: kindWithoutEnvelope(status), Message: "the answer is not Exotel's envelope"}
	}
	// Where a result has no code of its own, the worse of the two outer ones counts.
	outer := max(env.httpCode, status)
	failed = env.read(outer, read)
	switch {
	case env.saysDuplicate(status, failed != nil):
		failed = cmp.Or(failed, &Error{Message: "a duplicate outside, a success inside"})
		failed.Kind = ErrDuplicate
	case failed != nil && outer >= http.StatusInternalServerError:
		failed.Kind = ErrOutcomeUnknown
	}
	return env.requestID, failed
}

// read gives the results to the reader, or says why not.
func (env envelope) read(outer int, read reader) *Error {
	ans, refused, err := env.open(outer)
	ans.requestID, ans.status = env.requestID, outer
	switch {
	case refused != nil:
		return refused.error()
	case err == nil && outer < http.StatusInternalServerError:
		err = read(ans)
	case err == nil:
		err = errors.New("a server error outside, a success inside")
	}
	if err != nil {
		return &Error{Kind: ErrOutcomeUnknown, Message: err.Error()}
	}
	return nil
}

// saysDuplicate looks for the word outside and, where the call failed, in the one
// result as well, be it in a list.
func (env envelope) saysDuplicate(status int, failed bool) bool {
	switch {
	case status == http.StatusConflict || env.httpCode == http.StatusConflict:
		return true
	case !failed:
		return false
	}
	one, list := env.response, []json.RawMessage(nil)
	if json.Unmarshal(env.response, &list) == nil && len(list) == 1 {
		one = list[0]
	}
	r, _ := parseResult(one)
	return kindOf(r.code, r.vendor) == ErrDuplicate
}

// open takes the results out of the envelope, or the one that says that the
// call failed.
func (env envelope) open(outer int) (ans answer, refused *result, err error) {
	if isList(env.response) {
		return env.openList(outer)
	}
	one, ok := parseResult(env.response)
	one.code = cmp.Or(one.code, outer)
	switch {
	case one.failed():
		return answer{}, &one, nil
	case !ok:
		return answer{}, nil, errors.New("the answer's response is unreadable")
	}
	return answer{results: []result{one}}, nil, nil
}

// openList leaves it to the reader to judge single results: a list can be good
// in part. Where it failed as a whole, a success in it says that it did not.
func (env envelope) openList(outer int) (ans answer, refused *result, err error) {
	var raw []json.RawMessage
	if json.Unmarshal(env.response, &raw) != nil {
		return answer{}, nil, errors.New("the answer's response is unreadable")
	}
	ans.nextPage, ans.total = env.nextPage, env.total
	whole := result{code: outer}
	for _, element := range raw {
		r, _ := parseResult(element) // an unreadable one has no data, which its reader sees
		r.code = cmp.Or(r.code, outer)
		ans.results = append(ans.results, r)
		switch {
		case !whole.failed():
		case !r.failed() || r.error().Kind == ErrOutcomeUnknown:
			return answer{}, nil, errors.New("a failure outside, something else inside")
		case len(raw) == 1:
			whole.vendor, whole.message = r.vendor, r.message
		}
	}
	if whole.failed() {
		return answer{}, &whole, nil
	}
	return ans, nil, nil
}

// parseEnvelope is lenient with each field: a field that changes its type one
// day must not cost the trunk_sid that stands beside it.
func parseEnvelope(body []byte) (envelope, bool) {
	var fields struct {
		RequestID json.RawMessage `json:"request_id"`
		HTTPCode  json.RawMessage `json:"http_code"`
		Metadata  json.RawMessage `json:"metadata"`
		Response  json.RawMessage `json:"response"`
	}
	if json.Unmarshal(body, &fields) != nil {
		return envelope{}, false
	}
	env := envelope{requestID: text(fields.RequestID), httpCode: number(fields.HTTPCode), response: fields.Response}
	var metadata struct {
		NextPageURI json.RawMessage `json:"next_page_uri"`
		Total       json.RawMessage `json:"total"`
	}
	if isPresent(fields.Metadata) && json.Unmarshal(fields.Metadata, &metadata) == nil {
		env.nextPage, env.total = text(metadata.NextPageURI), max(0, number(metadata.Total))
	}
	return env, env.httpCode != 0 || isPresent(env.response)
}

// parseResult is lenient as parseEnvelope is. It tells whether there was a
// result, or nothing at all, in which case the envelope speaks for it.
func parseResult(raw json.RawMessage) (result, bool) {
	var fields struct {
		Code      json.RawMessage `json:"code"`
		Status    json.RawMessage `json:"status"`
		ErrorData json.RawMessage `json:"error_data"`
		Data      json.RawMessage `json:"data"`
	}
	if isPresent(raw) && json.Unmarshal(raw, &fields) != nil {
		return result{}, false
	}
	r := result{code: number(fields.Code), status: text(fields.Status), data: fields.Data}
	var errorData struct {
		Code        json.RawMessage `json:"code"`
		Message     json.RawMessage `json:"message"`
		Description json.RawMessage `json:"description"`
	}
	if isPresent(fields.ErrorData) && json.Unmarshal(fields.ErrorData, &errorData) == nil {
		r.vendor = number(errorData.Code)
		r.message = joined(text(errorData.Message), text(errorData.Description))
	}
	return r, true
}

// text is a JSON string, or another scalar as it stands.
func text(raw json.RawMessage) string {
	switch {
	case !isPresent(raw):
		return ""
	case raw[0] != '"':
		return string(raw)
	}
	if inner := raw[1 : len(raw)-1]; !bytes.Contains(inner, []byte(`\`)) && utf8.Valid(inner) { // as nearly all are
		return string(inner)
	}
	var s string
	_ = json.Unmarshal(raw, &s) // it is part of what was read as JSON
	return s
}

// number is a JSON number, or one in a string; zero for anything else.
func number(raw json.RawMessage) int {
	n, _ := strconv.Atoi(text(raw))
	return n
}

// joined: Exotel often makes message and description the same.
func joined(message, description string) string {
	if description == "" || message == description {
		return message
	}
	return message + ": " + description
}

func isPresent(raw json.RawMessage) bool {
	return len(raw) > 0 && !bytes.Equal(raw, []byte("null"))
}

func isList(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '[' }

func (r result) failed() bool {
	return r.code < 200 || r.code >= 300 || r.status == "failure" || r.vendor != 0
}

func (r result) error() *Error {
	return &Error{Kind: kindOf(r.code, r.vendor), Code: r.vendor, Message: r.message}
}

// into reads the result's data, if it is there and of the right shape.
func (r result) into(target any) bool {
	return isPresent(r.data) && json.Unmarshal(r.data, target) == nil
}

// kindWithoutEnvelope: such an answer comes from something in front of the API,
// or from its middle, so it says nothing of what became of the request. Two
// statuses are named all the same, because a gateway gives them before it
// passes a request on and they only make the caller refresh its key, or wait.
func kindWithoutEnvelope(status int) Kind {
	switch status {
	case http.StatusUnauthorized:
		return ErrUnauthorized
	case http.StatusTooManyRequests:
		return ErrRateLimited
	}
	return ErrOutcomeUnknown
}
