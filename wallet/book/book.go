// Package book keeps the ledger: one state in memory, one journal on flash, and
// the rule that nothing is in the first that is not in the second.
//
// Whoever wants to change something runs an update: a function that reads the
// state, adds records and announces events. When it returns, the records are
// checked, journaled, synced and applied, in that order, as one frame; then the
// events can be seen. If it returns an error, or the journal does, nothing has
// happened. Readers never wait for flash: they share the state with each other
// and are kept out only while records are applied.
package book

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/wallet/journal"
	"github.com/boatd/boatd/wallet/ledger"
)

// ErrFlash is what a failed durable write wraps: the command that needed it has
// not happened, everything else goes on.
var ErrFlash = errors.New("flash write failed")

// A Config is what a Book is opened with.
type Config struct {
	FS        vfs.FS
	Rand      io.Reader
	Now       func() time.Time // with a monotonic reading
	Log       *slog.Logger
	KeepEnded int
	Journal   journal.Options // FS, Rand, Major and Minor are filled in here
}

// A Book is an open ledger.
type Book struct {
	cfg Config
	j   *journal.Journal

	write sync.Mutex // held by an update from its first read to the applied record
	gate  gate       // guards st; shut only to apply
	st    *ledger.State

	start   time.Time // of this boot
	base    uint64    // running seconds of all earlier boots
	ride    func(*ledger.State) []ledger.Record
	events  *eventLog
	changed broadcast
	commits atomic.Uint64
}

// Open reads the journal in cfg.FS, or starts an empty one, and notes the start.
func Open(cfg Config) (*Book, error) {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	b := &Book{cfg: cfg, st: ledger.NewState(cfg.KeepEnded), start: cfg.Now()}
	o := cfg.Journal
	o.FS, o.Rand, o.Major, o.Minor = cfg.FS, cfg.Rand, ledger.Major, ledger.Minor
	var err error
	b.j, err = journal.Open(o, func(payload []byte) error {
		batch, err := ledger.UnmarshalBatch(payload)
		if err != nil {
			return err
		}
		return b.st.Apply(batch)
	})
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	b.base = b.st.Running
	b.events = newEventLog(b.st.Meta.Sequence + 1)
	switch err := b.noteStart(); {
	case errors.Is(err, ErrFlash): // full or read-only: what needs no write goes on
		cfg.Log.Error("this start is not counted", "err", err)
	case err != nil:
		b.j.Close()
		return nil, err
	}
	return b, nil
}

// Sound returns nil when everything in the state is known to be durable, and
// makes it so where it can. After a start on flash that takes no writes it may
// not be; then nothing may act on the state.
func (b *Book) Sound() error {
	b.write.Lock()
	defer b.write.Unlock()
	if !b.j.Stats().InDoubt {
		return nil
	}
	return b.repair()
}

func (b *Book) repair() error {
	if err := b.j.Repair(); err != nil {
		return fmt.Errorf("%w: %w", ErrFlash, err)
	}
	return nil
}

// Durable returns nil when what the state was read from is durable, and makes it
// so where it can: an answer that rests on the state promises that it stays. What
// was written since the start is durable anyway.
func (b *Book) Durable() error {
	b.write.Lock()
	defer b.write.Unlock()
	return b.durable()
}

// durable is Durable with b.write held.
func (b *Book) durable() error {
	if !b.j.Stats().Unconfirmed {
		return nil
	}
	return b.repair()
}

// noteStart counts the start, reserves event numbers above all that were ever
// given, and gives a new device its instance.
func (b *Book) noteStart() error {
	return b.Update(func(u *Update) error {
		m := u.State().Meta
		m.Starts++
		m.Sequence += sequenceBlock
		if len(m.Instance) == 0 {
			m.Instance = make([]byte, 16)
			if _, err := io.ReadFull(b.cfg.Rand, m.Instance); err != nil {
				return fmt.Errorf("reading random bytes for the instance: %w", err)
			}
		}
		u.Add(m)
		return nil
	})
}

// Close ends the book. Updates after it fail.
func (b *Book) Close() error {
	b.write.Lock()
	defer b.write.Unlock()
	return b.j.Close()
}

// View runs f with the state, which f must not change or keep.
func (b *Book) View(f func(*ledger.State)) {
	b.gate.enter()
	defer b.gate.leave()
	f(b.st)
}

// Running returns the time that boatd has been running in all its boots, in
// seconds. What passed since the last journaled record of an earlier boot is
// not in it: it never says more than was.
func (b *Book) Running() uint64 {
	return b.base + uint64(max(0, b.cfg.Now().Sub(b.start))/time.Second)
}

// Uptime returns the seconds since the start.
func (b *Book) Uptime() uint64 { return b.Running() - b.base }

// An Update collects what one update changes.
type Update struct {
	b       *Book
	records []ledger.Record
	events  []Event
	rode    bool // what rides along is among the records
}

// State is the state before the update. It is read only.
func (u *Update) State() *ledger.State { return u.b.st }

// Running is Book.Running at the time of the update.
func (u *Update) Running() uint64 { return u.b.Running() }

// Add adds records to what the update will journal.
func (u *Update) Add(rs ...ledger.Record) { u.records = append(u.records, rs...) }

// Emit announces an event when the update is durable and returns its number.
func (u *Update) Emit(e Event) uint32 {
	e.Seq = u.Next()
	u.events = append(u.events, e)
	return e.Seq
}

// Next is the number that the next Emit will give.
func (u *Update) Next() uint32 { return u.b.events.next + uint32(len(u.events)) }

// Ride has the records of f written together with those of every update that
// writes any: what is worth keeping, but not a write of its own. f must not call
// the book. It is set before updates run side by side.
func (b *Book) Ride(f func(*ledger.State) []ledger.Record) { b.ride = f }

// Flush writes what would ride along with the next update, if there is any.
func (b *Book) Flush() error {
	return b.Update(func(u *Update) error {
		u.takeAlong()
		return nil
	})
}

// takeAlong adds what rides along, once.
func (u *Update) takeAlong() {
	if u.b.ride != nil && !u.rode {
		u.Add(u.b.ride(u.b.st)...)
		u.rode = true
	}
}

// Update runs f and makes durable what it added, or, when it added nothing, what
// it found. An error of f is returned as it is; a failed write wraps ErrFlash.
// Either way nothing has changed.
func (b *Book) Update(f func(*Update) error) error {
	_, err := b.update(f)
	return err
}

// UpdateProven is Update, and then reads back from flash what was written and
// returns it.
func (b *Book) UpdateProven(f func(*Update) error) (ledger.Batch, error) {
	pos, err := b.update(f)
	if err != nil {
		return ledger.Batch{}, err
	}
	payload, err := b.j.ReadBack(pos)
	if err != nil {
		return ledger.Batch{}, fmt.Errorf("reading back what was written: %w: %w", ErrFlash, err)
	}
	return ledger.UnmarshalBatch(payload)
}

func (b *Book) update(f func(*Update) error) (journal.Pos, error) {
	b.write.Lock()
	defer b.write.Unlock()
	u := &Update{b: b}
	if err := f(u); err != nil {
		return journal.Pos{}, err
	}
	if len(u.records) == 0 && len(u.events) == 0 { // it is so already, if what was read is durable
		return journal.Pos{}, b.durable()
	}
	u.reserveSequence()
	var pos journal.Pos
	if len(u.records) > 0 {
		u.takeAlong()
		var err error
		if pos, err = b.commit(u.records); err != nil {
			return pos, err
		}
	}
	b.events.publish(u.events)
	if len(u.records) > 0 {
		b.commits.Add(1)
		b.changed.send()
	}
	return pos, nil
}

// reserveSequence adds a block of event numbers when the update uses up the
// reserved ones.
func (u *Update) reserveSequence() {
	last := u.b.events.next + uint32(len(u.events)) - 1
	if len(u.events) == 0 || last <= u.b.st.Meta.Sequence {
		return
	}
	meta := u.b.st.Meta
	for i, r := range u.records {
		if m, ok := r.(ledger.Meta); ok {
			meta = m
			u.records = append(u.records[:i], u.records[i+1:]...)
			break
		}
	}
	meta.Sequence = last + sequenceBlock
	u.records = append([]ledger.Record{meta}, u.records...)
}

// commit journals records and applies them. b.write is held.
func (b *Book) commit(records []ledger.Record) (journal.Pos, error) {
	for _, r := range records {
		if err := b.st.Check(r); err != nil {
			return journal.Pos{}, fmt.Errorf("checking a record before it is written: %w", err)
		}
	}
	batch := ledger.Batch{Running: max(b.Running(), b.st.Running), Records: records}
	payload, err := batch.Marshal()
	if err != nil {
		return journal.Pos{}, err
	}
	pos, err := b.j.Append(payload)
	if err != nil {
		b.cfg.Log.Error("journal write failed", "err", err)
		return pos, fmt.Errorf("%w: %w", ErrFlash, err)
	}
	b.gate.shut()
	defer b.gate.open()
	if err := b.st.Apply(batch); err != nil {
		return pos, fmt.Errorf("applying a record that is written: %w", err)
	}
	return pos, nil
}

// Emit announces an event that changes nothing durable.
func (b *Book) Emit(e Event) {
	if err := b.Update(func(u *Update) error { u.Emit(e); return nil }); err != nil {
		b.cfg.Log.Warn("event lost: its number could not be reserved", "event", e.Name, "err", err)
	}
}

// Journal returns the figures of the journal. It waits for a write that is under
// way.
func (b *Book) Journal() journal.Stats {
	b.write.Lock()
	defer b.write.Unlock()
	return b.j.Stats()
}

// Commits counts the durable changes of this boot.
func (b *Book) Commits() uint64 { return b.commits.Load() }

// Changed returns a channel that is closed at the next change of the state.
func (b *Book) Changed() <-chan struct{} { return b.changed.wait() }

// Compact rewrites the journal when it has grown enough, or now if forced. A
// failure is not one of what the journal holds: it stays as it is.
func (b *Book) Compact(force bool) error {
	b.write.Lock()
	defer b.write.Unlock()
	if !force && !b.j.ShouldRotate() {
		return nil
	}
	err := b.j.Rotate(func(emit func([]byte) error) error {
		return b.st.Dump(func(batch ledger.Batch) error {
			payload, err := batch.Marshal()
			if err != nil {
				return err
			}
			return emit(payload)
		})
	})
	if err != nil {
		return fmt.Errorf("compacting the journal: %w: %w", ErrFlash, err)
	}
	return nil
}

// A gate lets readers in while it is open, also while somebody waits to shut it:
// unlike a sync.RWMutex, a reader may be one twice, for a View in a View, without
// both waiting for each other.
type gate struct {
	mu     sync.Mutex // held while it is shut
	inside int
	empty  chan struct{} // closed when the last one leaves; nil while nobody waits
}

func (g *gate) enter() {
	g.mu.Lock()
	g.inside++
	g.mu.Unlock()
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside--; g.inside == 0 && g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	for g.inside > 0 {
		if g.empty == nil {
			g.empty = make(chan struct{})
		}
		empty := g.empty
		g.mu.Unlock()
		<-empty
		g.mu.Lock()
	}
}

func (g *gate) open() { g.mu.Unlock() }

// broadcast wakes all who wait by closing a channel.
type broadcast struct {
	mu sync.Mutex
	c  chan struct{}
}

func (b *broadcast) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *broadcast) send() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}
