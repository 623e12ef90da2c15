//go:build e2e

package e2e

import (
	"testing"
)

// genesis returns the hash of a node's first block.
func (n *node) genesis(t testing.TB) string {
	t.Helper()
	var block struct {
		Hash string `json:"hash"`
	}
	n.call(t, &block, "eth_getBlockByNumber", "0x0", false)
	return block.Hash
}

// newResetBench is a bench behind a proxy with a transaction that has happened,
// one that waits in the pool, and one that waits behind it.
func newResetBench(t *testing.T, n *node) (b *bench, p *proxy, stuck, queued uint64) {
	t.Helper()
	p = newProxy(t, n)
	b = newBench(t, n, 1, setup{networks: []network{{endpoints: []string{p.url}, depth: 1}}})
	b.ends(b.send("w", "first", nobody(t, 1), "1"), confirmed, noReason)
	stuck = b.send("w", "stuck;tip=1", nobody(t, 1), "2")
	b.shows(stuck, sent, noReason)
	queued = b.id(`AT+BOATSEND="w","queued;after=%d","%s","4"`, stuck, nobody(t, 1))
	b.shows(queued, accepted, behindAnother)
	return b, p, stuck, queued
}

// TestE2EChainReplaced puts another chain with the same chain id in the place of
// the one that boatd knows. Nothing goes there until somebody accepts it; then
// what was open on the old one has ended, and accounts begin anew.
func TestE2EChainReplaced(t *testing.T) {
	t.Parallel()
	b, p, stuck, queued := newResetBench(t, ticking(t))
	other := ownGeth(t, gethOptions{period: 1, gasLimit: 30_000_000})
	if b.chain.genesis(t) == other.genesis(t) {
		t.Fatal("both chains have one genesis")
	}
	sentBefore := len(p.sent())
	p.to(other)
	b.told("alarm", itoa(otherChain), "net")
	b.shows(stuck, sent, otherChain)
	late := b.send("w", "late", nobody(t, 1), "8")
	b.shows(late, accepted, otherChain)
	b.fails(otherChain, `AT+BOATBAL="w"`)
	b.fails(50, `AT+BOATNETSET="net","accept_new_chain","%s"`, "0x"+word(1))
	b.boatd.restart(true)
	b.reconnect()
	b.shows(late, accepted, otherChain)
	if n := len(p.sent()); n != sentBefore {
		t.Fatalf("%d transactions went to a chain that nobody has accepted", n-sentBefore)
	}
	b.ok(`AT+BOATNETSET="net","accept_new_chain","%s"`, other.genesis(t))
	for _, id := range []uint64{stuck, queued, late} {
		b.ends(id, refused, otherChain)
	}
	other.fund(t, b.address, ether(1))
	b.chain = other
	b.one(0, b.ends(b.send("w", "new", nobody(t, 1), "16"), confirmed, noReason).hash)
	if got := other.balance(t, nobody(t, 1)); got.Int64() != 16 {
		t.Errorf("%d wei were paid on the new chain, want 16", got)
	}
	if n := len(p.sent()); n != sentBefore+1 {
		t.Errorf("%d transactions went to the new chain, one was ordered there", n-sentBefore)
	}
}

// TestE2EChainComesBack shows boatd another chain for a while: once it is lifted
// from quarantine, the known one is used as before.
func TestE2EChainComesBack(t *testing.T) {
	t.Parallel()
	b, p, stuck, queued := newResetBench(t, ticking(t))
	p.to(ownGeth(t, gethOptions{gasLimit: 30_000_000}))
	b.shows(stuck, sent, otherChain)
	p.to(b.chain)
	b.ok(`AT+BOATNETSET="net","accept_new_chain","%s"`, b.chain.genesis(t))
	b.ok(`AT+BOATTXBUMP=%d,"9gwei"`, stuck)
	b.ends(stuck, confirmed, noReason)
	b.ends(queued, confirmed, noReason)
	if c := b.chain.nonce(t, b.address); c != 3 {
		t.Errorf("the account's nonce is %d; three transactions were ordered", c)
	}
}

// TestE2EChainStartsOver resets a development chain, which has the same chain id
// and the same genesis afterwards. Its lower nonce is that of a node that lags,
// so nothing is signed anew; the final block that is gone is an alarm.
func TestE2EChainStartsOver(t *testing.T) {
	t.Parallel()
	b, p, stuck, _ := newResetBench(t, ownGeth(t, gethOptions{period: 1})) // a short chain
	before := p.sent()
	again := ownGeth(t, gethOptions{period: 1})
	if b.chain.genesis(t) != again.genesis(t) {
		t.Fatal("the chains differ in their genesis")
	}
	again.fund(t, b.address, ether(1))
	// The known height would hide the new chain as one that lags.
	b.boatd.kill()
	p.to(again)
	b.boatd.start()
	b.reconnect()
	b.ok(`AT+BOATTXGET=%d`, stuck)
	eventually(t, "the new chain is as long as the old one was", func() bool { return again.height(t) >= b.tx(1).block })
	b.told("alarm", itoa(disagreement), "1")
	if got := b.tx(1); got.state != confirmed {
		t.Errorf("what was final is %+v after the alarm", got)
	}
	eventually(t, "the same bytes are on the new node", func() bool { return len(again.pool(t, b.address)) == 1 })
	if after := p.sent(); len(after) != len(before) {
		t.Errorf("%d new transactions were signed", len(after)-len(before))
	}
	if c := again.nonce(t, b.address); c != 0 {
		t.Errorf("the account's nonce is %d on a chain on which nothing could happen", c)
	}
}

// pool returns what a geth holds of an account, by nonce.
func (n *node) pool(t testing.TB, address string) map[string]any {
	t.Helper()
	var content map[string]map[string]any
	n.call(t, &content, "txpool_contentFrom", address)
	all := map[string]any{}
	for _, part := range content {
		for nonce, tx := range part {
			all[nonce] = tx
		}
	}
	return all
}
