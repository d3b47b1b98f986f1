package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// memories are the settings that are tried, in MB.
var memorySettings = []int{128, 192, 256, 512, 1024, 1769}

// AWS's list prices for arm64 in eu-west-1 (2026-11), the first tier, without the free
// tier: for a GB-second and for a request. Init is billed too, since 2025-08.
const (
	pricePerGBSecond = 0.0000133334
	pricePerRequest  = 0.0000002
)

// memory measures our function with the share of a processor that each setting gives.
func (b *bench) memory(ctx context.Context, out io.Writer) error {
	type setting struct {
		memory int
		result
	}
	settings := make([]setting, len(memorySettings))
	for n := range b.rounds {
		for i, memory := range memorySettings {
			fmt.Fprintf(b.progress, "memory, round %d of %d: %d MB\n", n+1, b.rounds, memory)
			q, end, err := newQuota(memory)
			if errors.Is(err, errNoQuota) {
				fmt.Fprintf(out, "\n### Memory\n\nNot measured: %v.\n", err)
				return nil
			}
			measured, err := b.runner.round(ctx, b.contenders[0], effort{colds: b.effort.colds, news: max(1, b.effort.news/3), replays: max(1, b.effort.replays/2)}, &b.trust, q)
			time.Sleep(settling) // for the group to be empty
			end()
			if err != nil {
				return err
			}
			settings[i].memory = memory
			settings[i].rounds = append(settings[i].rounds, measured)
		}
	}
	fmt.Fprintf(out, "\n### Memory\n\nWith TLS; init at full speed, then the share of a processor that the setting gives.\n\n")
	row(out, "MB", []string{"share of a vCPU", "init, ms", "first invocation, ms", "new: p50, ms", "new: p99, ms", "replay: p50, ms", "replay: p99, ms", "a million new signups, USD", "a million replays, USD"})
	row(out, "---", slices.Repeat([]string{"---"}, 9))
	for _, s := range settings {
		cells := []string{digits(float64(min(s.memory, vCPU)) / vCPU)}
		for _, d := range []time.Duration{
			median(s.durations(inits)), median(s.durations(firsts)), median(s.samples(news, wall)), quantile(s.samples(news, wall), 0.99),
			median(s.samples(replays, wall)), quantile(s.samples(replays, wall), 0.99),
		} {
			cells = append(cells, milliseconds(d))
		}
		row(out, strconv.Itoa(s.memory), append(cells, cost(s.memory, s.samples(news, wall)), cost(s.memory, s.samples(replays, wall))))
	}
	return nil
}

// cost is what a million such invocations cost, each billed in whole milliseconds.
func cost(memory int, durations []time.Duration) string {
	var sum float64
	for _, d := range durations {
		billed := (d + time.Millisecond - 1).Truncate(time.Millisecond).Seconds()
		sum += billed*float64(memory)/1024*pricePerGBSecond + pricePerRequest
	}
	return digits(sum / float64(len(durations)) * 1e6)
}
