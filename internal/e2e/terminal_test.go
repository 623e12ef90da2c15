//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

var installing sync.Mutex

// need has a program installed where it is missing, as make does.
func need(t *testing.T, program string, packages ...string) {
	t.Helper()
	installing.Lock()
	defer installing.Unlock()
	if out, err := exec.Command("../tools/need.sh", append([]string{program}, packages...)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

const benchPIN = "4711"

// newTerminal is a boatd with a terminal, a PIN and a funded wallet; its host is
// the one on the socket.
func newTerminal(t *testing.T) (b *bench, link string) {
	t.Helper()
	n := ticking(t)
	link = filepath.Join(shortDir(t), "at")
	d := newDaemon(t, setup{pin: true, networks: []network{{endpoints: []string{n.url}, depth: 2}},
		tables: fmt.Sprintf("[[channel]]\nname = \"tty\"\ntype = \"pty\"\nlink = %q\n", link)})
	b = &bench{chain: n, boatd: d, host: d.host()}
	b.ok(`AT+BOATPWD="","%s","83920174"`, benchPIN)
	b.address = b.wallet("w", "net")
	n.fund(t, b.address, ether(1))
	return b, link
}

// run runs a program of other people's that drives boatd.
func (b *bench) run(cmd *exec.Cmd) {
	b.t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
}

// TestE2EPicocom has picocom, which nobody here wrote, drive boatd by hand.
func TestE2EPicocom(t *testing.T) {
	t.Parallel()
	need(t, "picocom", "picocom")
	need(t, "expect", "expect")
	b, link := newTerminal(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	b.run(exec.CommandContext(ctx, "expect", "testdata/terminal.exp", link, benchPIN, "w", nobody(t, 1)))
	b.one(0, b.ends(1, confirmed, noReason).hash)
	if got := b.chain.balance(t, nobody(t, 1)); got.Int64() != 42 {
		t.Errorf("%d wei were paid, want 42", got)
	}
}

// TestE2EChat has chat(8), which dials modems, drive boatd with a script.
func TestE2EChat(t *testing.T) {
	t.Parallel()
	need(t, "chat", "ppp")
	b, link := newTerminal(t)
	tty, err := os.OpenFile(link, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	script := filepath.Join(shortDir(t), "script")
	lines := []string{`ABORT ERROR TIMEOUT 60`, `'' ATZ`, `OK ATE0V1Q0X4&C1&D2S0=0`, `OK AT+BOATPIN="` + benchPIN + `"`,
		`OK AT+BOATCFG="urc",1`, `OK 'AT+BOATSEND="w","by-chat","` + nobody(t, 1) + `","43"'`, `'+BOATSEND: 1' ''`, `'"tx",1,4,0' ''`}
	if err := os.WriteFile(script, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "chat", "-v", "-s", "-f", script)
	var said strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("chat: %v\n%s", err, &said)
	}
	b.one(0, b.ends(1, confirmed, noReason).hash)
}

// openTTY opens a terminal as a host, as soon as it is there.
func openTTY(t *testing.T, name string) *host {
	t.Helper()
	var tty *os.File
	eventually(t, "the terminal "+name, func() bool {
		var err error
		tty, err = os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		return err == nil
	})
	return newHost(t, tty)
}

// TestE2EPty uses the terminal as a program does: a host that hangs up has
// locked the channel, and the next one finds it as it was.
func TestE2EPty(t *testing.T) {
	t.Parallel()
	b, link := newTerminal(t)
	h := openTTY(t, link)
	order := `AT+BOATSEND="w","by-pty","` + nobody(t, 1) + `","44"`
	h.fails(7001, "%s", order)
	h.ok(`AT+BOATPIN="%s"`, benchPIN)
	h.listen()
	id := h.id("%s", order)
	h.close()
	eventually(t, "the channel is locked after a hang-up", func() bool {
		h = openTTY(t, link)
		r, err := h.do(order)
		if err == nil && r.code != 7001 {
			h.close()
		}
		return err == nil && r.code == 7001
	})
	h.ok(`AT+BOATPIN="%s"`, benchPIN)
	if again := h.id("%s", order); again != id {
		t.Errorf("the order is %d and, after a hang-up, %d", id, again)
	}
	h.ends(id, confirmed, noReason)
	if got := fields(h.ok("AT+BOATCFG?")[0]); got[1] != "127" {
		t.Errorf("the channel has forgotten its settings: %q", got)
	}
	b.boatd.restart(true)
	<-h.gone
	h = openTTY(t, link)
	h.awaitReady()
	h.ends(id, confirmed, noReason)
}
