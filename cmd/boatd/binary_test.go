//go:build !arm

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The tests that start boatd as a process build it with the go command, which a
// processor under qemu-user has not. To run them against a binary for another
// processor, name it: BOATD_UNDER_TEST="qemu-arm-static build/boatd-armv7" (with
// whole paths).

// scratch is a directory for what the tests build; it goes when they have run.
var scratch string

func TestMain(m *testing.M) {
	flag.Parse()
	// Transcripts spend their time waiting for blocks and timeouts, not computing.
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "boatd-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	scratch = dir
	return m.Run()
}

// Stamps of the boatd under test.
const (
	testVersion = "v0.0.0-test"
	testBuilt   = "1767225600" // 2026-01-01
)

// built builds boatd, once for all tests, and returns the command that runs it.
var built = sync.OnceValues(func() ([]string, error) {
	if named := os.Getenv("BOATD_UNDER_TEST"); named != "" {
		return strings.Fields(named), nil
	}
	program := filepath.Join(scratch, "boatd")
	args := []string{"build", "-o", program, "-ldflags", "-X main.version=" + testVersion + " -X main.buildDate=" + testBuilt}
	if raceEnabled {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, ".")...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("building boatd: %w\n%s", err, out)
	}
	return []string{program}, nil
})

// boatdUnderTest returns the command that runs boatd.
func boatdUnderTest(t *testing.T) []string {
	t.Helper()
	command, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return command
}

// chainProgram returns the development chain: the one that make has built, else
// one of its own.
var chainProgram = sync.OnceValues(func() (string, error) {
	made, err := filepath.Abs("../../build/devchain")
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(made); !errors.Is(err, os.ErrNotExist) {
		return made, err
	}
	program := filepath.Join(scratch, "devchain")
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Dir = "../../internal/devchain"
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the development chain: %w\n%s", err, out)
	}
	return program, nil
})
