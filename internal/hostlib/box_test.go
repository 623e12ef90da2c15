//go:build e2e

// Package hostlib runs the C library of host/ against the real boatd: as a
// program on this machine, and as the firmware of an emulated microcontroller.
package hostlib

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/boatd/boatd/internal/transcript/rig"
)

// patience is how long a test waits for what should come soon. It is long:
// machines that run everything at once are slow.
const patience = 120 * time.Second

// A box is a chain and a boatd with one terminal.
type box struct {
	t     *testing.T
	dir   string
	chain *rig.DevChain
	boatd rig.Boatd
	log   *os.File
	tty   string // path of the terminal
}

const config = `state_dir = "%[1]s/state"
allow_volatile_state = true

[at]
allow_digest_signing = false

[[channel]]
name = "uart"
type = "pty"
link = "%[1]s/at"

[[network]]
name = "box"
protocol = "ethereum"
endpoints = ["%[2]s"]
chain_id = 1337
insecure_http = true
confirmations = 2
`

// program returns the path of something that make builds.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../build", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%v; make e2e builds everything", err)
	}
	return path
}

// newBox starts everything. It ends with the test, and a test that fails shows
// what boatd logged.
func newBox(t *testing.T) *box {
	t.Helper()
	dir, err := os.MkdirTemp("", "hostlib")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &box{t: t, dir: dir, tty: filepath.Join(dir, "at")}
	if b.log, err = os.Create(b.path("log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.log.Close() })
	if b.chain, err = rig.StartDevChain(program(t, "devchain"), 500*time.Millisecond, b.log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.chain.Close() })
	if err := os.WriteFile(b.path("boatd.toml"), fmt.Appendf(nil, config, dir, b.chain.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	b.boatd = rig.Boatd{Command: []string{program(t, "boatd")}, Dir: dir, Stderr: b.log}
	b.start()
	t.Cleanup(func() {
		b.boatd.Close()
		if t.Failed() {
			t.Logf("boatd's log ends with:\n%s", b.tail("log", 4000))
		}
	})
	return b
}

func (b *box) path(name string) string { return filepath.Join(b.dir, name) }

func (b *box) start() {
	b.t.Helper()
	if err := b.boatd.Start(b.t.Context(), b.path("boatd.toml")); err != nil {
		b.t.Fatal(err)
	}
}

// tail returns the last bytes of a file.
func (b *box) tail(name string, most int) string {
	text, err := os.ReadFile(b.path(name))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// open opens the terminal. While it is open boatd sees no hang-up.
func (b *box) open() *os.File {
	b.t.Helper()
	f, err := rig.OpenTerminal(b.tty)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { f.Close() })
	return f
}

func (b *box) fund(address string) {
	b.t.Helper()
	if err := b.chain.Fund(context.Background(), address, big.NewInt(1e18)); err != nil {
		b.t.Fatal(err)
	}
}

// paid requires that the chain has exactly these payments of a wallet, in any
// order, and nothing else of it.
func (b *box) paid(from, to string, wei ...int64) {
	b.t.Helper()
	sum := new(big.Int)
	for _, w := range wei {
		sum.Add(sum, big.NewInt(w))
	}
	have, err := b.chain.Balance(context.Background(), to)
	if err != nil {
		b.t.Fatal(err)
	}
	nonce, err := b.chain.Nonce(context.Background(), from)
	if err != nil {
		b.t.Fatal(err)
	}
	if have.Cmp(sum) != 0 || nonce != uint64(len(wei)) {
		b.t.Errorf("%s has %v wei by %d transactions, want %v by %d", to, have, nonce, sum, len(wei))
	}
}

// succeeded requires that a transaction is in the chain and did what it should.
func (b *box) succeeded(hash string) {
	b.t.Helper()
	var receipt struct{ Status hexutil.Uint64 }
	if err := rig.Ask(context.Background(), b.chain.URL, &receipt, "eth_getTransactionReceipt", "0x"+hash); err != nil {
		b.t.Fatal(err)
	}
	if receipt.Status != 1 {
		b.t.Errorf("transaction %s has status %d", hash, receipt.Status)
	}
}

// eventually waits until cond is true.
func (b *box) eventually(what string, cond func() bool) {
	b.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

var result = regexp.MustCompile(`\r\n(OK|ERROR|\+CME ERROR: \d+)\r\n`)

// exchange types bytes and reads until so many final results have come.
func exchange(t *testing.T, tty *os.File, typed string, results int) string {
	t.Helper()
	if err := tty.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(tty, typed); err != nil {
		t.Fatal(err)
	}
	var got []byte
	buf := make([]byte, 256)
	for len(result.FindAll(got, -1)) < results {
		n, err := tty.Read(buf)
		if err != nil {
			t.Fatalf("%q: after %q: %v", typed, got, err)
		}
		got = append(got, buf[:n]...)
	}
	return string(got)
}

// The opening of host/boat.c.
const flush = "\x1b\\\r"

// TestE2ELineIsSpoilt: whatever the library was about to send when it was cut
// off, the bytes with which it begins again keep boatd from carrying it out: the
// beginning of an order for tokens is an order for coin.
func TestE2ELineIsSpoilt(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	tty := b.open()
	for _, line := range []string{"ATE0", `AT+BOATPWD="","2580","13572468"`, `AT+BOATWALADD="w0","box"`} {
		exchange(t, tty, line+"\r", 1)
	}
	for _, line := range []string{
		`AT+BOATSEND="w0","r-1;gas=21000","` + payee + `","12","` + payee + `"`,
		`AT+BOATCALL="w0","r-2","` + payee + `","f(uint256,string)","12","a\22b"`,
		`AT+BOATEVTACK=41`, `AT+BOATCFG="linemax",120`, `AT+BOATTXWAI=12,4,100`, `AT+BOATPWD="2580","135791"`,
		`AT+BOATWALADD="w1","box","w0"`, `AT+BOATKEYGEN="k0",,,"m"`, `AT+BOATDATAHX=3,10,"48656C6C"`,
		`AT+BOATPIN="13572468","2580"`, `AT+BOATSIGN="k0",0,"t:hi"`, `AT+BOATERR?`,
	} {
		for n := range len(line) + 1 {
			want := "\r\nERROR\r\n\r\nOK\r\n"
			if n < len("AT") {
				want = "\r\nOK\r\n"
			}
			if got := exchange(t, tty, line[:n]+flush+"AT\r", strings.Count(want, "\n")/2); got != want {
				t.Errorf("%q: %q", line[:n], got)
			}
		}
	}
	if got := exchange(t, tty, "AT+BOATTXLST?\r", 1); got != "\r\nOK\r\n" {
		t.Errorf("orders: %q", got)
	}
}
