package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// request is one that is ready to be sent.
type request struct {
	Path   string
	Header map[string]string
	Body   string
}

func requestOf(event events.APIGatewayV2HTTPRequest) request {
	return request{Path: event.RawPath, Header: event.Headers, Body: event.Body}
}

// sending is what somebody sent from the page, and what came of it.
type sending struct {
	ID          int
	Source      string
	ContentType string
	Payload     string // before it was signed
	Request     request
	Curl        string
	Fault       string // why nothing could be sent
	Mapping     []mapped
	Times       int
	Answers     []answer // so far
}

// answer is one, or none.
type answer struct {
	Status   int // zero where none came
	Replayed bool
	SignupID string
	Body     string
	Took     time.Duration
}

// group are the answers of one kind.
type group struct {
	Status   int
	Replayed bool
	Count    int
	Body     string // of one of them
	SignupID string // of one of them
	Fast     time.Duration
	Slow     time.Duration
}

// Ready tells whether all answers are there.
func (s sending) Ready() bool { return len(s.Answers) == s.Times }

// Groups are the answers by what they say.
func (s sending) Groups() []group {
	type key struct {
		status   int
		replayed bool
	}
	groups := map[key]*group{}
	for _, a := range s.Answers {
		k := key{a.Status, a.Replayed}
		g := groups[k]
		if g == nil {
			g = &group{Status: a.Status, Replayed: a.Replayed, Body: a.Body, SignupID: a.SignupID, Fast: a.Took}
			groups[k] = g
		}
		g.Count, g.Fast, g.Slow = g.Count+1, min(g.Fast, a.Took), max(g.Slow, a.Took)
	}
	sorted := make([]group, 0, len(groups))
	for _, k := range slices.SortedFunc(maps.Keys(groups), func(a, b key) int { return a.status - b.status }) {
		sorted = append(sorted, *groups[k])
	}
	return sorted
}

// remembered is how many sendings are kept.
const remembered = 20

// sendings are the last ones.
type sendings struct {
	ctx context.Context //nolint:containedctx // of the process: a page that is left stops nothing

	mu   sync.Mutex
	last int
	kept []*sending
}

func (s *sendings) add(one sending) *sending {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	one.ID = s.last
	s.kept = append(s.kept, &one)
	s.kept = s.kept[max(0, len(s.kept)-remembered):]
	return &one
}

// of is a copy of the one with that number.
func (s *sendings) of(id int) (sending, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.kept {
		if one.ID == id {
			return one.copied(), true
		}
	}
	return sending{}, false
}

// newest is the last one that was sent, and not only signed.
func (s *sendings) newest() (sending, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range slices.Backward(s.kept) {
		if one.Times > 0 {
			return one.copied(), true
		}
	}
	return sending{}, false
}

func (s *sending) copied() sending {
	c := *s
	c.Answers = slices.Clone(s.Answers)
	return c
}

func (s *sendings) answered(one *sending, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.Answers = append(one.Answers, a)
}

// most is how many requests one press of a button sends.
const most = 50

// start sends the requests, all at once. The answers come to the sending.
func (c *Console) start(one sending, requests []request) *sending {
	one.Times, one.Request, one.Curl = len(requests), requests[0], curl(c.URL+requests[0].Path, requests[0].Header, requests[0].Body)
	kept := c.sendings.add(one)
	for _, r := range requests {
		go func() {
			c.sendings.answered(kept, c.post(c.sendings.ctx, r))
			c.Bell.Ring()
		}()
	}
	return kept
}

// client is like any other sender's: it is told nothing that another isn't.
var client = &http.Client{
	Timeout:       30 * time.Second, // more than any answer takes
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (c *Console) post(ctx context.Context, r request) answer {
	start := time.Now()
	none := func(err error) answer {
		text := err.Error()
		if errors.Is(err, io.EOF) {
			text = "no answer: the connection ended"
		}
		return answer{Body: text, Took: time.Since(start)}
	}
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+r.Path, strings.NewReader(r.Body))
	if err != nil {
		return none(err)
	}
	for name, value := range r.Header {
		out.Header.Set(name, value)
	}
	resp, err := client.Do(out)
	if err != nil {
		return none(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return none(err)
	}
	var said struct {
		SignupID string `json:"signup_id"`
	}
	_ = json.Unmarshal(body, &said) // an answer needn't say
	return answer{
		Status: resp.StatusCode, Replayed: resp.Header.Get("Idempotent-Replayed") == "true", SignupID: said.SignupID,
		Body: string(body), Took: time.Since(start),
	}
}
