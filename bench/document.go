package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// The generated part of a document stands between these.
const (
	beginMark = "<!-- make bench: begin -->"
	endMark   = "<!-- make bench: end -->"
)

// replaceGenerated puts text between the marks of a file.
func replaceGenerated(file string, text []byte) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(content, []byte(beginMark))
	_, after, ends := bytes.Cut(rest, []byte(endMark))
	if !begins || !ends {
		return errors.New(file + " has no generated part")
	}
	whole := bytes.Join([][]byte{before, []byte(beginMark + "\n"), text, []byte("\n" + endMark), after}, nil)
	return os.WriteFile(file, whole, 0o644)
}

// taken says when and on what.
func taken(now time.Time) string {
	return fmt.Sprintf("Taken on %s: %s, %d processors, Linux %s, %s. Load average when it began: %s.\n",
		now.UTC().Format("2006-01-02"), processor(), runtime.NumCPU(), firstField("/proc/sys/kernel/osrelease"), runtime.Version(), firstField("/proc/loadavg"))
}

func processor() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func firstField(file string) string {
	content, err := os.ReadFile(file)
	fields := strings.Fields(string(content))
	if err != nil || len(fields) == 0 {
		return "?"
	}
	return fields[0]
}
