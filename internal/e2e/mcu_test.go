//go:build e2e

package e2e

import (
	"context"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/boatd/boatd/internal/module"
	"github.com/boatd/boatd/internal/module/mcu"
)

// firmware is what make host builds for the emulated microcontroller.
const firmware = "../../build/host/mcu.elf"

// TestE2EModuleHost wires the host library on an emulated microcontroller to the
// emulated module's UART. The microcontroller is reset again and again while it
// makes a wallet, orders and waits, and the module believes that it is 1970; in the end it says that its one order is
// confirmed, and the chain has it once.
func TestE2EModuleHost(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	rng := rand.New(rand.NewPCG(newSeed(t), 0))
	dir := shortDir(t)
	config := setup{pin: true, durable: true, state: "/data/boatd", tables: uartChannel, networks: []network{{name: "box", endpoints: []string{"http://10.0.2.100"}, depth: 2}}}.toml("/run/boatd")
	o := module.Options{Images: moduleImages, Root: installed(t, module.Small, config), Data: filepath.Join(dir, "data"), Node: strings.TrimPrefix(n.url, "http://"), Args: noClock}
	if err := module.Blank(o.Data, 16<<20); err != nil {
		t.Fatal(err)
	}
	box, err := module.Boot(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer box.Kill()
	if year, err := box.Run(t.Context(), "date +%Y", nil); err != nil || strings.TrimSpace(year) != "1970" {
		t.Errorf("the box believes that it is %q, %v", year, err)
	}

	start := func() *mcu.MCU {
		t.Helper()
		uart, err := box.UART()
		if err != nil {
			t.Fatal(err)
		}
		m, err := mcu.Start(dir, firmware, uart, mcu.Tap{Log: func(line string) { t.Log(line) }})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	await := func(m *mcu.MCU, text string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
		defer cancel()
		found, err := m.Await(ctx, regexp.MustCompile(text))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	resets := func(most time.Duration) {
		t.Helper()
		for range 6 {
			m := start()
			timer := time.NewTimer(time.Duration(rng.Int64N(int64(most))))
			<-timer.C
			m.Kill()
		}
	}
	resets(3 * time.Second)
	m := start()
	address := await(m, `wallet (0x[0-9a-fA-F]{40})`)
	m.Kill()
	n.fund(t, address, ether(1))
	before := n.balance(t, "0x000000000000000000000000000000000000b0a7")
	resets(6 * time.Second)
	m = start()
	defer m.Kill()
	words := strings.Fields(await(m, `((?:PASS|FAIL).*)`))
	if words[0] != "PASS" || len(words) != 3 {
		t.Fatalf("the host says %q", words)
	}
	if got := n.nonce(t, address); got != 1 {
		t.Errorf("%d transactions in the chain, want 1", got)
	}
	paid := new(big.Int).Sub(n.balance(t, "0x000000000000000000000000000000000000b0a7"), before)
	if paid.Cmp(big.NewInt(1e16)) != 0 {
		t.Errorf("the recipient got %v wei, want 0.01 ether", paid)
	}
	if txs := n.transactions(t, address); len(txs) != 1 || txs[0].hash() != words[2] {
		t.Errorf("the host was told %s, the chain has %d others", words[2], len(txs))
	}
}
