package main

import (
	"io"
	"net/http"
	"os"

	"github.com/trunkhook/trunkhook/cmd/local/console"
	"github.com/trunkhook/trunkhook/internal/timeline"
)

// withConsole leaves every path that is the system's own as it came.
func withConsole(page *console.Console, signups http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if console.Is(r.URL.Path) {
			page.ServeHTTP(w, r)
			return
		}
		signups.ServeHTTP(w, r)
	})
}

// keptLines is how much of the log the console knows, in bytes.
const keptLines = 32 << 20

// openLines are the last lines of the log that is there.
func openLines(file *os.File, noticed func()) (*timeline.Store, error) {
	lines := timeline.NewStore(keptLines, noticed)
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	start := max(0, info.Size()-keptLines) // the first line may be cut, and is no JSON then
	tail, err := io.ReadAll(io.NewSectionReader(file, start, info.Size()-start))
	if err != nil {
		return nil, err
	}
	_, err = lines.Write(tail)
	return lines, err
}
