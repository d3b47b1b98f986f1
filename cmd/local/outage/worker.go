package outage

import (
	"context"
	"sync"
)

// Worker stands for the process that works on one request.
type Worker struct {
	died chan struct{}
	once sync.Once
	of   Death
}

// Death is where a worker was when it died: Exotel has made the trunk, and nothing
// says so yet.
type Death struct {
	SignupID string
	Attempt  int
	TrunkSID string
}

type workerKey struct{}

// WithWorker returns a context for one request, and the worker that is at it.
func WithWorker(ctx context.Context) (context.Context, *Worker) {
	worker := &Worker{died: make(chan struct{})}
	return context.WithValue(ctx, workerKey{}, worker), worker
}

func workerOf(ctx context.Context) *Worker {
	worker, _ := ctx.Value(workerKey{}).(*Worker)
	return worker
}

// Died is closed when the worker dies. What it was at never goes on, and never answers.
func (w *Worker) Died() <-chan struct{} { return w.died }

// Death is how, after Died.
func (w *Worker) Death() Death { return w.of }

func (w *Worker) die(of Death) {
	w.once.Do(func() {
		w.of = of
		close(w.died)
	})
}

func (w *Worker) isDead() bool {
	select {
	case <-w.died:
		return true
	default:
		return false
	}
}
