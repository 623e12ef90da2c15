package subs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/journal"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/nets"
	"github.com/boatd/boatd/wallet/refusal"
	"github.com/boatd/boatd/wallet/subs"
)

// world is a device that follows events, the chain, and a host that reads what it
// is told.
type world struct {
	t     testing.TB
	seed  uint64
	rng   *rand.Rand
	fs    *crashfs.FS
	now   time.Time
	chain *chain

	book *book.Book
	nets *nets.Set
	subs *subs.Set
	opts chains.Options
	mute bool // the network has no events

	read  uint32                  // the host has read up to there
	told  map[uint32]ledger.Event // by record
	void  map[uint32]bool         // records of which an alarm told
	begun map[uint32]uint64       // by subscription: its first block, less one

	alarms map[string]int // that no event is void of, by subject
}

func newWorld(t testing.TB, seed uint64, depth uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 9))
	w := &world{t: t, seed: seed, rng: rng, fs: crashfs.New(), now: time.Unix(1_800_000_000, 0), chain: newChain(rng, depth),
		told: map[uint32]ledger.Event{}, void: map[uint32]bool{}, begun: map[uint32]uint64{}, alarms: map[string]int{}, opts: chains.Options{}}
	w.open()
	return w
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("seed %d: %v", w.seed, err)
	}
}

func (w *world) open() {
	w.t.Helper()
	var err error
	now := func() time.Time { return w.now }
	quiet := slog.New(slog.DiscardHandler)
	w.book, err = book.Open(book.Config{FS: w.fs, Now: now, Log: quiet, KeepEnded: 10, Journal: journal.Options{Chunk: 4096, RotateAt: 64 << 10}})
	w.ok(err)
	p := chains.Protocol{Name: "fake", Check: func(chains.Config) []chains.OptionError { return nil },
		Open: func(chains.Config, chains.Deps) (chains.Network, error) {
			if w.mute {
				return struct{ chains.Network }{w.chain}, nil
			}
			return w.chain, nil
		}}
	w.nets, err = nets.Open(nets.Config{Book: w.book, Protocols: chains.NewRegistry(p), Log: quiet,
		File: []chains.Config{{Name: "net", Protocol: "fake", Options: w.opts}}})
	w.ok(err)
	w.subs = subs.New(subs.Config{Book: w.book, Nets: w.nets, Now: now, Log: quiet})
	w.noteBegun() // a step that the power cut may have been whole on flash
}

func (w *world) restart() {
	w.t.Helper()
	w.ok(w.book.Close())
	w.open()
}

func (w *world) add(contract, event string) uint32 {
	w.t.Helper()
	n, release, err := w.subs.Add("net", contract, event, nil)
	w.ok(err)
	release()
	return n
}

// look lets the time come at which a look is due, and looks.
func (w *world) look() error {
	due := w.subs.Due("net")
	if due.IsZero() {
		return nil
	}
	if due.After(w.now) {
		w.now = due
	}
	n, err := w.nets.Get("net")
	w.ok(err)
	if n, err = w.nets.Identify(context.Background(), n); err != nil {
		return err
	}
	err = w.subs.Look(context.Background(), n)
	w.noteBegun()
	return err
}

func (w *world) noteBegun() {
	for _, s := range w.subs.List() {
		if _, ok := w.begun[s.N]; !ok && s.Chain != nil {
			w.begun[s.N] = s.Final
		}
	}
}

// listen is a host that reads what is retained.
func (w *world) listen() {
	w.t.Helper()
	for _, e := range w.book.Retained(w.read, 1<<20) {
		switch e.Name {
		case "event":
			rec, err := w.subs.Event(e.Fields[1].(uint32))
			w.ok(err)
			if rec.Record != e.Seq || rec.Sub != e.Fields[0] || rec.Block != e.Fields[2] {
				w.t.Fatalf("seed %d: code %v of %+v", w.seed, e, rec)
			}
			w.told[rec.Record] = *rec
		case "alarm":
			var first, last uint32
			text, n := e.Fields[1].(string), 0
			if strings.HasPrefix(text, "subscription") && e.Fields[0] == uint32(7041) {
				w.alarms[text]++
				break
			}
			if n, _ = fmt.Sscanf(strings.Replace(text, "-", " ", 1), "event %d %d", &first, &last); n == 1 {
				last = first
			}
			if n == 0 || e.Fields[0] != uint32(7046) {
				w.t.Fatalf("seed %d: alarm %v", w.seed, e)
			}
			for r := first; r <= last; r++ {
				if _, ok := w.told[r]; !ok || w.void[r] {
					w.t.Fatalf("seed %d: %s, of which nothing was told, or twice", w.seed, text)
				}
				w.void[r] = true
			}
		}
		w.read = e.Seq
	}
}

func (w *world) acknowledge() {
	w.t.Helper()
	w.listen()
	_, err := w.subs.Acknowledge(w.read)
	w.ok(err)
}

// settle lets the chain become final and everything be told.
func (w *world) settle() {
	w.t.Helper()
	w.chain.down, w.chain.lag, w.chain.forgetful = false, 0, false
	for range 2 {
		for range max(w.chain.depth, 40) + 40 {
			w.chain.mine(0)
		}
		for i, still := 0, 0; still < 3; i++ { // looks after which there is no hurry
			w.ok(w.look())
			w.acknowledge()
			if still++; !w.subs.Due("net").After(w.now) {
				still = 0
			}
			if i > 100_000 {
				w.t.Fatalf("seed %d: it does not end", w.seed)
			}
		}
	}
}

// judge compares what the host knows with the chain.
func (w *world) judge() {
	w.t.Helper()
	type place struct {
		sub   uint32
		hash  string
		index uint64
	}
	valid := map[place]int{}
	for r, e := range w.told {
		if w.void[r] {
			continue
		}
		valid[place{e.Sub, string(e.Hash), e.Index}]++
		if b := w.chain.blocks[e.Block]; string(hashOf(b.head)) != string(e.Hash) {
			w.t.Errorf("seed %d: record %d of block %d, which is gone, and no alarm", w.seed, r, e.Block)
		}
	}
	want := 0
	for _, s := range w.subs.List() {
		for _, b := range w.chain.blocks[w.begun[s.N]+1:] {
			for _, e := range b.events {
				if !matches(s.Filter, &e) {
					continue
				}
				want++
				if n := valid[place{s.N, string(hashOf(b.head)), e.Index}]; n != 1 {
					w.t.Errorf("seed %d: subscription %d was told %d times of log %d in block %d of %d", w.seed, s.N, n, e.Index, b.head.Number, w.chain.head())
				}
			}
		}
	}
	if want != len(valid) {
		w.t.Errorf("seed %d: %d events are valid, %d were told and not taken back", w.seed, want, len(valid))
	}
}

// step is one random thing that happens.
func (w *world) step() {
	c := w.chain
	switch w.rng.IntN(16) {
	case 0, 1, 2, 3:
		c.mine(w.rng.IntN(4))
	case 4:
		for range w.rng.IntN(60) {
			c.mine(w.rng.IntN(2))
		}
	case 5:
		c.reorganise(1 + w.rng.IntN(8))
	case 6:
		c.span = uint64(w.rng.IntN(3) * w.rng.IntN(20))
		c.most = w.rng.IntN(3) * w.rng.IntN(20)
	case 7:
		c.forgetful, c.lag, c.down = w.rng.IntN(3) == 0, uint64(w.rng.IntN(3)), w.rng.IntN(6) == 0
	case 8:
		w.listen()
		for range w.rng.IntN(50) / 46 * 5 { // a burst
			c.mine(w.rng.IntN(500))
		}
	case 9:
		w.acknowledge()
	case 10:
		w.restart()
	case 11:
		w.powerCut()
	default:
		w.look() // what it could not do it does later
	}
}

// powerCut looks until the power fails at some write, and starts again on what is
// on flash then.
func (w *world) powerCut() {
	w.fs.CutAfter(w.rng.IntN(6))
	for range 3 {
		w.chain.mine(w.rng.IntN(4))
		w.look()
	}
	outcomes := []*crashfs.FS{}
	for _, after := range w.fs.Outcomes(8, w.rng.Uint64()) {
		outcomes = append(outcomes, after)
	}
	w.book.Close()
	w.fs = outcomes[w.rng.IntN(len(outcomes))]
	w.open()
}

// TestModel: whatever happens to the chain, its node and the device, a host is
// told of every event that stays, exactly once, and of every one that does not
// stay that it does not.
func TestModel(t *testing.T) {
	runs := uint64(150)
	if testing.Short() {
		runs = 8
	}
	modelMany(t, 0, runs)
}

func modelMany(t *testing.T, first, runs uint64) {
	for seed := first; seed < first+runs && !t.Failed(); seed++ {
		w := newWorld(t, seed, []uint64{1, 8, 8, 64}[seed%4])
		w.chain.tells = seed%3 == 0
		w.add("0x00", "A")
		w.ok(w.look())
		for i := range 300 {
			if i == 100 {
				w.add("0x01", "any")
			}
			w.step()
		}
		w.settle()
		w.judge()
	}
}

// TestManyInOneBlock: more events in one block than may be told at once, and
// than may be left unacknowledged.
func TestManyInOneBlock(t *testing.T) {
	for _, depth := range []uint64{1, 8} {
		w := newWorld(t, 1, depth)
		w.add("0x00", "any")
		w.ok(w.look())
		w.chain.mine(0)
		w.chain.mine(6000) // of both contracts
		w.chain.mine(3)
		for range 20 {
			w.ok(w.look())
		}
		w.listen()
		if len(w.told) != subs.MaxKept || !w.subs.Due("net").IsZero() {
			t.Errorf("depth %d: told of %d, next look %v", depth, len(w.told), w.subs.Due("net"))
		}
		w.restart()
		if !w.subs.Due("net").IsZero() {
			t.Error("a restart makes room")
		}
		for _, c := range []struct {
			seq  uint32
			want int
		}{{w.read - 1000, 1}, {w.read - 900, 0}} {
			if waiting, err := w.subs.Acknowledge(c.seq); err != nil || len(waiting) != c.want {
				t.Errorf("after %d, %q wait for room, %v", c.seq, waiting, err)
			}
			if due := w.subs.Due("net"); due.IsZero() || due.After(w.now) {
				t.Errorf("due %v with room", due)
			}
		}
		w.settle()
		w.judge()
	}
}

func TestAdd(t *testing.T) {
	w := newWorld(t, 1, 8)
	a, b := w.add("0x00", "A"), w.add("0x00", "B")
	if a != 1 || b != 2 || w.add("0x00", "A") != a {
		t.Errorf("%d and %d", a, b)
	}
	who := "bob"
	for name, c := range map[string]struct {
		net, contract, event string
		values               []*string
		want                 error
	}{
		"network":  {"other", "0x00", "A", nil, refusal.ErrNoNetwork},
		"contract": {"net", "nobody", "A", nil, chains.ErrAddress},
		"event":    {"net", "0x00", "C", nil, chains.ErrFunction},
		"value":    {"net", "0x00", "A", []*string{nil, &who}, chains.ErrArgument},
	} {
		if _, _, err := w.subs.Add(c.net, c.contract, c.event, c.values); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range subs.Max - 2 {
		w.add(fmt.Sprintf("0x%02x", i+1), "A")
	}
	if _, _, err := w.subs.Add("net", "0xff", "A", nil); !errors.Is(err, refusal.ErrFull) {
		t.Error(err)
	}
	w.ok(w.subs.Delete(3))
	w.ok(w.subs.Delete(3))
	if n := w.add("0xff", "A"); n != 3 {
		t.Errorf("number %d", n)
	}
	w.restart()
	if len(w.subs.List()) != subs.Max || w.add("0x00", "B") != b {
		t.Errorf("%+v after a restart", w.subs.List())
	}
}

// TestNumberFirst: no channel is told of an event before a host has the number of
// its subscription.
func TestNumberFirst(t *testing.T) {
	w := newWorld(t, 1, 8)
	if _, _, err := w.subs.Add("net", "0x00", "C", nil); err == nil {
		t.Error("an event that is none")
	}
	n, release, err := w.subs.Add("net", "0x00", "any", nil)
	w.ok(err)
	before := w.book.LastEvent()
	w.ok(w.look())
	w.chain.mine(9)
	w.ok(w.look())
	if told := w.book.EventsAfter(before, 1); len(told) != 0 {
		t.Errorf("told %+v before the answer", told)
	}
	_, same, err := w.subs.Add("net", "0x00", "any", nil) // a host that knows it already waits for nothing
	w.ok(err)
	same()
	release()
	if told := w.book.EventsAfter(before, 1); len(told) != 1 || told[0].Sub != n {
		t.Errorf("told %+v", told)
	}
	if same(); len(w.book.EventsAfter(before, 1)) != 1 {
		t.Error("held after the release")
	}
}

// TestNumberOfTheGone: while events of a subscription are kept, no other one gets
// its number.
func TestNumberOfTheGone(t *testing.T) {
	w := newWorld(t, 1, 8)
	n := w.add("0x00", "any")
	w.ok(w.look())
	w.chain.mine(9)
	w.ok(w.look())
	w.ok(w.subs.Delete(n))
	if other := w.add("0x01", "any"); other == n {
		t.Errorf("number %d means two", n)
	}
	w.acknowledge()
	if again := w.add("0x00", "B"); again != n {
		t.Errorf("number %d", again)
	}
}

// TestNewChain: when a host has accepted another chain, subscriptions go on at
// its newest block.
func TestNewChain(t *testing.T) {
	w := newWorld(t, 1, 8)
	n := w.add("0x00", "any")
	w.ok(w.look())
	w.chain.mine(9)
	w.ok(w.look())
	w.acknowledge()
	w.chain = newChain(w.rng, 8)
	w.chain.identity.Genesis = "bb"
	for range 5 {
		w.chain.mine(2)
	}
	w.ok(w.book.Update(func(u *book.Update) error {
		rec := *u.State().Networks["net"]
		rec.Chain = &w.chain.identity
		u.Add(rec)
		return nil
	}))
	w.restart()
	w.told, w.void, w.begun = map[uint32]ledger.Event{}, map[uint32]bool{}, map[uint32]uint64{}
	w.ok(w.look())
	w.begun[n] = 5
	w.chain.mine(7)
	w.settle()
	w.judge()
}
