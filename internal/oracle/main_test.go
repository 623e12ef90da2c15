//go:build e2e

// Package oracle compares boatd's encodings, hashes, signatures and keys with
// those of ethers, a library in another language that shares no code with
// boatd: random cases, byte for byte, in both directions. A run that has failed
// is repeated with -seed.
package oracle

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

var (
	seed   = flag.Uint64("seed", 0, "the seed of the random cases; 0 for another one at every run")
	factor = flag.Int("cases", 1, "how many times the usual number of cases")
)

// ethers is where make peers puts the library.
const ethers = "../../build/peers/npm/node_modules/ethers"

// one is the only program of a run.
var one oracle

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	fmt.Printf("seed %d\n", *seed)
	if err := one.start(); err != nil {
		fmt.Fprintf(os.Stderr, "error: starting the oracle: %v\nhint: make e2e installs it\n", err)
		return 1
	}
	code := m.Run()
	if err := one.stop(); err != nil {
		fmt.Fprintf(os.Stderr, "error: the oracle ended with %v\n", err)
		return 1
	}
	return code
}

// An oracle is oracle.js as it runs.
type oracle struct {
	cmd *exec.Cmd
	mu  sync.Mutex // held for a question and its answer
	in  io.WriteCloser
	out *bufio.Reader
}

func (o *oracle) start() (err error) {
	if _, err := os.Stat(ethers); err != nil {
		return err
	}
	o.cmd = exec.Command("node", "oracle.js", ethers)
	o.cmd.Stderr = os.Stderr
	if o.in, err = o.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	o.out = bufio.NewReaderSize(out, 1<<20)
	return o.cmd.Start()
}

func (o *oracle) stop() error { return errors.Join(o.in.Close(), o.cmd.Wait()) }

// ask puts one question and reads the answer into a value.
func (o *oracle) ask(question, answer any) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := json.NewEncoder(o.in).Encode(question); err != nil {
		return err
	}
	line, err := o.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the oracle is silent: %w", err)
	}
	var refused struct{ Error string }
	switch err := json.Unmarshal(line, &refused); {
	case err != nil:
		return err
	case refused.Error != "":
		return fmt.Errorf("the oracle refuses: %s", refused.Error)
	}
	return json.Unmarshal(line, answer)
}

// A question is what oracle.js is asked: "ask" names the kind.
type question map[string]any

// ask asks in a test that cannot go on without the answer.
func ask(t *testing.T, q question, answer any) {
	t.Helper()
	if err := one.ask(q, answer); err != nil {
		text, _ := json.Marshal(q)
		t.Fatalf("%v\n%.4000s", err, text)
	}
}

// cases runs a test so many times, each with its own randomness, until one has
// failed: it says then how it is done again.
func cases(t *testing.T, stream uint64, n int, one func(t *testing.T, r *random)) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("again: go test -tags e2e ./internal/oracle -run '^%s$' -seed %d -cases %d", t.Name(), *seed, *factor)
		}
	}()
	for i := range n * *factor {
		one(t, &random{rand.New(rand.NewPCG(*seed, stream<<32|uint64(i)))})
		if t.Failed() {
			t.Logf("case %d", i)
			return
		}
	}
}
