package book

import (
	"cmp"
	"math"
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
	// Tx is the transaction that the event is about, 0 for none, and Sub the
	// subscription.
	Tx, Sub uint32
}

// A subject is what an event is about.
type subject struct{ tx, sub uint32 }

// TxEvent is the event of a transaction's state.
func TxEvent(id uint32, s ledger.TxState, r ledger.Reason, hash string) Event {
	return Event{Topic: TopicTx, Name: "tx", Fields: []any{id, uint32(s), uint32(r)}, Hash: hash, Tx: id}
}

// Alarm is the event of something that a person should look at.
func Alarm(code ledger.Reason, subject string) Event {
	return Event{Topic: TopicAlarm, Name: "alarm", Fields: []any{uint32(code), subject}}
}

// ContractEvent is the event of something that a contract logged: a
// subscription's number, the record and the block.
func ContractEvent(n, record uint32, block uint64) Event {
	return Event{Topic: TopicEvent, Name: "event", Fields: []any{n, record, block}, Sub: n}
}

// eventLog is the newest events in memory.
type eventLog struct {
	mu     sync.Mutex
	first  uint32 // of this boot
	next   uint32 // changed only under Book.write
	ring   []Event
	held   map[subject]int // what has a number that no host knows yet
	wake   []func()
	forgot uint32 // acknowledged in this boot
}

func newEventLog(next uint32) *eventLog {
	return &eventLog{first: next, next: next, held: map[subject]int{}}
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

// EventsAfter returns at most limit of the events of this boot with numbers above
// seq that may be told now, of those that are not in memory any more what is on
// flash. One about something that is held ends the list: order is never
// changed.
func (b *Book) EventsAfter(seq uint32, limit int) []Event {
	l := b.events
	l.mu.Lock()
	seq = max(seq, l.forgot, l.first-1)
	behind := len(l.ring) > 0 && seq+1 < l.ring[0].Seq
	l.mu.Unlock()
	if behind {
		return l.tellable(b.Retained(seq, limit))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	from := sort.Search(len(l.ring), func(i int) bool { return l.ring[i].Seq > seq })
	es := l.ring[from:]
	return l.untilHeld(es[:min(len(es), limit)])
}

func (l *eventLog) tellable(es []Event) []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.untilHeld(es)
}

// untilHeld returns a copy of es up to the first that is held. l.mu is held.
func (l *eventLog) untilHeld(es []Event) []Event {
	to := 0
	for to < len(es) && l.held[subject{es[to].Tx, es[to].Sub}] == 0 {
		to++
	}
	return slices.Clone(es[:to])
}

// Hold keeps the events of a transaction back until every Hold is released: no
// host is told of an id, unasked, before the answer that gave it the id.
func (b *Book) Hold(id uint32) (release func()) { return b.events.hold(subject{tx: id}) }

// HoldSubscription is Hold for the events of a subscription.
func (b *Book) HoldSubscription(n uint32) (release func()) { return b.events.hold(subject{sub: n}) }

func (l *eventLog) hold(s subject) (release func()) {
	l.mu.Lock()
	l.held[s]++
	l.mu.Unlock()
	var once sync.Once
	return func() {
		once.Do(func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.held[s]--; l.held[s] <= 0 {
				delete(l.held, s)
			}
			l.tell()
		})
	}
}

// Retained returns at most limit events above seq, oldest first: what is in
// memory, and what is on flash and not acknowledged: the ends of transactions,
// contract events, and alarms about them.
func (b *Book) Retained(seq uint32, limit int) []Event {
	var all []Event
	b.View(func(st *ledger.State) {
		seq = max(seq, st.Meta.Acked)
		all = kept(all, st.Past, seq, limit, func(p *ledger.Past) Event { return numbered(p.Event, TxEvent(p.ID, p.State, p.Reason, p.Hash())) })
		all = kept(all, st.Events, seq, limit, func(e *ledger.Event) Event { return numbered(e.Record, ContractEvent(e.Sub, e.Record, e.Block)) })
		all = kept(all, st.Alarms, seq, limit, func(a *ledger.Alarm) Event { return numbered(a.Seq, Alarm(a.Code, a.Subject)) })
	})
	l := b.events
	l.mu.Lock()
	for _, e := range l.ring {
		if e.Seq > max(seq, l.forgot) {
			all = append(all, e)
		}
	}
	l.mu.Unlock()
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Compare(a.Seq, b.Seq) })
	all = slices.CompactFunc(all, func(a, b Event) bool { return a.Seq == b.Seq })
	return all[:min(len(all), limit)]
}

// kept adds the events of at most limit records above seq; records are in the
// order of their events.
func kept[T any](all []Event, records []T, seq uint32, limit int, event func(T) Event) []Event {
	from := sort.Search(len(records), func(i int) bool { return event(records[i]).Seq > seq })
	records = records[from:]
	for _, r := range records[:min(len(records), limit)] {
		all = append(all, event(r))
	}
	return all
}

func numbered(seq uint32, e Event) Event {
	e.Seq = seq
	return e
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
		if m := u.State().Meta; seq > m.Acked && oldestKept(u.State()) <= seq {
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

// oldestKept returns the number of the oldest event on flash that is not
// acknowledged, a number above all where there is none.
func oldestKept(st *ledger.State) uint32 {
	oldest := uint32(math.MaxUint32)
	if i := sort.Search(len(st.Past), func(i int) bool { return st.Past[i].Event > st.Meta.Acked }); i < len(st.Past) {
		oldest = st.Past[i].Event
	}
	if len(st.Events) > 0 {
		oldest = min(oldest, st.Events[0].Record)
	}
	if len(st.Alarms) > 0 {
		oldest = min(oldest, st.Alarms[0].Seq)
	}
	return oldest
}

// ForgetEvents empties the log in memory (reset level 0).
func (b *Book) ForgetEvents() { b.events.forget(b.LastEvent()) }

func (l *eventLog) forget(seq uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgot = max(l.forgot, seq)
	l.ring = slices.DeleteFunc(l.ring, func(e Event) bool { return e.Seq <= seq })
}
