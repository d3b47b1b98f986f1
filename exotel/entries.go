package exotel

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// entry is a thing that the API keeps: a trunk, or something of a trunk.
type entry interface {
	// key tells it from the others of its list. Empty: it can't be read.
	key() string
}

// ofTrunk is a request about what a trunk has. An id stands in the path; the API
// wants it there in a PUT, and in the query in a DELETE.
func ofTrunk(op, method, trunkSID, resource string, id ...string) request {
	req := request{op: op, method: method, path: append([]string{"trunks", trunkSID, resource}, id...), fault: validID("trunk_sid", trunkSID)}
	for _, id := range id {
		req.fault = cmp.Or(req.fault, validID("id", id))
	}
	return req
}

// validID: an id stands in a path, where "." and ".." would lead elsewhere. Sids and ids
// are opaque otherwise; samples have letters, digits and _ only. It matters most where it is empty: nobody documents what a DELETE without
// an id deletes.
func validID(name, value string) error {
	switch {
	case value == "":
		return errors.New(name + " is empty")
	case !isWord(value, 1, 128, "-"):
		return errors.New(name + " must be 1 to 128 letters, digits, _ or -")
	}
	return nil
}

// one sends a request whose answer is about one entry. The entry must be what
// was asked about, else the outcome is unknown.
func one[T entry](ctx context.Context, client *Client, req request, asked func(T) bool) (*T, error) {
	var e T
	req.read = readOne(&e, asked)
	if err := client.do(ctx, req); err != nil {
		return nil, err
	}
	return &e, nil
}

// readOne: an entry without a key is none.
func readOne[T entry](e *T, asked func(T) bool) reader {
	return func(ans answer) error {
		var read T // a try before may have read another
		switch {
		case len(ans.results) != 1 || !ans.results[0].into(&read) || read.key() == "":
			return errors.New("the answer holds no trunk_sid or id")
		case ans.results[0].failed(): // in a list, where one can
			return errors.New("the answer holds what was asked for, and a failure")
		case !asked(read):
			return errors.New("the answer is about something else")
		}
		*e = read
		return nil
	}
}

// remove sends a DELETE that names what is to go in its query. What it answers
// is documented for some resources only, so that a success is enough, unless it
// is about something else.
func remove(ctx context.Context, client *Client, req request, name, value string) error {
	req.query, req.fault = url.Values{name: {value}}, cmp.Or(req.fault, validID(name, value))
	req.read = func(ans answer) error {
		if len(ans.results) != 1 || ans.results[0].failed() {
			return errors.New("the answer is not one success")
		}
		o, err := parseObject(ans.results[0].data)
		if err == nil && o.scalar(name) != "" && o.scalar(name) != value {
			return errors.New("the answer is about something else")
		}
		return nil
	}
	return client.do(ctx, req)
}

// outcome is what became of one of several things that one call asked for.
type outcome[T entry] struct {
	entry *T
	err   error // an *Error
}

// each sends a request for several things at once. An answer has a result for
// each, and a failure doesn't say whose it is: it is believed to be in the order
// asked, which every success in it must bear out. Where it isn't, the outcome of
// the whole is unknown.
func each[T entry](ctx context.Context, client *Client, req request, asked int, same func(i int, e T) bool) (outcomes []outcome[T], err error) {
	req.read = func(ans answer) error {
		outcomes = nil
		if len(ans.results) != asked {
			return fmt.Errorf("the answer has %d results for %d things", len(ans.results), asked)
		}
		for i, r := range ans.results {
			o := readOutcome[T](req.op, ans, r)
			if o.entry != nil && !same(i, *o.entry) {
				return errors.New("the answer is not in the order asked")
			}
			outcomes = append(outcomes, o)
		}
		return nil
	}
	if err := client.do(ctx, req); err != nil {
		return nil, notAllDuplicates(err, asked)
	}
	return outcomes, nil
}

func readOutcome[T entry](op string, ans answer, r result) outcome[T] {
	var e T
	err := &Error{Kind: ErrOutcomeUnknown, Message: "the answer can't be read"}
	switch {
	case r.failed():
		err = r.error()
	case r.into(&e) && e.key() != "":
		return outcome[T]{entry: &e}
	}
	err.Op, err.HTTPStatus, err.RequestID, err.Message = op, ans.status, clean(ans.requestID), clean(err.Message)
	return outcome[T]{err: err}
}

// notAllDuplicates: a duplicate as the word about several things leaves open
// which of them there were.
func notAllDuplicates(err error, asked int) error {
	var failed *Error
	if asked == 1 || !errors.As(err, &failed) || failed.Kind != ErrDuplicate {
		return err
	}
	unknown := *failed
	unknown.Kind = ErrOutcomeUnknown
	return &unknown
}

// object are the fields of a JSON object, each read for itself: one that changes
// its type one day must not cost the others.
type object map[string]json.RawMessage

// parseObject wants an object; null is none.
func parseObject(data []byte) (object, error) {
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, err
	}
	if o == nil {
		return nil, errors.New("not an object")
	}
	return o, nil
}

// text is a string; empty for anything else.
func (o object) text(name string) string {
	if raw := o[name]; len(raw) > 0 && raw[0] == '"' {
		return text(raw)
	}
	return ""
}

// scalar is a string, or a number as it stands; empty for anything else. Ids are
// numbers in strings.
func (o object) scalar(name string) string {
	var n json.Number
	if raw := bytes.TrimSpace(o[name]); len(raw) > 0 && raw[0] != '"' && json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return o.text(name)
}

// number is a whole number, or one in a string.
func (o object) number(name string) int { return number(o[name]) }
