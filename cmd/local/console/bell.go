package console

import "sync"

// Bell tells whoever listens that something has changed. The zero value is ready.
type Bell struct {
	mu   sync.Mutex
	next chan struct{} // closed by the next Ring; nil where nobody listens
}

// Ring wakes all who listen.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}

// Next is closed when it rings next.
func (b *Bell) Next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}
