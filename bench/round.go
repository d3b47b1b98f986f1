package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/trunkhook/trunkhook/events"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

// effort is how much one round does.
type effort struct {
	colds   int // processes that are started; the last one goes on to the rest
	news    int
	replays int
}

// sample is one invocation.
type sample struct {
	wall time.Duration
	own  time.Duration // wall less the time during which some call was under way
}

// round is what was measured of one contender in one round.
type round struct {
	init, first, coldTotal []time.Duration // of each process
	atInit, atFirst        record          // of the last process
	news, replays          phase
	memory                 int64 // peak, bytes
}

// phase is a row of invocations of one kind.
type phase struct {
	samples []sample
	record  record
	cpu     time.Duration // for each invocation
}

// invocationTime is what each invocation is given.
const invocationTime = 10 * time.Second

// runner runs rounds against one cloud.
type runner struct {
	cloud   *cloud
	dir     string // for what processes write
	started int
}

// round runs one contender. Trust is nil without TLS. The quota holds from the end of
// init on, as Lambda's does; nil for none.
func (r *runner) round(ctx context.Context, c contender, e effort, trust *authority, q *quota) (round, error) {
	var result round
	table, err := r.cloud.table(ctx, c.key)
	if err != nil {
		return round{}, err
	}
	for i := range e.colds {
		if err := r.process(ctx, c, e, trust, q, table, i == e.colds-1, &result); err != nil {
			return round{}, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return result, nil
}

// process starts one process; where whole is true it goes on to new signups and replays.
func (r *runner) process(ctx context.Context, c contender, e effort, trust *authority, q *quota, table string, whole bool, into *round) error {
	d, err := r.open(trust)
	if err != nil {
		return err
	}
	defer d.close()
	r.started++
	output := filepath.Join(r.dir, fmt.Sprintf("output-%d", r.started))
	p, err := c.start(d, table, output, trust)
	if err != nil {
		return err
	}
	defer p.Close()
	w := worker{contender: c, process: p, doors: d, id: fmt.Sprintf("signup-%d", r.started)}
	if err := w.whole(ctx, e, q, whole, into); err != nil {
		text, _ := os.ReadFile(output)
		return fmt.Errorf("%w\n%s", err, text)
	}
	return nil
}

func (r *runner) open(trust *authority) (*doors, error) {
	if trust == nil {
		return r.cloud.open(nil)
	}
	return r.cloud.open(&trust.certificate)
}

// worker is one process that is measured.
type worker struct {
	contender
	process *lambdatest.Process
	doors   *doors
	id      string // what its signups' ids begin with
}

func (w *worker) whole(ctx context.Context, e effort, q *quota, goOn bool, into *round) error {
	init, err := w.process.Initialised(30 * time.Second)
	if err != nil {
		return err
	}
	if err := q.limit(w.process.PID()); err != nil {
		return err
	}
	into.atInit = w.doors.recorder.take()
	first, err := w.phase(ctx, 1, func(int) string { return w.id + "-first" })
	if err != nil {
		return err
	}
	into.init, into.first = append(into.init, init), append(into.first, first.samples[0].wall)
	into.coldTotal, into.atFirst = append(into.coldTotal, init+first.samples[0].wall), first.record
	if !goOn {
		return nil
	}
	if into.news, err = w.phase(ctx, e.news, func(i int) string { return fmt.Sprintf("%s-%d", w.id, i) }); err != nil {
		return err
	}
	if into.replays, err = w.phase(ctx, e.replays, func(i int) string { return fmt.Sprintf("%s-%d", w.id, i%e.news) }); err != nil {
		return err
	}
	into.memory, err = peakMemory(w.process.PID())
	return err
}

// settling is how long a process is given to end what it does after an answer.
const settling = 30 * time.Millisecond

func (w *worker) phase(ctx context.Context, n int, id func(i int) string) (phase, error) {
	var result phase
	time.Sleep(settling)
	before, err := cpuTime(w.process.PID())
	if err != nil {
		return phase{}, err
	}
	w.doors.recorder.take()
	for i := range n {
		ran, err := w.process.Run(ctx, event(id(i)), invocationTime)
		if err != nil {
			return phase{}, err
		}
		if err := w.check(ran.Answer); err != nil {
			return phase{}, err
		}
		saw := w.doors.recorder.take()
		wall := ran.Ended.Sub(ran.Began)
		result.samples = append(result.samples, sample{wall, wall - saw.waited(ran.Began, ran.Ended)})
		result.record.add(saw)
	}
	time.Sleep(settling)
	after, err := cpuTime(w.process.PID())
	result.cpu = (after - before) / time.Duration(n)
	return result, err
}

func (r *record) add(more record) {
	r.calls = append(r.calls, more.calls...)
	for service, n := range more.connections {
		if r.connections == nil {
			r.connections = map[string]int{}
		}
		r.connections[service] += n
	}
}

// check wants the trunk.
func (w *worker) check(raw []byte) error {
	var answer struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 || !w.echoes && !strings.Contains(answer.Body, `"trunk_sid":`) {
		return fmt.Errorf("answered %s", raw)
	}
	return nil
}

// event is events/signup.json, as API Gateway sends it, of that signup.
func event(id string) json.RawMessage {
	var e map[string]any
	content, err := events.Files.ReadFile("signup.json")
	if err == nil {
		err = json.Unmarshal(content, &e)
	}
	if err != nil {
		panic(err) // it is our own file
	}
	e["body"] = fmt.Sprintf(`{"signup_id":%q,"company":"Acme Telecom"}`, id)
	e["headers"].(map[string]any)["authorization"] = "Bearer " + bearer
	encoded, err := json.Marshal(e)
	if err != nil {
		panic(err) // it was JSON before
	}
	return encoded
}
