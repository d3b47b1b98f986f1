package console

import (
	"maps"
	"slices"
	"strings"
)

// shellQuoted is a text as one word of a POSIX shell.
func shellQuoted(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:@/-", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// curl is a request as a command.
func curl(url string, header map[string]string, body string) string {
	var b strings.Builder
	b.WriteString("curl -sS " + shellQuoted(url))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		b.WriteString(" \\\n  -H " + shellQuoted(name+": "+header[name]))
	}
	b.WriteString(" \\\n  --data-raw " + shellQuoted(body))
	return b.String()
}
