package life

import (
	"errors"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/refusal"
)

// This file tells hosts why something does not move.

// failed notes that the network could not be talked with: everything waits,
// with the reason, until the backoff is over.
func (s *sweep) failed(err error) {
	if s.ctx.Err() != nil {
		return
	}
	why := networkReason(err)
	if why == ledger.BudgetUsed { // nobody has failed: the next day goes on with it
		s.setReason(why)
		return
	}
	s.mu.Lock()
	s.line.fails++
	s.line.resume = s.cfg.Now().Add(s.backoff(s.line.fails))
	fails := s.line.fails
	s.mu.Unlock()
	s.reach(reachDown)
	s.setReason(why)
	level := s.cfg.Log.Info
	if fails == 1 || why == ledger.OtherChain || errors.Is(err, book.ErrFlash) {
		level = s.cfg.Log.Warn
	}
	level("network work failed", "net", s.net.Name, "err", err, "failures", fails)
}

// networkReason is why nothing moves on a network.
func networkReason(err error) ledger.Reason {
	switch {
	case errors.Is(err, chains.ErrOtherChain):
		return ledger.OtherChain
	case errors.Is(err, chains.ErrBudget):
		return ledger.BudgetUsed
	case errors.Is(err, chains.ErrRefused):
		return ledger.NodeRefused
	case errors.Is(err, chains.ErrDisagree):
		return ledger.Disagreement
	case errors.Is(err, book.ErrFlash):
		return ledger.InternalFailure
	default:
		return ledger.Unreachable
	}
}

func (s *sweep) succeeded() {
	s.mu.Lock()
	s.line.fails, s.line.resume = 0, time.Time{}
	s.line.reason = ledger.NoReason
	s.mu.Unlock()
	if s.talked {
		s.reach(reachUp)
	}
}

// A reach says whether the last conversation with a network succeeded.
type reach uint8

const (
	reachUnknown reach = iota
	reachDown
	reachUp
)

// reach notes whether the network can be reached, and tells hosts when that has
// changed.
func (s *sweep) reach(r reach) {
	s.mu.Lock()
	news := s.line.reach != r
	s.line.reach = r
	s.mu.Unlock()
	if news {
		s.cfg.Book.Emit(book.Event{Topic: book.TopicNet, Name: "net", Fields: []any{uint32(r - reachDown), s.net.Name}})
	}
}

func (s *sweep) resumeAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.line.resume
}

// setReason notes why nothing moves on the whole network and tells hosts, once
// for each transaction that waits to be signed.
func (s *sweep) setReason(why ledger.Reason) {
	s.mu.Lock()
	s.line.reason = why
	s.mu.Unlock()
	for _, t := range s.open() {
		if t.State == ledger.Accepted {
			s.tell(t, why)
			s.overrule(t.ID)
		}
	}
}

// overrule lets the network's reason stand for that of a transaction that only
// waits to be tried again.
func (s *sweep) overrule(id uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.item(s.line, id); !w.parked {
		w.reason = ledger.NoReason
	}
}

// tell tells hosts why a transaction does not move, when that has changed.
func (s *sweep) tell(t *ledger.Tx, why ledger.Reason) {
	s.mu.Lock()
	w := s.item(s.line, t.ID)
	news := w.told != why && why != ledger.NoReason
	w.told = why
	s.mu.Unlock()
	if news {
		s.cfg.Book.Emit(book.TxEvent(t.ID, t.State, why, t.Hash()))
	}
}

// hinder notes why one transaction does not move, and when to try it again.
func (s *sweep) hinder(t *ledger.Tx, why ledger.Reason, err error) {
	s.mu.Lock()
	w := s.item(s.line, t.ID)
	w.fails++
	w.reason = why
	w.resume = s.cfg.Now().Add(s.backoff(w.fails))
	s.mu.Unlock()
	s.cfg.Log.Info("transaction waits", "id", t.ID, "net", s.net.Name, "reason", uint16(why), "err", err)
	s.tell(t, why)
}

// free notes that nothing hinders a transaction.
func (s *sweep) free(id uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.item(s.line, id)
	w.fails, w.reason, w.resume, w.told = 0, ledger.NoReason, time.Time{}, ledger.NoReason
}

// refusalReason is how a refusal of this room shows as a reason.
func refusalReason(err error) ledger.Reason {
	switch {
	case errors.Is(err, refusal.ErrByPolicy):
		return ledger.ByPolicy
	case errors.Is(err, refusal.ErrKeyInactive):
		return ledger.KeyInactive
	case errors.Is(err, keystore.ErrPIN):
		return ledger.StoreLocked
	case errors.Is(err, refusal.ErrNoStore):
		return ledger.StoreGone
	default:
		return ledger.InternalFailure
	}
}
