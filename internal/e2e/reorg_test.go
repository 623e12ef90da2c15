//go:build e2e

package e2e

import (
	"math/big"
	"testing"
)

// reorg replaces the newest blocks of an anvil by as many others. Their
// transactions are gone, also from the pool, but for those given as signed
// bytes, which stand in the first of the new blocks.
func (n *node) reorg(t testing.TB, depth int, raw ...string) {
	t.Helper()
	txs := [][]any{}
	for _, r := range raw {
		txs = append(txs, []any{r, 0})
	}
	n.call(t, nil, "anvil_reorg", depth, txs)
}

// newReorgBench is a bench on a chain that can be bent, with what boatd sends
// remembered.
func newReorgBench(t *testing.T, depth int) (*bench, *proxy) {
	t.Helper()
	n := ownAnvil(t)
	p := newProxy(t, n)
	return newBench(t, n, depth, setup{networks: []network{{endpoints: []string{p.url}, depth: depth}}}), p
}

// TestE2EReorgOutAndIn takes an included transaction out of the chain: boatd
// says so, sends the same bytes again, and sees them included again.
func TestE2EReorgOutAndIn(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]bool{"watching": false, "away": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, p := newReorgBench(t, 3)
			id := b.send("w", "twice", nobody(t, 1), "7")
			b.wait(id, sent)
			b.chain.mine(t, 1)
			first := b.wait(id, included)
			if away {
				b.boatd.kill()
			}
			b.chain.reorg(t, 1)
			if away {
				b.boatd.start()
				b.reconnect()
			}
			b.shows(id, sent, noReason)
			eventually(t, "the same bytes are in the pool again", func() bool { return b.pooled(first.hash) })
			b.chain.mine(t, 3)
			got := b.ends(id, confirmed, noReason)
			if !away {
				b.passed(id, signed, sent, included, sent, included, confirmed)
			}
			if tx := b.one(0, first.hash); got.hash != first.hash || tx.Block.ToInt().Uint64() != got.block {
				t.Errorf("told %+v, the chain has it in block %d", got, tx.Block.ToInt())
			}
			if raw := p.sent(); len(raw) != 1 {
				t.Errorf("%d different transactions were sent for one order", len(raw))
			}
		})
	}
}

// TestE2EReorgIntoOtherBlock moves a transaction from one block to another one.
func TestE2EReorgIntoOtherBlock(t *testing.T) {
	t.Parallel()
	b, p := newReorgBench(t, 3)
	id := b.send("w", "moved", nobody(t, 1), "7")
	b.wait(id, sent)
	b.chain.mine(t, 2)
	b.wait(id, included)
	b.chain.reorg(t, 2, p.sent()...)
	b.chain.mine(t, 2)
	got := b.ends(id, confirmed, noReason)
	if tx := b.one(0, got.hash); tx.Block.ToInt().Uint64() != got.block {
		t.Errorf("told block %d, the chain has it in block %d", got.block, tx.Block.ToInt())
	}
}

// TestE2ERevertedIntoSuccess has a call fail in a block that vanishes and
// succeed in the next one, and the other way round. Only the final block counts.
func TestE2ERevertedIntoSuccess(t *testing.T) {
	t.Parallel()
	for name, shutFirst := range map[string]bool{"into success": true, "into failure": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := newReorgBench(t, 3)
			contract := b.chain.deploy(t, initCode(gate))
			id := b.id(`AT+BOATCALL="w","pass","%s","x:"`, contract)
			b.wait(id, sent)
			shut := func() {
				b.chain.call(t, nil, "eth_sendTransaction", map[string]string{"from": b.chain.dev, "to": contract, "data": "0x" + word(1),
					"gas": "0x186a0", "maxFeePerGas": "0x4a817c800", "maxPriorityFeePerGas": "0x2540be400"})
			}
			state, reason := confirmed, noReason
			if shutFirst {
				shut()
			}
			b.chain.mine(t, 1)
			if shutFirst {
				b.shows(id, included, wouldRevert)
			} else {
				b.shows(id, included, noReason)
			}
			b.chain.reorg(t, 1)
			b.shows(id, sent, noReason)
			if !shutFirst {
				shut()
				state, reason = reverted, wouldRevert
			}
			eventually(t, "the same bytes are in the pool again", func() bool { return b.pooled(b.attempts(id)[0]) })
			b.chain.mine(t, 3)
			b.ends(id, state, reason)
			want := big.NewInt(1)
			if !shutFirst {
				want.SetInt64(0)
			}
			if got := b.chain.word(t, contract, "0x00"); got.Cmp(want) != 0 {
				t.Errorf("the gate has counted %d, want %d", got, want)
			}
			b.passed(id, signed, sent, included, sent, included, state)
		})
	}
}

// TestE2EFinalBlockVanishes breaks what may not break: a block that was final is
// gone. Hosts are alarmed and what they were told does not change in silence.
func TestE2EFinalBlockVanishes(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]bool{"watching": false, "away": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, p := newReorgBench(t, 2)
			first := b.send("w", "gone", nobody(t, 1), "7")
			b.wait(first, sent)
			b.chain.mine(t, 2)
			was := b.ends(first, confirmed, noReason)
			if away {
				b.boatd.kill()
			} else {
				b.wait(b.send("w", "after", nobody(t, 1), "8"), sent)
			}
			b.chain.reorg(t, 2)
			b.chain.mine(t, 1)
			if away {
				b.boatd.start()
				b.reconnect()
			}
			second := b.send("w", "after", nobody(t, 1), "8")
			b.told("alarm", itoa(disagreement), itoa(first))
			if now := b.tx(first); now != was {
				t.Errorf("told %+v and, after the alarm, %+v", was, now)
			}
			// What was lost is put back from outside; then the next one can go on.
			b.shows(second, sent, noReason)
			b.chain.call(t, nil, "eth_sendRawTransaction", p.sent()[0])
			eventually(t, "both are in the pool", func() bool { return b.pooled(was.hash) && b.pooled(b.attempts(second)[0]) })
			b.chain.mine(t, 3)
			b.ends(second, confirmed, noReason)
			b.one(0, was.hash)
			b.one(1, b.tx(second).hash)
			if n := b.alarms(disagreement); n != 1 {
				t.Errorf("%d alarms about one block", n)
			}
		})
	}
}
