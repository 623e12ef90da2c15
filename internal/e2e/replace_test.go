//go:build e2e

package e2e

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestE2EBump raises the fee of a transaction that no miner wants until one
// does, and asks for the same again, for less, for too much, and too late.
func TestE2EBump(t *testing.T) {
	t.Parallel()
	b := newBench(t, ticking(t), 2, setup{})
	id := b.send("w", "slow;tip=1", nobody(t, 1), "7")
	b.shows(id, sent, noReason)
	b.fails(overCeiling, `AT+BOATTXBUMP=%d,"201gwei"`, id)
	for _, fee := range []string{"9gwei", "9000000000", "8gwei"} {
		b.ok(`AT+BOATTXBUMP=%d,"%s"`, id, fee)
	}
	got := b.ends(id, confirmed, noReason)
	b.fails(7021, `AT+BOATTXBUMP=%d,"10gwei"`, id)
	b.one(0, got.hash)
	if hashes := b.attempts(id); len(hashes) != 2 || hashes[1] != got.hash {
		t.Errorf("the attempts are %q; the second was to be included and not %s", hashes, got.hash)
	}
}

// TestE2EBumpByItself raises the fee of a transaction that nobody watches.
func TestE2EBumpByItself(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	b := newBench(t, n, 1, setup{networks: []network{{endpoints: []string{n.url}, depth: 1, lines: "bump_after = 2\nbump_max = 1"}}})
	id := b.send("w", "slow;tip=1", nobody(t, 1), "7")
	got := b.ends(id, confirmed, noReason)
	b.one(0, got.hash)
	if hashes := b.attempts(id); len(hashes) != 2 {
		t.Errorf("the attempts are %q, want two", hashes)
	}
}

// TestE2ECancel cancels a transaction that no miner wants, with a key that is
// only good for that any more.
func TestE2ECancel(t *testing.T) {
	t.Parallel()
	b := newBench(t, ticking(t), 2, setup{})
	id := b.send("w", "no;tip=1", nobody(t, 1), "7")
	b.shows(id, sent, noReason)
	b.ok(`AT+BOATKEYSET="w",2`)
	b.fails(keyInactive, `AT+BOATTXBUMP=%d,"9gwei"`, id)
	for range 2 {
		b.ok("AT+BOATTXCAN=%d", id)
	}
	b.fails(7021, `AT+BOATTXBUMP=%d,"9gwei"`, id)
	got := b.ends(id, cancelled, noReason)
	b.ok("AT+BOATTXCAN=%d", id)
	tx := b.one(0, got.hash)
	if want := (effect{b.address, "0", ""}); tx.effect() != want {
		t.Errorf("the chain has %+v, want a transfer of nothing to oneself", tx)
	}
	if paid := b.chain.balance(t, nobody(t, 1)); paid.Sign() != 0 {
		t.Errorf("%d wei were paid", paid)
	}
	b.ok(`AT+BOATKEYSET="w",1`)
	b.ends(b.send("w", "next", nobody(t, 1), "8"), confirmed, noReason)
}

// TestE2EBumpLegacy replaces a transaction of type 0.
func TestE2EBumpLegacy(t *testing.T) {
	t.Parallel()
	b := newBench(t, ownAnvil(t), 1, setup{})
	id := b.send("w", "old;type=0", nobody(t, 1), "7")
	b.wait(id, sent)
	b.ok(`AT+BOATTXBUMP=%d,"50gwei"`, id)
	eventually(t, "the replacement is out", func() bool { return len(b.attempts(id)) == 2 && b.pooled(b.attempts(id)[1]) })
	b.chain.mine(t, 1)
	tx := b.one(0, b.ends(id, confirmed, noReason).hash)
	if tx.Type != 0 || tx.hash() != b.attempts(id)[1] {
		t.Errorf("the chain has %+v", tx)
	}
}

// pooled says whether the node has a transaction.
func (b *bench) pooled(hash string) bool {
	b.t.Helper()
	var tx *chainTx
	b.chain.call(b.t, &tx, "eth_getTransactionByHash", "0x"+hash)
	return tx != nil
}

// TestE2EOriginalWins has the original mined after its replacement went out: a
// bump or a cancellation is a wish, and what the chain did is what counts.
func TestE2EOriginalWins(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]string{"bump": `AT+BOATTXBUMP=%d,"50gwei"`, "cancel": "AT+BOATTXCAN=%d"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := ownAnvil(t)
			p := newProxy(t, n)
			b := newBench(t, n, 2, setup{networks: []network{{endpoints: []string{p.url}, depth: 2}}})
			id := b.send("w", "both", nobody(t, 1), "7")
			b.wait(id, sent)
			b.ok(ask, id)
			eventually(t, "the replacement is out", func() bool { return len(p.sent()) == 2 && b.pooled(b.attempts(id)[1]) })
			p.set(fault{instead: (*exchange).drop}) // boatd is away while the pool changes its mind
			raw := p.sent()
			n.call(t, nil, "anvil_dropTransaction", "0x"+b.attempts(id)[1])
			n.call(t, nil, "eth_sendRawTransaction", raw[0])
			n.mine(t, 2)
			p.heal()
			got := b.ends(id, confirmed, noReason)
			if hashes := b.attempts(id); len(hashes) != 2 || got.hash != hashes[0] {
				t.Errorf("the attempts are %q; the first was included, the host was told %s", hashes, got.hash)
			}
			b.one(0, got.hash)
		})
	}
}

// TestE2EReplacementRaces asks for replacements while the originals are on their
// way into blocks. Whoever wins, each order has one effect or, cancelled, none.
func TestE2EReplacementRaces(t *testing.T) {
	t.Parallel()
	b := newBench(t, ticking(t), 2, setup{})
	rng := rand.New(rand.NewPCG(newSeed(t), 0))
	var all []*intent
	for i := range 24 {
		in := transferIntent("w", fmt.Sprintf("race-%d", i), nobody(t, 1000+i), big.NewInt(int64(i+1)))
		in.id = b.send(in.wallet, in.ref, in.want.to, in.want.value)
		all = append(all, in)
		for range 1 + rng.IntN(3) {
			target := all[rng.IntN(len(all))]
			ask := fmt.Sprintf(`AT+BOATTXBUMP=%d,"%dgwei"`, target.id, 3+rng.IntN(20))
			if rng.IntN(3) == 0 {
				ask = fmt.Sprintf("AT+BOATTXCAN=%d", target.id)
				target.cancelAsked = true
			}
			// Too late, too early or under the price of the pool are no faults.
			if r, err := b.do(ask); err != nil || !slices.Contains([]int{0, 7021}, r.code) {
				t.Fatalf("%s: code %d, %v", ask, r.code, err)
			}
		}
		if rng.IntN(4) == 0 {
			b.wait(in.id, signed)
		}
	}
	b.settle(all)
	audit(t, b.host, b.chain, map[string][]string{b.address: {"w"}}, all)
}
