package ledger

import (
	"cmp"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/boatd/boatd/chains"
)

// A Subscription is the contract events that hosts want to be told of, and how
// far the chain has been looked through for them.
//
// Up to Final nothing is looked at again. From there to Seen events were told,
// and their blocks may still be replaced by others: Marks has those blocks, and
// how far into each the events were told. So events are never told twice while
// the marks are there, and all that vanish are known.
type Subscription struct {
	N      uint32           `cbor:"1,keyasint"`
	Net    string           `cbor:"2,keyasint"`
	Filter chains.Filter    `cbor:"3,keyasint"`
	Chain  *chains.Identity `cbor:"4,keyasint,omitempty"` // nil before the first look
	Seen   chains.Head      `cbor:"5,keyasint"`           // without hash where only the number is known
	Final  uint64           `cbor:"6,keyasint"`
	Marks  []Mark           `cbor:"7,keyasint,omitempty"`
}

// A Mark is a block that is not final and of which events were told.
type Mark struct {
	Number uint64 `cbor:"1,keyasint"`
	Hash   []byte `cbor:"2,keyasint"`
	Below  uint64 `cbor:"3,keyasint"` // logs with a lower index were told
	First  uint32 `cbor:"4,keyasint"` // the records, without a gap between them
	Last   uint32 `cbor:"5,keyasint"`
}

// A SubscriptionGone ends a subscription. What it has told stays until it is
// acknowledged.
type SubscriptionGone struct {
	N uint32 `cbor:"1,keyasint"`
}

// Looked is how far a subscription has come.
type Looked struct {
	N     uint32          `cbor:"1,keyasint"`
	Chain chains.Identity `cbor:"2,keyasint"`
	Seen  chains.Head     `cbor:"3,keyasint"`
	Final uint64          `cbor:"4,keyasint"`
}

// An Event is an event of a contract that hosts are told of. It is kept until it
// is acknowledged.
type Event struct {
	Record uint32   `cbor:"1,keyasint"` // the number of its unsolicited code
	Sub    uint32   `cbor:"2,keyasint"`
	Block  uint64   `cbor:"3,keyasint"`
	Hash   []byte   `cbor:"4,keyasint"` // of the block
	Index  uint64   `cbor:"5,keyasint"` // among the logs of the block
	Tx     []byte   `cbor:"6,keyasint"` // hash
	Origin []byte   `cbor:"7,keyasint"` // address of the contract
	Topics [][]byte `cbor:"8,keyasint"`
	Data   []byte   `cbor:"9,keyasint"`
}

// size is what an event takes in memory and on flash, about.
func (e *Event) size() int {
	n := 64 + len(e.Hash) + len(e.Tx) + len(e.Origin) + len(e.Data)
	for _, t := range e.Topics {
		n += len(t)
	}
	return n
}

// Vanished ends the marks of a block that is not in the chain any more.
type Vanished struct {
	N    uint32 `cbor:"1,keyasint"`
	Hash []byte `cbor:"2,keyasint"`
}

// An Alarm is an alarm that is kept until it is acknowledged.
type Alarm struct {
	Seq     uint32 `cbor:"1,keyasint"`
	Code    Reason `cbor:"2,keyasint"`
	Subject string `cbor:"3,keyasint"`
}

// applyEvents applies what concerns contract events; it says false for other
// records.
func (s *State) applyEvents(r Record) bool {
	switch r := r.(type) {
	case Subscription:
		s.Subs[r.N] = &r
	case SubscriptionGone:
		delete(s.Subs, r.N)
	case Looked:
		s.looked(r)
	case Event:
		s.happened(&r)
	case Vanished:
		if sub := s.Subs[r.N]; sub != nil {
			sub.Marks = slices.DeleteFunc(sub.Marks, func(m Mark) bool { return string(m.Hash) == string(r.Hash) })
		}
	case Alarm:
		if r.Seq > s.Meta.Acked {
			s.Alarms = append(s.Alarms, &r)
		}
	default:
		return false
	}
	return true
}

func (s *State) looked(r Looked) {
	sub := s.Subs[r.N]
	if sub == nil {
		return
	}
	if sub.Chain != nil && *sub.Chain != r.Chain {
		sub.Marks = nil
	}
	sub.Chain, sub.Seen, sub.Final = &r.Chain, r.Seen, r.Final
	sub.Marks = slices.DeleteFunc(sub.Marks, func(m Mark) bool { return m.Number <= r.Final })
}

func (s *State) happened(e *Event) {
	if e.Record > s.Meta.Acked {
		s.Events = append(s.Events, e)
		s.EventBytes += e.size()
	}
	if sub := s.Subs[e.Sub]; sub != nil && e.Block > sub.Final {
		sub.mark(e)
	}
}

// mark notes that an event was told.
func (sub *Subscription) mark(e *Event) {
	for i := range sub.Marks {
		if m := &sub.Marks[i]; string(m.Hash) == string(e.Hash) && e.Record == m.Last+1 {
			m.Last, m.Below = e.Record, e.Index+1
			return
		}
	}
	sub.Marks = append(sub.Marks, Mark{Number: e.Block, Hash: e.Hash, Below: e.Index + 1, First: e.Record, Last: e.Record})
}

// Told says whether the event with an index in the block called hash was told.
func (sub *Subscription) Told(hash []byte, index uint64) bool {
	return slices.ContainsFunc(sub.Marks, func(m Mark) bool { return string(m.Hash) == string(hash) && index < m.Below })
}

// Event returns an event that is kept, nil without it.
func (s *State) Event(record uint32) *Event {
	i, ok := slices.BinarySearchFunc(s.Events, record, func(e *Event, r uint32) int { return cmp.Compare(e.Record, r) })
	if !ok {
		return nil
	}
	return s.Events[i]
}

// acknowledged forgets what hosts have acknowledged.
func (s *State) acknowledged() {
	n := 0
	for n < len(s.Events) && s.Events[n].Record <= s.Meta.Acked {
		s.EventBytes -= s.Events[n].size()
		n++
	}
	s.Events = slices.Delete(s.Events, 0, n)
	s.Alarms = slices.DeleteFunc(s.Alarms, func(a *Alarm) bool { return a.Seq <= s.Meta.Acked })
}

// checkEvents is Check for what concerns contract events.
func (s *State) checkEvents(r Record) error {
	switch r := r.(type) {
	case Subscription:
		return when(r.N == 0, "subscription without a number")
	case Event:
		newest := uint32(0)
		if n := len(s.Events); n > 0 {
			newest = s.Events[n-1].Record
		}
		return when(r.Record <= newest, "event %d behind %d", r.Record, newest)
	}
	return nil
}

// appendEvents adds events, alarms and subscriptions to a dump. The subscriptions
// come last, with marks that have the events in them already.
func (s *State) appendEvents(all []Record) []Record {
	for _, e := range s.Events {
		all = append(all, *e)
	}
	for _, a := range s.Alarms {
		all = append(all, *a)
	}
	for _, n := range slices.Sorted(maps.Keys(s.Subs)) {
		all = append(all, *s.Subs[n])
	}
	return all
}

// TxHash returns the hash of an event's transaction, lower-case hex.
func (e *Event) TxHash() string { return hex.EncodeToString(e.Tx) }
