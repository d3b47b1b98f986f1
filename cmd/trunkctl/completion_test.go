package main

import (
	"os/exec"
	"strings"
	"testing"
)

// bash completes what the script says, as it would at a terminal.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	printed := local{}.trunkctl(t, "", "completion", "bash")
	if printed.code != exitOK {
		t.Fatalf("%+v", printed)
	}
	for line, want := range map[string]string{
		"trunkctl ":                   "list show retry reject delete adopt import rejects replay trace export audit completion",
		"trunkctl re":                 "retry reject rejects replay",
		"trunkctl rejects ":           "list show replay drop",
		"trunkctl -o json delete --r": "--reason",
		"trunkctl show acme-42 --out": "--output --outputs",
	} {
		words := strings.Split(line, " ")
		script := printed.out + "\nCOMP_WORDS=(" + strings.Join(words[:len(words)-1], " ") + " '" + words[len(words)-1] + "'); COMP_CWORD=" + "$((${#COMP_WORDS[@]}-1)); _trunkctl; echo \"${COMPREPLY[@]}\""
		out, err := exec.CommandContext(t.Context(), "bash", "-c", script).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", line, err, out)
		}
		got := strings.Fields(string(out))
		for _, word := range strings.Fields(want) {
			if !strings.Contains(" "+strings.Join(got, " ")+" ", " "+word+" ") {
				t.Errorf("%q: %v lacks %s", line, got, word)
			}
		}
	}
}

func TestOtherShellsAreKnown(t *testing.T) {
	t.Parallel()
	for shell, want := range map[string]string{"zsh": "bashcompinit", "fish": "complete -c trunkctl"} {
		if printed := (local{}).trunkctl(t, "", "completion", shell); printed.code != exitOK || !strings.Contains(printed.out, want) {
			t.Errorf("%s: %+v", shell, printed)
		}
	}
	if printed := (local{}).trunkctl(t, "", "completion", "tcsh"); printed.code != exitUsage {
		t.Errorf("%+v", printed)
	}
}
