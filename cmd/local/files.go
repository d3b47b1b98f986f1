package main

import (
	"errors"
	"io"
	"os"

	"github.com/trunkhook/trunkhook/cmd/local/console"
	"github.com/trunkhook/trunkhook/internal/door"
	"github.com/trunkhook/trunkhook/internal/timeline"
	"github.com/trunkhook/trunkhook/ledger/embedded"
)

// keptLines is how much of the log the console knows, in bytes.
const keptLines = 32 << 20

// openLog opens the log, and what the console knows of it.
func openLog(dir string, noticed func()) (*os.File, *timeline.Store, error) {
	file, err := os.OpenFile(door.Log(dir), os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	lines, err := lastLines(file, noticed)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, lines, nil
}

// lastLines are those of a log that was written before.
func lastLines(file *os.File, noticed func()) (*timeline.Store, error) {
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

// openTable opens the table's file, and an index that follows it.
func openTable(path string, noticed func()) (*embedded.Ledger, *console.Index, error) {
	file, err := embedded.Open(path)
	if err != nil {
		return nil, nil, err
	}
	index, err := console.NewIndex(file, noticed)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	file.Watch(index.Refresh)
	return file, index, nil
}
