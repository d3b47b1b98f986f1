package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// peers measures all contenders, without TLS and with it, in rounds that are
// interleaved, so that what else the machine does falls on all of them.
func (b *bench) peers(ctx context.Context, out io.Writer) error {
	for _, variant := range []struct {
		name  string
		trust *authority
	}{{"without TLS", nil}, {"with TLS", &b.trust}} {
		results := make([]result, len(b.contenders))
		for n := range b.rounds {
			for i, c := range b.contenders {
				fmt.Fprintf(b.progress, "%s, round %d of %d: %s\n", variant.name, n+1, b.rounds, c.name)
				measured, err := b.runner.round(ctx, c, b.effort, variant.trust, nil)
				if err != nil {
					return err
				}
				results[i].contender = c
				results[i].rounds = append(results[i].rounds, measured)
			}
		}
		writePeers(out, variant.name, results, b.options)
		b.aims = append(b.aims, aimsOf(variant.name, results)...)
	}
	return nil
}

// result is what was measured of a contender.
type result struct {
	contender
	rounds []round
}

// durations are all of a kind, over the rounds.
func (r result) durations(of func(round) []time.Duration) []time.Duration {
	var all []time.Duration
	for _, round := range r.rounds {
		all = append(all, of(round)...)
	}
	return all
}

func (r result) samples(of func(round) phase, value func(sample) time.Duration) []time.Duration {
	return r.durations(func(round round) (all []time.Duration) {
		for _, s := range of(round).samples {
			all = append(all, value(s))
		}
		return all
	})
}

func (r result) medianOf(of func(round) time.Duration) time.Duration {
	return median(r.durations(func(round round) []time.Duration { return []time.Duration{of(round)} }))
}

func (r result) last() round { return r.rounds[len(r.rounds)-1] }

func news(r round) phase             { return r.news }
func replays(r round) phase          { return r.replays }
func wall(s sample) time.Duration    { return s.wall }
func own(s sample) time.Duration     { return s.own }
func inits(r round) []time.Duration  { return r.init }
func firsts(r round) []time.Duration { return r.first }
func colds(r round) []time.Duration  { return r.coldTotal }

// line is one of the table's.
type line struct {
	name  string
	value func(r result) float64
}

func inMilliseconds(of func(r result) time.Duration) func(result) float64 {
	return func(r result) float64 { return float64(of(r)) / float64(time.Millisecond) }
}

// The lines that aims are about.
const (
	lineInit        = "init, ms"
	lineCold        = "cold total (init + first), ms"
	lineOwnOfNew    = "new: own time p50, ms"
	lineOwnOfReplay = "replay: own time p50, ms"
	lineMemory      = "peak RSS, MB"
	lineZip         = "zip, MB"
)

var lines = []line{
	{lineInit, inMilliseconds(func(r result) time.Duration { return median(r.durations(inits)) })},
	{"first invocation, ms", inMilliseconds(func(r result) time.Duration { return median(r.durations(firsts)) })},
	{lineCold, inMilliseconds(func(r result) time.Duration { return median(r.durations(colds)) })},
	{"new: p50, ms", inMilliseconds(func(r result) time.Duration { return median(r.samples(news, wall)) })},
	{"new: p99, ms", inMilliseconds(func(r result) time.Duration { return quantile(r.samples(news, wall), 0.99) })},
	{lineOwnOfNew, inMilliseconds(func(r result) time.Duration { return median(r.samples(news, own)) })},
	{"replay: p50, ms", inMilliseconds(func(r result) time.Duration { return median(r.samples(replays, wall)) })},
	{"replay: p99, ms", inMilliseconds(func(r result) time.Duration { return quantile(r.samples(replays, wall), 0.99) })},
	{lineOwnOfReplay, inMilliseconds(func(r result) time.Duration { return median(r.samples(replays, own)) })},
	{"new: CPU, ms", inMilliseconds(func(r result) time.Duration { return r.medianOf(func(r round) time.Duration { return r.news.cpu }) })},
	{"replay: CPU, ms", inMilliseconds(func(r result) time.Duration { return r.medianOf(func(r round) time.Duration { return r.replays.cpu }) })},
	{lineMemory, func(r result) float64 {
		return float64(median(memories(r))) / 1e6
	}},
	{lineZip, func(r result) float64 { return float64(r.zip) / 1e6 }},
}

func memories(r result) (all []int64) {
	for _, round := range r.rounds {
		all = append(all, round.memory)
	}
	return all
}

func writePeers(out io.Writer, variant string, results []result, o options) {
	news, replays := o.effort.news*o.rounds, o.effort.replays*o.rounds
	fmt.Fprintf(out, "\n### Side by side, %s\n\n%d cold starts, %d new signups and %d replays each, in %d interleaved rounds.\n\n",
		variant, o.effort.colds*o.rounds, news, replays, o.rounds)
	row(out, "", names(results))
	row(out, "---", slices.Repeat([]string{"---"}, len(results)))
	for _, l := range lines {
		cells := make([]string, len(results))
		for i, r := range results {
			cells[i] = digits(l.value(r))
		}
		row(out, l.name, cells)
	}
	for _, c := range []struct {
		name string
		of   func(result) string
	}{
		{"calls at init", func(r result) string { return r.last().atInit.counted(1) }},
		{"calls of the first invocation", func(r result) string { return r.last().atFirst.counted(1) }},
		{"calls of a new signup", func(r result) string { return r.last().news.record.counted(len(r.last().news.samples)) }},
		{"calls of a replay", func(r result) string { return r.last().replays.record.counted(len(r.last().replays.samples)) }},
		{"connections opened at init", func(r result) string { return r.last().atInit.opened() }},
		{"in the first invocation", func(r result) string { return r.last().atFirst.opened() }},
		{"in all further ones", func(r result) string {
			var later record
			later.add(r.last().news.record)
			later.add(r.last().replays.record)
			return later.opened()
		}},
	} {
		cells := make([]string, len(results))
		for i, r := range results {
			cells[i] = c.of(r)
		}
		row(out, c.name, cells)
	}
	writeRatios(out, results)
}

// writeRatios divides ours by each other one's.
func writeRatios(out io.Writer, results []result) {
	fmt.Fprintf(out, "\n%s as a part of the others:\n\n", results[0].name)
	row(out, "", names(results[1:]))
	row(out, "---", slices.Repeat([]string{"---"}, len(results)-1))
	for _, l := range lines {
		var cells []string
		for _, r := range results[1:] {
			cells = append(cells, digits(l.value(results[0])/l.value(r)))
		}
		row(out, l.name, cells)
	}
}

func names(results []result) (all []string) {
	for _, r := range results {
		all = append(all, r.name)
	}
	return all
}

func row(out io.Writer, name string, cells []string) {
	fmt.Fprintf(out, "| %s | %s |\n", name, strings.Join(cells, " | "))
}

// counted is how many calls of each kind there were for each of n invocations.
func (r record) counted(n int) string {
	counts := map[string]int{}
	for _, c := range r.calls {
		counts[c.service+" "+c.operation]++
	}
	return listed(counts, n)
}

// opened are the connections, by service.
func (r record) opened() string { return listed(r.connections, 1) }

func listed(counts map[string]int, n int) string {
	var parts []string
	for _, service := range []string{dynamoDB, exotelAPI, secretsManager} {
		var kinds []string
		for kind := range counts {
			if strings.HasPrefix(kind, service) {
				kinds = append(kinds, kind)
			}
		}
		slices.Sort(kinds)
		for _, kind := range kinds {
			times := strconv.FormatFloat(float64(counts[kind])/float64(n), 'g', 3, 64)
			parts = append(parts, times+" "+strings.TrimSpace(kind))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}
