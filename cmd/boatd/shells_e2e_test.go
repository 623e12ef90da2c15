//go:build e2e

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestE2EFishCompletes: fish itself offers what is there.
func TestE2EFishCompletes(t *testing.T) {
	script := completionScript(t, "fish")
	for _, c := range completed {
		line := "boatd " + strings.Join(c.line, " ")
		if strings.HasSuffix(line, "&") || strings.HasSuffix(line, " ") {
			continue // the end of a command to fish; and files too
		}
		cmd := exec.Command("fish", "--no-config", "-c", script+"\ncomplete -C '"+line+"'")
		out, err := cmd.CombinedOutput()
		var got []string
		for text := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSpace(text), "\t")
			got = append(got, word)
		}
		slices.Sort(got)
		want := strings.TrimSuffix(c.want, " help") // fish has no word without an explanation
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q (%v), not %q", line, got, err, want)
		}
	}
}

// zshDriver types into a zsh on a terminal and waits until it shows the rest of the
// word.
const zshDriver = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; source $1; print lo''aded"
zpty -r -m shell seen "*loaded*" || exit 1
zpty -n -w shell "boatd $2	"
zpty -r -m shell seen "*$3*" && print -r -- shown
`

// TestE2EZshCompletes: zsh itself completes a word.
func TestE2EZshCompletes(t *testing.T) {
	script := filepath.Join(t.TempDir(), "boatd.zsh")
	if err := os.WriteFile(script, []byte(completionScript(t, "zsh")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range completed {
		if strings.Contains(c.want, " ") {
			continue // a menu, not a word
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		out, err := exec.CommandContext(ctx, "zsh", "-f", "-c", zshDriver, "zsh", script, strings.Join(c.line, " "), c.want).CombinedOutput()
		cancel()
		if err != nil || !strings.Contains(string(out), "shown") {
			t.Errorf("%q is not completed to %s: %v\n%s", c.line, c.want, err, out)
		}
	}
}
