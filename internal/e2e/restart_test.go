//go:build e2e

package e2e

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// A hold keeps a transaction in one state for as long as a test wants.
type hold struct {
	name    string
	fault   fault  // of the proxy
	options string // of the order
	state   int
	reason  int
	release func(*bench, uint64) // beside healing the proxy
}

// refuseBytes loses what boatd sends on its way to the node, or the node's
// answer on its way back.
func refuseBytes(answerOnly bool) fault {
	return fault{instead: func(x *exchange) {
		sends := slices.ContainsFunc(x.calls, func(c *question) bool { return c.Method == "eth_sendRawTransaction" })
		if sends && !answerOnly {
			x.drop()
		}
		body := x.forward()
		if sends {
			x.drop()
		}
		x.reply(body)
	}}
}

var holds = []hold{
	{name: "accepted", fault: fault{instead: (*exchange).drop}, state: accepted, reason: unreachable},
	{name: "signed", fault: refuseBytes(false), state: signed, reason: unreachable},
	{name: "signed, answer lost", fault: refuseBytes(true), options: ";tip=1", state: signed, reason: unreachable,
		release: func(b *bench, id uint64) { b.ok(`AT+BOATTXBUMP=%d,"9gwei"`, id) }},
	{name: "sent", options: ";tip=1", state: sent,
		release: func(b *bench, id uint64) { b.ok(`AT+BOATTXBUMP=%d,"9gwei"`, id) }},
	{name: "included", options: ";confirm=8", state: included},
}

// TestE2ERestartInEveryState ends boatd in each state, as asked and by SIGKILL,
// starts it again, and finds everything as it was: the state, the hash, the
// reference, and in the end one effect of the same bytes.
func TestE2ERestartInEveryState(t *testing.T) {
	t.Parallel()
	for _, hold := range holds {
		for _, kill := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s kill=%v", hold.name, kill), func(t *testing.T) {
				t.Parallel()
				hold.run(t, kill)
			})
		}
	}
}

func (hold hold) run(t *testing.T, kill bool) {
	n := ticking(t)
	p := newProxy(t, n)
	b := newBench(t, n, 2, setup{networks: []network{{endpoints: []string{p.url}, depth: 2}}})
	b.ok(`AT+BOATBAL="w"`) // the first contact is made
	p.set(hold.fault)
	order := fmt.Sprintf(`AT+BOATSEND="w","once%s","%s","7"`, hold.options, nobody(t, 1))
	id := b.id("%s", order)
	was := b.shows(id, hold.state, hold.reason)
	for range 2 {
		b.boatd.restart(kill)
		b.reconnect()
		if again := b.id("%s", order); again != id {
			t.Fatalf("the order is %d and, after a restart, %d", id, again)
		}
		if now := b.tx(id); now.state < hold.state || now.hash != was.hash {
			t.Errorf("%+v before the restart, %+v after it", was, now)
		}
		b.shows(id, hold.state, hold.reason)
	}
	p.heal()
	if hold.release != nil {
		hold.release(b, id)
	}
	got := b.ends(id, confirmed, noReason)
	b.one(0, got.hash)
	if was.hash != "" && hold.release == nil && got.hash != was.hash {
		t.Errorf("signed again: %s and then %s", was.hash, got.hash)
	}
	if again := b.id("%s", order); again != id {
		t.Errorf("the order is %d and, when it has happened, %d", id, again)
	}
	if c := b.chain.nonce(t, b.address); c != 1 {
		t.Errorf("the account's nonce is %d; one transaction was ordered", c)
	}
}

// TestE2ERestartWithQueue restarts a boatd with locked channels whose queue has
// not been signed: what was accepted from an unlocked channel needs no PIN any
// more, in whatever order, and happens in the order of ids.
func TestE2ERestartWithQueue(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	p := newProxy(t, n)
	s := setup{pin: true, networks: []network{{endpoints: []string{p.url}, depth: 1}}}
	d := newDaemon(t, s)
	h := d.host()
	h.fails(7001, `AT+BOATWALADD="w","net"`)
	h.ok(`AT+BOATPWD="","4711","83920174"`)
	address := h.wallet("w", "net")
	n.fund(t, address, ether(1))
	p.set(fault{instead: (*exchange).drop})
	var ids []uint64
	for i := range 5 {
		ids = append(ids, h.send("w", fmt.Sprint("q", i), nobody(t, 1), fmt.Sprint(100+i)))
	}
	h.ok("AT+BOATLOCK")
	h.fails(7001, `AT+BOATSEND="w","locked","%s","1"`, nobody(t, 1))
	h.shows(ids[4], accepted, unreachable)
	h.close()
	d.restart(true)
	h = d.host()
	h.fails(7001, `AT+BOATSEND="w","locked","%s","1"`, nobody(t, 1))
	p.heal()
	for _, id := range ids {
		h.ends(id, confirmed, noReason)
	}
	for i, tx := range n.transactions(t, address) {
		if tx.Value.ToInt().Int64() != int64(100+i) || tx.hash() != h.tx(ids[i]).hash {
			t.Errorf("transaction %d of the chain is %+v", i, tx)
		}
	}
	if c := n.nonce(t, address); c != 5 {
		t.Errorf("the account's nonce is %d; five transactions were ordered", c)
	}
}

// TestE2EPowerOff announces that the power will be cut, cuts it, and goes on
// afterwards.
func TestE2EPowerOff(t *testing.T) {
	t.Parallel()
	b := newBench(t, ticking(t), 2, setup{})
	id := b.send("w", "before", nobody(t, 1), "7")
	b.ok("AT+BOATOFF")
	b.fails(3, `AT+BOATSEND="w","after","%s","8"`, nobody(t, 1))
	b.boatd.restart(true)
	b.reconnect()
	b.ends(id, confirmed, noReason)
	b.ends(b.send("w", "after", nobody(t, 1), "8"), confirmed, noReason)
	if got := b.chain.balance(t, nobody(t, 1)); got.Cmp(big.NewInt(15)) != 0 {
		t.Errorf("%d wei were paid, want 15", got)
	}
}

// TestE2ENodeLosesPool restarts the node itself: what waited in its pool is
// gone, and boatd sends the same bytes again.
func TestE2ENodeLosesPool(t *testing.T) {
	t.Parallel()
	n := ownGeth(t, gethOptions{period: 1})
	b := newBench(t, n, 1, setup{})
	id := b.send("w", "kept;tip=1", nobody(t, 1), "7")
	was := b.shows(id, sent, noReason)
	n.restart(t)
	eventually(t, "the node has the transaction again", func() bool { return b.pooled(was.hash) })
	b.ok(`AT+BOATTXBUMP=%d,"9gwei"`, id)
	got := b.ends(id, confirmed, noReason)
	b.one(0, got.hash)
	if b.attempts(id)[0] != was.hash || strings.Count(fmt.Sprint(b.attempts(id)), " ") != 1 {
		t.Errorf("the attempts are %q, the first was %s", b.attempts(id), was.hash)
	}
}
