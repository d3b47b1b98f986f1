package timeline

import (
	"bytes"
	"container/list"
	"sync"
)

// Store keeps the last lines of a log that tell of signups, by their ids. It is the
// writer that a log's lines go to, one line a write. It is safe for concurrent use.
type Store struct {
	limit   int    // bytes
	noticed func() // after each line that is kept

	mu    sync.Mutex
	size  int
	lines list.List           // of stored, the oldest first
	byID  map[string][][]byte // the oldest first
}

type stored struct {
	id   string
	text []byte
}

// NewStore keeps so many bytes of lines, and calls noticed after each write that had one.
func NewStore(limit int, noticed func()) *Store {
	return &Store{limit: limit, noticed: noticed, byID: map[string][][]byte{}}
}

// Write takes whole lines. It never fails.
func (s *Store) Write(p []byte) (int, error) {
	kept := false
	for text := range bytes.Lines(p) {
		if e, ok := Parse(text); ok {
			s.keep(e, bytes.Clone(text))
			kept = true
		}
	}
	if kept && s.noticed != nil {
		s.noticed()
	}
	return len(p), nil
}

func (s *Store) keep(e Entry, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines.PushBack(stored{e.SignupID, text})
	s.byID[e.SignupID] = append(s.byID[e.SignupID], text)
	for s.size += len(text); s.size > s.limit; {
		s.drop()
	}
}

// drop forgets the oldest line, which is its signup's oldest, too.
func (s *Store) drop() {
	oldest := s.lines.Remove(s.lines.Front()).(stored)
	s.size -= len(oldest.text)
	if rest := s.byID[oldest.id][1:]; len(rest) > 0 {
		s.byID[oldest.id] = rest
		return
	}
	delete(s.byID, oldest.id)
}

// Entries are those of a signup, the oldest first.
func (s *Store) Entries(signupID string) []Entry {
	s.mu.Lock()
	lines := bytes.Join(s.byID[signupID], nil)
	s.mu.Unlock()
	entries := []Entry{}
	for text := range bytes.Lines(lines) {
		if e, ok := Parse(text); ok {
			entries = append(entries, e)
		}
	}
	return entries
}
