package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build makes a program of one line with the go command.
func build(t *testing.T, name, source string, env []string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	main := filepath.Join(dir, "main.go")
	if err := os.WriteFile(main, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, name)
	cmd := exec.Command("go", append(append([]string{"build", "-o", out}, args...), main)...)
	cmd.Env = append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

func TestJudge(t *testing.T) {
	const hello = "package main\nfunc main() { println() }\n"
	strip := []string{"-trimpath", "-ldflags", "-s -w"}
	arm := []string{"CGO_ENABLED=0", "GOARCH=arm", "GOARM=7"}
	for _, tt := range []struct {
		name, machine string
		limit         int64
		path          string
		want          []string // parts of the complaint; none: it passes
	}{
		{"good", "arm", 12_000_000, build(t, "good", hello, arm, strip...), nil},
		{"any machine, any size", "", 0, build(t, "good", hello, arm, strip...), nil},
		{"too large", "arm", 1000, build(t, "large", hello, arm, strip...), []string{"too many"}},
		{"other machine", "arm", 0, build(t, "amd64", hello, []string{"CGO_ENABLED=0", "GOARCH=amd64"}, strip...), []string{"not for arm"}},
		{"dynamic", "", 0, build(t, "dynamic", "package main\n\nimport \"C\"\n\nfunc main() {}\n", []string{"CGO_ENABLED=1"}, strip...), []string{"dynamic loader"}},
		{"symbols and paths", "", 0, build(t, "symbols", hello, arm), []string{".symtab", "-trimpath"}},
		{"no ELF", "", 0, "main.go", []string{"bad magic"}},
		{"absent", "", 0, "absent", []string{"no such file"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := judge(tt.path, tt.machine, tt.limit)
			if (err == nil) != (len(tt.want) == 0) {
				t.Fatalf("got %v", err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
		})
	}
}
