//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// A node is a real Ethereum node that a test runs, and the test's own way of
// asking it: nothing of boatd is used to judge boatd.
type node struct {
	*process
	url   string
	dev   string // funded account, for which the node itself signs
	again func() (*process, error)
}

// gethOptions say how a geth makes blocks.
type gethOptions struct {
	period   int    // seconds between blocks; 0: a block for every transaction
	gasLimit uint64 // of the first block, which makes for another genesis; 0: the usual one
}

// gethDev is the account that geth --dev funds and unlocks.
const gethDev = "0x71562b71999873db5b286df957af199ec94617f7"

// stuckBelow is the tip below which a geth that makes blocks by the clock takes
// transactions and never includes them.
const stuckBelow = 1_000_000_000

// startGeth runs geth --dev in dir until its port answers. With a port it takes
// that one, so that it can come back where it was.
func startGeth(dir string, o gethOptions) (*node, error) {
	n := &node{dev: gethDev}
	log := filepath.Join(dir, "geth.log")
	args := []string{"--dev", "--datadir", filepath.Join(dir, "geth"), "--ipcdisable", "--cache", "64",
		"--http", "--http.addr", "127.0.0.1", "--http.api", "eth,net,web3,txpool,debug",
		"--nodiscover", "--maxpeers", "0", "--port", "0", "--txpool.nolocals", "--txpool.journal", ""}
	if o.period > 0 {
		args = append(args, "--dev.period", strconv.Itoa(o.period), "--miner.gasprice", strconv.Itoa(stuckBelow))
	}
	if o.gasLimit > 0 {
		args = append(args, "--dev.gaslimit", strconv.FormatUint(o.gasLimit, 10))
	}
	port := "0"
	n.again = func() (*process, error) {
		return launch(log, gethProgram, append(args, "--http.port", port)...)
	}
	var err error
	if n.process, err = n.again(); err != nil {
		return nil, err
	}
	port, err = n.findPort(`HTTP server started +endpoint=127\.0\.0\.1:(\d+)`)
	return n, err
}

// findPort waits until the node says on which port it listens, and answers.
func (n *node) findPort(pattern string) (port string, err error) {
	says := regexp.MustCompile(pattern)
	ready := within(patience, func() bool {
		if !n.running() {
			return true
		}
		b, _ := os.ReadFile(n.log)
		if m := says.FindSubmatch(b); m != nil {
			port = string(m[1])
			n.url = "http://127.0.0.1:" + port
			return n.try(nil, "eth_chainId") == nil
		}
		return false
	})
	if ready && n.running() {
		return port, nil
	}
	n.kill()
	return "", fmt.Errorf("the node does not answer:\n%s", tail(n.log, 20))
}

// restart ends the node and runs it again on the same data and port. A geth that
// is killed would forget its newest blocks; this one only forgets its pool.
func (n *node) restart(t testing.TB) {
	t.Helper()
	if err := n.stop(); err != nil {
		t.Fatalf("stopping the node: %v", err)
	}
	n.start(t)
}

// start runs a node again that has ended.
func (n *node) start(t testing.TB) {
	t.Helper()
	var err error
	if n.process, err = n.again(); err != nil {
		t.Fatalf("starting the node again: %v", err)
	}
	eventually(t, "the node answers again", func() bool { return n.try(nil, "eth_chainId") == nil })
}

// ownGeth runs a geth for one test.
func ownGeth(t testing.TB, o gethOptions) *node {
	t.Helper()
	n, err := startGeth(shortDir(t), o)
	if err != nil {
		t.Fatalf("starting geth: %v", err)
	}
	t.Cleanup(func() { n.kill() })
	return n
}

// ticking is the geth that makes a block every second and leaves transactions
// with tips below stuckBelow in its pool.
func ticking(t testing.TB) *node {
	return sharedNode(t, "ticking", func(dir string) (*node, error) { return startGeth(dir, gethOptions{period: 1}) })
}

// instant is the geth that makes a block for every transaction.
func instant(t testing.TB) *node {
	return sharedNode(t, "instant", func(dir string) (*node, error) { return startGeth(dir, gethOptions{}) })
}

// anvilDev is the first account that anvil funds and unlocks.
const anvilDev = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"

// ownAnvil runs an anvil for one test. It makes blocks only when it is told to.
func ownAnvil(t testing.TB, args ...string) *node {
	t.Helper()
	n := &node{dev: anvilDev}
	all := append([]string{"--no-mining", "--chain-id", "1337", "--port", "0", "--balance", "1000000"}, args...)
	var err error
	if n.process, err = launch(filepath.Join(shortDir(t), "anvil.log"), anvilProgram, all...); err != nil {
		t.Fatalf("starting anvil: %v", err)
	}
	t.Cleanup(func() { n.kill() })
	if _, err := n.findPort(`Listening on 127\.0\.0\.1:(\d+)`); err != nil {
		t.Fatalf("starting anvil: %v", err)
	}
	n.call(t, nil, "anvil_mine", "0x2") // a chain of one block has no history to lose
	return n
}

var client = &http.Client{Timeout: 30 * time.Second}

type rpcCall struct {
	Version string `json:"jsonrpc"`
	ID      int    `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

type rpcAnswer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// try asks the node one question; result may be nil.
func (n *node) try(result any, method string, params ...any) error {
	return n.ask([]rpcCall{{Method: method, Params: params}}, []any{result})
}

// call is try in a test that cannot go on without the answer.
func (n *node) call(t testing.TB, result any, method string, params ...any) {
	t.Helper()
	if err := n.try(result, method, params...); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// ask puts several questions in one batch.
func (n *node) ask(calls []rpcCall, results []any) error {
	for i := range calls {
		calls[i].Version, calls[i].ID = "2.0", i
		if calls[i].Params == nil {
			calls[i].Params = []any{}
		}
	}
	body, err := json.Marshal(calls)
	if err != nil {
		return err
	}
	resp, err := client.Post(n.url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return err
	}
	var answers []rpcAnswer
	if err := json.Unmarshal(body, &answers); err != nil {
		return fmt.Errorf("%.200q: %w", body, err)
	}
	if len(answers) != len(calls) {
		return fmt.Errorf("%d answers to %d questions", len(answers), len(calls))
	}
	return fill(answers, results)
}

func fill(answers []rpcAnswer, results []any) error {
	for _, a := range answers {
		switch {
		case a.Error != nil:
			return errors.New(a.Error.Message)
		case results[a.ID] == nil:
		default:
			if err := json.Unmarshal(a.Result, results[a.ID]); err != nil {
				return fmt.Errorf("%.200q: %w", a.Result, err)
			}
		}
	}
	return nil
}
