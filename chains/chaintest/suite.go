package chaintest

import (
	"context"
	"io"
	"math/big"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/boatd/boatd/chains"
)

// Run puts a network through the suite. make returns a fresh chain and its
// harness at every call; it is called inside a testing/synctest bubble, so no
// time passes in a test that nothing waits for, and a goroutine that a network
// leaves behind is a failure.
func Run(t *testing.T, make func(t *testing.T) *Harness) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *bench)
	}{
		{"Codec", testCodec}, {"Judge", testJudge}, {"Identify", testIdentify}, {"OtherChain", testOtherChain},
		{"Prepare", testPrepare}, {"Assemble", testAssemble}, {"AssembleRefuses", testAssembleRefuses},
		{"Life", testLife}, {"Confirm", testConfirm}, {"SendAgain", testSendAgain}, {"Refused", testRefused}, {"Late", testLate},
		{"Dropped", testDropped}, {"Reorg", testReorg}, {"Replaced", testReplaced}, {"Reset", testReset},
		{"Bump", testBump}, {"Cancel", testCancel}, {"OriginalWins", testOriginalWins},
		{"Down", testDown}, {"Context", testContext}, {"Parallel", testParallel}, {"Abilities", testAbilities},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := open(t, make(t))
				c.test(t, b)
				if closer, ok := b.net.(io.Closer); ok {
					if err := closer.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
				}
			})
		})
	}
}

func testCodec(t *testing.T, b *bench) {
	again, err := b.Signer.Account(b.net)
	if err != nil || again.Address != b.account.Address {
		t.Errorf("Address: %q then %q (%v)", b.account.Address, again.Address, err)
	}
	if got, err := b.net.ParseAddress(b.account.Address); err != nil || got != b.account.Address {
		t.Errorf("ParseAddress(%q) = %q, %v: not what Address shows", b.account.Address, got, err)
	}
	for _, text := range []string{"", "0x", "peer", "@1", b.account.Address + "0", b.account.Address[:len(b.account.Address)-1], " " + b.account.Address, "0x\x00"} {
		_, err := b.net.ParseAddress(text)
		wantErr(t, "ParseAddress "+text, err, chains.ErrAddress)
	}
	_, err = b.net.Address("ed25519", b.Signer.Public())
	wantErr(t, "Address on another curve", err, chains.ErrCurve)
	for _, pub := range [][]byte{nil, {2}, make([]byte, 33), make([]byte, 65)} {
		if got, err := b.net.Address(b.account.Curve, pub); err == nil {
			t.Errorf("Address(%x) = %q, want an error", pub, got)
		}
	}
}

func testJudge(t *testing.T, b *bench) {
	in := b.Good
	before := in
	worst, err := b.net.Judge(in)
	if err != nil || worst.Cmp(in.Value) < 0 {
		t.Fatalf("Judge: %v, %v; want at least the value", worst, err)
	}
	if again, err := b.net.Judge(in); err != nil || again.Cmp(worst) != 0 || !reflect.DeepEqual(in, before) {
		t.Errorf("Judge is not pure: %v then %v (%v)", worst, again, err)
	}
	odd := uint8(77)
	in.Type = &odd
	_, err = b.net.Judge(in)
	wantErr(t, "Judge of type 77", err, chains.ErrOption)
}

func testIdentify(t *testing.T, b *bench) {
	if b.id == (chains.Identity{}) {
		t.Error("the chain has no identity")
	}
	if again, err := b.net.Identify(t.Context()); err != nil || again != b.id {
		t.Errorf("Identify: %v then %v (%v)", b.id, again, err)
	}
	c := b.Config
	c.Chain = &b.id
	if got, err := b.reopen(c).Identify(t.Context()); err != nil || got != b.id {
		t.Errorf("Identify with a pinned identity: %v, %v", got, err)
	}
}

// A chain that is not the pinned one is not believed in anything, and the
// wallet is told once an endpoint.
func testOtherChain(t *testing.T, b *bench) {
	job := b.job(b.Good)
	_, a := b.attempt(b.Good)
	c := b.Config
	c.Chain = &chains.Identity{ChainID: b.id.ChainID, Genesis: otherGenesis}
	net := b.reopen(c)
	_, err := net.Identify(t.Context())
	wantErr(t, "Identify", err, chains.ErrOtherChain)
	_, err = net.Prepare(t.Context(), job)
	wantErr(t, "Prepare", err, chains.ErrOtherChain)
	wantErr(t, "Send", net.Send(t.Context(), chains.Signed{Raw: a.Raw, Hash: a.Hash}), chains.ErrOtherChain)
	_, err = net.Track(t.Context(), chains.Head{}, []chains.Watch{b.watch(a)})
	wantErr(t, "Track", err, chains.ErrOtherChain)
	b.Chain.Mine(1)
	b.effects(b.Good, 0)
	if len(b.told) != 1 || b.told[0] != b.id {
		t.Errorf("Quarantine was told %v, want once %v", b.told, b.id)
	}
	other := *job
	other.Chain = *c.Chain
	_, err = b.net.Prepare(t.Context(), &other)
	wantErr(t, "Prepare for another chain's journal", err, chains.ErrOtherChain)
}

// otherGenesis is the first block of no chain here.
const otherGenesis = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

func testPrepare(t *testing.T, b *bench) {
	for range 3 {
		d, err := b.net.Prepare(t.Context(), b.job(b.Good))
		if err != nil {
			t.Fatalf("Prepare: %v", err)
		}
		if len(d.Digest) != 32 || len(d.Body) == 0 || d.Cost == nil || d.Cost.Cmp(b.Good.Value) < 0 || d.Purpose != chains.Original {
			t.Errorf("Prepare: draft %+v", d)
		}
		worst, err := b.net.Judge(b.Good)
		if err != nil || d.Cost.Cmp(worst) > 0 {
			t.Errorf("Prepare: cost %v, Judge allowed %v (%v)", d.Cost, worst, err)
		}
		if b.Protocol.Sequential && d.Nonce != b.nonce {
			t.Errorf("Prepare: nonce %d, want the journal's %d", d.Nonce, b.nonce)
		}
	}
	b.Chain.Mine(1)
	b.effects(b.Good, 0)
}

func testAssemble(t *testing.T, b *bench) {
	job := b.job(b.Good)
	d, err := b.draft(job)
	if err != nil {
		t.Fatalf("Prepare: %v", err)
	}
	sig := b.sign(d)
	first, err := b.net.Assemble(job, d, sig)
	if err != nil {
		t.Fatalf("Assemble: %v", err)
	}
	again, err := b.net.Assemble(job, d, sig)
	if err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("Assemble is not deterministic: %x then %x (%v)", first, again, err)
	}
	if len(first.Hash) != 64 || len(first.Raw) == 0 {
		t.Errorf("Assemble: hash %q, %d bytes", first.Hash, len(first.Raw))
	}
}

func testLife(t *testing.T, b *bench) {
	_, a := b.attempt(b.Good)
	if e := b.look(a); e.Outcome != chains.Pending || e.Known || !e.Absent {
		t.Errorf("before it was sent: %+v", e)
	}
	b.send(a)
	if e := b.look(a); e.Outcome != chains.Pending || e.Known != b.Tells || e.Absent == b.Tells || e.Settled || e.Consumed {
		t.Errorf("sent: %+v", e)
	}
	b.Chain.Mine(1)
	s := b.track(chains.Head{}, b.watch(a))
	e := s.Evidence[0]
	if e.Outcome != chains.Succeeded || e.Attempt != 0 || e.Confirmations != 1 || e.Block.Hash == "" || e.Block.Number == 0 {
		t.Errorf("included: %+v", e)
	}
	if e.Settled != (b.Final <= 1) || e.Consumed || e.Absent || e.Err != nil {
		t.Errorf("included: %+v", e)
	}
	b.Chain.Mine(max(b.Final-2, 0))
	if e := b.look(a); e.Settled != (b.Final <= 1) {
		t.Errorf("one block before it is final: %+v", e)
	}
	b.Chain.Mine(1)
	s = b.track(s.Final, b.watch(a))
	e = s.Evidence[0]
	if e.Outcome != chains.Succeeded || !e.Settled || s.Replaced || s.Final.Number < e.Block.Number {
		t.Errorf("final: %+v, %+v", e, s)
	}
	if _, ok := b.net.(chains.Balancer); ok && (e.FeePaid == nil || e.FeePaid.Sign() <= 0) {
		t.Errorf("fee paid: %v", e.FeePaid)
	}
	b.effects(b.Good, 1)
	// Anybody's later transaction leaves the evidence as it is.
	_, a2 := b.attempt(b.Good)
	b.send(a2)
	b.Chain.Mine(b.Final)
	for i, e := range b.track(s.Final, b.watch(a), b.watch(a2)).Evidence {
		if e.Outcome != chains.Succeeded || !e.Settled {
			t.Errorf("two together, %d: %+v", i, e)
		}
	}
	b.effects(b.Good, 2)
}

// A host may demand more blocks than the network does.
func testConfirm(t *testing.T, b *bench) {
	_, a := b.attempt(b.Good)
	b.send(a)
	w := b.watch(a)
	w.Confirm = uint64(b.Final) + 3
	b.Chain.Mine(b.Final + 2)
	if e := b.track(chains.Head{}, w).Evidence[0]; e.Settled {
		t.Errorf("settled with %d confirmations, %d were demanded", e.Confirmations, w.Confirm)
	}
	b.Chain.Mine(1)
	if e := b.track(chains.Head{}, w).Evidence[0]; !e.Settled || e.Confirmations != w.Confirm {
		t.Errorf("not settled with %d confirmations", e.Confirmations)
	}
}

func testSendAgain(t *testing.T, b *bench) {
	_, a := b.attempt(b.Good)
	for range 3 {
		b.send(a)
	}
	b.Chain.Mine(1)
	for range 3 {
		b.send(a)
	}
	b.Chain.Mine(b.Final)
	b.send(a)
	b.Chain.Mine(1)
	b.effects(b.Good, 1)
}

func testRefused(t *testing.T, b *bench) {
	if b.Refused.Kind == 0 {
		return
	}
	_, err := b.draft(b.job(b.Refused))
	wantErr(t, "Prepare", err, b.RefusedAs)
}

func testLate(t *testing.T, b *bench) {
	if b.Late.Kind == 0 {
		return
	}
	_, a := b.attempt(b.Late)
	b.send(a)
	b.Chain.Mine(b.Final)
	e := b.look(a)
	if e.Outcome != chains.Reverted || !e.Settled {
		t.Errorf("included without effect: %+v", e)
	}
	wantErr(t, "the reason", e.Err, b.LateAs)
	b.effects(b.Late, 0)
}

// Nodes that lost it say so, and the same bytes are taken again.
func testDropped(t *testing.T, b *bench) {
	_, a := b.attempt(b.Good)
	b.send(a)
	b.Chain.Drop()
	b.Chain.Mine(1)
	if e := b.look(a); e.Outcome != chains.Pending || e.Known || !e.Absent || e.Consumed {
		t.Errorf("dropped: %+v", e)
	}
	b.send(a)
	b.Chain.Mine(b.Final)
	if e := b.look(a); !e.Settled {
		t.Errorf("sent again: %+v", e)
	}
	b.effects(b.Good, 1)
}

func testReorg(t *testing.T, b *bench) {
	r, ok := b.Chain.(Reorger)
	if !ok {
		return
	}
	_, a := b.attempt(b.Good)
	b.send(a)
	b.Chain.Mine(1)
	first := b.look(a)
	r.Reorg(1)
	if e := b.look(a); e.Outcome != chains.Pending || e.Settled || e.Known != b.Tells {
		t.Errorf("after the block vanished: %+v", e)
	}
	b.Chain.Mine(b.Final)
	e := b.look(a)
	if e.Outcome != chains.Succeeded || !e.Settled || e.Block.Hash == first.Block.Hash {
		t.Errorf("included again: %+v, before %+v", e, first)
	}
	b.effects(b.Good, 1)
}

// A final block that is not in the chain any more is told once it can be seen.
func testReplaced(t *testing.T, b *bench) {
	r, ok := b.Chain.(Reorger)
	if !ok {
		return
	}
	b.Chain.Mine(b.Final + 5)
	s := b.track(chains.Head{})
	if s.Final == (chains.Head{}) || s.Replaced {
		t.Fatalf("nothing is final: %+v", s)
	}
	if again := b.track(s.Final); again.Replaced || again.Final != s.Final {
		t.Errorf("the same chain: %+v, before %+v", again, s)
	}
	r.Reorg(b.Final + 3)
	if again := b.track(s.Final); !again.Replaced {
		t.Errorf("a final block vanished: %+v, before %+v", again, s)
	}
}

// The same chain id with another first block is another chain.
func testReset(t *testing.T, b *bench) {
	_, a := b.attempt(b.Good)
	c := b.Config
	c.Chain = &b.id
	b.net = b.reopen(c)
	b.send(a)
	b.Chain.Reset("again")
	wantErr(t, "Send", b.net.Send(t.Context(), chains.Signed{Raw: a.Raw, Hash: a.Hash}), chains.ErrOtherChain)
	_, err := b.net.Track(t.Context(), chains.Head{}, []chains.Watch{b.watch(a)})
	wantErr(t, "Track", err, chains.ErrOtherChain)
	_, err = b.net.Prepare(t.Context(), b.job(b.Good))
	wantErr(t, "Prepare", err, chains.ErrOtherChain)
	if len(b.told) != 1 || b.told[0].ChainID != b.id.ChainID || b.told[0].Genesis == b.id.Genesis {
		t.Errorf("Quarantine was told %v", b.told)
	}
}

func testDown(t *testing.T, b *bench) {
	_, a := b.attempt(b.Good)
	b.Chain.Down(true)
	_, err := b.net.Prepare(t.Context(), b.job(b.Good))
	wantErr(t, "Prepare", err, chains.ErrUnreachable)
	wantErr(t, "Send", b.net.Send(t.Context(), chains.Signed{Raw: a.Raw, Hash: a.Hash}), chains.ErrUnreachable)
	_, err = b.net.Track(t.Context(), chains.Head{}, []chains.Watch{b.watch(a)})
	wantErr(t, "Track", err, chains.ErrUnreachable)
	if m, ok := b.net.(chains.Meter); ok && (m.Status().Up != 2 || m.Status().Err == nil) {
		t.Errorf("Status: %+v", m.Status())
	}
	if _, err := b.net.ParseAddress(b.account.Address); err != nil {
		t.Errorf("ParseAddress needs the network: %v", err)
	}
	b.Chain.Down(false)
	time.Sleep(time.Minute) // of the bubble: what rests may be asked again
	b.send(a)
	b.Chain.Mine(b.Final)
	if e := b.look(a); !e.Settled {
		t.Errorf("after the network came back: %+v", e)
	}
	if m, ok := b.net.(chains.Meter); ok && (m.Status().Up != 1 || m.Status().Err != nil || m.Status().Height == 0) {
		t.Errorf("Status: %+v", m.Status())
	}
}

func testContext(t *testing.T, b *bench) {
	_, a := b.attempt(b.Good)
	calls := map[string]func(context.Context) error{
		"Identify": func(ctx context.Context) error { _, err := b.net.Identify(ctx); return err },
		"Prepare":  func(ctx context.Context) error { _, err := b.net.Prepare(ctx, b.job(b.Good)); return err },
		"Send":     func(ctx context.Context) error { return b.net.Send(ctx, chains.Signed{Raw: a.Raw, Hash: a.Hash}) },
		"Track": func(ctx context.Context) error {
			_, err := b.net.Track(ctx, chains.Head{}, []chains.Watch{b.watch(a)})
			return err
		},
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	b.Chain.Hang(true)
	for name, call := range calls {
		if name == "Identify" && b.Config.Chain != nil {
			continue
		}
		wantErr(t, name+" with a cancelled context", call(cancelled), context.Canceled)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		start := time.Now()
		wantErr(t, name+" past its deadline", call(ctx), context.DeadlineExceeded)
		if took := time.Since(start); took > 1100*time.Millisecond {
			t.Errorf("%s returned %v after its deadline", name, took-time.Second)
		}
		cancel()
	}
	b.Chain.Hang(false)
	b.send(a)
}

func testParallel(t *testing.T, b *bench) {
	_, a := b.attempt(b.Good)
	b.send(a)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := b.net.Prepare(t.Context(), b.job(b.Good)); err != nil {
				t.Errorf("Prepare: %v", err)
			}
			if _, err := b.net.Track(t.Context(), chains.Head{}, []chains.Watch{b.watch(a)}); err != nil {
				t.Errorf("Track: %v", err)
			}
		})
	}
	wg.Wait()
}

func testAbilities(t *testing.T, b *bench) {
	if n, ok := b.net.(chains.Balancer); ok {
		if v, err := n.Balance(t.Context(), b.account.Address); err != nil || v.Cmp(new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)) != 0 {
			t.Errorf("Balance: %v, %v", v, err)
		}
	}
	if n, ok := b.net.(chains.FeeQuoter); ok {
		if f, err := n.Fees(t.Context()); err != nil || f.Base == nil || f.Tip == nil || f.Transfer == nil || f.Transfer.Cmp(f.Base) < 0 {
			t.Errorf("Fees: %+v, %v", f, err)
		}
	}
	if n, ok := b.net.(chains.Querier); ok && b.Refused.Kind == chains.Call {
		_, err := n.Query(t.Context(), nil, b.Refused.To, b.Refused.Data)
		wantErr(t, "Query of what reverts", err, chains.ErrReverts)
	}
}
