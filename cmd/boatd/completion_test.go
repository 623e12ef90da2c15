package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// completed are what a shell offers behind a line, sorted.
var completed = []struct {
	line []string
	want string
}{
	{[]string{"sta"}, "status"},
	{[]string{"he"}, "health help"},
	{[]string{"at", "AT+BOATPI"}, "AT+BOATPIN"},
	{[]string{"at", "AT+BOATTXL"}, "AT+BOATTXLOG AT+BOATTXLST"},
	{[]string{"at", "AT&"}, "AT&C AT&D AT&F AT&W"},
	{[]string{"completion", ""}, "--config --help bash fish zsh"},
	{[]string{"man", "boat-"}, "boat-at"},
	{[]string{"check-config", "--eff"}, "--effective"},
	{[]string{"run", "--log."}, "--log.format --log.level --log.target"},
}

func completionScript(t *testing.T, shell string) string {
	t.Helper()
	status, script, stderr := cli("", nil, "completion", shell)
	if status != exitDone {
		t.Fatal(stderr)
	}
	return script
}

// TestBashCompletes: bash itself offers what is there.
func TestBashCompletes(t *testing.T) {
	script := completionScript(t, "bash")
	for _, c := range completed {
		cmd := exec.Command("bash", "-c", script+"\nCOMP_WORDS=(boatd \"$@\"); COMP_CWORD=$#; _boatd; printf '%s\\n' \"${COMPREPLY[@]}\"", "bash")
		cmd.Args = append(cmd.Args, c.line...)
		out, err := cmd.CombinedOutput()
		got := strings.Fields(string(out))
		slices.Sort(got)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q: %q (%v), not %q", c.line, got, err, c.want)
		}
	}
}

// TestEveryShellHasAll: no script leaves a command out.
func TestEveryShellHasAll(t *testing.T) {
	table, err := tableOfCommands()
	if err != nil {
		t.Fatal(err)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := completionScript(t, shell)
		for _, c := range subcommands() {
			if !strings.Contains(script, c.name) {
				t.Errorf("%s: no %s", shell, c.name)
			}
		}
		for _, c := range table.Commands() {
			if !strings.Contains(script, "AT"+c.Name+" ") {
				t.Errorf("%s: no AT%s", shell, c.Name)
			}
		}
	}
}
