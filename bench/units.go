package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

// unitPackages have benchmarks.
var unitPackages = []string{"./cmd/webhook", "./exotel", "./handler/...", "./ledger"}

const unitCount = 5

var unitLine = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([0-9.]+) ns/op.*?([0-9]+) B/op\s+([0-9]+) allocs/op`)

// unit is a benchmark's figures.
type unit struct {
	name               string
	nanoseconds        []float64
	bytes, allocations string
}

// units runs the benchmarks of single parts, without any I/O.
func (b *bench) units(ctx context.Context, out io.Writer) error {
	fmt.Fprintln(b.progress, "units: go test -bench")
	args := append([]string{"test", "-run", "^$", "-bench", ".", "-benchmem", "-benchtime", "200ms", "-count", strconv.Itoa(unitCount)}, unitPackages...)
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = dynamotest.Root()
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test -bench: %w\n%s", err, output)
	}
	fmt.Fprintf(out, "\n### Own work, without I/O\n\n`go %s`, medians:\n\n", strings.Join(args, " "))
	row(out, "benchmark", []string{"µs", "allocations", "bytes"})
	row(out, "---", []string{"---", "---", "---"})
	for _, u := range readUnits(output) {
		row(out, u.name, []string{digits(median(u.nanoseconds) / 1000), u.allocations, u.bytes})
	}
	return b.sizes(ctx, out)
}

// readUnits is in the order of the names, which begin with the package's.
func readUnits(output []byte) (units []unit) {
	folder := ""
	for line := range bytes.Lines(output) {
		if text, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("pkg: github.com/trunkhook/trunkhook/")); ok {
			folder = string(text) + " "
			continue
		}
		fields := unitLine.FindSubmatch(line)
		if fields == nil {
			continue
		}
		name := folder + strings.ReplaceAll(string(fields[1]), "_", " ")
		i := slices.IndexFunc(units, func(u unit) bool { return u.name == name })
		if i < 0 {
			i, units = len(units), append(units, unit{name: name, bytes: string(fields[3]), allocations: string(fields[4])})
		}
		if ns, err := strconv.ParseFloat(string(fields[2]), 64); err == nil {
			units[i].nanoseconds = append(units[i].nanoseconds, ns)
		}
	}
	slices.SortFunc(units, func(a, b unit) int { return strings.Compare(a.name, b.name) })
	return units
}

// sizes are of what is deployed, for both architectures.
func (b *bench) sizes(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "\n### Size\n\nIn MB, with the Makefile's flags and %s.\n\n", runtime.Version())
	row(out, "bootstrap", []string{"plain", "zip"})
	row(out, "---", []string{"---", "---"})
	for _, architecture := range []string{"arm64", "amd64"} {
		for _, function := range []string{"webhook", "reconciler"} {
			program := filepath.Join(b.dir, architecture, function, "bootstrap")
			if err := buildFor(ctx, architecture, "./cmd/"+function, program, buildFlags...); err != nil {
				return err
			}
			plain, zip, err := sizeOf(program)
			if err != nil {
				return err
			}
			row(out, function+", "+architecture, []string{megabytes(plain), megabytes(zip)})
		}
	}
	return nil
}
