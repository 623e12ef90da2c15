package wallet_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/fakenode"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/refusal"
)

// held is what counts against the limit of a wallet now.
func (w *world) held(wallet string) (sum *big.Int) {
	l := life.Limit{Wallet: wallet}
	w.m.Book.View(func(st *ledger.State) {
		signed, waiting := l.Held(st, w.m.Book.Running(), 0, 0)
		sum = signed.Add(signed, waiting)
	})
	return sum
}

// TestDisplacedTakesTime: a nonce that somebody else used ends a transaction only
// when final blocks as many as a settlement takes lie between two sweeps.
func TestDisplacedTakesTime(t *testing.T) {
	w, chain := ethereumWorld(t, chains.Options{"confirmations": "8", "external_use": "true"})
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	chain.Drop()
	w.consume(chain, id)
	chain.Mine(20)
	w.now = w.now.Add(time.Minute)
	w.sweep()
	for range 7 {
		chain.Mine(1)
		w.now = w.now.Add(time.Minute)
		w.sweep()
		w.state(id, ledger.Sent, ledger.Disagreement)
	}
	chain.Mine(1)
	w.now = w.now.Add(time.Minute)
	w.sweep()
	w.state(id, ledger.Displaced, ledger.NoReason)
	if got := w.held("w0"); got.Sign() != 0 {
		t.Errorf("%v of what was displaced stays reserved", got)
	}
}

// TestHashOfWhatEnded: the hash shown is that of the attempt in the block, before
// the end and after it.
func TestHashOfWhatEnded(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	original, raw := w.state(id, ledger.Sent, ledger.NoReason).Hash, w.raw(id, 0)
	must(t, w.m.Life.Bump(id, big.NewInt(50e9)))
	w.sweep()
	if got := w.state(id, ledger.Sent, ledger.NoReason).Hash; got == original {
		t.Error("the hash shown is not the newest attempt's")
	}
	chain.Drop()
	must(t, chain.Node(nodeURL).Submit(raw))
	chain.Mine(1)
	w.now = w.now.Add(time.Minute)
	w.sweep()
	if got := w.state(id, ledger.Included, ledger.NoReason).Hash; got != original {
		t.Errorf("%s is shown, %s is in the block", got, original)
	}
	w.settle()
	for range 2 {
		if got := w.state(id, ledger.Confirmed, ledger.NoReason).Hash; got != original {
			t.Errorf("%s is shown at the end, %s is in the block", got, original)
		}
		w.restart()
	}
}

// TestFundsInFlight: what is signed and not in a block is spoken for.
func TestFundsInFlight(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0") // 10 ether
	first := w.order("w0", "a", 1)
	first.Amount = "6ether"
	second := w.order("w0", "b", 2)
	second.Amount = "5ether"
	one, two := w.submit(first), w.submit(second)
	w.sweeps(3)
	w.state(one, ledger.Sent, ledger.NoReason)
	w.state(two, ledger.Accepted, ledger.BehindAnother)
	chain.Mine(4)
	for range 10 {
		w.now = w.now.Add(time.Minute)
		w.sweep()
	}
	w.state(one, ledger.Confirmed, ledger.NoReason)
	w.state(two, ledger.Accepted, ledger.NoFunds)
}

// TestSuspendedKey: nothing new is signed with it but what takes something back.
func TestSuspendedKey(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	must(t, w.m.Keys.SetState("w0", ledger.Suspended))
	refused(t, "a bump", w.m.Life.Bump(id, big.NewInt(50e9)), refusal.ErrKeyInactive)
	must(t, w.m.Life.Cancel(id))
	w.sweep()
	w.settle()
	w.state(id, ledger.Cancelled, ledger.NoReason)
	w.effects(1, 0)
}

// TestCompromisedKey: nothing is signed with it, not even a cancellation; what is
// signed is not sent again and is watched to its end.
func TestCompromisedKey(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	waiting := w.submit(w.order("w0", "b", 2))
	must(t, w.m.Keys.SetState("w0", ledger.Compromised))
	refused(t, "a bump", w.m.Life.Bump(id, big.NewInt(50e9)), refusal.ErrKeyInactive)
	refused(t, "a cancel", w.m.Life.Cancel(id), refusal.ErrKeyInactive)
	raw, sent := w.raw(id, 0), w.police.sent
	chain.Drop()
	w.now = w.now.Add(time.Minute)
	w.sweeps(3)
	w.state(waiting, ledger.Refused, ledger.KeyInactive)
	if w.police.sent != sent {
		t.Error("bytes of a compromised key left")
	}
	must(t, chain.Node(nodeURL).Submit(raw))
	w.settle()
	w.state(id, ledger.Confirmed, ledger.NoReason)
}

// TestReservationOfOldChain: what is signed may still be valid on a chain that was
// left, so it counts; what is not signed does not.
func TestReservationOfOldChain(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.tune = func(c *wallet.Config) { c.Limits = []life.Limit{{Wallet: "w0", PerDay: ether(9)}} }
	w.mustOpen()
	w.wallet("w0")
	o := w.order("w0", "a", 1)
	o.Amount = "2ether"
	signed := w.submit(o)
	w.sweep()
	cost := w.held("w0")
	o = w.order("w0", "b", 2)
	o.Amount, o.Options["expire"] = "3ether", "86400"
	chain.Down(true)
	unsigned := w.submit(o)
	chain.Down(false)
	chain.Reset("another")
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	must(t, w.m.Life.AcceptChain(net, w.quarantined()))
	w.state(signed, ledger.Refused, ledger.OtherChain)
	w.state(unsigned, ledger.Refused, ledger.OtherChain)
	if got := w.held("w0"); cost.Cmp(ether(2)) < 0 || got.Cmp(cost) != 0 {
		t.Errorf("%v stays reserved, want %v", got, cost)
	}
}

// TestFeeNotTold: of a transaction that reverted as much stays reserved as it can
// have cost where the node does not tell, and less than the value in any case.
func TestFeeNotTold(t *testing.T) {
	for _, told := range []bool{true, false} {
		w, chain := ethereumWorld(t, nil)
		w.mustOpen()
		w.wallet("w0")
		o := life.Order{Command: chains.Call, Wallet: "w0", To: fakenode.Late, Input: life.Input{Data: []byte{1}}, Options: map[string]string{"value": "1ether"}}
		id := w.submit(o)
		w.sweep()
		most := new(big.Int).Sub(w.held("w0"), ether(1))
		if !told {
			chain.Node(nodeURL).SetFaults(fakenode.Faults{NoPrice: true})
		}
		w.settle()
		w.state(id, ledger.Reverted, ledger.WouldRevert)
		got := w.held("w0")
		if got.Sign() <= 0 || got.Cmp(most) > 0 || told != (got.Cmp(most) < 0) {
			t.Errorf("told %v: %v stays reserved, the fee was at most %v", told, got, most)
		}
	}
}

// TestBumpCounts: a bump costs what it costs against the limit, and is judged by
// it.
func TestBumpCounts(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.tune = func(c *wallet.Config) { c.Limits = []life.Limit{{Wallet: "w0", PerTransaction: big.NewInt(12e15)}} }
	w.mustOpen()
	w.wallet("w0")
	o := w.order("w0", "a", 1)
	o.Amount = "0.011ether"
	o.Options["maxfee"] = "15gwei"
	o.Options["gas"] = "25200"
	id := w.submit(o)
	w.sweep()
	before := w.held("w0")
	must(t, w.m.Life.Bump(id, big.NewInt(30e9)))
	w.sweep()
	if got := w.held("w0"); got.Cmp(before) <= 0 {
		t.Errorf("%v is reserved before the bump, %v after it", before, got)
	}
	must(t, w.m.Life.Bump(id, big.NewInt(60e9))) // 0.0015 ether: over what a transaction may
	for range 5 {
		w.now = w.now.Add(10 * time.Minute)
		w.sweep()
	}
	if tries, err := w.m.Life.Attempts(id); err != nil || len(tries) != 2 {
		t.Errorf("%d attempts, %v", len(tries), err)
	}
	w.state(id, ledger.Sent, ledger.ByPolicy)
}

// TestExpireByChain: time that passed while the device was off counts by the
// chain's, when the chain tells.
func TestExpireByChain(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	w.submit(w.order("w0", "first", 9))
	w.settle() // the chain's time is known now
	dear := w.order("w0", "a", 1)
	dear.Amount, dear.Options["expire"] = "100ether", "7200"
	id := w.submit(dear)
	w.sweep()
	w.state(id, ledger.Accepted, ledger.NoFunds)
	must(t, w.m.Close())
	chain.Advance(3 * time.Hour)
	chain.Mine(1)
	w.now = time.Unix(1_800_000_000, 0) // a clock that starts anew
	w.mustOpen()
	w.sweeps(3)
	w.state(id, ledger.Expired, ledger.NoReason)
}

// TestExpireLeavesIncluded: what is in a block is not cancelled because its time
// is over.
func TestExpireLeavesIncluded(t *testing.T) {
	w, chain := ethereumWorld(t, chains.Options{"confirmations": "30"})
	w.mustOpen()
	w.wallet("w0")
	o := w.order("w0", "a", 1)
	o.Options["expire"] = "120"
	id := w.submit(o)
	w.sweep()
	chain.Mine(2)
	for range 20 {
		w.now = w.now.Add(time.Minute)
		w.sweep()
	}
	w.state(id, ledger.Included, ledger.NoReason)
	if tries, _ := w.m.Life.Attempts(id); len(tries) != 1 {
		t.Errorf("%d attempts", len(tries))
	}
	w.settle()
	w.state(id, ledger.Confirmed, ledger.NoReason)
}

// TestConfirmIsKept: how many blocks an order wants is not forgotten by a restart.
func TestConfirmIsKept(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	o := w.order("w0", "a", 1)
	o.Options["confirm"] = "12"
	id := w.submit(o)
	w.sweep()
	w.restart()
	chain.Mine(11)
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	w.state(id, ledger.Included, ledger.NoReason)
	chain.Mine(1)
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	w.state(id, ledger.Confirmed, ledger.NoReason)
}

// TestBackoff: a network that fails is asked ever more seldom, up to five minutes.
func TestBackoff(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	chain.Down(true)
	w.submit(w.order("w0", "a", 1))
	var last time.Duration
	for n := range 12 {
		wait := w.m.Life.Sweep(ctx, net) // jitter is always a half here
		if want := min(time.Second<<min(n+1, 10), 5*time.Minute) / 2; wait < want-time.Second || wait > want+time.Second {
			t.Errorf("after %d failures it waits %v, want about %v", n+1, wait, want)
		}
		last = wait
		w.now = w.now.Add(wait)
	}
	if last < 2*time.Minute {
		t.Errorf("it still waits only %v", last)
	}
}

// TestPayloadBound: the bytes of open transactions are bounded.
func TestPayloadBound(t *testing.T) {
	w := newWorld(t, newSeqChain().harness(), true, 1)
	w.tune = func(c *wallet.Config) { c.QueueMax = 4096 }
	w.mustOpen()
	w.wallet("w0")
	w.chain.Chain.Down(true)
	n := 0
	for ; n < 200; n++ {
		o := life.Order{Command: chains.Call, Wallet: "w0", Ref: fmt.Sprint(n), To: target(n), Input: life.Input{Data: make([]byte, life.MaxData)}, Options: map[string]string{}}
		_, release, err := w.m.Life.Submit(o)
		release()
		if err != nil {
			refused(t, "one too many", err, refusal.ErrFull)
			break
		}
	}
	if n != life.MaxPayload/life.MaxData {
		t.Errorf("%d transactions of %d bytes were accepted", n, life.MaxData)
	}
}
