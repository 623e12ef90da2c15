//go:build e2e

package e2e

import (
	"testing"
)

// newPair is a bench with two endpoints that lead to one node.
func newPair(t *testing.T, lines string) (b *bench, first, second *proxy) {
	t.Helper()
	n := ticking(t)
	first, second = newProxy(t, n), newProxy(t, n)
	b = newBench(t, n, 2, setup{networks: []network{{endpoints: []string{first.url, second.url}, depth: 2, lines: lines}}})
	return b, first, second
}

// TestE2EFailover gives the first of two endpoints one fault after the other:
// orders go on by the second one.
func TestE2EFailover(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	eventually(t, "the chain is 25 blocks long", func() bool { return n.height(t) >= 25 })
	for name, f := range map[string]fault{
		"silent": silence, "HTTP 500": status(500), "garbage": body("<html>"), "broken off": truncated,
		"foreign text": complains(-32000, foreign), "behind": laggard{n, 20}.fault(), "pool refuses": complains(-32000, foreign, "eth_sendRawTransaction"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, first, second := newPair(t, "")
			var all []*intent
			for k, bad := range []bool{false, true, false} {
				if first.heal(); bad {
					first.set(f)
				}
				all = append(all, b.order(t, k))
				b.ends(all[k].id, confirmed, noReason)
			}
			audit(t, b.host, n, map[string][]string{b.address: {"w"}}, all)
			if len(second.sent()) != 3 {
				t.Errorf("the second endpoint was sent %d transactions of 3", len(second.sent()))
			}
			first.set(silence)
			second.set(silence)
			id := b.order(t, 3).id
			b.shows(id, accepted, unreachable)
			second.heal()
			b.ends(id, confirmed, noReason)
		})
	}
}

// TestE2EOneEndpointElsewhere has one of two endpoints lead to another chain: it
// is not used any more, which is an alarm, and the other one is enough.
func TestE2EOneEndpointElsewhere(t *testing.T) {
	t.Parallel()
	b, first, _ := newPair(t, "")
	b.ends(b.order(t, 0).id, confirmed, noReason)
	sentBefore := len(first.sent())
	first.set(answers("eth_chainId", "0x1"))
	first.server.CloseClientConnections()
	b.ends(b.order(t, 1).id, confirmed, noReason)
	b.told("alarm", itoa(otherChain), "net")
	b.boatd.restart(true)
	b.reconnect()
	b.ends(b.order(t, 2).id, confirmed, noReason)
	if n := len(first.sent()); n != sentBefore {
		t.Errorf("%d transactions went to another chain", n-sentBefore)
	}
}

// TestE2EAgree wants two endpoints to show a transaction before it is confirmed.
func TestE2EAgree(t *testing.T) {
	t.Parallel()
	b, _, second := newPair(t, "agree = 2")
	b.ends(b.order(t, 0).id, confirmed, noReason)
	second.set(silence)
	id := b.order(t, 1).id
	b.shows(id, included, disagreement)
	height := b.chain.height(t)
	eventually(t, "four more blocks", func() bool { return b.chain.height(t) >= height+4 })
	b.shows(id, included, disagreement)
	second.heal()
	b.ends(id, confirmed, noReason)
}
