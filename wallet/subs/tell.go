package subs

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
)

// stuck raises an alarm, once a start, about a block that has more events of a
// subscription than an answer can hold: it does not go on until a node shows them.
func (l *look) stuck(n uint32) {
	l.mu.Lock()
	p := l.pace(l.net.Name)
	known := p.stuck[n]
	p.stuck[n] = true
	l.mu.Unlock()
	if known {
		return
	}
	err := l.cfg.Book.Update(func(u *book.Update) error {
		keepAlarm(u, ledger.NodeRefused, fmt.Sprintf("subscription %d", n))
		return nil
	})
	if err != nil {
		l.cfg.Log.Warn("an alarm was not written", "subscription", n, "err", err)
	}
}

// keepAlarm raises an alarm that is kept until it is acknowledged.
func keepAlarm(u *book.Update, code ledger.Reason, subject string) {
	a := ledger.Alarm{Code: code, Subject: subject}
	a.Seq = u.Emit(book.Alarm(code, subject))
	u.Add(a)
}

// write tells hosts of what vanished and then of the next events, as many as fit
// into one step, and writes how far the subscription has come. It returns how many
// it told of and the one at which it stopped, nil for none.
func (l *look) write(t *task, last chains.Head, events []chains.Event, gone [][]byte) (cut *chains.Event, told int, err error) {
	var end cursor
	err = l.cfg.Book.Update(func(u *book.Update) error {
		sub, err := l.still(u.State(), &t.sub)
		if err != nil {
			return err
		}
		left := l.tellVanished(u, sub, gone)
		end = cursor{t.from.chain, last, t.from.final}
		if told, cut = l.tell(u, sub, events, min(left, batch)); cut != nil {
			end.seen = chains.Head{Number: cut.Block.Number - 1}
		}
		if t.whole {
			end.final = max(end.final, min(end.seen.Number, l.final))
		}
		fewer := end.final > sub.Final && len(sub.Marks) >= maxMarks
		if told > 0 || len(gone) > 0 || fewer || end.seen.Number >= sub.Seen.Number+written {
			u.Add(ledger.Looked{N: sub.N, Chain: end.chain, Seen: end.seen, Final: end.final})
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	l.found = l.found || told > 0 || len(gone) > 0
	forward := told > 0 || end.seen.Number > t.from.seen.Number || end.final > t.from.final
	l.behind = forward && end.seen.Number < l.horizon.Head || l.behind
	t.from = end
	l.remember(t.sub.N, end)
	return cut, told, nil
}

// tellVanished raises an alarm for every run of records of blocks that are gone,
// and returns how much room is left.
func (l *look) tellVanished(u *book.Update, sub *ledger.Subscription, gone [][]byte) (left int) {
	left = room(u.State())
	for _, m := range sub.Marks {
		if !slices.ContainsFunc(gone, func(h []byte) bool { return string(h) == string(m.Hash) }) {
			continue
		}
		subject := fmt.Sprintf("event %d", m.First)
		if m.Last > m.First {
			subject += fmt.Sprintf("-%d", m.Last)
		}
		keepAlarm(u, ledger.Disagreement, subject)
		left--
	}
	for _, h := range gone {
		u.Add(ledger.Vanished{N: sub.N, Hash: h})
	}
	return max(0, left)
}

// tell tells of the first events that were not told, at most limit. It returns
// how many and the one at which it stopped, nil for none.
func (l *look) tell(u *book.Update, sub *ledger.Subscription, events []chains.Event, limit int) (told int, cut *chains.Event) {
	step := 0
	for i := range events {
		e := &events[i]
		hash, _ := hex.DecodeString(e.Block.Hash)
		if sub.Told(hash, e.Index) {
			continue
		}
		rec := record(u.Next(), sub.N, hash, e)
		if told == limit || told > 0 && step+len(rec.Data) > stepBytes || u.State().EventBytes+step > MaxKeptBytes || crowded(sub, hash) {
			return told, e
		}
		u.Emit(book.ContractEvent(sub.N, rec.Record, rec.Block))
		u.Add(rec)
		told++
		step += len(rec.Data)
	}
	return told, nil
}

// stepBytes bounds the data of one step: with the rest of batch events, and an
// alarm for every block that was replaced, it must fit a frame of the journal.
const stepBytes = MaxData

func record(number, sub uint32, hash []byte, e *chains.Event) ledger.Event {
	tx, _ := hex.DecodeString(e.Tx)
	return ledger.Event{Record: number, Sub: sub, Block: e.Block.Number, Hash: hash, Index: e.Index, Tx: tx,
		Origin: e.Address, Topics: e.Topics, Data: e.Data[:min(len(e.Data), MaxData)]}
}
