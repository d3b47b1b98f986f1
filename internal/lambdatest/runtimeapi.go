package lambdatest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// runtimeAPI serves one process.
type runtimeAPI struct {
	addr   string
	server *http.Server
	next   chan *invocation
	asked  chan time.Time // when the process asked first
	closed chan struct{}

	mu      sync.Mutex
	ids     int
	running map[string]*invocation
}

type invocation struct {
	payload  []byte
	takes    time.Duration // at most; it counts from when the process was given the event
	began    time.Time
	answered chan answer
}

type answer struct {
	ran Invocation
	err error
}

func newRuntimeAPI() (*runtimeAPI, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	api := &runtimeAPI{addr: listener.Addr().String(), next: make(chan *invocation), asked: make(chan time.Time, 1), closed: make(chan struct{}), running: map[string]*invocation{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", api.giveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", api.takeResponse)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", api.takeError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	api.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = api.server.Serve(listener) }()
	return api, nil
}

func (api *runtimeAPI) close() {
	close(api.closed)
	_ = api.server.Close()
}

func (api *runtimeAPI) giveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case api.asked <- time.Now():
	default: // not the first time, or nobody wants to know
	}
	select {
	case call := <-api.next:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", api.begin(call))
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(call.began.Add(call.takes).UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:test")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(call.payload)
	case <-r.Context().Done():
	case <-api.closed:
	}
}

func (api *runtimeAPI) begin(call *invocation) string {
	api.mu.Lock()
	defer api.mu.Unlock()
	api.ids++
	call.began = time.Now()
	id := fmt.Sprintf("00000000-0000-0000-0000-%012d", api.ids)
	api.running[id] = call
	return id
}

func (api *runtimeAPI) end(id string, body []byte, err error) int {
	now := time.Now()
	api.mu.Lock()
	defer api.mu.Unlock()
	call, ok := api.running[id]
	if !ok {
		return http.StatusBadRequest
	}
	delete(api.running, id)
	call.answered <- answer{Invocation{Answer: body, Began: call.began, Ended: now}, err}
	return http.StatusAccepted
}

func (api *runtimeAPI) takeResponse(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	w.WriteHeader(api.end(r.PathValue("id"), body, err))
}

func (api *runtimeAPI) takeError(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.WriteHeader(api.end(r.PathValue("id"), nil, errors.New("the function failed: "+string(body))))
}
