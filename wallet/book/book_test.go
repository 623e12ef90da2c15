package book

import (
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/wallet/journal"
	"github.com/boatd/boatd/wallet/ledger"
)

// bench is a book on a file system and a clock of its own.
type bench struct {
	*Book
	t   *testing.T
	fs  *crashfs.FS
	now time.Time
}

func open(t *testing.T) *bench {
	b := &bench{t: t, fs: crashfs.New(), now: time.Unix(1_800_000_000, 0)}
	b.reopen()
	return b
}

func (b *bench) reopen() {
	b.t.Helper()
	var err error
	b.Book, err = Open(Config{FS: b.fs, Now: func() time.Time { return b.now }, Log: slog.New(slog.DiscardHandler), KeepEnded: 100, Journal: journal.Options{Chunk: 4096}})
	ok(b.t, err)
}

func (b *bench) restart() {
	b.t.Helper()
	ok(b.t, b.Close())
	b.reopen()
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) add(rs ...ledger.Record) {
	b.t.Helper()
	ok(b.t, b.Update(func(u *Update) error { u.Add(rs...); return nil }))
}

func tx(id uint32) ledger.Tx {
	return ledger.Tx{ID: id, Wallet: "w", Net: "n", Digest: []byte{1}, Intent: chains.Intent{Kind: chains.Transfer, Value: new(big.Int)}, Reserved: new(big.Int)}
}

// end ends a transaction with its event, as life does.
func (b *bench) end(id uint32) (seq uint32) {
	b.t.Helper()
	ok(b.t, b.Update(func(u *Update) error {
		seq = u.Emit(TxEvent(id, ledger.Cancelled, 0, ""))
		u.Add(ledger.Ended{ID: id, State: ledger.Cancelled, Event: seq})
		return nil
	}))
	return seq
}

func numbers(es []Event) (all []uint32) {
	for _, e := range es {
		all = append(all, e.Seq)
	}
	return all
}

func TestAllOrNothing(t *testing.T) {
	b := open(t)
	before := b.LastEvent()
	refusal := errors.New("no")
	if err := b.Update(func(u *Update) error {
		u.Add(ledger.Peer{Name: "p"})
		u.Emit(Alarm(1, "x"))
		return refusal
	}); !errors.Is(err, refusal) {
		t.Errorf("the function's error became %v", err)
	}
	if err := b.Update(func(u *Update) error {
		u.Add(ledger.Peer{Name: "p"}, ledger.Moved{ID: 9})
		u.Emit(Alarm(1, "x"))
		return nil
	}); !errors.Is(err, ledger.ErrImpossible) {
		t.Errorf("an impossible record: %v", err)
	}
	b.fs.Inject(crashfs.Fault{At: 1, Count: 2, Err: syscall.EIO})
	if err := b.Update(func(u *Update) error {
		u.Add(ledger.Peer{Name: "p"})
		u.Emit(Alarm(1, "x"))
		return nil
	}); !errors.Is(err, ErrFlash) {
		t.Errorf("a failed write: %v", err)
	}
	b.fs.Heal()
	check := func() {
		t.Helper()
		b.View(func(st *ledger.State) {
			if len(st.Peers) != 0 {
				t.Error("something was added")
			}
		})
	}
	check()
	if b.LastEvent() != before || len(b.EventsAfter(0, 10)) != 0 {
		t.Error("an event was told")
	}
	b.restart()
	check()
}

func TestSequence(t *testing.T) {
	b := open(t)
	var last uint32
	for boot := range 4 {
		for range 700 * boot {
			b.Emit(Alarm(1, "x"))
		}
		if boot > 0 && b.LastEvent() < last+uint32(700*boot) {
			t.Fatalf("boot %d: event %d after %d", boot, b.LastEvent(), last)
		}
		last = b.LastEvent()
		if boot%2 == 0 {
			b.fs = b.fs.Crash(crashfs.Choice{}) // power cut
			b.reopen()
		} else {
			b.restart()
		}
		b.Emit(Alarm(2, "first of the boot"))
		if got := numbers(b.EventsAfter(0, 1)); len(got) != 1 || got[0] <= last {
			t.Fatalf("boot %d: the first event is %v, the last one was %d", boot, got, last)
		}
	}
	var starts uint64
	b.View(func(st *ledger.State) { starts = st.Meta.Starts })
	if starts != 5 {
		t.Errorf("%d starts, want 5", starts)
	}
}

func TestEventOrder(t *testing.T) {
	b := open(t)
	first := b.LastEvent()
	for n := range retained + 10 {
		b.Emit(Alarm(ledger.Reason(n), ""))
	}
	all := b.EventsAfter(0, 1000)
	if len(all) != retained || all[len(all)-1].Seq != first+retained+10 {
		t.Errorf("%d events are kept, the last is %d", len(all), all[len(all)-1].Seq)
	}
	for i := 1; i < len(all); i++ {
		if all[i].Seq != all[i-1].Seq+1 {
			t.Fatalf("event %d after %d", all[i].Seq, all[i-1].Seq)
		}
	}
	if some := b.EventsAfter(all[3].Seq, 2); !slices.Equal(numbers(some), numbers(all[4:6])) {
		t.Errorf("after %d: %v", all[3].Seq, numbers(some))
	}
}

// TestHold: nothing about an id is told before it is released, and nothing that
// comes after it either.
func TestHold(t *testing.T) {
	b := open(t)
	told := make(chan struct{}, 9)
	b.Subscribe(func() { told <- struct{}{} })
	b.Emit(Alarm(1, "before"))
	one, two := b.Hold(7), b.Hold(7)
	b.Emit(TxEvent(7, ledger.SignedTx, 0, ""))
	b.Emit(Alarm(2, "behind"))
	visible := func(want int) {
		t.Helper()
		if got := b.EventsAfter(0, 10); len(got) != want {
			t.Fatalf("%d events can be read, want %d", len(got), want)
		}
	}
	visible(1)
	one()
	one() // a second call of one release counts once
	visible(1)
	for len(told) > 0 {
		<-told
	}
	two()
	visible(3)
	if len(told) == 0 {
		t.Error("nobody was told of the release")
	}
}

func TestRetained(t *testing.T) {
	b := open(t)
	b.add(tx(1), tx(2), tx(3))
	b.Emit(Alarm(1, "soon gone"))
	var seqs []uint32
	for id := uint32(1); id <= 3; id++ {
		seqs = append(seqs, b.end(id))
	}
	if got := b.Retained(0, 10); len(got) != 4 {
		t.Errorf("%v are retained", numbers(got))
	}
	b.restart()
	got := b.Retained(0, 10)
	if !slices.Equal(numbers(got), seqs) {
		t.Fatalf("after a restart %v are retained, want %v", numbers(got), seqs)
	}
	if e := got[1]; e.Name != "tx" || e.Tx != 2 || fmt.Sprint(e.Fields) != "[2 7 0]" {
		t.Errorf("event of an end: %+v", e)
	}
	if first, last := b.RetainedRange(); first != seqs[0] || last != seqs[2] {
		t.Errorf("range %d to %d", first, last)
	}
	if got := b.Retained(seqs[0], 1); !slices.Equal(numbers(got), seqs[1:2]) {
		t.Errorf("one after %d: %v", seqs[0], numbers(got))
	}
	b.Emit(Alarm(3, "new"))
	if got := b.Retained(0, 10); len(got) != 4 {
		t.Errorf("%v are retained", numbers(got))
	}
	for range 2 {
		ok(t, b.Acknowledge(seqs[1]))
	}
	b.restart()
	if got := b.Retained(0, 10); !slices.Equal(numbers(got), seqs[2:]) {
		t.Errorf("after acknowledging and a restart: %v", numbers(got))
	}
	if first, last := b.RetainedRange(); first != seqs[2] || last != seqs[2] {
		t.Errorf("range %d to %d behind ends that are acknowledged", first, last)
	}
	ok(t, b.Acknowledge(1<<32-1))
	if got := b.Retained(0, 10); len(got) != 0 {
		t.Errorf("after acknowledging all: %v", numbers(got))
	}
	if first, last := b.RetainedRange(); first != 0 || last != 0 {
		t.Errorf("range of nothing: %d to %d", first, last)
	}
	b.Emit(Alarm(4, "later"))
	if got := b.Retained(0, 10); len(got) != 1 {
		t.Error("what came after an acknowledgement of the future is gone")
	}
}

// TestViewInView: one who reads within a reading does not wait for one who waits to
// write: a sweep and a command stood still for ever that way.
func TestViewInView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		var wg sync.WaitGroup
		inner := false
		b.View(func(*ledger.State) {
			wg.Go(func() { b.add(ledger.Peer{Name: "p", Net: "n", Address: "0x"}) })
			synctest.Wait() // it waits until nobody reads
			b.View(func(st *ledger.State) { inner = st.Peers["p"] == nil })
		})
		wg.Wait()
		b.View(func(st *ledger.State) {
			if !inner || st.Peers["p"] == nil {
				t.Error("written while somebody read, or not at all")
			}
		})
	})
}

// TestOverflow: a channel that is slow misses what was only in memory, and
// nothing that is kept on flash.
func TestOverflow(t *testing.T) {
	b := open(t)
	start := b.LastEvent()
	var kept []uint32
	for i := range 3 * retained {
		if i%10 > 0 {
			b.Emit(Alarm(1, "passing"))
			continue
		}
		ok(t, b.Update(func(u *Update) error {
			switch i % 3 {
			case 0:
				u.Add(ledger.Event{Record: u.Next(), Sub: 1, Block: 7})
				kept = append(kept, u.Emit(ContractEvent(1, u.Next(), 7)))
			case 1:
				u.Add(ledger.Alarm{Seq: u.Next(), Code: 7046, Subject: "event 1"})
				kept = append(kept, u.Emit(Alarm(7046, "event 1")))
			default:
				u.Emit(Alarm(1, "passing"))
			}
			return nil
		}))
	}
	var told []uint32
	for at := start; ; {
		es := b.EventsAfter(at, 1)
		if len(es) == 0 {
			break
		}
		if at = es[0].Seq; slices.Contains(kept, at) && es[0].Name != "event" && es[0].Fields[0] != uint32(7046) {
			t.Fatalf("%+v", es[0])
		}
		told = append(told, at)
	}
	if !slices.IsSorted(told) || len(told) < retained || !contains(told, kept) {
		t.Errorf("%d were told, %d are kept", len(told), len(kept))
	}
	b.restart()
	b.Emit(Alarm(1, "of the next boot"))
	if got := b.EventsAfter(0, 9); len(got) != 1 {
		t.Errorf("what an earlier boot told is told again: %v", numbers(got))
	}
	if got := numbers(b.Retained(0, 1000)); !slices.Equal(got[:len(got)-1], kept) {
		t.Errorf("after a restart %v, kept were %v", got, kept)
	}
	ok(t, b.Acknowledge(kept[3]))
	b.restart()
	if got := numbers(b.Retained(0, 1000)); !slices.Equal(got, kept[4:]) {
		t.Errorf("after an acknowledgement %v", got)
	}
}

func contains(all, some []uint32) bool {
	for _, n := range some {
		if !slices.Contains(all, n) {
			return false
		}
	}
	return true
}

// TestAcknowledgeWritesOnce: flash is not written for what is forgotten already,
// nor for what was never on it.
func TestAcknowledgeWritesOnce(t *testing.T) {
	b := open(t)
	b.Emit(Alarm(1, "in memory"))
	ops := b.fs.Counters().Ops
	ok(t, b.Acknowledge(b.LastEvent()))
	b.add() // nothing
	if n := b.fs.Counters().Ops - ops; n != 0 {
		t.Errorf("%d writes for events in memory", n)
	}
}

func TestRunning(t *testing.T) {
	b := open(t)
	b.now = b.now.Add(100 * time.Second)
	b.add(ledger.Peer{Name: "p"})
	b.now = b.now.Add(50 * time.Second)
	if b.Running() != 150 || b.Uptime() != 150 {
		t.Errorf("running %d, up %d", b.Running(), b.Uptime())
	}
	b.restart()
	if b.Running() != 100 || b.Uptime() != 0 {
		t.Errorf("after a restart running %d, up %d", b.Running(), b.Uptime())
	}
	b.now = b.now.Add(-time.Hour) // a clock that goes back is no time
	if b.Running() != 100 {
		t.Errorf("running %d with the clock gone back", b.Running())
	}
	b.now = b.now.Add(time.Hour + 10*time.Second)
	b.add(ledger.Peer{Name: "q"})
	b.restart()
	if b.Running() != 110 {
		t.Errorf("running %d", b.Running())
	}
}

// TestReadOnlyStart: what needs no write goes on with a flash that takes none.
func TestReadOnlyStart(t *testing.T) {
	b := open(t)
	b.add(ledger.Peer{Name: "p"})
	ok(t, b.Close())
	b.fs.Inject(crashfs.Fault{At: 1, Err: syscall.EROFS})
	b.reopen()
	b.View(func(st *ledger.State) {
		if st.Peers["p"] == nil {
			t.Error("the state cannot be read")
		}
	})
	if err := b.Sound(); !errors.Is(err, ErrFlash) {
		t.Errorf("sound: %v", err)
	}
	b.Emit(Alarm(1, "has no number")) // is lost, without a number that may be given again
	if len(b.EventsAfter(0, 10)) != 0 {
		t.Error("an event without a reserved number")
	}
	b.fs.Heal()
	ok(t, b.Sound())
	b.add(ledger.Peer{Name: "q"})
}

func TestCompact(t *testing.T) {
	b := open(t)
	for n := range 300 {
		b.add(ledger.Peer{Name: fmt.Sprint(n % 5), Address: fmt.Sprint(n)})
	}
	ok(t, b.Compact(false)) // not enough to be worth it
	generation := b.j.Stats().Generation
	ok(t, b.Compact(true))
	if b.j.Stats().Generation == generation {
		t.Error("nothing was rewritten")
	}
	b.restart()
	b.View(func(st *ledger.State) {
		if len(st.Peers) != 5 || st.Peers["4"].Address != "299" {
			t.Errorf("%d peers", len(st.Peers))
		}
	})
}

// TestReadersDoNotWait: readers see a whole state while others write.
func TestReadersDoNotWait(t *testing.T) {
	b := open(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				b.View(func(st *ledger.State) {
					if (st.Peers["a"] == nil) != (st.Peers["b"] == nil) {
						t.Error("half a batch can be seen")
					}
				})
			}
		})
	}
	for n := range 100 {
		if n%2 == 0 {
			b.add(ledger.Peer{Name: "a"}, ledger.Peer{Name: "b"})
		} else {
			b.add(ledger.PeerGone{Name: "a"}, ledger.PeerGone{Name: "b"})
		}
	}
	wg.Wait()
}

func TestChanged(t *testing.T) {
	b := open(t)
	c := b.Changed()
	b.Emit(Alarm(1, "no change"))
	select {
	case <-c:
		t.Error("an event alone is no change of the state")
	default:
	}
	b.add(ledger.Peer{Name: "p"})
	select {
	case <-c:
	default:
		t.Error("nobody was told")
	}
}

func TestProven(t *testing.T) {
	b := open(t)
	batch, err := b.UpdateProven(func(u *Update) error { u.Add(ledger.Peer{Name: "p", Address: "0x1"}); return nil })
	ok(t, err)
	if p, is := batch.Records[0].(ledger.Peer); !is || p.Address != "0x1" {
		t.Errorf("read back %+v", batch)
	}
	b.fs.FailReads(syscall.EIO)
	if _, err := b.UpdateProven(func(u *Update) error { u.Add(ledger.Peer{Name: "q"}); return nil }); !errors.Is(err, ErrFlash) {
		t.Errorf("what cannot be read back: %v", err)
	}
}
