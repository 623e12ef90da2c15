package main

import (
	"bufio"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

const wallet = "0x00000000000000000000000000000000000000a1"

func transferOf(wei int64, to string) transfer {
	return transfer{From: wallet, To: to, Value: hexutil.Big(*big.NewInt(wei))}
}

// good is what a chain says when all went well: 7 and 5.
func good() ([]order, evidence) {
	told := []order{
		{"a", "7", []string{"1", "1"}, "4"},
		{"b", "5", []string{"2", "2", "2"}, "4"},
	}
	return told, evidence{big.NewInt(12), 2, []transfer{transferOf(7, recipient), transferOf(5, recipient)}}
}

// TestJudge: PASS only when the chain has each order once and nothing else.
func TestJudge(t *testing.T) {
	told, e := good()
	if problems := judge(told, e); problems != nil {
		t.Errorf("a good run: %q", problems)
	}
	for name, spoil := range map[string]func(told *[]order, e *evidence){
		"sent twice":            func(_ *[]order, e *evidence) { e.transfers = append(e.transfers, e.transfers[0]) },
		"never sent":            func(_ *[]order, e *evidence) { e.transfers = e.transfers[:1] },
		"one is another":        func(_ *[]order, e *evidence) { e.transfers[0] = transferOf(8, recipient) },
		"to somebody else":      func(_ *[]order, e *evidence) { e.transfers[0] = transferOf(7, wallet) },
		"too much arrived":      func(_ *[]order, e *evidence) { e.balance = big.NewInt(13) },
		"nothing arrived":       func(_ *[]order, e *evidence) { e.balance = new(big.Int) },
		"nothing is known":      func(_ *[]order, e *evidence) { *e = evidence{} },
		"the nonce is higher":   func(_ *[]order, e *evidence) { e.nonce = 3 },
		"another id":            func(told *[]order, _ *evidence) { (*told)[1].ids[2] = "3" },
		"asked for once":        func(told *[]order, _ *evidence) { (*told)[0].ids = []string{"1"} },
		"not confirmed":         func(told *[]order, _ *evidence) { (*told)[0].state = "3" },
		"no orders":             func(told *[]order, e *evidence) { *told, *e = nil, evidence{balance: new(big.Int)} },
		"an order is forgotten": func(told *[]order, _ *evidence) { *told = (*told)[:1] },
		"no amount":             func(told *[]order, _ *evidence) { (*told)[0].amount = "7 coins" },
	} {
		told, e := good()
		spoil(&told, &e)
		if judge(told, e) == nil {
			t.Errorf("%s: PASS", name)
		}
	}
}

// TestNothingToStart: without its programs the demo fails, says what is missing
// and leaves nothing behind.
func TestNothingToStart(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var out strings.Builder
	d := &demo{out: &out, boatd: filepath.Join(dir, "none"), chain: filepath.Join(dir, "none")}
	if status := d.run(t.Context()); status != 1 || !strings.Contains(out.String(), "FAIL\n") || !strings.Contains(out.String(), "make build/devchain") {
		t.Errorf("status %d:\n%s", status, &out)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// talk plays a terminal that answers, and returns the host at its other end.
func talk(t *testing.T, answers map[string]string) (*host, *strings.Builder) {
	t.Helper()
	near, far, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	typed, typing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); typing.Close() })
	go func() {
		defer far.Close()
		in := bufio.NewReader(typed)
		for {
			line, err := in.ReadString('\r')
			if err != nil {
				return
			}
			io.WriteString(far, answers[strings.TrimSuffix(line, "\r")])
		}
	}()
	shown := &strings.Builder{}
	h := &host{f: typing, in: bufio.NewReader(near), show: func(d, line string) { fmt.Fprintln(shown, d, line) }, stop: func() bool { return true }}
	return h, shown
}

func TestHost(t *testing.T) {
	h, shown := talk(t, map[string]string{
		"ATE0": "ATE0\r\r\nOK\r\n",
		"ATX":  "\r\n+X: 1,2\r\n\r\n+BOATURC: 7,\"tx\",1,1,0\r\n\r\nOK\r\n\r\n+BOATURC: 8,\"tx\",2,4,0\r\n\r\n+BOATURC: 9,\"tx\",1,2,0\r\n",
		"ATY":  "\r\n+CME ERROR: 50\r\n",
		"ATZ":  "\r\n+Z: 1\r\n\r\n+Z: 2\r\n\r\nOK\r\n\r\n+BOATURC: 10,\"tx\",1,9,7043\r\n",
	})
	if lines, err := h.do("ATE0"); err != nil || lines != nil {
		t.Errorf("%q, %v", lines, err)
	}
	if fields, err := h.one("ATX", "+X"); err != nil || fields != "1,2" {
		t.Errorf("%q, %v", fields, err)
	}
	for state := 1; state <= 2; state++ {
		if err := h.await(1, state); err != nil {
			t.Error(err)
		}
	}
	if _, err := h.do("ATY"); err == nil || !strings.Contains(err.Error(), "50") {
		t.Error(err)
	}
	if _, err := h.one("ATZ", "+Z"); err == nil {
		t.Error("two lines are one")
	}
	if err := h.await(1, 4); err == nil || !strings.Contains(err.Error(), "state 9, reason 7043") {
		t.Error(err)
	}
	if !strings.Contains(shown.String(), "> ATX\n< +X: 1,2\n") {
		t.Errorf("shown:\n%s", shown)
	}
}
