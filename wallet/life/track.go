package life

import (
	"encoding/hex"
	"errors"
	"math/big"
	"strconv"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
)

// recheck is how many of the newest confirmed transactions of a network are
// looked at again when a block that was final has vanished.
const recheck = 16

// track looks at the chain once, when it is time, and writes what it says about
// every signed transaction.
func (s *sweep) track() error {
	signed, since := s.watched()
	if len(signed) == 0 {
		return nil
	}
	if since == (chains.Head{}) {
		s.cfg.Book.View(func(st *ledger.State) {
			if n := st.Networks[s.net.Name]; n != nil {
				since = n.Final
			}
		})
	}
	timed := s.timed()
	watches := make([]chains.Watch, len(signed))
	for i, t := range signed {
		watches[i] = chains.Watch{Account: s.account(t), Attempts: t.Attempts, Confirm: t.Confirm, Timed: timed}
	}
	ctx, cancel := s.converse()
	defer cancel()
	sight, err := s.net.Track(ctx, since, watches)
	if err != nil {
		return err
	}
	s.sawHead(sight.Head)
	if sight.Replaced {
		if err := s.finalBlockVanished(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	if sight.Final.Hash != "" {
		s.line.final, s.line.finalAt = sight.Final, s.cfg.Now()
	}
	s.mu.Unlock()
	if err := s.observe(signed, sight); err != nil {
		return err
	}
	s.schedule()
	return nil
}

// soon is by how much a look is brought forward to save one of its own.
const soon = time.Second

// watched returns the signed transactions that are to be looked at now, if it is
// time, and the newest final block. One look serves all that are due about now.
func (s *sweep) watched() (due []*ledger.Tx, since chains.Head) {
	open := s.open()
	s.mu.Lock()
	now, any := s.cfg.Now(), false
	for _, t := range open {
		w := s.item(s.line, t.ID)
		if t.Signed() && w.poll.Before(now.Add(soon)) {
			due = append(due, t)
			any = any || !now.Before(w.poll)
		}
	}
	if !any {
		due = nil
	}
	for _, t := range due {
		s.item(s.line, t.ID).poll = time.Time{}
	}
	since = s.line.final
	s.mu.Unlock()
	return due, since
}

// observe writes what a sight says, all of it in one step.
func (s *sweep) observe(signed []*ledger.Tx, sight *chains.Sight) error {
	return s.cfg.Book.Update(func(u *book.Update) error {
		ended := false
		for i := range sight.Evidence {
			t := u.State().Tx(signed[i].ID)
			if t == nil {
				continue
			}
			ended = s.weigh(u, t, &sight.Evidence[i], sight) || ended
		}
		if ended && sight.Final.Hash != "" {
			rec := ledger.Network{Name: s.net.Name}
			if old := u.State().Networks[s.net.Name]; old != nil {
				rec = *old
			}
			rec.Final = sight.Final
			u.Add(rec)
		}
		return nil
	})
}

// weigh turns evidence about one transaction into its next state, if it has
// one, and says whether it has ended. From the first signature on nothing else
// ends a transaction.
func (s *sweep) weigh(u *book.Update, t *ledger.Tx, ev *chains.Evidence, sight *chains.Sight) (ended bool) {
	if ev.Outcome == chains.Pending && t.State == ledger.Included &&
		(sight.Head.Number < t.Block.Number || errors.Is(ev.Err, chains.ErrDisagree)) {
		return false // a node that has not come so far, or contradicts itself, cannot say that the block is gone
	}
	s.mu.Lock()
	w := s.item(s.line, t.ID)
	w.confirmations = ev.Confirmations
	w.missing = ev.Outcome == chains.Pending && !ev.Known && !ev.Consumed
	if ev.Outcome != chains.Pending && w.included.IsZero() {
		w.included = s.cfg.Now()
	}
	s.mu.Unlock()
	if ev.Outcome == chains.Pending {
		return s.weighPending(u, t, ev, sight.Final)
	}
	reason := ledger.NoReason
	if ev.Outcome == chains.Reverted && t.Attempts[ev.Attempt].Purpose != chains.Cancel {
		reason = ledger.WouldRevert
		if errors.Is(ev.Err, chains.ErrInvalidated) {
			reason = ledger.NotEndorsed
		}
	}
	s.forgive(t.ID, ev)
	if t.State != ledger.Included {
		u.Emit(book.TxEvent(t.ID, ledger.Included, reason, t.Attempts[ev.Attempt].Hash))
	}
	if ev.Settled {
		s.conclude(u, t, ev, reason)
		return true
	}
	if t.State != ledger.Included || t.Included != ev.Attempt || t.Block.Hash != ev.Block.Hash || t.Reason != reason {
		u.Add(ledger.Moved{ID: t.ID, State: ledger.Included, Reason: reason, Included: ev.Attempt, Block: ev.Block})
	}
	return false
}

// forgive forgets what hindered a transaction that is included, but for nodes
// that disagree about it.
func (s *sweep) forgive(id uint32, ev *chains.Evidence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.item(s.line, id)
	w.fails, w.absent, w.reason = 0, chains.Head{}, ledger.NoReason
	if errors.Is(ev.Err, chains.ErrDisagree) {
		w.reason = ledger.Disagreement
	}
}

// conclude ends a transaction whose including block is final.
func (s *sweep) conclude(u *book.Update, t *ledger.Tx, ev *chains.Evidence, reason ledger.Reason) {
	end := ledger.Ended{ID: t.ID, State: ledger.Confirmed, Reason: reason, Included: ev.Attempt, Block: ev.Block, Confirmations: ev.Confirmations}
	switch {
	case t.Attempts[ev.Attempt].Purpose == chains.Cancel:
		end.State, end.Reason = ledger.Cancelled, ledger.NoReason
	case ev.Outcome == chains.Reverted:
		end.State = ledger.Reverted
	}
	if end.State != ledger.Confirmed {
		end.Spent = feeOf(u.State(), t, ev)
	}
	end.Event = u.Emit(book.TxEvent(t.ID, end.State, end.Reason, t.Attempts[ev.Attempt].Hash))
	u.Add(end)
}

// feeOf is what stays reserved when the value was not spent: the fee paid where
// the chain tells it, and at most what it can have been.
func feeOf(st *ledger.State, t *ledger.Tx, ev *chains.Evidence) *big.Int {
	most := new(big.Int)
	if sp := st.Spend(t.Wallet, t.ID); sp != nil && sp.Amount.Cmp(t.Intent.Native()) > 0 {
		most.Sub(sp.Amount, t.Intent.Native())
	}
	if ev.FeePaid != nil && ev.FeePaid.Cmp(most) < 0 {
		return ev.FeePaid
	}
	return most
}

// weighPending weighs evidence that no attempt is in a block.
func (s *sweep) weighPending(u *book.Update, t *ledger.Tx, ev *chains.Evidence, final chains.Head) (ended bool) {
	if t.State == ledger.Included { // its block has vanished
		u.Add(ledger.Moved{ID: t.ID, State: ledger.Sent})
		u.Emit(book.TxEvent(t.ID, ledger.Sent, ledger.NoReason, t.Attempts[len(t.Attempts)-1].Hash))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.item(s.line, t.ID)
	w.included = time.Time{}
	if !ev.Consumed {
		w.absent = chains.Head{}
		if w.reason == ledger.Disagreement {
			w.reason = ledger.NoReason
		}
		return false
	}
	w.reason = ledger.Disagreement
	switch {
	case !ev.Absent:
		w.absent = chains.Head{}
	case w.absent.Hash == "":
		w.absent = final
	case final.Number >= w.absent.Number+max(1, s.net.Options.Integer("confirmations")):
		seq := u.Emit(book.TxEvent(t.ID, ledger.Displaced, ledger.NoReason, t.Hash()))
		u.Add(ledger.Ended{ID: t.ID, State: ledger.Displaced, Event: seq, Spent: new(big.Int)})
		return true
	}
	return false
}

// finalBlockVanished raises an alarm for every newly confirmed transaction of
// the network that is not where it was. What a host was told does not change.
func (s *sweep) finalBlockVanished() error {
	var watches []chains.Watch
	var past []*ledger.Past
	s.cfg.Book.View(func(st *ledger.State) {
		since := uint32(0)
		if n := st.Networks[s.net.Name]; n != nil {
			since = n.Since
		}
		for i := len(st.Past) - 1; i >= 0 && len(past) < recheck; i-- {
			p := st.Past[i]
			if p.Net != s.net.Name || p.Block.Hash == "" || p.ID < since {
				continue
			}
			w := chains.Watch{}
			for _, h := range p.Hashes {
				w.Attempts = append(w.Attempts, chains.Attempt{Hash: hex.EncodeToString(h)})
			}
			past, watches = append(past, p), append(watches, w)
		}
	})
	if len(watches) == 0 {
		return nil
	}
	ctx, cancel := s.converse()
	defer cancel()
	sight, err := s.net.Track(ctx, chains.Head{}, watches)
	if err != nil {
		return err
	}
	for i, ev := range sight.Evidence {
		if ev.Outcome == chains.Pending || ev.Block.Hash != past[i].Block.Hash {
			s.cfg.Log.Error("a block that was final has vanished", "net", s.net.Name, "id", past[i].ID, "block", past[i].Block.Number)
			s.cfg.Book.Emit(book.Alarm(ledger.Disagreement, strconv.FormatUint(uint64(past[i].ID), 10)))
		}
	}
	return nil
}

// schedule sets when each signed transaction is looked at again: soon after a
// signature or an inclusion, but not before there can be another block, then ever
// more seldom: what has not moved for an hour is in no hurry.
func (s *sweep) schedule() {
	open := s.open()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	for _, t := range open {
		w := s.item(s.line, t.ID)
		if !t.Signed() || !w.poll.IsZero() {
			continue
		}
		from, least, most := w.since, max(time.Second, s.line.pace), 15*time.Second
		if t.State == ledger.Included && !w.included.IsZero() {
			from, least, most = w.included, max(3*time.Second, s.line.pace), time.Minute
		}
		age := now.Sub(from)
		w.poll = now.Add(max(least, min(most, age/4), min(5*time.Minute, age/60)))
	}
}
