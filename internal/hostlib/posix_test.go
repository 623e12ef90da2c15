//go:build e2e

package hostlib

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/boatd/boatd/internal/contracts"
	"github.com/boatd/boatd/internal/transcript/rig"
)

// run runs the program of host/examples/posix with commands, words with spaces
// between them, and returns what it says.
func (b *box) run(commands ...string) string {
	b.t.Helper()
	out, err := b.try(commands...)
	if err != nil {
		b.t.Fatalf("%q: %v\n%s", commands, err, out)
	}
	return out
}

// try is run for commands that may fail.
func (b *box) try(commands ...string) (string, error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(b.t, "host/boat-posix"), words(b.tty, commands)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func words(tty string, commands []string) []string {
	args := []string{tty}
	for _, c := range commands {
		args = append(append(args, strings.Fields(c)...), "--")
	}
	return args
}

// find returns the groups of a pattern that a program must have said.
func (b *box) find(said, pattern string) []string {
	b.t.Helper()
	found := regexp.MustCompile(`(?m)` + pattern + `$`).FindStringSubmatch(said)
	if found == nil {
		b.t.Fatalf("no %s in\n%s", pattern, said)
	}
	return found
}

// wallet unlocks the channel, makes the wallet w0, funds it and returns its
// address.
func (b *box) wallet() string {
	b.t.Helper()
	address := b.find(b.run("pin 2580 13572468", "wallet w0 box"), `^(0x[0-9a-fA-F]{40})`)[1]
	b.fund(address)
	return address
}

// TestE2EPosix plays all of a device's life: PIN, wallet, payment, contract,
// signature, slots.
func TestE2EPosix(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.open()
	address := b.wallet()
	out := b.run("balance w0", "send w0 r-1 "+payee+" 0.01ether", "wait 1", "find w0 r-1", "tx 1", "send w0 r-1 "+payee+" 0.01ether", "listen 1000")
	b.find(out, `^1000000000000000000 18 ETH`)
	b.succeeded(b.find(out, `^tx 1 4 0 \d+ \d+ ([0-9a-f]{64})`)[1])
	if ids := regexp.MustCompile(`(?m)^id (\d+)$`).FindAllString(out, -1); !slices.Equal(ids, []string{"id 1", "id 1", "id 1"}) {
		t.Errorf("ids %q", ids)
	}
	for state := range 4 {
		b.find(out, fmt.Sprintf(`^code \d+ tx 1 %d 0 `, state+1))
	}
	b.paid(address, payee, pay)

	b.token(address)

	out = b.run("key s0 m", "sign s0 t:hello", "sign s0 t:hello")
	if s := regexp.MustCompile(`(?m)^[0-9a-f]{128}1[bc]$`).FindAllString(out, -1); len(s) != 2 || s[0] != s[1] {
		t.Errorf("signatures:\n%s", out)
	}
	if out, err := b.try("sign w0 t:hello"); err == nil || !strings.Contains(out, "sign: 7016") {
		t.Errorf("the wallet's key signs a message: %v\n%s", err, out)
	}
	b.slots()
}

// token deploys a token from a slot, and writes to it and reads from it.
func (b *box) token(address string) {
	b.t.Helper()
	token, err := contracts.Load("Token")
	if err != nil {
		b.t.Fatal(err)
	}
	code, err := hex.DecodeString(token.Bytecode)
	if err != nil {
		b.t.Fatal(err)
	}
	b.write("code", code)
	out := b.run("raw 0 "+b.path("code"), `ask +BOATDEPLOY="w0","d-1","@0","constructor(string,string,uint8,uint256)","Meter","MTR","2","50000"`, "wait 2")
	hash := b.find(out, `^tx 2 4 0 \d+ \d+ ([0-9a-f]{64})`)[1]
	var receipt struct{ ContractAddress string }
	if err := rig.Ask(b.t.Context(), b.chain.URL, &receipt, "eth_getTransactionReceipt", "0x"+hash); err != nil {
		b.t.Fatal(err)
	}
	at := receipt.ContractAddress
	out = b.run("balance w0 "+at,
		"send w0 t-1 "+payee+" 1.5whole "+at, "wait 3",
		"call w0 t-2 "+at+" transfer(address,uint256) "+payee+" 7", "wait 4",
		"query w0 "+at+" balanceOf(address)(uint256) "+payee,
		"query box "+at+" balanceOf(address) "+payee)
	b.find(out, `^50000 2 mtr`)
	b.find(out, `^tx 3 4 0 .*`)
	b.find(out, `^tx 4 4 0 .*`)
	b.find(out, `^157`)
	b.find(out, fmt.Sprintf(`^%064x`, 157))
	if out, err := b.try("query w0 " + at + " transfer(address,uint256) " + payee + " 999999999"); err == nil || !strings.Contains(out, "query: 7043") {
		b.t.Errorf("%v\n%s", err, out)
	}
}

func (b *box) write(name string, content []byte) {
	b.t.Helper()
	if err := os.WriteFile(b.path(name), content, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// slots fills slots in both ways, with every byte there is, and in lines of at
// most 100 bytes.
func (b *box) slots() {
	b.t.Helper()
	every := make([]byte, 1500)
	for i := range every {
		every[i] = byte(i)
	}
	b.write("every", every)
	out := b.run("raw 1 "+b.path("every"), "put 2 "+b.path("every"), "limit 100", "put 3 "+b.path("every"), "ask +BOATDATALST?")
	for slot := 1; slot <= 3; slot++ {
		// The library has compared the checksums; this is that they are of one thing.
		if sum := b.find(out, fmt.Sprintf(`^line %d,1500,"([0-9a-f]{8})"`, slot))[1]; sum != b.find(out, `^line 1,1500,"([0-9a-f]{8})"`)[1] {
			b.t.Errorf("slot %d has another checksum:\n%s", slot, out)
		}
	}
	if out, err := b.try("limit 100", "send w0 a-reference-of16 "+payee+" 1000000000000000000 "+payee); err == nil || !strings.Contains(out, "send: -3") {
		b.t.Errorf("a long line where 100 bytes pass: %v\n%s", err, out)
	}
	b.write("to", []byte(payee))
	b.find(b.run("limit 100", "put 4 "+b.path("to"), "send w0 s-1 @4 1", "wait 5"), `^tx 5 4 0 .*`)
}

// TestE2EPosixKilled: the program is killed while it gives an order, again and
// again, and gives the same order again: one transaction.
func TestE2EPosixKilled(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.open()
	address := b.wallet()
	order := "send w0 r-1 " + payee + " 0.01ether"
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 10 {
		cmd := exec.Command(program(t, "host/boat-posix"), words(b.tty, []string{order})...)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// It says "open" when the order is next.
		said := bufio.NewReader(out)
		for line := ""; !strings.HasPrefix(line, "open"); {
			if line, err = said.ReadString('\n'); err != nil {
				t.Fatalf("%q, %v", line, err)
			}
		}
		time.AfterFunc(time.Duration(random.IntN(8000))*time.Microsecond, func() { cmd.Process.Kill() })
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
	}
	b.find(b.run(order, "wait 1"), `^tx 1 4 0 .*`)
	b.paid(address, payee, pay)
}

// TestE2EOpening: the library finds its way from every state in which a host's
// former life can have left the line.
func TestE2EOpening(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	tty := b.open()
	address := b.wallet()
	b.run("send w0 poor-1 " + payee + " 100ether") // waits for funds
	b.eventually("the order waits for funds", func() bool {
		out, err := b.try("tx 1")
		return err == nil && strings.Contains(out, "\ntx 1 0 7044 ")
	})
	for _, left := range []string{
		"", "A", "AT", "AT+BOATSEND=\"w0\",\"x-1\",\"" + payee + "\",\"1\"", "AT+BOATPIN=\"25",
		"ATE1V0Q1+CMEE=2\r", "ATV0\r", "AT+CMEE=2\r", "AT+BOATTXWAI=1,4,60\r", "AT+BOATQUERY=\"box\",",
		"AT" + strings.Repeat("x", 2100), "AT+BOATDATAWR=1,5\r", "AT+BOATDATAWR=1,20\r", "AT+BOATDATAWR=1,1000\rabc",
		"AT+BOATSEND=\"w0\",\"x-2\",\"" + payee + "\",\"1000ether\"\r",
	} {
		if _, err := tty.WriteString(left); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		out, err := b.try("tx 1")
		if err != nil || !strings.Contains(out, "\ntx 1 0 7044 ") {
			t.Errorf("after %.30q: %v\n%s", left, err, out)
		}
		t.Logf("%.1f s after %.30q", time.Since(begin).Seconds(), left)
	}
	b.paid(address, payee)
}

// TestE2ERestart: boatd is killed between an order and its end; the host gives
// the order again and is told what it missed.
func TestE2ERestart(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	address := b.wallet()
	order := "send w0 r-1 " + payee + " 0.01ether"
	b.run("pin 2580 13572468", order)
	if err := b.boatd.Kill(); err != nil {
		t.Fatal(err)
	}
	b.start()
	out := b.run("pin 2580 13572468", order, "wait 1")
	b.find(out, `^open 2 0`)
	b.find(out, `^tx 1 4 0 .*`)
	b.paid(address, payee, pay)
}
