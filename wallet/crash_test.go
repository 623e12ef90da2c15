package wallet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/boatd/boatd/chains/chaintest"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/access"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/keys"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/refusal"
)

// A script is what a host does, in order. Each line is repeated, as a host
// repeats a command whose answer it lost, until it has succeeded once.
type script []line

type line struct {
	name string
	do   func(*host) error
}

// A host is the other end of the UART, and all that it was ever told. What it
// was told must stay true whatever happens to the power.
type host struct {
	w      *world
	orders map[string]*placed
	have   map[string]bool // keys of which it was told that they are there, or gone
	signed uint64          // messages by the key "m" whose signature it was given
	pin    pinBelief
	limit  *big.Int // of every wallet a day; nil none
	spent  map[uint32]*spending
	cuts   int
}

type placed struct {
	order life.Order
	to    int
	id    uint32 // 0: the answer was lost so far
}

// pinBelief is what the host can know of the PIN: how many tries are left at
// the most.
type pinBelief struct {
	set  bool
	most int
}

// spending is the most that an intent can cost, and when it was last signed.
type spending struct {
	cost *big.Int
	at   int64
}

func newHost(w *world) *host {
	return &host{w: w, orders: map[string]*placed{}, have: map[string]bool{}, pin: pinBelief{most: access.Tries}, spent: map[uint32]*spending{}}
}

func (h *host) failf(format string, args ...any) {
	h.w.t.Helper()
	h.w.t.Fatalf("seed %d, after %d power cuts: %s", h.w.seed, h.cuts, fmt.Sprintf(format, args...))
}

// Lines of scripts.

func addWallet(name string) line {
	return line{"wallet " + name, func(h *host) error {
		a, err := h.w.m.AddWallet(context.Background(), name, net, "")
		if err == nil && !h.have[name] {
			h.have[name] = true
			h.w.chain.Chain.Fund(a, ether(1))
		}
		return err
	}}
}

func send(from, ref string, to int, options ...string) line {
	return line{"send " + ref, func(h *host) error {
		p := h.orders[ref]
		if p == nil {
			p = &placed{order: h.w.order(from, ref, to), to: to}
			for _, o := range options {
				name, value, _ := strings.Cut(o, "=")
				p.order.Options[name] = value
			}
			h.orders[ref] = p
		}
		id, release, err := h.w.m.Life.Submit(p.order)
		release()
		if err == nil && p.id != 0 && p.id != id {
			h.failf("reference %s was %d and is %d", ref, p.id, id)
		}
		if err == nil {
			p.id = id
		}
		return err
	}}
}

func cancel(ref string) line {
	return line{"cancel " + ref, func(h *host) error {
		return tolerate(h.w.m.Life.Cancel(h.orders[ref].id), refusal.ErrWrongState, refusal.ErrNotBuilt)
	}}
}

func bump(ref string) line {
	return line{"bump " + ref, func(h *host) error {
		return tolerate(h.w.m.Life.Bump(h.orders[ref].id, big.NewInt(20)), refusal.ErrWrongState, refusal.ErrNotBuilt)
	}}
}

// tolerate makes nothing of refusals that only say that it is too late.
func tolerate(err error, harmless ...error) error {
	for _, e := range harmless {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}

func sweepOnce() line {
	return line{"sweep", func(h *host) error { h.w.sweep(); return nil }}
}

func mine(n int) line {
	return line{"mine", func(h *host) error { h.w.chain.Chain.Mine(n); return nil }}
}

func reorg(n int) line {
	return line{"reorg", func(h *host) error {
		if r, ok := h.w.chain.Chain.(chaintest.Reorger); ok {
			r.Reorg(n)
		}
		return nil
	}}
}

func drop() line { return line{"drop", func(h *host) error { h.w.chain.Chain.Drop(); return nil }} }

func compact() line {
	return line{"compact", func(h *host) error { return h.w.m.Book.Compact(true) }}
}

func generate(name string) line {
	return line{"generate " + name, func(h *host) error {
		if !h.have[name] {
			delete(h.have, name) // once asked for, it may be there
		}
		_, err := h.w.m.Keys.Generate(context.Background(), keys.Request{Name: name, Curve: h.w.chain.Protocol.Curves[0]})
		if err == nil {
			h.have[name] = true
		}
		return err
	}}
}

func importKey(name string, secret byte) line {
	return line{"import " + name, func(h *host) error {
		if !h.have[name] {
			delete(h.have, name)
		}
		curve := h.w.chain.Protocol.Curves[0]
		_, err := h.w.m.Keys.Import(context.Background(), name, curve, bytes.Repeat([]byte{secret}, 32), h.w.m.AccountsOf(curve))
		if err == nil {
			h.have[name] = true
		}
		return err
	}}
}

func destroy(name string) line {
	return line{"delete " + name, func(h *host) error {
		delete(h.have, name) // once asked for, it may be gone
		err := h.w.m.Keys.Delete(context.Background(), name)
		if err == nil {
			h.have[name] = false
		}
		return err
	}}
}

// messageKey makes a key for messages, signMessage uses it.
func messageKey() line {
	return line{"generate m", func(h *host) error {
		if !h.have["m"] {
			delete(h.have, "m")
		}
		_, err := h.w.m.Keys.Generate(context.Background(), keys.Request{Name: "m", Curve: h.w.chain.Protocol.Curves[0], Usage: "m"})
		if err == nil {
			h.have["m"] = true
		}
		return err
	}}
}

func signMessage() line {
	return line{"sign a message", func(h *host) error {
		signature, _, err := h.w.m.Sign(context.Background(), "m", 0, []byte("21.5 C"))
		if err == nil && len(signature) > 0 {
			h.signed++
		}
		return err
	}}
}

func setPIN() line {
	return line{"set the PIN", func(h *host) error {
		err := h.w.m.ChangePIN(nil, []byte("2468x"), []byte("13579135x"))
		if err == nil || errors.Is(err, refusal.ErrNotNow) { // it was set, and the answer lost
			h.pin.set = true
			return nil
		}
		return err
	}}
}

func wrongPIN() line {
	return line{"wrong PIN", func(h *host) error {
		err := h.w.m.Unlock([]byte("0000x"))
		switch {
		case err == nil:
			h.failf("a wrong PIN unlocks")
		case errors.Is(err, refusal.ErrWrongPIN):
			h.pin.most--
			return nil
		}
		return tolerate(err, refusal.ErrPINBlocked)
	}}
}

func rightPIN() line {
	return line{"right PIN", func(h *host) error {
		before := h.pin.most
		h.pin.most = access.Tries // unless it is not compared
		err := h.w.m.Unlock([]byte("2468x"))
		if errors.Is(err, refusal.ErrWrongPIN) {
			h.failf("the right PIN does not unlock")
		}
		if errors.Is(err, refusal.ErrPINBlocked) {
			h.pin.most = before
			return nil
		}
		return err
	}}
}

func factoryReset() line {
	return line{"factory reset", func(h *host) error {
		// Once asked for, everything may be gone.
		h.orders, h.have, h.pin, h.signed = map[string]*placed{}, map[string]bool{}, pinBelief{most: access.Tries}, 0
		return h.w.m.FactoryReset(context.Background(), []byte("2468x"), true)
	}}
}

// Running a script.

// revive starts boatd on what a power cut left, again and again if the power is
// cut in the middle of that.
func (h *host) revive(pick func(*crashfs.FS) *crashfs.FS) {
	h.w.t.Helper()
	for h.dead() {
		h.cuts++
		h.w.fs = pick(h.w.fs)
		if err := h.w.open(); err != nil && !h.dead() {
			h.failf("boatd does not start: %v", err)
		}
		if !h.dead() {
			h.check()
		}
	}
}

// dead says whether the power is cut.
func (h *host) dead() bool {
	_, err := h.w.fs.List()
	return errors.Is(err, crashfs.ErrPower)
}

// play does a script from one line on; cutAt cuts the power in the middle of
// that operation of the file system, pick says what is found afterwards. It
// returns false when the power was never cut.
func (h *host) play(lines script, cutAt int, pick func(*crashfs.FS) *crashfs.FS) (cut bool) {
	h.w.fs.CutAfter(cutAt)
	if err := h.w.open(); err != nil && !h.dead() {
		h.failf("boatd does not start: %v", err)
	}
	for i := 0; i < len(lines); {
		if h.dead() {
			h.revive(pick)
		}
		err := lines[i].do(h)
		switch {
		case h.dead(): // the answer, if there was one, is lost with the power
		case err != nil:
			h.failf("%s: %v", lines[i].name, err)
		default:
			i++
		}
	}
	h.revive(pick)
	h.w.fs.CutAfter(0)
	return h.cuts > 0
}

// check holds what the host was told against what is there.
func (h *host) check() {
	h.w.t.Helper()
	for ref, p := range h.orders {
		if p.id == 0 {
			continue
		}
		if _, err := h.w.m.Life.Status(p.id); err != nil {
			h.failf("transaction %d, which was accepted, is lost: %v", p.id, err)
		}
		if id, err := h.w.m.Life.ByReference(p.order.Wallet, ref); err != nil || id != p.id {
			h.failf("reference %s was %d and is %d: %v", ref, p.id, id, err)
		}
	}
	for name, there := range h.have {
		k, err := h.w.m.Keys.Get(name)
		if there && err != nil {
			h.failf("key %s, which was made, is lost: %v", name, err)
		}
		if !there && err == nil {
			h.failf("key %s, which was deleted, is back", k.Name)
		}
	}
	if k, err := h.w.m.Keys.Get("m"); h.signed > 0 && (err != nil || k.Signatures < h.signed) {
		h.failf("%d messages were signed, the journal knows of %+v: %v", h.signed, k, err)
	}
	if err := h.w.m.Keys.Probe(context.Background()); err != nil {
		h.failf("a key does not open: %v", err)
	}
	asked, left := h.w.m.PIN()
	if h.pin.set && asked == access.None {
		h.failf("the PIN is lost")
	}
	if left > h.pin.most && asked == access.PIN {
		h.failf("%d tries of the PIN are left, at most %d can be", left, h.pin.most)
	}
	h.checkSpending()
}

// checkSpending adds up what was signed in the last day by the world's clock.
func (h *host) checkSpending() {
	if h.limit == nil {
		return
	}
	now := h.w.now.Unix()
	h.w.m.Book.View(func(st *ledger.State) {
		for _, t := range st.Open {
			if sp := st.Spend(t.Wallet, t.ID); t.Signed() && sp != nil {
				if old := h.spent[t.ID]; old == nil || old.cost.Cmp(sp.Amount) < 0 {
					h.spent[t.ID] = &spending{sp.Amount, now}
				}
			}
		}
	})
	sum := new(big.Int)
	for _, s := range h.spent {
		if s.at > now-ledger.Day {
			sum.Add(sum, s.cost)
		}
	}
	if sum.Cmp(h.limit) > 0 {
		h.failf("%s was signed in a day, the limit is %s", sum, h.limit)
	}
}

// finish lets everything end and asks the chain what happened.
func (h *host) finish() {
	h.w.t.Helper()
	h.check()
	h.w.settle()
	h.w.police.report()
	for ref, p := range h.orders {
		if p.id == 0 {
			continue
		}
		s, err := h.w.m.Life.Status(p.id)
		if err != nil {
			h.failf("%v", err)
		}
		want := 0
		if s.State == ledger.Confirmed {
			want = 1
		}
		if got := h.w.chain.Chain.Effects(target(p.to)); got != want {
			h.failf("reference %s ended in state %d and happened %d times", ref, s.State, got)
		}
	}
	h.check()
}

// scripts are the scenarios of which every write is cut.
func scripts() map[string]script {
	return map[string]script{
		"accept sign send confirm": {addWallet("w0"), send("w0", "a", 1), sweepOnce(), mine(1), sweepOnce(), mine(3), sweepOnce()},
		"two in a row":             {addWallet("w0"), send("w0", "a", 1), send("w0", "b", 2), sweepOnce(), mine(2), sweepOnce()},
		"two wallets":              {addWallet("w0"), addWallet("w1"), send("w0", "a", 1), send("w1", "b", 2), sweepOnce(), sweepOnce()},
		"bump":                     {addWallet("w0"), send("w0", "a", 1), sweepOnce(), bump("a"), sweepOnce(), mine(1), sweepOnce()},
		"cancel":                   {addWallet("w0"), send("w0", "a", 1), sweepOnce(), cancel("a"), sweepOnce(), mine(1), sweepOnce()},
		"cancel unsigned":          {addWallet("w0"), send("w0", "a", 1), cancel("a"), send("w0", "b", 2), sweepOnce()},
		"expire":                   {addWallet("w0"), send("w0", "a", 1, "expire=5"), sweepOnce(), sweepOnce(), sweepOnce(), sweepOnce(), sweepOnce()},
		"reorganisation":           {addWallet("w0"), send("w0", "a", 1), sweepOnce(), mine(1), sweepOnce(), reorg(1), sweepOnce(), drop(), sweepOnce()},
		"keys":                     {generate("k0"), generate("k1"), destroy("k0"), importKey("k2", 7), destroy("k2"), generate("k0")},
		"messages":                 {messageKey(), signMessage(), signMessage(), compact(), signMessage()},
		"pin":                      {setPIN(), wrongPIN(), wrongPIN(), rightPIN(), wrongPIN()},
		"snapshot":                 {addWallet("w0"), send("w0", "a", 1), compact(), sweepOnce(), compact(), mine(1), sweepOnce(), compact()},
		"factory reset":            {addWallet("w0"), setPIN(), send("w0", "a", 1), factoryReset(), addWallet("w1"), send("w1", "b", 2), sweepOnce()},
	}
}

// chainsOf are the chains that a script runs on.
var chainsOf = map[string]func() *chaintest.Harness{
	"sequential":         func() *chaintest.Harness { return newSeqChain().harness() },
	"random nonces":      func() *chaintest.Harness { return chaintest.NewRandomNonce(chaintest.Options{Cheap: true}).Harness() },
	"several signatures": func() *chaintest.Harness { return chaintest.NewMultiSign(chaintest.Options{Cheap: true}).Harness() },
}

// outcomes is how many outcomes of one power cut are looked at.
const outcomes = 24

// TestEveryCut cuts the power in every operation of every scenario, looks at
// every outcome, and lets the host go on as a host does.
func TestEveryCut(t *testing.T) {
	for kind, newChain := range chainsOf {
		for name, lines := range scripts() {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				runs := 0
				for cut := 1; ; cut++ {
					again := false
					for nth := 0; ; nth++ {
						more, was := cutOnce(t, newChain(), lines, cut, nth)
						runs++
						again = again || was
						if !more {
							break
						}
					}
					if !again {
						break
					}
				}
				if runs < 20 {
					t.Errorf("only %d runs: nothing was cut", runs)
				}
			})
		}
	}
}

// cutOnce plays a script with one power cut, and its nth outcome. more says
// that there are outcomes beyond it, was that there was a cut.
func cutOnce(t *testing.T, chain *chaintest.Harness, lines script, cut, nth int) (more, was bool) {
	t.Helper()
	h := newHost(newWorld(t, chain, true, uint64(cut)<<16|uint64(nth)))
	was = h.play(lines, cut, func(fs *crashfs.FS) *crashfs.FS {
		i := 0
		var found *crashfs.FS
		for _, after := range fs.Outcomes(outcomes, uint64(cut)) {
			if i == nth {
				found = after
			} else if i > nth {
				more = true
				break
			}
			i++
		}
		if found == nil {
			return fs.Crash(crashfs.Choice{})
		}
		return found
	})
	h.finish()
	return more, was
}

// faults are the ways in which flash fails.
var faults = map[string]error{"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC, "EROFS": syscall.EROFS}

// TestEveryFault makes every write fail once, in each of the ways in which flash
// fails: the command fails with ErrFlash or is harmless, everything else goes
// on, and nothing is half done.
func TestEveryFault(t *testing.T) {
	for name, lines := range scripts() {
		for fault, err := range faults {
			t.Run(name+"/"+fault, func(t *testing.T) {
				t.Parallel()
				for at := 1; ; at++ {
					w := newWorld(t, newSeqChain().harness(), true, uint64(at))
					h := newHost(w)
					w.mustOpen()
					w.police.dirty = true // a failed write leaves something behind
					w.fs.Inject(crashfs.Fault{At: at, Count: 3, Err: err})
					ops := w.fs.Counters().Ops
					h.stumble(lines)
					if w.fs.Counters().Ops-ops < at {
						break
					}
					w.fs.Heal()
					h.finish()
				}
			})
		}
	}
}

// stumble plays a script on flash that fails now and then; a host repeats.
func (h *host) stumble(lines script) {
	h.w.t.Helper()
	for _, l := range lines {
		for try := 0; ; try++ {
			err := l.do(h)
			if err == nil {
				break
			}
			if !errors.Is(err, book.ErrFlash) || try > 8 {
				h.failf("%s: %v", l.name, err)
			}
			h.check()
		}
	}
}

// TestLimitWindow: what is signed in a day never exceeds the limit, whatever
// the order of orders, days and restarts.
func TestLimitWindow(t *testing.T) {
	for seed := range uint64(200) {
		w := newWorld(t, newSeqChain().harness(), true, seed)
		h := newHost(w)
		cost := int64(7 + seqGas*1000) // the worst of one order
		h.limit = big.NewInt(5 * cost)
		w.tune = func(c *wallet.Config) {
			c.Limits = []life.Limit{{Wallet: "w0", PerDay: h.limit, PerTransaction: big.NewInt(2 * cost)}}
		}
		w.mustOpen()
		w.wallet("w0")
		refused := 0
		for n := range 60 {
			switch w.rng.IntN(4) {
			case 0:
				w.now = w.now.Add(6 * 3600e9)
			case 1:
				w.sweep()
				w.chain.Chain.Mine(w.rng.IntN(200))
			case 2:
				w.restart()
			default:
				o := w.order("w0", fmt.Sprint("r", n), n)
				o.Options["maxfee"] = "1000" // what it may cost is what it costs
				_, release, err := w.m.Life.Submit(o)
				release()
				if errors.Is(err, refusal.ErrByPolicy) {
					refused++
				} else if err != nil {
					t.Fatal(err)
				}
			}
			h.check()
		}
		if seed == 0 && refused == 0 {
			t.Error("the limit never refused anything")
		}
		w.settle()
		h.check()
	}
}

// TestPolicyTightened: what was accepted under a looser limit is judged again
// when it is signed.
func TestPolicyTightened(t *testing.T) {
	w := newWorld(t, newSeqChain().harness(), true, 1)
	w.mustOpen()
	w.wallet("w0")
	w.chain.Chain.Down(true)
	id := w.submit(w.order("w0", "a", 1))
	other := w.submit(w.order("w0", "b", 2))
	w.tune = func(c *wallet.Config) {
		c.Limits = []life.Limit{{Wallet: "w0", Recipients: []string{target(2)}}}
	}
	w.restart()
	w.chain.Chain.Down(false)
	w.settle()
	w.state(id, ledger.Refused, ledger.ByPolicy)
	w.state(other, ledger.Confirmed, ledger.NoReason)
	w.effects(1, 0)
	w.police.report()
}

// randomScript is a host that does anything in any order.
func randomScript(w *world) script {
	lines := script{addWallet("w0"), addWallet("w1"), setPIN()}
	refs := 0
	for range 6 + w.rng.IntN(14) {
		pick := w.rng.IntN(20)
		switch {
		case pick < 5:
			refs++
			lines = append(lines, send([]string{"w0", "w1"}[w.rng.IntN(2)], fmt.Sprint("r", refs), refs))
		case pick < 10:
			lines = append(lines, sweepOnce())
		case pick < 13:
			lines = append(lines, mine(1+w.rng.IntN(2)))
		case pick == 13 && refs > 0:
			lines = append(lines, cancel(fmt.Sprint("r", 1+w.rng.IntN(refs))))
		case pick == 14 && refs > 0:
			lines = append(lines, bump(fmt.Sprint("r", 1+w.rng.IntN(refs))))
		case pick == 15:
			lines = append(lines, compact())
		case pick == 16:
			lines = append(lines, []line{wrongPIN(), rightPIN()}[w.rng.IntN(2)])
		case pick == 17:
			name := fmt.Sprint("k", w.rng.IntN(2))
			lines = append(lines, []line{generate(name), destroy(name)}[w.rng.IntN(2)])
		case pick == 18:
			lines = append(lines, []line{drop(), reorg(1)}[w.rng.IntN(2)])
		case pick == 19 && refs > 0: // a host that repeats what it has been told already
			ref := fmt.Sprint("r", 1+w.rng.IntN(refs))
			i := slices.IndexFunc(lines, func(l line) bool { return l.name == "send "+ref })
			lines = append(lines, lines[i])
		}
	}
	return lines
}

// simulate is one random run with several power cuts.
func simulate(t testing.TB, seed uint64) {
	kinds := []string{"sequential", "sequential", "random nonces", "several signatures"}
	w := newWorld(t, chainsOf[kinds[seed%4]](), true, seed)
	h := newHost(w)
	lines := randomScript(w)
	cut := 1 + w.rng.IntN(80)
	h.play(lines, cut, func(fs *crashfs.FS) *crashfs.FS {
		all := 1 + w.rng.IntN(12)
		var found *crashfs.FS
		for _, after := range fs.Outcomes(all+4, w.rng.Uint64()) {
			found = after
			if all--; all < 0 {
				break
			}
		}
		if w.rng.IntN(3) > 0 && h.cuts < 4 {
			found.CutAfter(1 + w.rng.IntN(60))
		}
		return found
	})
	h.finish()
}

// TestSimulation is many random runs of several power cuts each. A failure
// prints its seed: BOATD_SEED plays it alone.
func TestSimulation(t *testing.T) {
	if text := os.Getenv("BOATD_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		must(t, err)
		simulate(t, seed)
		return
	}
	runs := uint64(100_000)
	if testing.Short() {
		runs = 300
	}
	simulateMany(t, uint64(time.Now().UnixNano()), runs)
}

// simulateMany shares runs among the processors.
func simulateMany(t *testing.T, first, runs uint64) {
	t.Logf("seeds from %d", first)
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := next.Add(1); n <= runs && !t.Failed(); n = next.Add(1) {
				simulate(t, first+n)
			}
		})
	}
	wg.Wait()
}
