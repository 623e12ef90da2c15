package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/fakenode"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/refusal"
)

// TestCancelWakesOtherNetwork: what waits on one network for a transaction of
// another one goes on when the host cancels that one.
func TestCancelWakesOtherNetwork(t *testing.T) {
	for _, kind := range []string{"same account", "after"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { cancelWakes(t, kind == "after") })
		})
	}
}

func cancelWakes(t *testing.T, after bool) {
	chain := newSeqChain()
	w := newWorld(t, chain.harness(), true, 1)
	w.tune = func(c *wallet.Config) {
		c.Now = time.Now
		c.Networks[0].Options = chains.Options{"chain_id": "9"}
		c.Networks = append(c.Networks, chains.Config{Name: "other", Protocol: "seq", Options: chains.Options{"chain_id": "9"}})
	}
	w.police.dirty = true
	w.mustOpen()
	w.wallet("w0")
	key := "w0"
	if after {
		key = ""
	}
	a, err := w.m.AddWallet(ctx, "w1", "other", key)
	must(t, err)
	chain.Fund(a, ether(1))
	run, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { w.m.Run(run) })
	defer func() { stop(); wg.Wait() }()
	dear := w.order("w0", "dear", 1)
	dear.Amount = "100ether" // waits for funds
	first := w.submit(dear)
	o := w.order("w1", "b", 2)
	if after {
		o.Options["after"] = fmt.Sprint(first)
	}
	second := w.submit(o)
	time.Sleep(time.Second) // all loops are at rest
	w.state(second, ledger.Accepted, ledger.BehindAnother)
	must(t, w.m.Life.Cancel(first))
	time.Sleep(time.Second)
	if s, _ := w.m.Life.Status(second); s.State == ledger.Accepted {
		t.Errorf("after what it waited for had ended: %+v; the engine next needs the network in %v", s, w.m.Life.Idle().Next)
	}
}

// TestChangesAtStart: commands change networks while the loops begin.
func TestChangesAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, newSeqChain().harness(), true, 1)
		w.tune = func(c *wallet.Config) { c.Now = time.Now }
		w.mustOpen()
		run, stop := context.WithCancel(ctx)
		var wg sync.WaitGroup
		wg.Go(func() {
			for n := range 200 {
				must(t, w.m.Nets.Set(net, "max_gas", fmt.Sprint(4000000-n)))
			}
		})
		wg.Go(func() { w.m.Run(run) })
		time.Sleep(time.Second)
		stop()
		wg.Wait()
	})
}

// TestTightenTwice: of two channels that make an option stricter at once the
// stricter one wins.
func TestTightenTwice(t *testing.T) {
	w, _ := worldOn(t, fakenode.Options{}, nil)
	w.mustOpen()
	for limit := 4_000_000; limit > 3_000_000; limit -= 5000 {
		var wg sync.WaitGroup
		for _, value := range []int{limit - 1000, limit - 2000} {
			wg.Go(func() {
				if err := w.m.Nets.Set(net, "max_gas", fmt.Sprint(value)); err != nil && !errors.Is(err, refusal.ErrNotAllowed) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		n, err := w.m.Nets.Get(net)
		must(t, err)
		if got := n.Options.Text("max_gas"); got != fmt.Sprint(limit-2000) {
			t.Fatalf("max_gas is %s after OK to %d: AT loosened it", got, limit-2000)
		}
	}
}

// TestRepeatInDoubt: a repeat is not answered from a state that the next power cut
// can take back.
func TestRepeatInDoubt(t *testing.T) {
	for a := 1; a <= 6; a++ {
		for b := a + 1; b <= 9; b++ {
			if answersInDoubt(t, a, b) {
				t.Errorf("writes %d and from %d on fail after the restart: the repeat was answered OK, and after a power cut the order is gone", a, b)
				return
			}
		}
	}
}

// answersInDoubt has the writes with these numbers fail after a restart, and says
// whether an order was answered that a power cut then loses.
func answersInDoubt(t *testing.T, a, b int) bool {
	w, chain := worldOn(t, fakenode.Options{}, nil)
	w.mustOpen()
	w.wallet("w0")
	chain.Down(true)
	// write, sync fails (the kernel drops what it could not write), the repair
	// fails, the process is killed before it can answer
	w.fs.Inject(crashfs.Fault{At: 2, Err: syscall.ENOSPC})
	_, release, err := w.m.Life.Submit(w.order("w0", "a", 1))
	release()
	if err == nil {
		t.Fatal("no fault")
	}
	w.fs.Heal()
	w.fs.Inject(crashfs.Fault{At: a, Count: 1, Err: syscall.ENOSPC})
	w.fs.Inject(crashfs.Fault{At: b, Err: syscall.ENOSPC})
	if w.open() != nil {
		return false
	}
	_, release, err = w.m.Life.Submit(w.order("w0", "a", 1))
	release()
	if err != nil {
		return false
	}
	for _, after := range w.fs.Outcomes(50, 1) {
		after.Heal()
		v := newWorld(t, w.chain, false, w.seed)
		v.fs, v.now, v.opens = after, w.now, 50
		v.mustOpen()
		if _, err := v.m.Life.ByReference("w0", "a"); err != nil {
			return true
		}
	}
	return false
}

// TestLateQuarantine: a conversation that began before a chain was accepted does
// not put that chain into quarantine.
func TestLateQuarantine(t *testing.T) {
	chain := newSeqChain()
	w := newWorld(t, chain.harness(), true, 1)
	var told []func(string, chains.Identity)
	old := w.chain.Protocol.Open
	w.chain.Protocol.Open = func(c chains.Config, d chains.Deps) (chains.Network, error) {
		told = append(told, d.Quarantine)
		return old(c, d)
	}
	w.mustOpen()
	w.wallet("w0")
	w.submit(w.order("w0", "a", 1))
	w.settle()
	w.restart()
	chain.Reset("another")
	w.submit(w.order("w0", "b", 2))
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	genesis := w.quarantined()
	first := told[len(told)-1]
	must(t, w.m.Life.AcceptChain(net, genesis))
	n, _ := w.m.Nets.Get(net)
	first("second endpoint", n.Pinned) // the old network's other endpoint answers now
	if q := w.quarantined(); q != "" {
		t.Errorf("an endpoint is in quarantine on %s because it is on the network's own chain %s", q, n.Pinned.Genesis)
	}
}

// TestNamesOfGoneWallets: what is remembered of deleted wallets is bounded.
func TestNamesOfGoneWallets(t *testing.T) {
	w := newWorld(t, newSeqChain().harness(), true, 1)
	w.mustOpen()
	w.wallet("w0")
	w.chain.Chain.Down(true)
	sizes := []int64{}
	for n := range 3000 {
		name := fmt.Sprint("x", n)
		_, err := w.m.AddWallet(ctx, name, net, "w0")
		must(t, err)
		id := w.submit(w.order(name, "r", n))
		must(t, w.m.Life.Cancel(id))
		must(t, w.m.DeleteWallet(name))
		if n%1000 == 999 {
			must(t, w.m.Book.Compact(true))
			sizes = append(sizes, int64(len(w.file("journal"))))
		}
	}
	if sizes[2] > sizes[0]+100_000 {
		t.Errorf("the journal after every 1000 wallets that are gone: %v", sizes)
	}
}

// TestWalletMadeAgain: a new wallet with another key is not answered with a
// transaction of the deleted one that had its name.
func TestWalletMadeAgain(t *testing.T) {
	w, _ := worldOn(t, fakenode.Options{}, nil)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.settle()
	must(t, w.m.DeleteWallet("w0"))
	if _, err := w.m.AddWallet(ctx, "k", net, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.m.AddWallet(ctx, "w0", net, "k"); err != nil {
		t.Fatal(err)
	}
	again, release, err := w.m.Life.Submit(w.order("w0", "a", 1))
	release()
	if err == nil && again == id {
		t.Errorf("an order of a new wallet, with another key, is answered by transaction %d of the old one", id)
	}
}

// TestAfterForgotten: a transaction of which nothing is known any more cannot be
// waited for.
func TestAfterForgotten(t *testing.T) {
	w, _ := worldOn(t, fakenode.Options{}, nil)
	w.tune = func(c *wallet.Config) { c.KeepEnded = 8 }
	w.mustOpen()
	w.wallet("w0")
	first := w.submit(w.order("w0", "", 1))
	w.settle()
	w.state(first, ledger.Confirmed, ledger.NoReason)
	for n := range 9 {
		w.submit(w.order("w0", "", 2+n))
		w.settle()
	}
	o := w.order("w0", "", 20)
	o.Options["after"] = fmt.Sprint(first)
	id, release, err := w.m.Life.Submit(o)
	release()
	if err != nil {
		return // refused at once is honest
	}
	w.settle()
	s, _ := w.m.Life.Status(id)
	if s.State != ledger.Confirmed {
		t.Errorf("accepted with OK, then %+v although %d was confirmed", s, first)
	}
}

// TestLargeSnapshot: a large transaction with many attempts survives a snapshot.
func TestLargeSnapshot(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{}, chains.Options{"max_gas": "16777216", "max_total_fee": "100ether"})
	w.mustOpen()
	w.wallet("w0")
	a, err := w.m.Address("w0")
	must(t, err)
	chain.Fund(a, ether(1000))
	o := life.Order{Command: chains.Call, Wallet: "w0", Ref: "a", To: fakenode.Accepts, Input: life.Input{Data: make([]byte, 64<<10)}, Options: map[string]string{}}
	id := w.submit(o)
	w.sweep()
	w.state(id, ledger.Sent, ledger.NoReason)
	for n := range 3 {
		must(t, w.m.Life.Bump(id, big.NewInt(int64(30+20*n)*1e9)))
		w.now = w.now.Add(time.Minute)
		w.sweep()
	}
	before, err := w.m.Life.Attempts(id)
	must(t, err)
	must(t, w.m.Book.Compact(true))
	w.restart()
	after, err := w.m.Life.Attempts(id)
	must(t, err)
	if len(before) != 4 || len(after) != 4 || after[3].Hash != before[3].Hash {
		t.Errorf("attempts %+v before the snapshot, %+v after it", before, after)
	}
	w.settle()
	w.state(id, ledger.Confirmed, ledger.NoReason)
}

// TestResetReleases: what a factory reset removed before it was signed does not
// count against a limit for ever.
func TestResetReleases(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{}, nil)
	w.tune = func(c *wallet.Config) { c.Limits = []life.Limit{{Wallet: "w0", PerDay: big.NewInt(15e15)}} } // 0.015 ether; worst is 0.01
	w.mustOpen()
	w.wallet("w0")
	chain.Down(true)
	w.submit(w.order("w0", "a", 1))
	must(t, w.m.FactoryReset(ctx, nil, false))
	chain.Down(false)
	w.now = w.now.Add(72 * time.Hour)
	w.restart()
	w.wallet("w0")
	_, release, err := w.m.Life.Submit(w.order("w0", "b", 2))
	release()
	if err != nil {
		t.Errorf("three days after the reset: %v", err)
	}
}

// TestTightenedMeanwhile: an option that AT makes stricter while a signature is
// prepared holds for that signature.
func TestTightenedMeanwhile(t *testing.T) {
	w, _ := worldOn(t, fakenode.Options{}, nil)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.police.preparing = func() {
		w.police.preparing = nil
		must(t, w.m.Nets.Set(net, "max_fee_per_gas", "1gwei"))
	}
	w.sweeps(3)
	w.m.Book.View(func(st *ledger.State) {
		if tx := st.Tx(id); tx != nil && tx.Signed() {
			t.Errorf("signed at 15 gwei after OK to max_fee_per_gas=1gwei; state %d, sent %d", tx.State, w.police.sent)
		}
	})
}

// TestBumpAboveTotal: a bump that max_total_fee forbids is refused at once and does
// not stand in the way of a lower one.
func TestBumpAboveTotal(t *testing.T) {
	w, _ := worldOn(t, fakenode.Options{MinTip: big.NewInt(3e9)}, chains.Options{"max_total_fee": "0.001ether"}) // 21000 gas: 47 gwei
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	w.state(id, ledger.Sent, ledger.NoReason)
	refused(t, "a bump above the ceiling of the whole fee", w.m.Life.Bump(id, big.NewInt(100e9)), chains.ErrCeiling)
	refused(t, "a bump that no node takes", w.m.Life.Bump(id, big.NewInt(16e9)), chains.ErrOption)
	w.now = w.now.Add(time.Minute)
	w.sweeps(3)
	must(t, w.m.Life.Bump(id, big.NewInt(39e9))) // can be made
	for range 10 {
		w.now = w.now.Add(10 * time.Minute)
		w.sweep()
	}
	tries, _ := w.m.Life.Attempts(id)
	if len(tries) < 2 {
		s, _ := w.m.Life.Status(id)
		t.Errorf("a second bump, which is possible, was answered OK and never made: %d attempts, %+v", len(tries), s)
	}
}

// TestThereAndBack: a network that goes to another chain and comes back takes its
// nonces from the chain.
func TestThereAndBack(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{}, nil)
	w.mustOpen()
	a := w.wallet("w0")
	w.submit(w.order("w0", "a", 1))
	w.settle()
	lost := w.submit(w.order("w0", "b", 2))
	w.sweep()
	w.state(lost, ledger.Sent, ledger.NoReason)
	home := ""
	w.m.Book.View(func(st *ledger.State) { home = st.Networks[net].Chain.Genesis })
	chain.Drop() // it is not included
	// The endpoint leads elsewhere for a while, and somebody accepts it.
	chain.Reset("another")
	chain.Fund(a, ether(1))
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	must(t, w.m.Life.AcceptChain(net, w.quarantined()))
	c := w.submit(w.order("w0", "c", 3))
	w.settle()
	w.state(c, ledger.Confirmed, ledger.NoReason)
	// And back: the old chain, where the account has used one nonce.
	chain.Reset("")
	chain.Fund(a, ether(1))
	w.submit(w.order("w0", "d", 4))
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	if w.quarantined() != home {
		t.Fatal("not the old chain")
	}
	must(t, w.m.Life.AcceptChain(net, home))
	clear(w.police.byNonce)
	d := w.submit(w.order("w0", "e", 5))
	for range 40 {
		w.sweep()
		chain.Mine(1)
	}
	s, _ := w.m.Life.Status(d)
	if s.State != ledger.Confirmed {
		t.Errorf("after accept_new_chain the account is stuck: %+v, nonce %d, chain's %d", s, w.police.byID[d], chain.Nonce(a))
	}
}

// TestCancelledIsNotPolled: a cancel of what the chain says is used up does not make
// the network busy.
func TestCancelledIsNotPolled(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{Finality: 64}, chains.Options{"external_use": "true"})
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	chain.Drop()
	w.consume(chain, id)
	must(t, w.m.Life.Cancel(id))
	before, from := chain.Node(nodeURL).Requests(), w.now
	for w.now.Sub(from) < 10*time.Minute {
		w.now = w.now.Add(max(w.m.Life.Sweep(ctx, net), 250*time.Millisecond))
	}
	if n := chain.Node(nodeURL).Requests() - before; n > 200 {
		t.Errorf("%d requests in 10 minutes", n)
	}
}

// TestManyEndings: thousands of transactions end at once, in as many steps as the
// journal wants.
func TestManyEndings(t *testing.T) {
	w := newWorld(t, newSeqChain().harness(), true, 1)
	w.tune = func(c *wallet.Config) { c.QueueMax = 4096 }
	w.mustOpen()
	for n := range 3 {
		w.wallet(fmt.Sprint("w", n))
	}
	w.chain.Chain.Down(true)
	for n := range 3 * 4096 {
		o := w.order(fmt.Sprint("w", n%3), "", n)
		o.Options["expire"] = "60"
		w.submit(o)
	}
	if err := w.m.Life.CancelUnsigned(); err != nil {
		t.Errorf("reset 1: %v", err)
	}
	w.now = w.now.Add(2 * time.Minute)
	w.sweep()
	if n := w.m.Life.Idle().Open; n != 0 {
		t.Errorf("%d are open after they expired", n)
	}
}

// TestSentNotNoted: that a node took a transaction is noted when the flash is well
// again.
func TestSentNotNoted(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{}, nil)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.police.dirty = true
	armed := false
	chain.Watch(func(method, _ string) {
		if method == "eth_sendRawTransaction" && !armed {
			armed = true
			w.fs.Inject(crashfs.Fault{At: 1, Err: syscall.ENOSPC})
		}
	})
	w.sweep()
	w.fs.Heal()
	for range 30 {
		w.now = w.now.Add(time.Minute)
		w.sweep()
	}
	s, _ := w.m.Life.Status(id)
	if s.State != ledger.Sent {
		t.Errorf("half an hour after the flash is well: %+v", s)
	}
}
