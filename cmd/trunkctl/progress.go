package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress is one line about long work: on a terminal it is written over, elsewhere
// a new one comes every ten seconds.
type progress struct {
	w        io.Writer
	terminal bool
	last     time.Time
	written  bool
}

func newProgress(w io.Writer) *progress {
	file, ok := w.(*os.File)
	return &progress{w: w, terminal: ok && term.IsTerminal(int(file.Fd())), last: time.Now()}
}

func (p *progress) tell(what string, done, total int) {
	every := 10 * time.Second
	if p.terminal {
		every = 200 * time.Millisecond
	}
	if time.Since(p.last) < every {
		return
	}
	p.last = time.Now()
	text := fmt.Sprintf("%s: %d", what, done)
	if total > 0 {
		text = fmt.Sprintf("%s: %d of %d (%d %%)", what, done, total, 100*done/total)
	}
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%s", text)
		p.written = true
		return
	}
	fmt.Fprintln(p.w, text)
}

// end leaves the terminal's line free.
func (p *progress) end() {
	if p.written {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.written = false
	}
}
