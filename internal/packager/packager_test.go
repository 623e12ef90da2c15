package packager

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// root is the checkout.
const root = "../.."

// a file of the checkout, by an absolute name.
func file(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// must runs a program and returns what it says.
func must(t *testing.T, env []string, args ...string) string {
	t.Helper()
	out, status := try(t, env, args...)
	if status != 0 {
		t.Fatalf("%q: status %d\n%s", args, status, out)
	}
	return out
}

// try runs a program and returns what it says, and its exit status.
func try(t *testing.T, env []string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(cmd.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	// A daemon that it starts may keep the pipe open.
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("%q: %v", args, err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this is about accounts and owners: run it as root")
	}
}

// one is the one package of a kind that make has made.
func one(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(file(t, "build/packages/boatd_*"+pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: found %q, %v; make packages makes them", pattern, found, err)
	}
	return found[0]
}

// TestVersions: what git describe says becomes versions that grow, without the
// signs that package tools disagree on.
func TestVersions(t *testing.T) {
	versions := []struct{ describe, want string }{ // oldest first
		{"abc1234", "0.0.0+git20261122211938.abc1234"},
		{"abc1234-dirty", "0.0.0+git20261122211938.abc1234.dirty"},
		{"0.9.9", "0.9.9"},
		{"v1.2.3", "1.2.3"},
		{"v1.2.3-dirty", "1.2.3+git0.dirty"},
		{"v1.2.3-4-gabc1234", "1.2.3+git4.abc1234"},
		{"v1.2.3-12-g0123456-dirty", "1.2.3+git12.0123456.dirty"},
		{"v1.2.4", "1.2.4"},
		{"v1.10.0", "1.10.0"},
	}
	env := []string{"SOURCE_DATE_EPOCH=1795382378"}
	for i, v := range versions {
		got := strings.TrimSpace(must(t, env, file(t, "packaging/version.sh"), v.describe))
		if got != v.want || strings.ContainsAny(got, "~-") {
			t.Errorf("%s: %q, want %q", v.describe, got, v.want)
		}
		if i > 0 {
			must(t, nil, "dpkg", "--compare-versions", versions[i-1].want+"-1", "lt", got+"-1")
		}
	}
	earlier := strings.TrimSpace(must(t, []string{"SOURCE_DATE_EPOCH=1795382377"}, file(t, "packaging/version.sh"), "fff1234"))
	must(t, nil, "dpkg", "--compare-versions", earlier, "lt", versions[0].want)
	for _, bad := range []string{"", "v1.2", "v1.2.3-rc1", "1.2.3~rc1", "main", "1.2.3;id", "1.2.3\n1.2.4"} {
		if out, status := try(t, env, file(t, "packaging/version.sh"), bad); status == 0 {
			t.Errorf("%q is taken for version %s", bad, out)
		}
	}
}
