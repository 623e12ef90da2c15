//go:build e2e

package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The programs under test and their peers, as make builds them. E2E_BOATD names
// another boatd, such as one built with -race.
var (
	boatdProgram    string
	gethProgram     = "../../build/peers/geth"
	anvilProgram    = "../../build/peers/anvil"
	devchainProgram = "../../build/devchain"
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if err := findPrograms(); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\nhint: make e2e builds everything\n", err)
		return 1
	}
	if err := setParallel("12"); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		return 1
	}
	defer stopShared()
	return m.Run()
}

// findPrograms makes the paths absolute. A peer that is missing is an error: a
// test that is skipped has shown nothing.
func findPrograms() error {
	boatdProgram = os.Getenv("E2E_BOATD")
	if boatdProgram == "" {
		boatdProgram = "../../build/boatd"
	}
	var errs []error
	for _, p := range []*string{&boatdProgram, &gethProgram, &anvilProgram, &devchainProgram} {
		abs, err := filepath.Abs(*p)
		if err == nil {
			_, err = os.Stat(abs)
		}
		errs = append(errs, err)
		*p = abs
	}
	return errors.Join(errs...)
}

// setParallel lets more tests run at once than there are processors, unless the
// command line says how many: they spend their time waiting for blocks.
func setParallel(n string) error {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return nil
	}
	return flag.Set("test.parallel", n)
}

// patience is how long a test waits for what should come soon. It is long:
// machines that run everything at once are slow.
const patience = 90 * time.Second

// pollEvery is how often a condition is looked at.
const pollEvery = 25 * time.Millisecond

// eventually waits until cond is true, and fails the test when it does not
// become so.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	if !within(patience, cond) {
		t.Fatalf("not within %v: %s", patience, what)
	}
}

// within says whether cond becomes true in time.
func within(limit time.Duration, cond func() bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// shortDir returns a directory for a test with a path that is short enough for
// sockets. It is removed at the end.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// shared are the nodes that many tests use at once.
var shared struct {
	mu    sync.Mutex
	dirs  []string
	nodes map[string]*node
	errs  map[string]error
}

// sharedNode returns the node of a name, started by the first test that wants it.
func sharedNode(t testing.TB, name string, start func(dir string) (*node, error)) *node {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.nodes == nil {
		shared.nodes, shared.errs = map[string]*node{}, map[string]error{}
	}
	if shared.nodes[name] == nil && shared.errs[name] == nil {
		dir, err := os.MkdirTemp("", "e2e")
		if err == nil {
			shared.dirs = append(shared.dirs, dir)
			shared.nodes[name], err = start(dir)
		}
		shared.errs[name] = err
	}
	if err := shared.errs[name]; err != nil {
		t.Fatalf("starting the shared node %s: %v", name, err)
	}
	return shared.nodes[name]
}

func stopShared() {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	for _, n := range shared.nodes {
		if n != nil {
			n.kill()
		}
	}
	for _, dir := range shared.dirs {
		os.RemoveAll(dir)
	}
}

// tail returns the last lines of a file, for the report of a failure.
func tail(file string, lines int) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
