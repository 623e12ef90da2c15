package book

import (
	"slices"
	"sort"
	"sync"

	"github.com/boatd/boatd/wallet/ledger"
)

const (
	// sequenceBlock is how many event numbers are reserved at a time.
	sequenceBlock = 1024
	// retained is how many events are kept in memory.
	retained = 256
)

// A Topic is what an event is about. The values are the bits of a channel's
// urc setting.
type Topic uint16

// The topics.
const (
	TopicTx    Topic = 1
	TopicEvent Topic = 2
	TopicLow   Topic = 4
	TopicNet   Topic = 8
	TopicPIN   Topic = 16
	TopicReady Topic = 32
	TopicAlarm Topic = 64
)

// An Event is something that hosts may be told without asking.
type Event struct {
	Seq    uint32
	Topic  Topic
	Name   string // as hosts see it
	Fields []any  // integers first, then strings
	// Hash is the hash of a transaction, for channels that want it.
	Hash string
	// Tx is the transaction that the event is about, 0 for none.
	Tx uint32
}

// TxEvent is the event of a transaction's state.
func TxEvent(id uint32, s ledger.TxState, r ledger.Reason, hash string) Event {
	return Event{Topic: TopicTx, Name: "tx", Fields: []any{id, uint32(s), uint32(r)}, Hash: hash, Tx: id}
}

// Alarm is the event of something that a person should look at.
func Alarm(code ledger.Reason, subject string) Event {
	return Event{Topic: TopicAlarm, Name: "alarm", Fields: []any{uint32(code), subject}}
}

// eventLog is the newest events in memory.
type eventLog struct {
	mu     sync.Mutex
	next   uint32 // changed only under Book.write
	ring   []Event
	held   map[uint32]int // transactions whose id no host knows yet
	wake   []func()
	forgot uint32 // acknowledged in this boot
}

func newEventLog(next uint32) *eventLog {
	return &eventLog{next: next, held: map[uint32]int{}}
}

func (l *eventLog) publish(es []Event) {
	if len(es) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next += uint32(len(es))
	l.ring = append(l.ring, es...)
	if over := len(l.ring) - retained; over > 0 {
		l.ring = slices.Delete(l.ring, 0, over)
	}
	l.tell()
}

// tell calls those who subscribed. l.mu is held.
func (l *eventLog) tell() {
	for _, f := range l.wake {
		f()
	}
}

// Subscribe has wake called whenever there may be new events. It must not block
// or call the book.
func (b *Book) Subscribe(wake func()) {
	l := b.events
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake = append(l.wake, wake)
}

// LastEvent returns the number of the newest event, and of the first one of
// this boot less one when there is none yet.
func (b *Book) LastEvent() uint32 {
	b.events.mu.Lock()
	defer b.events.mu.Unlock()
	return b.events.next - 1
}

// EventsAfter returns at most limit of the events in memory with numbers above
// seq that may be told now. One about a transaction that is held ends the list:
// order is never changed.
func (b *Book) EventsAfter(seq uint32, limit int) []Event {
	l := b.events
	l.mu.Lock()
	defer l.mu.Unlock()
	from := sort.Search(len(l.ring), func(i int) bool { return l.ring[i].Seq > seq })
	to := from
	for to < len(l.ring) && to-from < limit && (l.ring[to].Tx == 0 || l.held[l.ring[to].Tx] == 0) {
		to++
	}
	return slices.Clone(l.ring[from:to])
}

// Hold keeps the events of a transaction back until every Hold is released: no
// host is told of an id, unasked, before the answer that gave it the id.
func (b *Book) Hold(id uint32) (release func()) {
	l := b.events
	l.mu.Lock()
	l.held[id]++
	l.mu.Unlock()
	var once sync.Once
	return func() {
		once.Do(func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.held[id]--; l.held[id] <= 0 {
				delete(l.held, id)
			}
			l.tell()
		})
	}
}

// Retained returns at most limit events above seq, oldest first: what is in
// memory, and the ends of transactions that are on flash and not acknowledged.
func (b *Book) Retained(seq uint32, limit int) []Event {
	var all []Event
	b.View(func(st *ledger.State) {
		seq = max(seq, st.Meta.Acked)
		from := sort.Search(len(st.Past), func(i int) bool { return st.Past[i].Event > seq })
		for _, p := range st.Past[from:] {
			if len(all) == limit {
				break
			}
			e := TxEvent(p.ID, p.State, p.Reason, p.Hash())
			e.Seq = p.Event
			all = append(all, e)
		}
	})
	l := b.events
	l.mu.Lock()
	for _, e := range l.ring {
		if e.Seq > max(seq, l.forgot) {
			all = append(all, e)
		}
	}
	l.mu.Unlock()
	slices.SortStableFunc(all, func(a, b Event) int { return int(int64(a.Seq) - int64(b.Seq)) })
	all = slices.CompactFunc(all, func(a, b Event) bool { return a.Seq == b.Seq })
	return all[:min(len(all), limit)]
}

// RetainedRange returns the numbers of the oldest and the newest event that
// Retained has; 0 and 0 for none.
func (b *Book) RetainedRange() (first, last uint32) {
	all := b.Retained(0, 1<<31-1)
	if len(all) == 0 {
		return 0, 0
	}
	return all[0].Seq, all[len(all)-1].Seq
}

// Acknowledge forgets the events up to seq, on flash and in memory. Doing it
// again changes nothing and writes nothing.
func (b *Book) Acknowledge(seq uint32) error {
	seq = min(seq, b.LastEvent())
	err := b.Update(func(u *Update) error {
		m := u.State().Meta
		i := sort.Search(len(u.State().Past), func(i int) bool { return u.State().Past[i].Event > m.Acked })
		if i < len(u.State().Past) && u.State().Past[i].Event <= seq {
			m.Acked = seq
			u.Add(m)
		}
		return nil
	})
	if err == nil {
		b.events.forget(seq)
	}
	return err
}

// ForgetEvents empties the log in memory (reset level 0).
func (b *Book) ForgetEvents() { b.events.forget(b.LastEvent()) }

func (l *eventLog) forget(seq uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgot = max(l.forgot, seq)
	l.ring = slices.DeleteFunc(l.ring, func(e Event) bool { return e.Seq <= seq })
}
