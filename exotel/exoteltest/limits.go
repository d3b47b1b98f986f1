package exoteltest

import (
	"net/http"
	"time"
)

// Limits are how many calls an account may make. What is zero isn't limited.
type Limits struct {
	Calls int           // in any span of Per
	Per   time.Duration // such as a minute

	Burst    int           // in any span of BurstPer
	BurstPer time.Duration // such as a second

	Connections int // calls that are under way at once: one on each connection

	RetryAfter string // header of a refusal, as it stands; left out where empty
}

// VendorLimits are those that Exotel documents for an account (2026-01).
var VendorLimits = Limits{Calls: 200, Per: time.Minute, Burst: 20, BurstPer: time.Second, Connections: 50}

// SetLimits makes the API refuse, with 429, what is over the limits. A refused
// call counts too, as at the strictest of vendors. Calls of before don't.
func (s *Server) SetLimits(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits, s.arrivals = l, nil
}

// Refused is how many calls were over the limits.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// arrive counts a call and tells whether it is within the limits. Each is
// followed by a leave.
func (s *Server) arrive() (at time.Time, within bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at = time.Now() // under the lock, so that the arrivals are in order
	l := s.limits
	s.underWay++
	within = !reached(s.arrivals, l.Calls, at.Add(-l.Per)) && !reached(s.arrivals, l.Burst, at.Add(-l.BurstPer)) &&
		(l.Connections == 0 || s.underWay <= l.Connections)
	if most := max(l.Calls, l.Burst); most > 0 {
		s.arrivals = append(s.arrivals, at)
		s.arrivals = s.arrivals[max(0, len(s.arrivals)-most):]
	}
	if !within {
		s.refused++
	}
	return at, within
}

// reached tells whether so many calls came after a moment.
func reached(arrivals []time.Time, limit int, after time.Time) bool {
	return limit > 0 && len(arrivals) >= limit && arrivals[len(arrivals)-limit].After(after)
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay--
}

// overLimit is the answer to a call that is not within the limits.
func (s *Server) overLimit(r *http.Request) wire {
	s.mu.Lock()
	retryAfter := s.limits.RetryAfter
	s.mu.Unlock()
	return RateLimit(retryAfter).wire(r, reply{})
}
