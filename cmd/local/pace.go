package main

import (
	"sync"
	"time"
)

// pace is how often the reconciler passes. It may be changed while it runs.
type pace struct {
	mu      sync.Mutex
	every   time.Duration
	changed chan struct{} // has one in it after a change
}

func newPace(every time.Duration) *pace { return &pace{every: every, changed: make(chan struct{}, 1)} }

// Every is the time between the beginnings of two passes.
func (p *pace) Every() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.every
}

// Set changes it, for the pass that is waited for as well.
func (p *pace) Set(every time.Duration) {
	p.mu.Lock()
	p.every = every
	p.mu.Unlock()
	select {
	case p.changed <- struct{}{}:
	default: // somebody is told already
	}
}
