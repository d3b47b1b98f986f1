package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints what a shell is to source. It is made of the command line's own model, so
// that it has every command and option.
func (c *completionCommand) Run(i *invocation, model *kong.Application) error {
	words := completions(model.Node, nil)
	if c.Shell == "fish" {
		for _, w := range words {
			condition := "__fish_use_subcommand"
			if w.after != "" {
				condition = "__fish_seen_subcommand_from " + strings.Fields(w.after)[0]
			}
			if _, err := fmt.Fprintf(i.out, "complete -c trunkctl -f -n '%s' -a '%s'\n", condition, strings.Join(w.words, " ")); err != nil {
				return err
			}
		}
		return nil
	}
	if c.Shell == "zsh" {
		if _, err := fmt.Fprintln(i.out, "autoload -Uz bashcompinit && bashcompinit"); err != nil {
			return err
		}
	}
	var known []string
	var cases strings.Builder
	for _, w := range words {
		if w.after != "" {
			known = append(known, strconv.Quote(w.after))
		}
		fmt.Fprintf(&cases, "    %q) words=%q ;;\n", w.after, strings.Join(w.words, " "))
	}
	_, err := fmt.Fprintf(i.out, bashCompletion, strings.Join(known, "|"), cases.String())
	return err
}

// bashCompletion goes along the words for as long as they are a command.
const bashCompletion = `_trunkctl() {
  local at="" words="" word next
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) continue ;; esac
    next="${at:+$at }$word"
    case "$next" in %s) at="$next" ;; *) [[ -z "$at" ]] || break ;; esac
  done
  case "$at" in
%s  esac
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _trunkctl trunkctl
`

// suggestion is what may come after a command.
type suggestion struct {
	after string // the command, "" for none yet
	words []string
}

func completions(node *kong.Node, path []string) []suggestion {
	s := suggestion{after: strings.Join(path, " ")}
	var below []suggestion
	for _, child := range node.Children {
		if child.Type != kong.CommandNode || child.Hidden {
			continue
		}
		s.words = append(s.words, child.Name)
		below = append(below, completions(child, append(path[:len(path):len(path)], child.Name))...)
	}
	for _, flags := range node.AllFlags(true) {
		for _, flag := range flags {
			s.words = append(s.words, "--"+flag.Name)
		}
	}
	return append([]suggestion{s}, below...)
}
