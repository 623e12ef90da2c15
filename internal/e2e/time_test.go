//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// The clock of the machine cannot be set for one test alone. What can: the
// chain's clock, what a host says, and the date of the build, behind which the
// machine's clock can be as far as one at 1970 is behind today. Steps of the
// machine's clock itself are injected in the tests of wallet.

const decade = 10 * 365 * 24 * 60 * 60 // s

// TestE2EChainClockJumps has the chain's clock jump ten years: what waits to be
// signed is too late by the chain's time, what is signed is asked to be
// cancelled, what has no limit goes on.
func TestE2EChainClockJumps(t *testing.T) {
	t.Parallel()
	n := ownAnvil(t)
	b := newBench(t, n, 1, setup{})
	plain := b.send("w", "plain", nobody(t, 1), "1")
	b.wait(plain, sent)
	waits := b.send("w", "waits;maxfee=7;expire=100000", nobody(t, 1), "2")
	b.shows(waits, accepted, overCeiling)
	n.call(t, nil, "evm_increaseTime", decade)
	n.mine(t, 1)
	b.ends(plain, confirmed, noReason)
	other := b.send("w", "other", nobody(t, 1), "4") // has the chain looked at
	b.ends(waits, expired, noReason)
	b.wait(other, sent)
	n.mine(t, 1)
	b.ends(other, confirmed, noReason)
	if got := n.balance(t, nobody(t, 1)); got.Int64() != 5 {
		t.Errorf("%d wei were paid, want 5", got)
	}
}

// TestE2EChainAt1970 uses a chain whose clock stands at 1970.
func TestE2EChainAt1970(t *testing.T) {
	t.Parallel()
	n := ownAnvil(t, "--timestamp", "1")
	b := newBench(t, n, 1, setup{})
	id := b.send("w", "early;expire=100000", nobody(t, 1), "1")
	b.wait(id, sent)
	n.mine(t, 1)
	b.ends(id, confirmed, noReason)
	f := fields(b.ok("AT+BOATTIME?")[0])
	if now := time.Now().Unix(); int64(number(t, f[0])) < now-3600 {
		t.Errorf("the time is %s by source %s, a chain at 1970 must not set it back", f[0], f[1])
	}
}

// TestE2EHostClockJumps has a host say that it is years later, and earlier:
// neither ends nor releases anything.
func TestE2EHostClockJumps(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	p := newProxy(t, n)
	b := newBench(t, n, 1, setup{networks: []network{{endpoints: []string{p.url}, depth: 1}},
		tables: "[[limit]]\nwallet = \"w\"\nper_day = \"1ether\"\n"})
	b.ends(b.send("w", "most", nobody(t, 1), "0.9ether"), confirmed, noReason)
	p.set(fault{instead: (*exchange).drop})
	id := b.send("w", "waits;expire=100000", nobody(t, 1), "1")
	later := time.Now().Unix() + decade
	b.ok("AT+BOATTIME=%d", later)
	b.fails(50, "AT+BOATTIME=%d", later-decade)
	b.fails(50, "AT+BOATTIME=0")
	b.fails(byPolicy, `AT+BOATSEND="w","more","%s","0.5ether"`, nobody(t, 1))
	b.shows(id, accepted, unreachable)
	b.boatd.restart(true)
	b.reconnect()
	b.fails(byPolicy, `AT+BOATSEND="w","more","%s","0.5ether"`, nobody(t, 1))
	p.heal()
	b.ends(id, confirmed, noReason)
}

// buildAt builds a boatd that says it was built at a time.
func buildAt(t *testing.T, at time.Time) string {
	t.Helper()
	out := filepath.Join(shortDir(t), "boatd")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "netgo,osusergo",
		"-ldflags", "-X main.buildDate="+strconv.FormatInt(at.Unix(), 10), "-o", out, "../../cmd/boatd")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, text)
	}
	return out
}

// TestE2EClockBehindBuild runs a boatd that was built ten years after what the
// clock says: certificates are judged by the later one.
func TestE2EClockBehindBuild(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	now := time.Now()
	built := now.Add(decade * time.Second)
	a := newAuthority(t)
	present := startProxy(t, n, a.serve(t, certificate{from: now.Add(-time.Hour), to: now.Add(24 * time.Hour)}))
	future := startProxy(t, n, a.serve(t, certificate{from: built.Add(-time.Hour), to: built.Add(24 * time.Hour)}))
	lines := "ca_file = " + strconv.Quote(a.file)
	d := newDaemonOf(t, buildAt(t, built), setup{networks: []network{
		{name: "present", endpoints: []string{present.url}, depth: 1, lines: lines},
		{name: "future", endpoints: []string{future.url}, depth: 1, lines: lines}}})
	h := d.host()
	h.ok(`AT+BOATFEE="future"`)
	h.fails(unreachable, `AT+BOATFEE="present"`)
	address := h.wallet("w", "future")
	n.fund(t, address, ether(1))
	h.ends(h.send("w", "pay", nobody(t, 1), "1"), confirmed, noReason)
}
