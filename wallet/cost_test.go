package wallet_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/journal"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
)

// TestFlashCost bounds what a step of a transaction's life writes: at most 8 KiB
// of blocks with up to 1 KiB of payload, and twice the payload beyond; one sync.
func TestFlashCost(t *testing.T) {
	for _, size := range []int{0, 100, 1024, 4096, 20_000} {
		w, chain := ethereumWorld(t, nil)
		w.tune = func(c *wallet.Config) { c.Journal = journal.Options{} }
		w.mustOpen()
		w.wallet("w0")
		w.submit(w.order("w0", "warm", 0))
		w.settle()
		budget := int64(8<<10 + 2*max(0, size-1024))
		step := func(name string, syncs int, do func()) {
			t.Helper()
			w.fs.ResetCounters()
			do()
			c := w.fs.Counters()
			if c.Syncs > syncs || int64(c.Blocks)*4096 > budget*int64(syncs) || c.DirSyncs > 0 {
				t.Errorf("%d bytes of data, %s: %d syncs and %d blocks, at most %d and %d bytes", size, name, c.Syncs, c.Blocks, syncs, budget*int64(syncs))
			}
		}
		o := life.Order{Command: chains.Call, Wallet: "w0", Ref: "r", To: "0x0000000000000000000000000000000000009001", Input: life.Input{Data: make([]byte, size)}}
		step("accept", 1, func() { w.submit(o) })
		step("sign and send", 2, func() { w.sweep() })
		chain.Mine(1)
		w.now = w.now.Add(time.Minute)
		step("included", 1, func() { w.sweep() })
		chain.Mine(5)
		w.now = w.now.Add(time.Minute)
		step("confirmed", 1, func() { w.sweep() })
		step("nothing", 0, func() { w.sweep() })
		w.state(2, ledger.Confirmed, ledger.NoReason)
	}
}

// TestOpenCost bounds what opening reads after a hundred thousand transactions,
// and reports how long it takes.
func TestOpenCost(t *testing.T) {
	total := 100_000
	if testing.Short() {
		total = 15_000
	}
	fs := crashfs.New()
	cfg := book.Config{FS: fs, Now: time.Now, Log: quiet, KeepEnded: 10_000, Journal: journal.Options{}}
	b, err := book.Open(cfg)
	must(t, err)
	account := ledger.AccountID{Chain: chains.Identity{ChainID: "1", Genesis: fmt.Sprintf("%064x", 1)}, Address: target(1)}
	for n := range total {
		id := uint32(n + 1)
		hash := fmt.Sprintf("%064x", n)
		tx := ledger.Tx{ID: id, Wallet: "w0", Net: "net", Key: "w0", Address: account.Address, Ref: fmt.Sprint("r", n), Digest: make([]byte, 32),
			Intent: chains.Intent{Kind: chains.Transfer, To: target(2), Value: ether(1)}, Reserved: ether(1)}
		must(t, b.Update(func(u *book.Update) error { u.Add(tx); return nil }))
		must(t, b.Update(func(u *book.Update) error {
			u.Add(ledger.Signed{ID: id, Attempt: chains.Attempt{Nonce: uint64(n), Raw: make([]byte, 112), Hash: hash}, Account: account, Sequential: true, Cost: ether(1)})
			return nil
		}))
		must(t, b.Update(func(u *book.Update) error {
			end := ledger.Ended{ID: id, State: ledger.Confirmed, Block: chains.Head{Number: uint64(n), Hash: hash}, Spent: new(big.Int)}
			end.Event = u.Emit(book.TxEvent(id, end.State, 0, hash))
			u.Add(end)
			return nil
		}))
		must(t, b.Compact(false))
	}
	must(t, b.Close())
	fs.ResetCounters()
	start := time.Now()
	b, err = book.Open(cfg)
	must(t, err)
	took := time.Since(start)
	c := fs.Counters()
	t.Logf("opened after %d transactions in %v: %d reads, %d bytes", total, took, c.Reads, c.ReadBytes)
	if c.Reads > 100 || c.ReadBytes > 6<<20 {
		t.Errorf("%d reads of %d bytes", c.Reads, c.ReadBytes)
	}
	b.View(func(st *ledger.State) {
		if len(st.Past) != 10_000 || st.Meta.NextID != uint32(total+1) || st.Reference("w0", fmt.Sprint("r", total-1)) == nil {
			t.Errorf("%d ended transactions, next id %d", len(st.Past), st.Meta.NextID)
		}
	})
}

// BenchmarkStep is a durable step, accepting an order, without the time of real flash.
func BenchmarkStep(b *testing.B) {
	w := newWorld(b, newSeqChain().harness(), true, 1)
	w.mustOpen()
	w.wallet("w0")
	w.chain.Chain.Down(true)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		_, release, err := w.m.Life.Submit(w.order("w0", "", n))
		if err != nil {
			b.Fatal(err)
		}
		release()
		if n++; n%50 == 0 {
			if err := w.m.Life.CancelUnsigned(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(w.fs.Counters().Blocks)*4096/float64(b.N), "block-bytes/op")
}
