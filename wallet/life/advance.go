package life

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/nets"
	"github.com/boatd/boatd/wallet/refusal"
)

// advanceAll signs and sends what waits, for each account in the order of ids.
func (s *sweep) advanceAll() error {
	for _, t := range s.open() {
		if t.State != ledger.Accepted || s.off.Load() {
			continue
		}
		if err := s.advance(t); err != nil {
			return err
		}
	}
	return nil
}

// advance carries one transaction from acceptance to a node, through as many
// signatures as its protocol wants. An error concerns the whole network.
func (s *sweep) advance(t *ledger.Tx) error {
	if !s.due(t.ID) {
		return nil
	}
	for steps := 0; steps < 8; steps++ {
		job, why := s.job(t)
		if job == nil {
			s.park(t, why)
			return nil
		}
		draft, err := s.prepare(job)
		if draft != nil {
			s.sawHead(draft.Head)
			s.SawBalance(s.net, t.Wallet, draft.Balance)
		}
		if err != nil {
			return s.prepareFailed(t, job, err)
		}
		if draft.Window != 0 && s.inFlight(t) >= draft.Window {
			s.park(t, ledger.BehindAnother)
			return nil
		}
		fresh, err := s.sign(t, job, draft, chains.Original)
		if err != nil {
			return s.signFailed(t, err)
		}
		if fresh == nil { // it ended, or the host changed its mind, meanwhile
			return nil
		}
		s.free(t.ID)
		if t = fresh; t.Signed() {
			_, err := s.send(t)
			s.schedule()
			return err
		}
	}
	return fmt.Errorf("transaction %d: more than 8 signatures", t.ID)
}

func (s *sweep) prepare(job *chains.Job) (*chains.Draft, error) {
	ctx, cancel := s.converse()
	defer cancel()
	return s.net.Prepare(ctx, job)
}

// job gathers what the next signature of t depends on; nil with a reason when
// it is not t's turn.
func (s *sweep) job(t *ledger.Tx) (job *chains.Job, why ledger.Reason) {
	s.mu.Lock()
	s.item(s.line, t.ID).parked = false
	s.mu.Unlock()
	siblings, timed, account := s.siblings(t), s.timed(), s.account(t)
	s.cfg.Book.View(func(st *ledger.State) {
		now := st.Tx(t.ID)
		if now == nil {
			return
		}
		if k := st.Keys[t.Key]; k == nil || k.State != ledger.Active {
			why = ledger.KeyInactive
			return
		}
		if t.After != 0 && dependency(st, t.After) != kept {
			why = ledger.BehindAnother
			return
		}
		flying, committed := 0, new(big.Int)
		for _, o := range siblings {
			if !o.Signed() && o.ID < t.ID {
				why = ledger.BehindAnother
				return
			}
			if o.Signed() && o.State != ledger.Included {
				flying++
				if sp := st.Spend(o.Wallet, o.ID); sp != nil {
					committed.Add(committed, sp.Amount)
				}
			}
		}
		if flying >= MaxInFlight {
			why = ledger.BehindAnother
			return
		}
		job = &chains.Job{Intent: now.Intent, Account: account, Chain: s.net.Pinned, Steps: now.Steps,
			Ahead: flying > 0, Committed: committed, Adopt: true, Timed: timed}
		if a := st.Accounts[s.accountID(now)]; a != nil {
			job.Nonce, job.Adopt = a.Next, a.Adopt || s.net.Options.Flag("external_use")
		}
	})
	return job, why
}

// timed says whether the chain's time matters to anything that is open on the
// network: to what expires, and to a spending day.
func (s *sweep) timed() bool {
	return slices.ContainsFunc(s.open(), func(t *ledger.Tx) bool { return t.Expire != 0 }) ||
		slices.ContainsFunc(s.cfg.Limits, func(l Limit) bool { return l.PerDay != nil })
}

// siblings returns copies of the other open transactions of t's account, on
// whatever network of the same chain.
func (s *sweep) siblings(t *ledger.Tx) []*ledger.Tx {
	var all []*ledger.Tx
	s.cfg.Book.View(func(st *ledger.State) {
		for _, o := range st.Open {
			if o.ID != t.ID && o.Address == t.Address {
				c := *o
				all = append(all, &c)
			}
		}
	})
	same := all[:0]
	for _, o := range all {
		n, err := s.cfg.Nets.Get(o.Net)
		if err == nil && nets.SameChain(s.net, n) {
			same = append(same, o)
		}
	}
	return same
}

// behind says whether an earlier transaction of t's account has not ended: what
// it does may be what t needs.
func (s *sweep) behind(t *ledger.Tx) bool {
	return slices.ContainsFunc(s.siblings(t), func(o *ledger.Tx) bool { return o.ID < t.ID })
}

// inFlight counts the transactions of t's account that are signed and not
// included.
func (s *sweep) inFlight(t *ledger.Tx) int {
	flying := 0
	for _, o := range s.siblings(t) {
		if o.Signed() && o.State != ledger.Included {
			flying++
		}
	}
	return flying
}

func (s *sweep) accountID(t *ledger.Tx) ledger.AccountID {
	return ledger.AccountID{Chain: s.net.Pinned, Address: t.Address}
}

// account is the signing side of t. Its Sign is for questions only.
func (s *sweep) account(t *ledger.Tx) chains.Account {
	return s.accountOf(t.Key, t.Address)
}

func (e *Engine) accountOf(key, address string) chains.Account {
	a := chains.Account{Address: address}
	k, err := e.cfg.Keys.Get(key)
	if err != nil {
		return a
	}
	a.Curve, a.Public = k.Curve, k.Public
	if k.State == ledger.Active || k.State == ledger.Suspended {
		a.Sign = func(ctx context.Context, digest []byte) ([]byte, error) { return e.cfg.Keys.Sign(ctx, k, digest) }
	}
	return a
}

// errSuperseded: what was about to be signed is not wanted any more.
var errSuperseded = errors.New("superseded")

// sign makes one signature for t and journals it. It returns t as it is then,
// or nil when the signature was not wanted any more and has been destroyed. No
// signature leaves this function that is not in the journal.
func (s *sweep) sign(t *ledger.Tx, job *chains.Job, draft *chains.Draft, p chains.Purpose) (*ledger.Tx, error) {
	var key *ledger.Key
	err := s.cfg.Book.Update(func(u *book.Update) (err error) {
		key, err = s.judge(u, t, job, draft, p)
		return err
	})
	if err != nil {
		return s.unsigned(t, err)
	}
	ctx, cancel := s.converse()
	defer cancel()
	sig, err := s.cfg.Keys.Sign(ctx, key, draft.Digest)
	if err != nil {
		return nil, err
	}
	defer clear(sig)
	signed, err := s.net.Assemble(job, draft, sig)
	if err != nil {
		return nil, err
	}
	var fresh ledger.Tx
	err = s.cfg.Book.Update(func(u *book.Update) error {
		if _, err := s.judge(u, t, job, draft, p); err != nil {
			return err
		}
		if draft.Interim {
			u.Add(ledger.Stepped{ID: t.ID, Step: signed.Raw})
			return nil
		}
		attempt := chains.Attempt{Purpose: p, Nonce: draft.Nonce, Raw: signed.Raw, Hash: signed.Hash}
		u.Add(ledger.Signed{ID: t.ID, Attempt: attempt, Account: s.accountID(t), Sequential: s.net.Protocol.Sequential,
			Cost: draft.Cost, Time: s.spendTime(u.State(), draft.Head.Time)})
		if p == chains.Original {
			u.Emit(book.TxEvent(t.ID, ledger.SignedTx, ledger.NoReason, signed.Hash))
		}
		return nil
	})
	if err != nil {
		clear(signed.Raw)
		return s.unsigned(t, err)
	}
	gone := false
	s.cfg.Book.View(func(st *ledger.State) {
		if now := st.Tx(t.ID); now != nil {
			fresh = *now
		} else {
			gone = true
		}
	})
	if gone { // a reset, or another chain, was faster
		return nil, nil
	}
	s.mu.Lock()
	s.item(s.line, t.ID).since = s.cfg.Now()
	s.mu.Unlock()
	return &fresh, nil
}

// unsigned deals with a verdict against a signature: one by policy ends a
// transaction of which nothing is signed.
func (s *sweep) unsigned(t *ledger.Tx, verdict error) (*ledger.Tx, error) {
	if errors.Is(verdict, errSuperseded) {
		return nil, nil
	}
	if !errors.Is(verdict, refusal.ErrByPolicy) || t.Signed() {
		return nil, verdict
	}
	s.cfg.Log.Warn("transaction refused by policy", "id", t.ID, "err", verdict)
	return nil, s.end(t, ledger.Refused, ledger.ByPolicy)
}

// judge says whether a signature is wanted now, by what is in force now, and
// returns the key to make it with.
func (s *sweep) judge(u *book.Update, t *ledger.Tx, job *chains.Job, draft *chains.Draft, p chains.Purpose) (*ledger.Key, error) {
	st := u.State()
	now := st.Tx(t.ID)
	if now == nil || len(now.Attempts) != len(t.Attempts) || len(now.Steps) != len(job.Steps) || (p != chains.Cancel && now.Cancel) || s.off.Load() {
		return nil, errSuperseded
	}
	k := st.Keys[t.Key]
	if k == nil || (k.State != ledger.Active && (p != chains.Cancel || k.State != ledger.Suspended)) {
		return nil, fmt.Errorf("key %q: %w", t.Key, refusal.ErrKeyInactive)
	}
	if !s.net.Current(st) || s.net.Pinned != job.Chain {
		return nil, errSuperseded
	}
	if p != chains.Cancel && now.Signed() && st.Payload+len(now.Attempts[0].Raw) > MaxPayload {
		return nil, fmt.Errorf("open transactions hold %d bytes: %w", st.Payload, refusal.ErrFull)
	}
	if a := st.Accounts[s.accountID(t)]; s.net.Protocol.Sequential && p == chains.Original && a != nil && draft.Nonce < a.Next {
		return nil, errSuperseded
	}
	if err := s.judgeSpend(st, s.net, now, p, draft.Cost, u.Running()); err != nil {
		return nil, err
	}
	key := *k
	return &key, nil
}

// end ends a transaction of which nothing is signed.
func (s *sweep) end(t *ledger.Tx, state ledger.TxState, why ledger.Reason) error {
	return s.cfg.Book.Update(func(u *book.Update) error {
		if now := u.State().Tx(t.ID); now != nil && !now.Signed() {
			endUnsigned(u, now, state, why)
		}
		return nil
	})
}

// prepareFailed decides what an error of Prepare means for t.
func (s *sweep) prepareFailed(t *ledger.Tx, job *chains.Job, err error) error {
	is := func(kind error) bool { return errors.Is(err, kind) }
	switch {
	case is(chains.ErrFunds) && job.Ahead, is(chains.ErrReverts) && s.behind(t):
		s.hinder(t, ledger.BehindAnother, err)
	case is(chains.ErrReverts):
		s.cfg.Log.Warn("transaction would revert", "id", t.ID, "err", err)
		return s.end(t, ledger.Refused, ledger.WouldRevert)
	case is(chains.ErrInvalidated):
		s.cfg.Log.Warn("transaction not endorsed", "id", t.ID, "err", err)
		return s.end(t, ledger.Refused, ledger.NotEndorsed)
	case is(chains.ErrFunds):
		s.hinder(t, ledger.NoFunds, err)
	case is(chains.ErrCeiling):
		s.hinder(t, ledger.OverCeiling, err)
	case is(chains.ErrNonceAhead):
		s.nonceAhead(t, job)
		s.hinder(t, ledger.Disagreement, err)
	case concernsNetwork(err):
		return err
	default:
		s.hinder(t, ledger.NodeRefused, err)
	}
	return nil
}

// concernsNetwork says whether an error is about the network as a whole, so that
// nothing else need be tried there now. Anything else is about one transaction,
// and must not keep the others from moving.
func concernsNetwork(err error) bool {
	for _, kind := range []error{chains.ErrUnreachable, chains.ErrOtherChain, chains.ErrBudget, chains.ErrDisagree, book.ErrFlash,
		context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// nonceAhead raises one alarm for an account whose nonce somebody else used.
func (s *sweep) nonceAhead(t *ledger.Tx, job *chains.Job) {
	id := s.accountID(t)
	s.mu.Lock()
	news := s.alarmed[id] != job.Nonce+1
	s.alarmed[id] = job.Nonce + 1
	s.mu.Unlock()
	if news {
		s.cfg.Log.Error("the chain's nonce is above the journal's: a clone, a rolled-back flash or another user of the key",
			"net", s.net.Name, "address", t.Address, "next", job.Nonce)
		s.cfg.Book.Emit(book.Alarm(ledger.Disagreement, t.Wallet))
	}
}

// signFailed decides what an error on the way to a signature means for t.
func (s *sweep) signFailed(t *ledger.Tx, err error) error {
	why := refusalReason(err)
	switch {
	case errors.Is(err, book.ErrFlash):
		return err
	case errors.Is(err, refusal.ErrKeyInactive):
		s.park(t, why)
	default:
		if errors.Is(err, chains.ErrMismatch) {
			s.cfg.Log.Error("signed bytes differ from the intent and were destroyed", "id", t.ID, "err", err)
			s.cfg.Book.Emit(book.Alarm(ledger.InternalFailure, t.Wallet))
		}
		s.hinder(t, why, err)
	}
	return nil
}
