package exotel

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
)

// answer is what a good call gave: one result, or those of a list.
type answer struct {
	results  []result
	nextPage string // metadata.next_page_uri of a list
}

// reader takes out of an answer what the caller asked for. It fails where that
// is not there, although Exotel said "success".
type reader func(answer) error

// envelope is what Exotel wraps every answer in. A list has an array of results
// as its response, everything else has one result.
type envelope struct {
	RequestID string          `json:"request_id"`
	HTTPCode  int             `json:"http_code"`
	Metadata  metadata        `json:"metadata"`
	Response  json.RawMessage `json:"response"`
}

// metadata comes with lists that are not empty.
type metadata struct {
	NextPageURI string `json:"next_page_uri"`
}

// result is one outcome. Its own code and status are the honest fields: a
// duplicate comes as HTTP 200, http_code 200, code 409, status "failure" (T,
// recorded in the vendor's API reference for numbers and addresses, 2026-01).
type result struct {
	Code      int             `json:"code"`
	Status    string          `json:"status"`
	ErrorData errorData       `json:"error_data"`
	Data      json.RawMessage `json:"data"`
}

type errorData struct {
	Code        int    `json:"code"`
	Message     string `json:"message"`
	Description string `json:"description"`
}

// decode reads what came back. It is the one place that decides what Exotel
// said, in this order: no envelope; the code, inner before outer; the vendor's
// own word "failure"; data that is missing.
func decode(status int, body []byte, read reader) (requestID string, failed *Error) {
	env, ok := parseEnvelope(body)
	if !ok {
		return "", &Error{Kind: kindWithoutEnvelope(status), Message: "the answer is not Exotel's envelope"}
	}
	ans, refused, err := env.open(max(env.HTTPCode, status))
	if refused != nil {
		return env.RequestID, refused.error()
	}
	if err == nil {
		err = read(ans)
	}
	if err != nil {
		return env.RequestID, &Error{Kind: ErrOutcomeUnknown, Message: err.Error()}
	}
	return env.RequestID, nil
}

// open takes the results out of the envelope, or the one that says that the
// call failed. Where a result has no code of its own, the worse of the two
// outer ones is its code.
func (env envelope) open(outer int) (ans answer, refused *result, err error) {
	if isList(env.Response) {
		return env.openList(outer)
	}
	var one result
	if isPresent(env.Response) && json.Unmarshal(env.Response, &one) != nil {
		return answer{}, nil, errUnreadable
	}
	one.Code = cmp.Or(one.Code, outer)
	if one.failed() {
		return answer{}, &one, nil
	}
	return answer{results: []result{one}}, nil, nil
}

// openList leaves it to the reader to judge single results: a list can be good
// in part.
func (env envelope) openList(outer int) (ans answer, refused *result, err error) {
	if whole := (result{Code: outer}); whole.failed() {
		return answer{}, &whole, nil
	}
	if json.Unmarshal(env.Response, &ans.results) != nil {
		return answer{}, nil, errUnreadable
	}
	for i := range ans.results {
		ans.results[i].Code = cmp.Or(ans.results[i].Code, outer)
	}
	ans.nextPage = env.Metadata.NextPageURI
	return ans, nil, nil
}

var errUnreadable = errors.New("the answer's response is unreadable")

func parseEnvelope(body []byte) (envelope, bool) {
	var env envelope
	if json.Unmarshal(body, &env) != nil {
		return envelope{}, false
	}
	return env, env.HTTPCode != 0 || isPresent(env.Response)
}

func isPresent(raw json.RawMessage) bool {
	return len(raw) > 0 && !bytes.Equal(raw, []byte("null"))
}

func isList(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '[' }

func (r result) failed() bool {
	return r.Code < 200 || r.Code >= 300 || r.Status == "failure" || r.ErrorData.Code != 0
}

func (r result) error() *Error {
	return &Error{Kind: kindOf(r.Code, r.ErrorData.Code), Code: r.ErrorData.Code, Message: r.ErrorData.text()}
}

// text joins message and description, which Exotel often makes the same.
func (d errorData) text() string {
	if d.Message == d.Description || d.Description == "" {
		return d.Message
	}
	return d.Message + ": " + d.Description
}

// into reads the result's data, if it is there and of the right shape.
func (r result) into(target any) bool {
	return isPresent(r.Data) && json.Unmarshal(r.Data, target) == nil
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
