package life

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/refusal"
)

// Bump asks for a higher fee: maxFee a unit of gas, absolute, so that asking
// again changes nothing.
func (e *Engine) Bump(id uint32, maxFee *big.Int) error {
	var net string
	err := e.cfg.Book.Update(func(u *book.Update) error {
		if p := u.State().Ended(id); p != nil && p.MaxFee != nil && p.MaxFee.Cmp(maxFee) == 0 {
			return nil // a repeat, which came too late to change anything
		}
		t, r, err := e.replaceable(u.State(), id)
		if err != nil {
			return err
		}
		net = t.Net
		if t.MaxFee != nil && t.MaxFee.Cmp(maxFee) == 0 {
			return nil
		}
		if t.State == ledger.Accepted || t.State == ledger.Included || t.Cancel {
			return fmt.Errorf("transaction %d is in state %d: %w", id, t.State, refusal.ErrWrongState)
		}
		if k := u.State().Keys[t.Key]; k == nil || k.State != ledger.Active {
			return fmt.Errorf("key %q: %w", t.Key, refusal.ErrKeyInactive)
		}
		if err := r.JudgeReplacement(t.Attempts, maxFee); err != nil {
			return err
		}
		u.Add(ledger.Requested{ID: id, MaxFee: maxFee})
		return nil
	})
	if err == nil && net != "" {
		e.Kick(net)
	}
	return err
}

// Cancel asks that a transaction should not happen. One of which nothing is
// signed ends at once; another one may still win over its cancellation.
func (e *Engine) Cancel(id uint32) error {
	var net string
	err := e.cfg.Book.Update(func(u *book.Update) error {
		st := u.State()
		if p := st.Ended(id); p != nil && (p.State == ledger.Cancelled || p.Cancel) {
			return nil
		}
		if t := st.Tx(id); t != nil && !t.Signed() {
			net = t.Net
			endUnsigned(u, t, ledger.Cancelled, ledger.NoReason)
			return nil
		}
		t, _, err := e.replaceable(st, id)
		switch {
		case err != nil:
			return err
		case t.Cancel:
			return nil
		case t.State == ledger.Included:
			return fmt.Errorf("transaction %d is in a block: %w", id, refusal.ErrWrongState)
		}
		if k := st.Keys[t.Key]; k == nil || k.State > ledger.Suspended {
			return fmt.Errorf("key %q: %w", t.Key, refusal.ErrKeyInactive)
		}
		net = t.Net
		u.Add(ledger.Requested{ID: id, Cancel: true})
		return nil
	})
	if err == nil && net != "" {
		e.Kick(net)
		e.nudgeParked()
	}
	return err
}

// replaceable returns an open transaction on a network that knows replacement.
func (e *Engine) replaceable(st *ledger.State, id uint32) (*ledger.Tx, chains.Replacer, error) {
	t := st.Tx(id)
	if t == nil {
		if st.Ended(id) != nil || st.Forgotten(id) != nil {
			return nil, nil, fmt.Errorf("transaction %d has ended: %w", id, refusal.ErrWrongState)
		}
		return nil, nil, fmt.Errorf("transaction %d: %w", id, refusal.ErrNoTx)
	}
	n, err := e.cfg.Nets.Get(t.Net)
	if err != nil {
		return nil, nil, err
	}
	r, ok := n.Network.(chains.Replacer)
	if !ok {
		return nil, nil, fmt.Errorf("transaction %d: network %s knows no replacement: %w", id, t.Net, refusal.ErrNotBuilt)
	}
	return t, r, nil
}

// replaceAll makes the replacements that are wanted.
func (s *sweep) replaceAll() error {
	r, ok := s.net.Network.(chains.Replacer)
	if !ok {
		return nil
	}
	for _, t := range s.open() {
		if t.State != ledger.SignedTx && t.State != ledger.Sent {
			continue
		}
		if p, fee, want := s.wantsReplacement(t); want && s.due(t.ID) {
			if err := s.replace(r, t, p, fee); err != nil {
				return err
			}
		}
	}
	return nil
}

// wantsReplacement says whether t should be replaced now, and by what.
func (s *sweep) wantsReplacement(t *ledger.Tx) (p chains.Purpose, maxFee *big.Int, want bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.item(s.line, t.ID)
	last := t.Attempts[len(t.Attempts)-1].Purpose
	after := time.Duration(s.net.Options.Integer("bump_after")) * time.Second
	stuck := after != 0 && s.cfg.Now().Sub(w.since) >= after && bumps(t) < s.net.Options.Integer("bump_max")
	switch {
	case t.Cancel && last != chains.Cancel:
		return chains.Cancel, nil, true
	case t.Cancel:
		return chains.Cancel, nil, stuck
	case t.MaxFee != nil && (w.bumped == nil || w.bumped.Cmp(t.MaxFee) != 0):
		return chains.Bumped, t.MaxFee, true
	default:
		return chains.Bumped, nil, stuck
	}
}

// bumps counts the replacements of t beyond the first cancellation.
func bumps(t *ledger.Tx) uint64 {
	n := uint64(0)
	for i, a := range t.Attempts {
		if a.Purpose == chains.Bumped || (a.Purpose == chains.Cancel && i > 0 && t.Attempts[i-1].Purpose == chains.Cancel) {
			n++
		}
	}
	return n
}

// replace drafts, signs, journals and sends one replacement.
func (s *sweep) replace(r chains.Replacer, t *ledger.Tx, p chains.Purpose, maxFee *big.Int) error {
	job := &chains.Job{Intent: t.Intent, Account: s.account(t), Chain: s.net.Pinned, Nonce: t.Nonce(), Steps: t.Steps, Committed: new(big.Int), Timed: s.timed()}
	ctx, cancel := s.converse()
	defer cancel()
	draft, err := r.PrepareReplacement(ctx, job, t.Attempts, p, maxFee)
	if err != nil {
		return s.replaceFailed(t, err)
	}
	if draft == nil {
		s.replaced(t, maxFee)
		return nil
	}
	fresh, err := s.sign(t, job, draft, p)
	if err != nil {
		return s.signFailed(t, err)
	}
	if fresh == nil {
		return nil
	}
	s.free(t.ID)
	s.replaced(t, maxFee)
	_, err = s.send(fresh)
	return err
}

// replaced notes that a replacement is made, or is not needed.
func (s *sweep) replaced(t *ledger.Tx, maxFee *big.Int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.item(s.line, t.ID)
	w.since = s.cfg.Now()
	if maxFee != nil {
		w.bumped = maxFee
	}
}

// replaceFailed decides what it means that no replacement could be made: never
// an end, since something is signed.
func (s *sweep) replaceFailed(t *ledger.Tx, err error) error {
	is := func(kind error) bool { return errors.Is(err, kind) }
	switch {
	case is(chains.ErrCeiling):
		s.hinder(t, ledger.OverCeiling, err)
	case is(chains.ErrFunds):
		s.hinder(t, ledger.NoFunds, err)
	case concernsNetwork(err):
		return err
	default:
		s.hinder(t, ledger.NodeRefused, err)
	}
	return nil
}
