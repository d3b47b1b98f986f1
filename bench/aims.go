package main

import (
	"fmt"
	"io"
	"slices"
)

// aim is something that is aimed at, and what came out.
type aim struct {
	text     string
	measured string
	met      bool
}

func (b *bench) writeAims(out io.Writer) {
	fmt.Fprintf(out, "\n### Aims\n\n")
	row(out, "aim", []string{"measured", ""})
	row(out, "---", []string{"---", "---"})
	for _, a := range b.aims {
		verdict := "**not met**"
		if a.met {
			verdict = "met"
		}
		row(out, a.text, []string{a.measured, verdict})
	}
}

// aimsOf holds ours, the first, against the others.
func aimsOf(variant string, results []result) (aims []aim) {
	ours := results[0]
	value := func(r result, name string) float64 {
		i := slices.IndexFunc(lines, func(l line) bool { return l.name == name })
		return lines[i].value(r)
	}
	for _, versus := range []struct {
		text, line, peer string
		times            float64
	}{
		{"init <= 1/10 of Powertools Python's", lineInit, namePython, 0.1},
		{"init <= 1/3 of Powertools TypeScript's", lineInit, nameTypeScript, 1.0 / 3},
		{"cold total <= naive Go's", lineCold, nameNaive, 1},
		{"own time of a replay <= naive Go's", lineOwnOfReplay, nameNaive, 1},
		{"own time of a new signup <= 1.3 x naive Go's", lineOwnOfNew, nameNaive, 1.3},
	} {
		i := slices.IndexFunc(results, func(r result) bool { return r.name == versus.peer })
		if i < 0 {
			continue
		}
		mine, theirs := value(ours, versus.line), value(results[i], versus.line)
		aims = append(aims, aim{
			versus.text + ", " + variant, fmt.Sprintf("%s ms to %s ms: %s", digits(mine), digits(theirs), digits(mine/theirs)), mine <= versus.times*theirs,
		})
	}
	last := ours.last()
	missed := last.atFirst.connections[dynamoDB] + last.atFirst.connections[exotelAPI] + last.atFirst.connections[secretsManager]
	newCalls, replayCalls := perInvocation(last.news), perInvocation(last.replays)
	return append(
		aims,
		aim{"a replay makes 1 call, a new signup at most 4, " + variant, fmt.Sprintf("%s and %s", digits(replayCalls), digits(newCalls)), replayCalls == 1 && newCalls <= 4},
		aim{"the first invocation opens no connection that init could have opened, " + variant, last.atFirst.opened(), missed == 0},
		aim{"peak RSS <= 24 MB, " + variant, digits(value(ours, lineMemory)) + " MB", value(ours, lineMemory) <= 24},
		aim{"zip <= 4.5 MB, " + variant, digits(value(ours, lineZip)) + " MB", value(ours, lineZip) <= 4.5},
	)
}

func perInvocation(p phase) float64 { return float64(len(p.record.calls)) / float64(len(p.samples)) }
