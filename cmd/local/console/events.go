package console

import (
	"io"
	"net/http"
	"time"
)

const (
	// atMost is how often a page is told that something has changed.
	atMost = 300 * time.Millisecond
	// beat is sent while nothing happens, so that what is gone shows.
	beat = 15 * time.Second
)

// events tells a page, for as long as it is open, when to look again.
func (c *Console) events(w http.ResponseWriter, r *http.Request) {
	answer := http.NewResponseController(w)
	if err := answer.SetReadDeadline(time.Time{}); err != nil { // the server's is for a request that comes
		http.Error(w, "no stream can be kept open", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	next := c.Bell.Next()
	for text := "retry: 1000\nevent: changed\ndata: now\n\n"; ; {
		if _, err := io.WriteString(w, text); err != nil || answer.Flush() != nil {
			return
		}
		if !c.pause(r, atMost) {
			return
		}
		text = ": nothing\n\n"
		select {
		case <-next:
			next, text = c.Bell.Next(), "event: changed\ndata: now\n\n"
		case <-time.After(beat):
		case <-r.Context().Done():
			return
		case <-c.ended:
			return
		}
	}
}

// pause tells whether it came to its end.
func (c *Console) pause(r *http.Request, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
	case <-c.ended:
	}
	return false
}
