package wallet_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/fakenode"
	"github.com/boatd/boatd/internal/jsonrpc"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/refusal"
)

// header is a block as a node shows it.
func header(number uint64, hash byte, time string) string {
	return fmt.Sprintf(`{"number":"0x%x","hash":"0x%064x","timestamp":"%s","baseFeePerGas":"0x1a13b8600"}`, number, hash, time)
}

// TestOneOrderAlone: an order that can never be priced waits, and nothing else does.
func TestOneOrderAlone(t *testing.T) {
	w, _ := worldOn(t, fakenode.Options{Legacy: true}, nil)
	w.mustOpen()
	w.wallet("w0")
	w.wallet("w1")
	o := w.order("w0", "a", 1)
	o.Options["tip"] = "1gwei"
	poison := w.submit(o)
	other := w.submit(w.order("w1", "b", 2))
	for range 40 {
		w.sweep()
		w.chain.Chain.Mine(1)
	}
	if p, _ := w.m.Life.Status(poison); p.State != ledger.Accepted || p.Reason != ledger.NodeRefused {
		t.Errorf("%+v", p)
	}
	s, _ := w.m.Life.Status(other)
	if s.State != ledger.Confirmed {
		t.Errorf("another wallet's transaction is in state %d, reason %d", s.State, s.Reason)
	}
}

// TestEndlessAnswer: a simulation whose answer is longer than what is read blames
// its transaction, not its node.
func TestEndlessAnswer(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{}, nil)
	chain.Node("https://b.example")
	w.tune = func(c *wallet.Config) { c.AllowAdd, c.Deps.AllowedHosts = true, []string{"b.example"} }
	w.mustOpen()
	must(t, w.m.Nets.Add("added", "ethereum", "https://b.example", "1337"))
	for _, name := range []string{"w0", "w1"} {
		a, err := w.m.AddWallet(ctx, name, "added", "")
		must(t, err)
		chain.Fund(a, ether(10))
	}
	o := life.Order{Command: chains.Call, Wallet: "w0", Ref: "a", To: fakenode.Returns, Input: life.Input{Data: make([]byte, 40<<10)}, Options: map[string]string{}}
	poison := w.submit(o)
	other := w.submit(w.order("w1", "b", 2))
	for range 60 {
		if wait := w.m.Life.Sweep(ctx, "added"); wait != life.Forever {
			w.now = w.now.Add(wait)
		}
		chain.Mine(1)
	}
	if p, _ := w.m.Life.Status(poison); p.State != ledger.Accepted || p.Reason != ledger.NodeRefused {
		t.Errorf("%+v", p)
	}
	s, _ := w.m.Life.Status(other)
	if s.State != ledger.Confirmed {
		t.Errorf("another wallet's transaction is in state %d, reason %d", s.State, s.Reason)
	}
}

// TestWatchingGoesOn: what cannot be priced does not delay the watching of what is
// sent.
func TestWatchingGoesOn(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{Legacy: true}, nil)
	w.mustOpen()
	w.wallet("w0")
	w.wallet("w1")
	good := w.submit(w.order("w1", "b", 2))
	w.sweep()
	w.state(good, ledger.Sent, ledger.NoReason)
	o := w.order("w0", "a", 1)
	o.Options["tip"] = "1gwei"
	w.submit(o)
	for range 12 {
		w.sweep()
	}
	chain.Mine(1)
	from := w.now
	for w.now.Sub(from) < time.Hour {
		w.sweep()
		if s, _ := w.m.Life.Status(good); s.State >= ledger.Included {
			break
		}
	}
	if d := w.now.Sub(from); d > time.Minute {
		t.Errorf("inclusion was seen after %v", d)
	}
}

// TestRevertTexts: what a contract says when it reverts is never taken for what a
// node says.
func TestRevertTexts(t *testing.T) {
	for _, reason := range []string{"insufficient balance", "insufficient funds", "nonce too low", "too many requests", "invalid chain id", "already known", "rate limit exceeded"} {
		t.Run(reason, func(t *testing.T) {
			w, chain := worldOn(t, fakenode.Options{}, nil)
			w.mustOpen()
			w.wallet("w0")
			w.wallet("w1")
			first := w.submit(w.order("w1", "x", 1))
			w.settle()
			w.state(first, ledger.Confirmed, ledger.NoReason)
			chain.Node(nodeURL).SetFaults(fakenode.Faults{Errors: map[string]*jsonrpc.Error{"eth_estimateGas": {Code: 3, Message: "execution reverted: " + reason, Data: json.RawMessage(`"0x08c379a0"`)}}})
			id := w.submit(life.Order{Command: chains.Call, Wallet: "w0", Ref: "a", To: fakenode.Accepts, Input: life.Input{Data: []byte{1}}, Options: map[string]string{}})
			o := w.order("w1", "b", 2)
			o.Options["gas"] = "21000" // needs no estimate
			other := w.submit(o)
			for range 30 {
				w.sweep()
				chain.Mine(1)
			}
			s, _ := w.m.Life.Status(id)
			b, _ := w.m.Life.Status(other)
			if s.State != ledger.Refused || b.State != ledger.Confirmed {
				t.Errorf("reverts with %q: state %d, reason %d; another wallet's: state %d, reason %d", reason, s.State, s.Reason, b.State, b.Reason)
			}
		})
	}
}

// dayAfterLie spends what a day allows while the node lies, and tries again.
func dayAfterLie(t *testing.T, lie func(n *fakenode.Node, signed bool)) {
	t.Helper()
	w, chain := worldOn(t, fakenode.Options{}, nil)
	w.tune = func(c *wallet.Config) { c.Limits = []life.Limit{{Wallet: "w0", PerDay: ether(3)}} }
	w.mustOpen()
	w.wallet("w0")
	chain.Mine(5)
	order := func(ref string, n int) error {
		o := w.order("w0", ref, n)
		o.Amount = "2ether"
		_, release, err := w.m.Life.Submit(o)
		release()
		return err
	}
	lie(chain.Node(nodeURL), false)
	must(t, order("a", 1))
	w.sweep()
	lie(chain.Node(nodeURL), true)
	for range 6 {
		chain.Mine(1)
		w.now = w.now.Add(10 * time.Second)
		w.sweep()
	}
	w.state(1, ledger.Confirmed, ledger.NoReason)
	if err := order("b", 2); err == nil {
		w.settle()
		w.effects(2, 1)
		t.Errorf("4 of 3 ether a day went out within a minute of running time")
	} else {
		refused(t, "b", err, refusal.ErrByPolicy)
	}
}

// TestDayAfterSigningIn1970: blocks of 1970 do not open a spending day.
func TestDayAfterSigningIn1970(t *testing.T) {
	dayAfterLie(t, func(n *fakenode.Node, signed bool) {
		if signed {
			n.SetFaults(fakenode.Faults{})
		} else { // the newest block is of 1970
			n.SetFaults(fakenode.Faults{Results: map[string]string{"eth_getHeaderByNumber": header(5, 9, "0x1")}})
		}
	})
}

// TestDayAfterTimeOverflow: nor do blocks of the year 584942419325.
func TestDayAfterTimeOverflow(t *testing.T) {
	dayAfterLie(t, func(n *fakenode.Node, signed bool) {
		if signed {
			n.SetFaults(fakenode.Faults{})
		} else {
			n.SetFaults(fakenode.Faults{Results: map[string]string{"eth_getHeaderByNumber": header(5, 9, "0xffffffffffffffff")}})
		}
	})
}

// TestFeeLie: of a transaction that reverted no more than it could cost stays
// reserved, whatever a node says of its fee.
func TestFeeLie(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{}, nil)
	w.tune = func(c *wallet.Config) { c.Limits = []life.Limit{{Wallet: "w0", PerDay: ether(3)}} }
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(life.Order{Command: chains.Call, Wallet: "w0", Ref: "r", To: fakenode.Late, Input: life.Input{Data: []byte{1}}})
	w.sweep()
	chain.Mine(5)
	w.now = w.now.Add(time.Minute)
	sent, err := w.m.Life.Status(id)
	must(t, err)
	chain.Node(nodeURL).SetFaults(fakenode.Faults{Results: map[string]string{"eth_getTransactionReceipt": fmt.Sprintf(
		`{"transactionHash":"0x%s","blockHash":"0x%s","blockNumber":"0x1","status":"0x0","gasUsed":"0x5208","effectiveGasPrice":"0x%s"}`,
		sent.Hash, blockHash(w, id), strings.Repeat("f", 64))}})
	w.sweeps(3)
	w.state(id, ledger.Reverted, ledger.WouldRevert)
	_, release, err := w.m.Life.Submit(w.order("w0", "b", 2))
	release()
	must(t, err)
}

// blockHash is the block in which a device with the same flash sees a transaction.
func blockHash(w *world, id uint32) (hash string) {
	twin := newWorld(w.t, w.chain, false, w.seed)
	twin.fs, twin.now, twin.opens = w.fs.Clone(), w.now, 50
	twin.mustOpen()
	twin.sweeps(2)
	twin.m.Book.View(func(st *ledger.State) {
		if tx := st.Tx(id); tx != nil {
			hash = tx.Block.Hash
		} else {
			hash = st.Ended(id).Block.Hash
		}
	})
	return hash
}

// TestErrorIsNotNull: an endpoint that answers with an error has not said that it
// knows nothing of a transaction.
func TestErrorIsNotNull(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{}, chains.Options{"external_use": "true", "endpoints": nodeURL + ",https://b.example"})
	chain.Node("https://b.example")
	w.mustOpen()
	w.wallet("w0")
	id := w.submit(w.order("w0", "a", 1))
	w.sweep()
	chain.Drop()
	w.consume(chain, id)
	bad := &jsonrpc.Error{Code: -32000, Message: "internal error"}
	chain.Node("https://b.example").SetFaults(fakenode.Faults{Errors: map[string]*jsonrpc.Error{
		"eth_getTransactionByHash": bad, "eth_getTransactionReceipt": bad}})
	for range 6 {
		chain.Mine(3)
		w.now = w.now.Add(time.Minute)
		w.sweep()
	}
	if s, _ := w.m.Life.Status(id); s.State == ledger.Displaced {
		t.Errorf("displaced although a reachable node never answered null: %+v", s)
	}
}

// TestOneNetworksTime: one network's blocks do not make the certificates of all
// networks expire.
func TestOneNetworksTime(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{}, nil)
	w.mustOpen()
	w.wallet("w0")
	chain.Mine(5)
	far := w.now.Add(40 * 365 * 24 * time.Hour).Unix()
	chain.Node(nodeURL).SetFaults(fakenode.Faults{Results: map[string]string{"eth_getHeaderByNumber": header(5, 9, fmt.Sprintf("0x%x", far))}})
	w.submit(w.order("w0", "a", 1))
	w.sweeps(3)
	if got := w.m.TrustedTime(); got.Sub(w.now) > 365*24*time.Hour {
		t.Errorf("certificates of all networks are judged at %v because one node said so", got.UTC())
	}
}

// TestRoomToCancel: a first attempt leaves room below max_tip for a cancellation.
func TestRoomToCancel(t *testing.T) {
	w, _ := worldOn(t, fakenode.Options{Tip: big.NewInt(5e9), MinTip: big.NewInt(6e9)}, nil)
	w.mustOpen()
	w.wallet("w0")
	o := w.order("w0", "a", 1)
	o.Options["expire"] = "60"
	id := w.submit(o)
	w.sweep()
	for range 30 {
		w.now = w.now.Add(time.Minute)
		w.sweep()
	}
	s, _ := w.m.Life.Status(id)
	tries, _ := w.m.Life.Attempts(id)
	if len(tries) < 2 {
		t.Errorf("half an hour after it expired no cancellation was made: %+v", s)
	}
}

// TestRevertsBehindIncluded: while an earlier transaction of the account is in a
// block that is not final, one that reverts is not refused for good.
func TestRevertsBehindIncluded(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{}, chains.Options{"confirmations": "6"})
	w.mustOpen()
	w.wallet("w0")
	open := w.submit(life.Order{Command: chains.Call, Wallet: "w0", To: fakenode.Gate, Input: life.Input{Data: []byte{1}}})
	w.sweep()
	chain.Mine(3)
	w.now = w.now.Add(time.Minute)
	w.m.Life.Sweep(ctx, net)
	w.state(open, ledger.Included, ledger.NoReason)
	// the balancer's other node is 3 blocks behind, within the tolerance; or the
	// block has gone in a reorganisation
	chain.Reorg(3)
	pass := w.submit(life.Order{Command: chains.Call, Wallet: "w0", To: fakenode.Gate, Input: life.Input{Data: []byte{2}}})
	w.m.Life.Sweep(ctx, net) // not yet time to track
	s, _ := w.m.Life.Status(pass)
	if s.State == ledger.Refused {
		t.Errorf("refused for good while transaction %d of the account is open: %+v", open, s)
	}
	w.settle()
	w.state(pass, ledger.Confirmed, ledger.NoReason)
}

// TestNoFirstBlock: two networks are one chain and share its accounts, also
// where a node has no first block to show.
func TestNoFirstBlock(t *testing.T) {
	w, chain := worldOn(t, fakenode.Options{}, chains.Options{"chain_id": "1337"})
	chain.Node("https://b.example").SetFaults(fakenode.Faults{NoGenesis: true})
	w.tune = func(c *wallet.Config) {
		options := chains.Options{"endpoints": "https://b.example", "chain_id": "1337"}
		c.Networks = append(c.Networks, chains.Config{Name: "other", Protocol: "ethereum", Options: options})
	}
	w.mustOpen()
	chain.Mine(5)
	w.wallet("w0")
	if _, err := w.m.AddWallet(ctx, "w1", "other", "w0"); err != nil {
		t.Fatal(err)
	}
	w.submit(w.order("w0", "", 1))
	w.submit(w.order("w1", "", 2))
	w.sweep()
	w.m.Life.Sweep(ctx, "other")
	w.police.report()
}
