package wallet_test

import (
	"context"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/chaintest"
	"github.com/boatd/boatd/chains/ethereum"
	"github.com/boatd/boatd/internal/fakenode"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/refusal"
)

const nodeURL = "https://a.example/key"

// ethereumWorld is a device on Ethereum: a chain in memory that checks like a
// real node, three blocks until a transaction is final.
func ethereumWorld(t testing.TB, options chains.Options) (*world, *fakenode.Chain) {
	return worldOn(t, fakenode.Options{}, options)
}

// worldOn is ethereumWorld on a chain of a kind.
func worldOn(t testing.TB, o fakenode.Options, options chains.Options) (*world, *fakenode.Chain) {
	chain := fakenode.New(o)
	chain.Node(nodeURL)
	all := chains.Options{"endpoints": nodeURL}
	for k, v := range options {
		all[k] = v
	}
	h := &chaintest.Harness{Chain: chain, Protocol: ethereum.ProtocolOver(chain.Connect),
		Config: chains.Config{Protocol: "ethereum", Options: all}, Final: 3, Tells: true,
		Good: chains.Intent{Kind: chains.Transfer, Value: big.NewInt(7)}}
	return newWorld(t, h, false, 1), chain
}

// worlds are the three kinds of chain that a life is the same on.
func worlds() map[string]func(testing.TB) *world {
	return map[string]func(testing.TB) *world{
		"ethereum": func(t testing.TB) *world { w, _ := ethereumWorld(t, nil); return w },
		"random nonces": func(t testing.TB) *world {
			return newWorld(t, chaintest.NewRandomNonce(chaintest.Options{}).Harness(), false, 1)
		},
		"several signatures": func(t testing.TB) *world {
			return newWorld(t, chaintest.NewMultiSign(chaintest.Options{}).Harness(), false, 1)
		},
	}
}

func TestLife(t *testing.T) {
	for name, make := range worlds() {
		t.Run(name, func(t *testing.T) {
			w := make(t).mustOpen()
			w.wallet("w0")
			id := w.submit(w.order("w0", "r1", 1))
			w.state(id, ledger.Accepted, ledger.NoReason)
			if again := w.submit(w.order("w0", "r1", 1)); again != id {
				t.Fatalf("the same reference answers %d, then %d", id, again)
			}
			w.sweep()
			w.state(id, ledger.Sent, ledger.NoReason)
			w.restart()
			w.chain.Chain.Mine(1)
			w.sweeps(2)
			w.settle()
			s := w.state(id, ledger.Confirmed, ledger.NoReason)
			if s.Confirmations < uint64(w.chain.Final) || len(s.Hash) != 64 {
				t.Errorf("ended as %+v", s)
			}
			w.effects(1, 1)
			if again := w.submit(w.order("w0", "r1", 1)); again != id {
				t.Fatalf("the reference of an ended transaction answers %d", again)
			}
			w.restart()
			w.state(id, ledger.Confirmed, ledger.NoReason)
			if _, _, err := w.m.Life.Submit(w.order("w0", "r1", 2)); !errors.Is(err, refusal.ErrExists) {
				t.Errorf("the reference with another recipient: %v", err)
			}
			w.police.report()
		})
	}
}

// TestRestartAnywhere restarts between any two steps of a life.
func TestRestartAnywhere(t *testing.T) {
	for name, make := range worlds() {
		t.Run(name, func(t *testing.T) {
			for at := range 12 {
				w := make(t).mustOpen()
				w.wallet("w0")
				id := w.submit(w.order("w0", "r1", 1))
				for step := range 12 {
					if step == at {
						w.restart()
					}
					if step%2 == 0 {
						w.sweep()
					} else {
						w.chain.Chain.Mine(1)
					}
				}
				w.settle()
				w.state(id, ledger.Confirmed, ledger.NoReason)
				w.effects(1, 1)
				w.police.report()
			}
		})
	}
}

// TestQueueInOrder queues while no node answers; everything goes out in order
// when one does.
func TestQueueInOrder(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	chain.Down(true)
	var ids []uint32
	for n := range 20 {
		ids = append(ids, w.submit(w.order("w0", "", n)))
	}
	w.sweeps(3)
	w.state(ids[0], ledger.Accepted, ledger.Unreachable)
	w.restart()
	chain.Down(false)
	w.settle()
	for n, id := range ids {
		w.state(id, ledger.Confirmed, ledger.NoReason)
		w.effects(n, 1)
		if got := w.police.byID[id]; got != uint64(n) {
			t.Errorf("transaction %d has nonce %d", id, got)
		}
	}
	w.police.report()
}

// TestInFlight holds the bound on signed and not included transactions.
func TestInFlight(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	for n := range life.MaxInFlight + 4 {
		w.submit(w.order("w0", "", n))
	}
	w.sweeps(3)
	if w.police.sent != life.MaxInFlight {
		t.Errorf("%d transactions went out, want %d", w.police.sent, life.MaxInFlight)
	}
	w.state(life.MaxInFlight+1, ledger.Accepted, ledger.BehindAnother)
	w.settle()
	w.police.report()
}

// TestDelegated: an account with delegated code has one transaction in flight.
func TestDelegated(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	chain.Delegate(w.wallet("w0"))
	for n := range 3 {
		w.submit(w.order("w0", "", n))
	}
	w.sweeps(3)
	if w.police.sent != 1 {
		t.Errorf("%d transactions went out", w.police.sent)
	}
	w.settle()
	w.effects(2, 1)
}

func TestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		options chains.Options
		order   func(*life.Order)
		broke   bool
		state   ledger.TxState
		why     ledger.Reason
	}{
		"would revert": {order: func(o *life.Order) { o.Command, o.To, o.Data = chains.Call, fakenode.Reverts, []byte{1} },
			state: ledger.Refused, why: ledger.WouldRevert},
		"no funds":       {broke: true, why: ledger.NoFunds},
		"over ceiling":   {options: chains.Options{"max_fee_per_gas": "1gwei"}, why: ledger.OverCeiling},
		"total too dear": {options: chains.Options{"max_total_fee": "1gwei"}, why: ledger.OverCeiling},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := ethereumWorld(t, c.options)
			w.mustOpen()
			if c.broke {
				if _, err := w.m.AddWallet(context.Background(), "w0", net, ""); err != nil {
					t.Fatal(err)
				}
			} else {
				w.wallet("w0")
			}
			o := w.order("w0", "r", 1)
			if c.order != nil {
				o.Amount = ""
				c.order(&o)
			}
			id := w.submit(o)
			w.sweeps(3)
			w.state(id, c.state, c.why)
			if w.police.sent != 0 {
				t.Error("something was sent")
			}
		})
	}
}

// TestWaitersGoOn: what waits for funds goes out when there are some, without
// being asked.
func TestWaitersGoOn(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	a, err := w.m.AddWallet(context.Background(), "w0", net, "")
	if err != nil {
		t.Fatal(err)
	}
	id := w.submit(w.order("w0", "r", 1))
	w.sweeps(4)
	w.state(id, ledger.Accepted, ledger.NoFunds)
	chain.Fund(a, ether(1))
	w.settle()
	w.state(id, ledger.Confirmed, ledger.NoReason)
}

func TestExpire(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	chain.Down(true)
	o := w.order("w0", "r", 1)
	o.Options["expire"] = "600"
	id := w.submit(o)
	later := w.submit(w.order("w0", "r2", 2))
	w.sweep()
	w.now = w.now.Add(300 * time.Second)
	w.restart() // the running time so far is not on flash: it does not count
	w.now = w.now.Add(599 * time.Second)
	w.sweep()
	w.state(id, ledger.Accepted, ledger.Unreachable)
	w.now = w.now.Add(2 * time.Second)
	w.sweep()
	w.state(id, ledger.Expired, ledger.NoReason)
	chain.Down(false)
	w.settle()
	w.state(later, ledger.Confirmed, ledger.NoReason)
	w.effects(1, 0)
	w.effects(2, 1)
}

// TestExpireSigned: what is signed is asked to be cancelled when it expires.
func TestExpireSigned(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	o := w.order("w0", "r", 1)
	o.Options["expire"] = "60"
	id := w.submit(o)
	w.sweep()
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	if tries, _ := w.m.Life.Attempts(id); len(tries) != 2 {
		t.Fatalf("%d attempts, want the cancellation beside the original", len(tries))
	}
	w.settle()
	w.state(id, ledger.Cancelled, ledger.NoReason)
	w.effects(1, 0)
	w.police.report()
}

func TestAfter(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	w.wallet("w1")
	good := w.submit(w.order("w0", "a", 1))
	waits := w.order("w1", "b", 2)
	waits.Options["after"] = "1"
	second := w.submit(waits)
	w.sweeps(2)
	w.state(second, ledger.Accepted, ledger.BehindAnother)
	w.settle()
	w.state(good, ledger.Confirmed, ledger.NoReason)
	w.state(second, ledger.Confirmed, ledger.NoReason)

	bad := w.order("w0", "c", 3)
	bad.Command, bad.To, bad.Data, bad.Amount = chains.Call, fakenode.Reverts, []byte{1}, ""
	third := w.submit(bad)
	waits = w.order("w1", "d", 4)
	waits.Options["after"] = "3"
	fourth := w.submit(waits)
	w.settle()
	w.state(third, ledger.Refused, ledger.WouldRevert)
	w.state(fourth, ledger.Refused, ledger.BehindAnother)
	w.effects(4, 0)
}

func TestCancel(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	chain.Down(true)
	unsigned := w.submit(w.order("w0", "a", 1))
	for range 2 { // a repeat is OK
		if err := w.m.Life.Cancel(unsigned); err != nil {
			t.Fatal(err)
		}
	}
	w.state(unsigned, ledger.Cancelled, ledger.NoReason)
	chain.Down(false)

	w.now = w.now.Add(time.Hour)
	signed := w.submit(w.order("w0", "b", 2))
	w.sweep()
	w.state(signed, ledger.Sent, ledger.NoReason)
	for range 2 {
		if err := w.m.Life.Cancel(signed); err != nil {
			t.Fatal(err)
		}
	}
	w.sweep()
	w.settle()
	w.state(signed, ledger.Cancelled, ledger.NoReason)
	w.effects(1, 0)
	w.effects(2, 0)
	if err := w.m.Life.Cancel(signed); err != nil {
		t.Errorf("cancelling what is cancelled: %v", err)
	}
	if err := w.m.Life.Cancel(99); !errors.Is(err, refusal.ErrNoTx) {
		t.Errorf("cancelling nothing: %v", err)
	}
	w.police.report()
}

// TestOriginalWins: the original can be mined after its cancellation went out.
func TestOriginalWins(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	original := w.raw(id, 0)
	if err := w.m.Life.Cancel(id); err != nil {
		t.Fatal(err)
	}
	w.sweep()
	chain.Drop()
	if err := chain.Node(nodeURL).Submit(original); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.state(id, ledger.Confirmed, ledger.NoReason)
	w.effects(1, 1)
	tries, err := w.m.Life.Attempts(id)
	if err != nil || len(tries) != 2 || tries[0].State != ledger.Confirmed || tries[1].State != ledger.Displaced {
		t.Errorf("attempts %+v, %v", tries, err)
	}
}

// raw returns the bytes of an attempt of an open transaction.
func (w *world) raw(id uint32, attempt int) []byte {
	var raw []byte
	w.m.Book.View(func(st *ledger.State) { raw = st.Tx(id).Attempts[attempt].Raw })
	return raw
}

func TestBump(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	fee := big.NewInt(50e9)
	if err := w.m.Life.Bump(id, fee); !errors.Is(err, refusal.ErrWrongState) {
		t.Errorf("bumping what is not signed: %v", err)
	}
	w.sweep()
	if err := w.m.Life.Bump(id, ether(1)); !errors.Is(err, chains.ErrCeiling) {
		t.Errorf("bumping over the ceiling: %v", err)
	}
	for range 2 {
		if err := w.m.Life.Bump(id, fee); err != nil {
			t.Fatal(err)
		}
		w.sweeps(2)
	}
	if tries, _ := w.m.Life.Attempts(id); len(tries) != 2 {
		t.Fatalf("%d attempts after the same bump twice", len(tries))
	}
	w.restart()
	w.sweeps(2)
	if tries, _ := w.m.Life.Attempts(id); len(tries) != 2 {
		t.Fatalf("%d attempts after a restart", len(tries))
	}
	chain.Mine(1)
	w.settle()
	w.state(id, ledger.Confirmed, ledger.NoReason)
	w.effects(1, 1)
	w.police.report()
}

// TestBumpByItself: a device that nobody watches raises its fee, so often and
// no oftener.
func TestBumpByItself(t *testing.T) {
	w, chain := ethereumWorld(t, chains.Options{"bump_after": "30", "bump_max": "2"})
	chain.SetFees(big.NewInt(7e9), big.NewInt(1e9))
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	for range 200 {
		w.sweep()
	}
	if tries, _ := w.m.Life.Attempts(id); len(tries) != 3 {
		t.Errorf("%d attempts, want the original and 2 bumps", len(tries))
	}
	w.settle()
	w.effects(1, 1)
}

// TestReorg: an included transaction falls back and is included again.
func TestReorg(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	chain.Mine(1)
	w.now = w.now.Add(time.Minute)
	w.sweep()
	w.state(id, ledger.Included, ledger.NoReason)
	chain.Reorg(1)
	w.now = w.now.Add(time.Minute)
	w.sweep()
	w.state(id, ledger.Sent, ledger.NoReason)
	w.settle()
	w.state(id, ledger.Confirmed, ledger.NoReason)
	w.effects(1, 1)
}

// TestMempoolLost: a node that forgets is told again.
func TestMempoolLost(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	chain.Drop()
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	if w.police.sent < 2 {
		t.Fatal("the bytes were not sent again")
	}
	w.settle()
	w.state(id, ledger.Confirmed, ledger.NoReason)
	w.police.report()
}

// TestRevertedInclusion: what reverts when it is included is not final before
// its block is, and a reorganisation can turn it into a success.
func TestRevertedInclusion(t *testing.T) {
	for _, reorg := range []bool{false, true} {
		w, chain := ethereumWorld(t, nil)
		w.mustOpen()
		w.wallet("w0")
		o := life.Order{Command: chains.Call, Wallet: "w0", Ref: "r", To: fakenode.Late, Input: life.Input{Data: []byte{1}}}
		id := w.submit(o)
		w.sweep()
		chain.Mine(1)
		w.now = w.now.Add(time.Minute)
		w.sweep()
		w.state(id, ledger.Included, ledger.WouldRevert)
		if reorg {
			chain.SetLate(false)
			chain.Reorg(1)
		}
		w.settle()
		if reorg {
			w.state(id, ledger.Confirmed, ledger.NoReason)
		} else {
			w.state(id, ledger.Reverted, ledger.WouldRevert)
		}
	}
}

// TestForeignNonce: another user of the key stops signing with one alarm, until
// external_use says that it is no accident.
func TestForeignNonce(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	first := w.submit(w.order("w0", "a", 1))
	w.settle()
	w.state(first, ledger.Confirmed, ledger.NoReason)
	chain.Node(nodeURL).SetFaults(fakenode.Faults{Nonce: +3})
	id := w.submit(w.order("w0", "b", 2))
	w.sweeps(6)
	w.state(id, ledger.Accepted, ledger.Disagreement)
	if n := w.alarms(); n != 1 {
		t.Errorf("%d alarms, want 1", n)
	}
	w.tune = func(c *wallet.Config) { c.Networks[0].Options["external_use"] = "true" }
	w.restart()
	w.sweeps(2)
	if got := w.police.byID[id]; got != 4 {
		t.Errorf("nonce %d, want the chain's 4", got)
	}
}

func (w *world) alarms() (n int) {
	for _, e := range w.m.Book.EventsAfter(0, 1000) {
		if e.Name == "alarm" {
			n++
		}
	}
	return n
}

// TestLaggingNonce: a lower nonce of the chain is a lagging node and changes
// nothing.
func TestLaggingNonce(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	w.submit(w.order("w0", "a", 1))
	w.submit(w.order("w0", "b", 2))
	w.settle()
	chain.Node(nodeURL).SetFaults(fakenode.Faults{Nonce: -2})
	id := w.submit(w.order("w0", "c", 3))
	w.sweeps(2)
	if got := w.police.byID[id]; got != 2 {
		t.Errorf("nonce %d, want 2", got)
	}
	chain.Node(nodeURL).SetFaults(fakenode.Faults{})
	w.settle()
	w.effects(3, 1)
}

// TestDisplaced: what another user of the key consumed ends 6, but only after
// every node has said so twice, one finality apart.
func TestDisplaced(t *testing.T) {
	w, chain := ethereumWorld(t, chains.Options{"external_use": "true"})
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	chain.Drop()
	w.consume(chain, id)
	chain.Mine(3)
	w.now = w.now.Add(time.Minute)
	w.sweep()
	w.state(id, ledger.Sent, ledger.Disagreement)
	w.now = w.now.Add(time.Minute)
	w.sweep()
	w.state(id, ledger.Sent, ledger.Disagreement)
	chain.Mine(1)
	w.now = w.now.Add(time.Minute)
	w.sweep()
	w.state(id, ledger.Displaced, ledger.NoReason)
	w.effects(1, 0)
}

// consume includes another transaction with the nonce of an attempt: the
// cancellation that the wallet itself would make, from a clone of the device.
func (w *world) consume(chain *fakenode.Chain, id uint32) {
	w.t.Helper()
	clone := newWorld(w.t, w.chain, false, w.seed)
	clone.fs, clone.now, clone.tune = w.fs.Clone(), w.now, w.tune
	clone.opens = 50
	clone.mustOpen()
	if err := clone.m.Life.Cancel(id); err != nil {
		w.t.Fatal(err)
	}
	clone.sweeps(2)
	chain.Mine(1)
}

// TestNewChain: a network that becomes another chain is left alone until
// somebody accepts that; what was open then ends 9.
func TestNewChain(t *testing.T) {
	for _, again := range []bool{false, true} {
		w, chain := ethereumWorld(t, nil)
		w.mustOpen()
		a := w.wallet("w0")
		w.submit(w.order("w0", "a", 1))
		w.settle()
		signed := w.submit(w.order("w0", "b", 2))
		w.sweep()
		chain.Reset("another")
		chain.Fund(a, ether(1))
		waiting := w.submit(w.order("w0", "c", 3))
		w.now = w.now.Add(time.Minute)
		w.sweeps(3)
		w.state(signed, ledger.Sent, ledger.OtherChain)
		w.state(waiting, ledger.Accepted, ledger.OtherChain)
		if w.alarms() != 1 {
			t.Errorf("%d alarms, want 1", w.alarms())
		}
		if again { // the quarantine outlives a restart
			w.restart()
			w.sweeps(2)
		}
		sent := w.police.sent
		if err := w.m.Life.AcceptChain(net, "1234"); !errors.Is(err, refusal.ErrBadValue) {
			t.Errorf("accepting a chain that nobody has seen: %v", err)
		}
		if err := w.m.Life.AcceptChain(net, w.quarantined()); err != nil {
			t.Fatal(err)
		}
		w.state(signed, ledger.Refused, ledger.OtherChain)
		w.state(waiting, ledger.Refused, ledger.OtherChain)
		if w.police.sent != sent {
			t.Error("something was sent to another chain")
		}
		clear(w.police.byNonce) // nonces begin again there
		id := w.submit(w.order("w0", "d", 4))
		w.settle()
		w.state(id, ledger.Confirmed, ledger.NoReason)
		w.effects(2, 0)
		w.effects(4, 1)
		w.police.report()
	}
}

// TestLieAtFirstContact: a node that once gives another chain id than the
// configured one is left alone, until somebody has it asked again; what it said
// never becomes the network's chain.
func TestLieAtFirstContact(t *testing.T) {
	w, chain := ethereumWorld(t, chains.Options{"chain_id": "1337"})
	w.mustOpen()
	w.wallet("w0")
	chain.Node(nodeURL).SetFaults(fakenode.Faults{ChainID: big.NewInt(1)})
	id := w.submit(w.order("w0", "a", 1))
	w.sweeps(2)
	w.state(id, ledger.Accepted, ledger.OtherChain)
	must(t, w.m.Life.AcceptChain(net, w.quarantined()))
	w.state(id, ledger.Accepted, ledger.NoReason)
	w.sweeps(2)
	w.state(id, ledger.Accepted, ledger.OtherChain)
	chain.Node(nodeURL).SetFaults(fakenode.Faults{})
	must(t, w.m.Life.AcceptChain(net, w.quarantined()))
	w.settle()
	w.state(id, ledger.Confirmed, ledger.NoReason)
}

func (w *world) quarantined() (genesis string) {
	w.m.Book.View(func(st *ledger.State) {
		for _, q := range st.Networks[net].Quarantine {
			genesis = q.Got.Genesis
		}
	})
	return genesis
}

// TestFinalBlockVanishes raises an alarm with the id, and changes nothing that a
// host was told.
func TestFinalBlockVanishes(t *testing.T) {
	w, chain := ethereumWorld(t, chains.Options{"confirmations": "1"})
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.settle()
	w.state(id, ledger.Confirmed, ledger.NoReason)
	chain.Reorg(2)
	chain.Drop()
	w.submit(w.order("w0", "b", 2))
	w.sweep()
	chain.Mine(1)
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	if w.alarms() == 0 {
		t.Error("no alarm")
	}
	w.state(id, ledger.Confirmed, ledger.NoReason)
}

// TestKeyStates: suspended waits, its signed bytes are still sent; retired ends
// what is not signed and sends nothing any more.
func TestKeyStates(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	signed := w.submit(w.order("w0", "a", 1))
	w.sweep()
	waiting := w.submit(w.order("w0", "b", 2))
	must(t, w.m.Keys.SetState("w0", ledger.Suspended))
	w.sweep()
	w.state(waiting, ledger.Accepted, ledger.KeyInactive)
	if _, _, err := w.m.Life.Submit(w.order("w0", "c", 3)); !errors.Is(err, refusal.ErrKeyInactive) {
		t.Errorf("an order with a suspended key: %v", err)
	}
	sent := w.police.sent
	chain.Drop()
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	if w.police.sent == sent {
		t.Error("the bytes of a suspended key are not sent again")
	}
	must(t, w.m.Keys.SetState("w0", ledger.Retired))
	sent = w.police.sent
	chain.Drop()
	w.now = w.now.Add(time.Minute)
	w.sweeps(2)
	w.state(waiting, ledger.Refused, ledger.KeyInactive)
	if w.police.sent != sent {
		t.Error("the bytes of a retired key are sent again")
	}
	must(t, chain.Node(nodeURL).Submit(w.raw(signed, 0)))
	w.settle()
	w.state(signed, ledger.Confirmed, ledger.NoReason)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTwoWalletsOneAccount: one queue and one allocator for an account, however
// many wallets name it.
func TestTwoWalletsOneAccount(t *testing.T) {
	w, _ := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	if _, err := w.m.AddWallet(context.Background(), "w1", net, "w0"); err != nil {
		t.Fatal(err)
	}
	for n := range 6 {
		w.submit(w.order([]string{"w0", "w1"}[n%2], "", n))
	}
	w.settle()
	for n := range 6 {
		w.effects(n, 1)
		if got := w.police.byID[uint32(n+1)]; got != uint64(n) {
			t.Errorf("transaction %d has nonce %d", n+1, got)
		}
	}
	w.police.report()
}

// TestEstimationBehindAnother: what can only be simulated once an earlier one
// is included waits for it (approve, then transferFrom).
func TestEstimationBehindAnother(t *testing.T) {
	w, chain := ethereumWorld(t, nil)
	w.mustOpen()
	w.wallet("w0")
	chain.Down(true)
	open := w.submit(life.Order{Command: chains.Call, Wallet: "w0", To: fakenode.Gate, Input: life.Input{Data: []byte{1}}})
	pass := w.submit(life.Order{Command: chains.Call, Wallet: "w0", To: fakenode.Gate, Input: life.Input{Data: []byte{2}}})
	chain.Down(false)
	w.now = w.now.Add(time.Hour)
	w.sweep()
	w.state(open, ledger.Sent, ledger.NoReason)
	w.state(pass, ledger.Accepted, ledger.BehindAnother)
	w.settle()
	w.state(pass, ledger.Confirmed, ledger.NoReason)
}
