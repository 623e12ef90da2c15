package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/fakenode"
	"github.com/boatd/boatd/internal/jsonrpc"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/refusal"
)

// TestMeanwhile: what a host does while a transaction is being prepared decides
// whether it is signed.
func TestMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		do    func(*world, uint32) error
		state ledger.TxState
		why   ledger.Reason
	}{
		"cancelled": {func(w *world, id uint32) error { return w.m.Life.Cancel(id) }, ledger.Cancelled, 0},
		"suspended": {func(w *world, _ uint32) error { return w.m.Keys.SetState("w0", ledger.Suspended) }, ledger.Accepted, ledger.KeyInactive},
		"retired":   {func(w *world, _ uint32) error { return w.m.Keys.SetState("w0", ledger.Retired) }, ledger.Refused, ledger.KeyInactive},
		"off":       {func(w *world, _ uint32) error { return w.m.Off(ctx) }, ledger.Accepted, 0},
		"reset 1":   {func(w *world, _ uint32) error { return w.m.Life.CancelUnsigned() }, ledger.Cancelled, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := ethereumWorld(t, nil)
			w.mustOpen()
			w.wallet("w0")
			id := w.submit(w.order("w0", "a", 1))
			w.police.preparing = func() { must(t, c.do(w, id)); w.police.preparing = nil }
			w.sweeps(3)
			w.state(id, c.state, c.why)
			if w.police.sent != 0 {
				t.Error("something was sent")
			}
			w.m.Book.View(func(st *ledger.State) {
				if tx := st.Tx(id); tx != nil && tx.Signed() {
					t.Error("a signature was kept")
				}
			})
		})
	}
}

// TestCancelDuringBump: a bump that is being prepared when the host cancels is
// not made.
func TestCancelDuringBump(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	must(t, w.m.Life.Bump(id, big.NewInt(50e9)))
	w.police.preparing = func() { must(t, w.m.Life.Cancel(id)); w.police.preparing = nil }
	w.sweeps(3)
	w.m.Book.View(func(st *ledger.State) {
		for _, a := range st.Tx(id).Attempts {
			if a.Purpose == chains.Bumped {
				t.Error("the bump was signed after the host cancelled")
			}
		}
	})
	w.settle()
	w.state(id, ledger.Cancelled, ledger.NoReason)
}

// TestOrderOfIDs: a transaction that waits holds up later ones of its account,
// and no others.
func TestOrderOfIDs(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	w.wallet("w1")
	dear := w.order("w0", "dear", 1)
	dear.Amount = "100ether"
	first := w.submit(dear)
	second := w.submit(w.order("w0", "cheap", 2))
	other := w.submit(w.order("w1", "other", 3))
	w.sweeps(4)
	w.state(first, ledger.Accepted, ledger.NoFunds)
	w.state(second, ledger.Accepted, ledger.BehindAnother)
	w.state(other, ledger.Sent, ledger.NoReason)
	must(t, w.m.Life.Cancel(first))
	w.settle()
	w.state(second, ledger.Confirmed, ledger.NoReason)
	w.police.report()
}

// TestTwoNetworksOneChain: two networks that turn out to be one chain share the
// accounts' nonces.
func TestTwoNetworksOneChain(t *testing.T) {
	w, chain := ethereumWorld(t, chains.Options{"chain_id": "1337"})
	chain.Node("https://b.example")
	w.tune = func(c *wallet.Config) {
		options := chains.Options{"endpoints": "https://b.example", "chain_id": "1337"}
		c.Networks = append(c.Networks, chains.Config{Name: "other", Protocol: "ethereum", Options: options})
	}
	w.mustOpen()
	w.wallet("w0")
	if _, err := w.m.AddWallet(ctx, "w1", "other", "w0"); err != nil {
		t.Fatal(err)
	}
	chain.Node(nodeURL).SetFaults(fakenode.Faults{Down: true})
	for n := range 6 {
		w.submit(w.order([]string{"w0", "w1"}[n%2], "", n))
	}
	both := func(n int) {
		for range n {
			w.sweep()
			w.m.Life.Sweep(ctx, "other")
			chain.Mine(1)
			w.now = w.now.Add(2 * time.Second)
		}
	}
	both(5)
	if w.police.sent != 0 {
		t.Error("a later id was signed before an earlier one of the account")
	}
	chain.Node(nodeURL).SetFaults(fakenode.Faults{})
	both(60)
	for n := range 6 {
		w.state(uint32(n+1), ledger.Confirmed, ledger.NoReason)
		if got := w.police.byID[uint32(n+1)]; got != uint64(n) {
			t.Errorf("transaction %d has nonce %d", n+1, got)
		}
	}
	w.police.report()
}

// TestDisplacedNeedsEveryNode: while one node still holds an attempt nothing is
// displaced, whatever the account's nonce.
func TestDisplacedNeedsEveryNode(t *testing.T) {
	w, chain := ethereumWorld(t, chains.Options{"external_use": "true"})
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	chain.Drop()
	w.consume(chain, id)
	busy := fakenode.Faults{Errors: map[string]*jsonrpc.Error{"eth_getTransactionByHash": {Code: -32000, Message: "transaction indexing is in progress"}}}
	chain.Node(nodeURL).SetFaults(busy)
	for range 6 {
		chain.Mine(3)
		w.now = w.now.Add(time.Minute)
		w.sweep()
	}
	if s, err := w.m.Life.Status(id); err != nil || s.State != ledger.Sent {
		t.Fatalf("ended as %+v while no node could say that it is gone: %v", s, err)
	}
	chain.Node(nodeURL).SetFaults(fakenode.Faults{})
	for range 4 {
		chain.Mine(3)
		w.now = w.now.Add(10 * time.Minute)
		w.sweep()
	}
	w.state(id, ledger.Displaced, ledger.NoReason)
}

// TestReleases: what a transaction that did not happen gives back to the
// window, and what it does not.
func TestReleases(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.tune = func(c *wallet.Config) {
		c.Limits = []life.Limit{{Wallet: "w0", PerDay: ether(3)}}
	}
	w.mustOpen()
	w.wallet("w0")
	order := func(ref string, n int) error {
		o := w.order("w0", ref, n)
		o.Amount = "2ether"
		_, release, err := w.m.Life.Submit(o)
		release()
		return err
	}
	must(t, order("a", 1))
	refused(t, "more than the day allows", order("b", 2), refusal.ErrByPolicy)
	must(t, w.m.Life.Cancel(1)) // never signed: all of it comes back
	must(t, order("c", 3))
	w.sweep()
	must(t, w.m.Life.Cancel(2)) // signed: the value comes back, not the fee
	refused(t, "while it may still happen", order("d", 4), refusal.ErrByPolicy)
	w.settle()
	w.state(2, ledger.Cancelled, ledger.NoReason)
	must(t, order("e", 5))
	var fee *big.Int
	w.m.Book.View(func(st *ledger.State) { fee, _ = (&life.Limit{Wallet: "w0"}).Held(st, w.m.Book.Running(), 0, 3) })
	if fee.Sign() == 0 {
		t.Error("the fee of the cancellation does not count")
	}
	w.settle()
	w.state(3, ledger.Confirmed, ledger.NoReason)
	refused(t, "after it was spent", order("f", 6), refusal.ErrByPolicy)
}

// TestActualCost: what is signed counts with what it can really cost, not with
// the worst that was reserved for it.
func TestActualCost(t *testing.T) {
	w, _ := ethereumWorld(t, chains.Options{"max_total_fee": "1ether"})
	w.tune = func(c *wallet.Config) {
		c.Limits = []life.Limit{{Wallet: "w0", PerDay: new(big.Int).Add(ether(2), big.NewInt(1e9))}}
	}
	w.mustOpen()
	w.wallet("w0")
	w.submit(w.order("w0", "a", 1))
	w.submit(w.order("w0", "b", 2))
	_, _, err := w.m.Life.Submit(w.order("w0", "c", 3))
	refused(t, "two reservations of the worst case fill the day", err, refusal.ErrByPolicy)
	w.sweeps(2)
	w.submit(w.order("w0", "c", 3))
}

// TestQuarantineIsKept: an endpoint in quarantine is not even asked after a
// restart.
func TestQuarantineIsKept(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	w.submit(w.order("w0", "a", 1))
	w.settle()
	chain.Reset("another")
	w.submit(w.order("w0", "b", 2))
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	before := chain.Node(nodeURL).Requests()
	w.restart()
	w.sweeps(3)
	if n := chain.Node(nodeURL).Requests() - before; n != 0 {
		t.Errorf("%d requests to an endpoint in quarantine", n)
	}
	if w.alarms() != 0 {
		t.Error("a second alarm for the same thing")
	}
}

// TestLaggingNodeAfterRestart: a node that has not come as far as the including
// block cannot say that it has vanished.
func TestLaggingNodeAfterRestart(t *testing.T) {
	w, chain := ethereumWorld(t, chains.Options{"confirmations": "30"})
	chain.Mine(30)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	chain.Mine(2)
	w.now = w.now.Add(time.Minute)
	w.sweep()
	w.state(id, ledger.Included, ledger.NoReason)
	chain.Node(nodeURL).SetFaults(fakenode.Faults{Lag: 20})
	w.restart()
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	w.state(id, ledger.Included, ledger.NoReason)
	chain.Node(nodeURL).SetFaults(fakenode.Faults{})
	w.settle()
}

// TestSickFlash: on flash that takes no writes since the start nothing is sent,
// not even what was sent before, and everything goes on when it does again.
func TestSickFlash(t *testing.T) {
	for _, known := range []bool{false, true} {
		w, chain := ethereumWorld(t, nil)
		w.mustOpen()
		w.wallet("w0")
		chain.Down(!known)
		id := w.submit(w.order("w0", "a", 1))
		w.sweep()
		must(t, w.m.Close())
		chain.Down(false)
		w.fs.Inject(crashfs.Fault{At: 1, Err: syscall.EROFS})
		w.mustOpen()
		before := w.police.sent
		w.now = w.now.Add(time.Minute)
		w.sweeps(3)
		if w.police.sent != before {
			t.Error("something was sent")
		}
		_, _, err := w.m.Life.Submit(w.order("w0", "b", 2))
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("an order: %v", err)
		}
		if _, err := w.m.Balance(ctx, "w0", ""); err != nil {
			t.Errorf("what needs no write does not go on: %v", err)
		}
		w.fs.Heal()
		w.settle()
		w.state(id, ledger.Confirmed, ledger.NoReason)
	}
}

// TestNoEventBeforeItsID: nothing about an id can be read before the host was
// given it.
func TestNoEventBeforeItsID(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	id, release, err := w.m.Life.Submit(w.order("w0", "a", 1))
	must(t, err)
	w.sweep()
	w.state(id, ledger.Sent, ledger.NoReason)
	if got := w.m.Book.EventsAfter(0, 10); len(got) != 0 {
		t.Errorf("%+v can be read", got)
	}
	release()
	if got := w.m.Book.EventsAfter(0, 10); len(got) != 3 || got[0].Tx != id {
		t.Errorf("after the release: %+v", got)
	}
}

// TestNetEvents: hosts are told when a network is lost and found, once each.
func TestNetEvents(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	w.submit(w.order("w0", "a", 1))
	for _, down := range []bool{true, false, true, false} {
		chain.Down(down)
		for range 4 {
			w.now = w.now.Add(time.Minute)
			w.sweep()
		}
	}
	var told []any
	for _, e := range w.m.Book.EventsAfter(0, 100) {
		if e.Name == "net" {
			told = append(told, e.Fields[0])
		}
	}
	if fmt.Sprint(told) != "[0 1 0 1]" {
		t.Errorf("told %v", told)
	}
}

// TestRace runs the real loops while hosts do everything at once; the race
// detector and the police watch.
func TestRace(t *testing.T) {
	chain := newSeqChain()
	w := newWorld(t, chain.harness(), true, 1)
	w.tune = func(c *wallet.Config) { c.Now = time.Now }
	w.police.dirty = true
	w.mustOpen()
	w.wallet("w0")
	run, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { w.m.Run(run) })
	mined := make(chan struct{})
	wg.Go(func() {
		for run.Err() == nil {
			chain.Mine(1)
			time.Sleep(5 * time.Millisecond)
		}
		close(mined)
	})
	var hosts sync.WaitGroup
	for host := range 4 {
		hosts.Go(func() {
			for n := range 8 {
				ref := fmt.Sprintf("r%d", n) // all hosts the same orders
				id, release, err := w.m.Life.Submit(w.order("w0", ref, n))
				if err != nil {
					t.Error(err)
				}
				release()
				if got, err := w.m.Life.ByReference("w0", ref); err != nil || got != id {
					t.Errorf("%s is %d, was %d: %v", ref, got, id, err)
				}
				if host == 0 && n%4 == 3 {
					must(t, w.m.Book.Compact(true))
				}
				w.m.Life.List()
				if err := w.m.Alive(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	hosts.Wait()
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for id := uint32(1); id <= 8; id++ {
		if s, err := w.m.Life.Wait(wait, id, ledger.Confirmed); err != nil || s.State != ledger.Confirmed {
			t.Errorf("%+v, %v", s, err)
		}
	}
	must(t, w.m.Off(ctx))
	stop()
	wg.Wait()
	for n := range 8 {
		w.effects(n, 1)
	}
	w.police.report()
}
