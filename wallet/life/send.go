package life

import (
	"errors"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
)

// sendAll hands over the newest attempt of every signed transaction that has
// not gone out in this boot, or that no node holds any more. For each account
// it does so in the order of nonces and stops at the first that is refused.
func (s *sweep) sendAll() error {
	stopped := map[string]bool{}
	for _, t := range s.open() {
		if !t.Signed() || t.State == ledger.Included || stopped[t.Address] || !s.wantsSend(t) {
			continue
		}
		if !s.due(t.ID) {
			stopped[t.Address] = true
			continue
		}
		ok, err := s.send(t)
		if err != nil {
			return err
		}
		stopped[t.Address] = !ok
	}
	return nil
}

// wantsSend says whether t's newest bytes should go out now. Those of a key
// that is retired or compromised never do.
func (s *sweep) wantsSend(t *ledger.Tx) bool {
	sendable := false
	s.cfg.Book.View(func(st *ledger.State) {
		k := st.Keys[t.Key]
		sendable = k != nil && (k.State == ledger.Active || k.State == ledger.Suspended)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.item(s.line, t.ID)
	return sendable && (w.sent < len(t.Attempts) || w.missing)
}

// send hands over the newest attempt of t, or an older one where the account
// cannot pay for it any more. ok is false when the node refused it, which is a
// reason and never an end; an error concerns the whole network.
func (s *sweep) send(t *ledger.Tx) (ok bool, err error) {
	var a chains.Attempt
	for i := len(t.Attempts) - 1; i >= 0; i-- {
		a = t.Attempts[i]
		if err = s.handOver(a); !errors.Is(err, chains.ErrFunds) {
			break
		}
	}
	if err != nil {
		why := sendReason(err)
		s.hinder(t, why, err)
		if why == ledger.Unreachable || why == ledger.OtherChain || why == ledger.BudgetUsed {
			return false, err
		}
		return false, nil
	}
	if t.State == ledger.SignedTx {
		err = s.cfg.Book.Update(func(u *book.Update) error {
			if now := u.State().Tx(t.ID); now != nil && now.State == ledger.SignedTx {
				u.Add(ledger.Moved{ID: t.ID, State: ledger.Sent})
				u.Emit(book.TxEvent(t.ID, ledger.Sent, ledger.NoReason, a.Hash))
			}
			return nil
		})
		if err != nil { // not noted: the same bytes go out again
			return false, err
		}
	}
	s.mu.Lock()
	w := s.item(s.line, t.ID)
	w.sent, w.missing = len(t.Attempts), false
	s.mu.Unlock()
	s.free(t.ID)
	return true, nil
}

func (s *sweep) handOver(a chains.Attempt) error {
	ctx, cancel := s.converse()
	defer cancel()
	return s.net.Send(ctx, chains.Signed{Raw: a.Raw, Hash: a.Hash})
}

// sendReason is why a node did not take signed bytes.
func sendReason(err error) ledger.Reason {
	switch {
	case errors.Is(err, chains.ErrFunds):
		return ledger.NoFunds
	case errors.Is(err, chains.ErrUnderpriced):
		return ledger.NodeRefused
	default:
		return networkReason(err)
	}
}
