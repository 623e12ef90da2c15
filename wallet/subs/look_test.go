package subs_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/subs"
)

// TestDeletedWhileLooking: what was looked for on behalf of a subscription that is
// gone is told to nobody, also where another one has its number by then, and the
// others miss nothing.
func TestDeletedWhileLooking(t *testing.T) {
	for name, again := range map[string]func(*world){
		"nothing":     func(*world) {},
		"another one": func(w *world) { w.add("0x00", "B") },
		"the same":    func(w *world) { w.add("0x00", "A") },
	} {
		w := newWorld(t, 1, 8)
		gone, stays := w.add("0x00", "A"), w.add("0x01", "any")
		w.ok(w.look())
		w.chain.mine(40)
		w.chain.during = func() {
			w.ok(w.subs.Delete(gone))
			delete(w.begun, gone)
			again(w)
		}
		if err := w.look(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		w.listen()
		for _, e := range w.told {
			if e.Sub != stays {
				t.Fatalf("%s: told %+v", name, e)
			}
		}
		w.ok(w.look())
		w.chain.mine(40)
		w.settle()
		w.judge()
	}
}

// TestFlooded: a contract that logs more in a block than a node can answer with
// does not keep the events of others, and its own are told when they can be read.
func TestFlooded(t *testing.T) {
	w := newWorld(t, 1, 8)
	bad, good := w.add("0x00", "any"), w.add("0x01", "any")
	w.ok(w.look())
	w.chain.flooded = "0x00"
	var err error
	for range 30 { // until it is known that a single block is too much
		w.chain.mine(40)
		err = w.look()
	}
	if !errors.Is(err, chains.ErrTooMuch) {
		t.Errorf("%v, and nobody is told why nothing comes", err)
	}
	w.listen()
	told := map[uint32]int{}
	for _, e := range w.told {
		told[e.Sub]++
	}
	if told[bad] != 0 || told[good] < 500 {
		t.Errorf("told of %v events", told)
	}
	if n := w.alarms["subscription 1"]; n != 1 {
		t.Errorf("%d alarms about what does not go on", n)
	}
	w.chain.flooded = ""
	w.settle()
	w.judge()
}

// TestSlow: over a bearer on which the events of many blocks do not come in time,
// those of few are asked for.
func TestSlow(t *testing.T) {
	for _, err := range []error{chains.ErrUnreachable, context.DeadlineExceeded} {
		w := newWorld(t, 1, 8)
		w.add("0x00", "any")
		w.ok(w.look())
		for range 1500 {
			w.chain.mine(1)
		}
		w.chain.slow, w.chain.slowErr = 20, err
		failed := 0
		for range 300 {
			if w.look() != nil {
				failed++
			}
			w.acknowledge()
		}
		if failed > 60 {
			t.Errorf("%v: %d of 300 looks failed", err, failed)
		}
		w.chain.slow = 0
		if w.judge(); t.Failed() {
			return
		}
	}
}

// TestPace: a chain on which nothing happens is looked at ever more seldom, and
// at once when hosts change something; one look costs one question while no block
// is new.
func TestPace(t *testing.T) {
	w := newWorld(t, 1, 8)
	if due := w.subs.Due("net"); !due.IsZero() {
		t.Errorf("due %v without a subscription", due)
	}
	if waiting, err := w.subs.Acknowledge(1); err != nil || len(waiting) != 0 {
		t.Errorf("%q wait without a subscription, %v", waiting, err)
	}
	w.add("0x00", "any")
	w.ok(w.look())
	start, looks := w.now, 0
	for w.now.Sub(start) < time.Hour {
		w.ok(w.look())
		looks++
	}
	if looks < 60 || looks > 120 || w.chain.asked != 0 {
		t.Errorf("%d looks in an idle hour, %d scans", looks, w.chain.asked)
	}
	w.add("0x01", "any")
	if due := w.subs.Due("net"); due.After(w.now) {
		t.Errorf("due in %v after a new subscription", due.Sub(w.now))
	}
	w.ok(w.look())
	w.chain.mine(5)
	w.ok(w.look())
	if wait := w.subs.Due("net").Sub(w.now); wait > 2*time.Second {
		t.Errorf("due in %v after an event", wait)
	}
}

// TestMute: a network that has become one without events, by another protocol in
// the configuration, is not asked for any, and not in a hurry.
func TestMute(t *testing.T) {
	w := newWorld(t, 1, 8)
	w.add("0x00", "any")
	w.ok(w.look())
	w.mute = true
	w.restart()
	for range 2 {
		w.ok(w.look())
		if due := w.subs.Due("net"); !due.IsZero() {
			t.Errorf("due in %v", due.Sub(w.now))
		}
	}
	w.mute = false
	w.restart()
	w.chain.mine(3)
	w.settle()
	w.judge()
}

// TestInstant: where every block is final, no other one is asked for than the
// newest.
func TestInstant(t *testing.T) {
	w := newWorld(t, 1, 0)
	w.chain.tells = true
	w.chain.instant = true
	w.add("0x00", "any")
	for range 50 {
		w.ok(w.look())
		w.chain.mine(1)
		w.acknowledge()
	}
	w.ok(w.look())
	w.acknowledge()
	if w.chain.numbers != 0 {
		t.Errorf("%d blocks were asked for in %d looks", w.chain.numbers, w.chain.horizons)
	}
	w.judge()
}

// TestFlash: blocks in which nothing happens cost next to no writes.
func TestFlash(t *testing.T) {
	w := newWorld(t, 1, 8)
	w.add("0x00", "any")
	w.ok(w.look())
	w.fs.ResetCounters()
	for range 5000 {
		w.chain.mine(0)
		w.ok(w.look())
	}
	if syncs := w.fs.Counters().Syncs; syncs > 5000/512+2 {
		t.Errorf("%d syncs for 5000 empty blocks", syncs)
	}
	w.restart()
	w.ok(w.look())
	if w.chain.mine(4); w.look() != nil {
		t.Error("no look")
	}
	w.settle()
	w.judge()
}

// TestNoFinality: where no node tells what is final, a block far below counts as
// such, and what was told of it is not looked at for ever.
func TestNoFinality(t *testing.T) {
	w := newWorld(t, 1, 0)
	n := w.add("0x00", "any")
	w.ok(w.look())
	for range 1500 {
		w.chain.mine(1)
		w.ok(w.look())
		w.acknowledge()
	}
	for _, s := range w.subs.List() {
		if s.N == n && (len(s.Marks) > 1100 || s.Final+1100 < w.chain.head()) {
			t.Errorf("%d marks, final %d of %d", len(s.Marks), s.Final, w.chain.head())
		}
	}
	w.judge()
}

// TestManyVanish: more blocks with events are replaced, and by more, than one step
// can hold.
func TestManyVanish(t *testing.T) {
	w := newWorld(t, 1, 0)
	contract := make([]byte, 20)
	w.add(fmt.Sprintf("0x%x", contract), "any")
	w.ok(w.look())
	for range 768 {
		w.chain.mine(1)
		w.chain.blocks[w.chain.head()].events[0].Address = contract
		w.ok(w.look())
		w.acknowledge()
	}
	w.chain.blocks = w.chain.blocks[:1]
	w.chain.mine(300)
	events := w.chain.blocks[1].events
	for i := range events {
		events[i].Address, events[i].Data, events[i].Topics = contract, nil, [][]byte{make([]byte, 32), make([]byte, 32), make([]byte, 32), make([]byte, 32)}
	}
	for _, i := range []int{254, 255, 256} {
		events[i].Data = make([]byte, subs.MaxData)
	}
	for range 1100 {
		w.chain.mine(0)
	}
	for range 10 {
		w.ok(w.look())
		w.acknowledge()
	}
	w.judge()
}

// TestStep: of events with much data few are in one step.
func TestStep(t *testing.T) {
	w := newWorld(t, 1, 8)
	w.add("0x00", "any")
	w.ok(w.look())
	w.chain.mine(9)
	events := w.chain.blocks[1].events
	for i := range events {
		events[i].Address, events[i].Data = []byte{0}, nil
	}
	for _, i := range []int{2, 3, 4} {
		events[i].Data = make([]byte, subs.MaxData)
	}
	before := w.book.Commits()
	w.ok(w.look())
	if n := w.book.Commits() - before; n != 3 { // two small and the first large, the second, the third and the small
		t.Errorf("%d steps", n)
	}
	w.settle()
	w.judge()
}

// TestFlashFull: nothing is told that is not durable.
func TestFlashFull(t *testing.T) {
	w := newWorld(t, 1, 8)
	w.add("0x00", "any")
	w.ok(w.look())
	w.chain.mine(9)
	w.fs.Inject(crashfs.Fault{At: 1, Err: syscall.ENOSPC})
	if err := w.look(); !errors.Is(err, book.ErrFlash) {
		t.Error(err)
	}
	w.listen()
	if len(w.told) != 0 {
		t.Errorf("told of %d", len(w.told))
	}
	w.fs.Heal()
	w.settle()
	w.judge()
}

// TestManyMarks: a host that makes room for one event at a time, and is told of
// other things between, does not make the marks of blocks that are not final grow
// beyond what a snapshot can hold.
func TestManyMarks(t *testing.T) {
	w := newWorld(t, 1, 0)
	n := w.add("0x00", "any")
	w.ok(w.look())
	for range 1020 {
		w.chain.mine(6)
	}
	for w.subs.Due("net"); !w.subs.Due("net").IsZero(); {
		w.ok(w.look())
	}
	w.listen()
	first := w.read - subs.MaxKept + 1
	for seq := first; seq < first+3000; seq++ {
		w.book.Emit(book.Event{Topic: book.TopicLow, Name: "low"})
		_, err := w.subs.Acknowledge(seq)
		w.ok(err)
		w.ok(w.look())
		w.listen()
	}
	most := func() {
		t.Helper()
		for _, s := range w.subs.List() {
			if s.N == n && len(s.Marks) > 1600 {
				t.Fatalf("%d marks after %d events", len(s.Marks), len(w.told))
			}
		}
	}
	most()
	if len(w.told) < 2000 {
		t.Errorf("told of %d events", len(w.told))
	}
	for range 1100 {
		w.chain.mine(0)
	}
	w.settle()
	most()
	w.judge()
}
