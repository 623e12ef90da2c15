package ledger

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/boatd/boatd/chains"
)

// event is the record's event of a subscription, in a block whose hash is its
// number.
func event(record, sub uint32, block uint64) Event {
	return Event{Record: record, Sub: sub, Block: block, Hash: []byte{byte(block)}, Index: uint64(record), Tx: []byte{1}, Origin: []byte{2}, Topics: [][]byte{{3}}, Data: []byte{4, 5}}
}

func looked(seen, final uint64) Looked {
	return Looked{N: 1, Chain: account.Chain, Seen: chains.Head{Number: seen, Hash: "ab"}, Final: final}
}

// TestMarks: what was told of blocks that are not final is known until they are,
// whatever was acknowledged, and in a snapshot.
func TestMarks(t *testing.T) {
	s := state(t, 10, Subscription{N: 1, Net: "net"}, looked(4, 4),
		event(10, 1, 5), event(11, 1, 5), event(13, 1, 5), event(14, 1, 7), event(15, 2, 7), looked(7, 4), Meta{Acked: 13})
	told := func(block byte, index uint64, want bool) {
		t.Helper()
		if s.Subs[1].Told([]byte{block}, index) != want {
			t.Errorf("log %d of block %d was told: %v", index, block, !want)
		}
	}
	check := func() {
		t.Helper()
		told(5, 10, true)
		told(5, 13, true)
		told(5, 14, false)
		told(7, 14, true)
		told(6, 0, false)
	}
	check()
	if n := len(s.Subs[1].Marks); n != 3 { // 10 and 11, 13, 14
		t.Errorf("%d marks", n)
	}
	s = reload(t, s)
	check()
	ok(t, s.Apply(Batch{Records: []Record{Vanished{N: 1, Hash: []byte{7}}}}))
	told(7, 14, false)
	ok(t, s.Apply(Batch{Records: []Record{looked(9, 5)}}))
	if n := len(s.Subs[1].Marks); n != 0 {
		t.Errorf("%d marks of final blocks", n)
	}
	ok(t, s.Apply(Batch{Records: []Record{event(20, 1, 8)}}))
	other := looked(3, 3)
	other.Chain.Genesis = "another"
	ok(t, s.Apply(Batch{Records: []Record{other}}))
	if n := len(s.Subs[1].Marks); n != 0 {
		t.Errorf("%d marks of another chain", n)
	}
}

// TestEvents: they are kept until acknowledged or reset.
func TestEvents(t *testing.T) {
	s := state(t, 10, Meta{Acked: 2}, event(2, 1, 1), event(3, 1, 1), Alarm{Seq: 4, Code: 7046, Subject: "event 3"}, event(5, 1, 2))
	if s.Event(2) != nil || s.Event(3) == nil || s.Event(4) != nil || !reflect.DeepEqual(*s.Event(5), event(5, 1, 2)) || len(s.Alarms) != 1 {
		t.Errorf("%v, %v", s.Events, s.Alarms)
	}
	if err := s.Apply(Batch{Records: []Record{event(5, 1, 3)}}); !errors.Is(err, ErrImpossible) {
		t.Errorf("a record twice: %v", err)
	}
	bytesOf := s.EventBytes
	if again := reload(t, s); again.EventBytes != bytesOf || bytesOf == 0 || !bytes.Equal(dump(t, again), dump(t, s)) {
		t.Errorf("%d bytes, %d in a snapshot", bytesOf, again.EventBytes)
	}
	ok(t, s.Apply(Batch{Records: []Record{Meta{Acked: 4}}}))
	if len(s.Events) != 1 || len(s.Alarms) != 0 || s.EventBytes >= bytesOf {
		t.Errorf("%d events, %d alarms, %d bytes", len(s.Events), len(s.Alarms), s.EventBytes)
	}
	ok(t, s.Apply(Batch{Records: []Record{Subscription{N: 1, Net: "net"}, Reset{}}}))
	if len(s.Events)+len(s.Subs)+s.EventBytes != 0 {
		t.Errorf("after a factory reset: %v, %v, %d bytes", s.Events, s.Subs, s.EventBytes)
	}
	if err := s.Apply(Batch{Records: []Record{Subscription{}}}); !errors.Is(err, ErrImpossible) {
		t.Errorf("a subscription without a number: %v", err)
	}
}
