package life

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/nets"
	"github.com/boatd/boatd/wallet/refusal"
)

// A Status is what a host may know of a transaction.
type Status struct {
	ID            uint32
	Wallet        string
	Ref           string
	State         ledger.TxState
	Reason        ledger.Reason
	Confirmations uint64
	Block         uint64
	Hash          string
}

// Status returns what is known of a transaction, open or ended.
func (e *Engine) Status(id uint32) (Status, error) {
	s, found := Status{}, false
	e.cfg.Book.View(func(st *ledger.State) { s, found = e.status(st, id) })
	if !found {
		return Status{}, fmt.Errorf("transaction %d: %w", id, refusal.ErrNoTx)
	}
	return s, nil
}

func (e *Engine) status(st *ledger.State, id uint32) (Status, bool) {
	if t := st.Tx(id); t != nil {
		return e.openStatus(t), true
	}
	if p := st.Ended(id); p != nil {
		return endedStatus(p), true
	}
	if r := st.Forgotten(id); r != nil {
		return Status{ID: id, State: r.State, Reason: r.Reason}, true
	}
	return Status{}, false
}

func (e *Engine) openStatus(t *ledger.Tx) Status {
	s := Status{ID: t.ID, Wallet: t.Wallet, Ref: t.Ref, State: t.State, Reason: t.Reason, Block: t.Block.Number, Hash: t.Hash()}
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.line(t.Net)
	if w := l.work[t.ID]; w != nil {
		if w.reason != ledger.NoReason {
			s.Reason = w.reason
		}
		if t.State == ledger.Included {
			s.Confirmations = w.confirmations
		}
	}
	if s.Reason == ledger.NoReason && t.State < ledger.Included {
		s.Reason = l.reason
	}
	return s
}

func endedStatus(p *ledger.Past) Status {
	return Status{ID: p.ID, Wallet: p.Wallet, Ref: p.Ref, State: p.State, Reason: p.Reason,
		Confirmations: p.Confirmations, Block: p.Block.Number, Hash: p.Hash()}
}

// An AttemptStatus is what became of one attempt so far.
type AttemptStatus struct {
	State ledger.TxState
	Hash  string
}

// Attempts returns the attempts of a transaction, oldest first.
func (e *Engine) Attempts(id uint32) ([]AttemptStatus, error) {
	var all []AttemptStatus
	found := false
	e.cfg.Book.View(func(st *ledger.State) {
		if t := st.Tx(id); t != nil {
			found = true
			for i, a := range t.Attempts {
				all = append(all, AttemptStatus{e.attemptState(t, i), a.Hash})
			}
		} else if p := st.Ended(id); p != nil {
			found = true
			for i, h := range p.Hashes {
				s := ledger.Displaced
				if p.Block.Hash != "" && i == p.Included {
					s = p.State
				}
				all = append(all, AttemptStatus{s, hex.EncodeToString(h)})
			}
		} else {
			found = st.Forgotten(id) != nil
		}
	})
	if !found {
		return nil, fmt.Errorf("transaction %d: %w", id, refusal.ErrNoTx)
	}
	return all, nil
}

// attemptState says how far attempt i of an open transaction has come.
func (e *Engine) attemptState(t *ledger.Tx, i int) ledger.TxState {
	if t.State == ledger.Included {
		if i == t.Included {
			return ledger.Included
		}
		return ledger.Sent
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.line(t.Net).work[t.ID]
	if i < len(t.Attempts)-1 || (t.State == ledger.Sent && (len(t.Attempts) == 1 || (w != nil && w.sent > i))) {
		return ledger.Sent
	}
	return ledger.SignedTx
}

// newestEnded is how many ended transactions List shows beside the open ones.
const newestEnded = 8

// List returns the open transactions and the last few that ended, by rising id.
func (e *Engine) List() []Status {
	return e.list(func(st *ledger.State) ([]*ledger.Tx, []*ledger.Past) {
		return st.Open, st.Past[max(0, len(st.Past)-newestEnded):]
	})
}

// Page returns at most limit transactions with ids above after, by rising id.
func (e *Engine) Page(after uint32, limit int) []Status {
	all := e.list(func(st *ledger.State) (open []*ledger.Tx, past []*ledger.Past) {
		for _, t := range st.Open {
			if t.ID > after {
				open = append(open, t)
			}
		}
		for _, p := range st.Past {
			if p.ID > after {
				past = append(past, p)
			}
		}
		return open, past
	})
	return all[:min(len(all), limit)]
}

func (e *Engine) list(pick func(*ledger.State) ([]*ledger.Tx, []*ledger.Past)) []Status {
	var all []Status
	e.cfg.Book.View(func(st *ledger.State) {
		open, past := pick(st)
		all = make([]Status, 0, len(open)+len(past))
		for _, t := range open {
			all = append(all, e.openStatus(t))
		}
		for _, p := range past {
			all = append(all, endedStatus(p))
		}
	})
	slices.SortFunc(all, func(a, b Status) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// ByReference returns the id that a wallet's reference stands for.
func (e *Engine) ByReference(wallet, ref string) (uint32, error) {
	var id uint32
	e.cfg.Book.View(func(st *ledger.State) {
		if r := st.Reference(wallet, ref); r != nil && ref != "" {
			id = r.ID
		}
	})
	if id == 0 {
		return 0, fmt.Errorf("reference %q of wallet %q: %w", ref, wallet, refusal.ErrNoTx)
	}
	return id, nil
}

// Wait returns when a transaction has come to the state, or has ended.
func (e *Engine) Wait(ctx context.Context, id uint32, state ledger.TxState) (Status, error) {
	for {
		changed := e.cfg.Book.Changed()
		s, err := e.Status(id)
		if err != nil || s.State >= state || s.State.Final() {
			return s, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return s, ctx.Err()
		}
	}
}

// Idle says what the engine is doing and when it next needs the network.
type Idle struct {
	Open int           // transactions that have not ended
	Busy bool          // a conversation is under way
	Next time.Duration // until the network is needed; Forever for not at all
}

// Idle returns what a host needs to know before it sleeps.
func (e *Engine) Idle() Idle {
	i := Idle{Next: Forever}
	e.cfg.Book.View(func(st *ledger.State) { i.Open = len(st.Open) })
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Now()
	for _, l := range e.lines {
		i.Busy = i.Busy || l.busy.Load() != 0
		if l.next.IsZero() {
			continue
		}
		i.Next = min(i.Next, max(0, l.next.Sub(now)))
	}
	return i
}

// Waiting counts the open transactions of a network.
func (e *Engine) Waiting(net string) int {
	n := 0
	e.cfg.Book.View(func(st *ledger.State) {
		for _, t := range st.Open {
			if t.Net == net {
				n++
			}
		}
	})
	return n
}

// CancelUnsigned ends every transaction of which nothing is signed (reset
// level 1).
func (e *Engine) CancelUnsigned() error {
	defer e.nudgeParked()
	return e.inSteps(func(u *book.Update, t *ledger.Tx) bool {
		if !t.Signed() {
			endUnsigned(u, t, ledger.Cancelled, ledger.NoReason)
		}
		return !t.Signed()
	})
}

// AcceptChain makes the chain with the given genesis hash the network's own
// (nets.Set.Accept). What is open on the old one ends.
func (e *Engine) AcceptChain(net, genesis string) error {
	if err := e.cfg.Nets.Accept(net, genesis); err != nil {
		return err
	}
	defer e.nudgeParked()
	defer e.restart(net)
	return e.inSteps(func(u *book.Update, t *ledger.Tx) bool {
		old := t.Net == net && ofOldChain(u.State(), t)
		if old {
			endNow(u, t, ending{ledger.Refused, ledger.OtherChain})
		}
		return old
	})
}

// restart forgets what was learned of a network, and kicks it.
func (e *Engine) restart(net string) {
	e.mu.Lock()
	l := e.line(net)
	l.fails, l.resume, l.reason = 0, time.Time{}, ledger.NoReason
	l.head, l.final, l.pace = chains.Head{}, chains.Head{}, 0
	for _, w := range l.work {
		w.poll = time.Time{}
	}
	maps.DeleteFunc(e.tokens, func(id tokenID, _ int) bool { return id.net == net })
	e.mu.Unlock()
	l.nudge()
}

// Account returns the signing side of a wallet on its network, for questions.
func (e *Engine) Account(wallet string) (*nets.Net, chains.Account, error) {
	var w *ledger.Wallet
	e.cfg.Book.View(func(st *ledger.State) {
		if found := st.Wallets[wallet]; found != nil {
			c := *found
			w = &c
		}
	})
	if w == nil {
		return nil, chains.Account{}, fmt.Errorf("wallet %q: %w", wallet, refusal.ErrNoWallet)
	}
	n, err := e.cfg.Nets.Get(w.Net)
	if err != nil {
		return nil, chains.Account{}, err
	}
	k, err := e.cfg.Keys.Get(w.Key)
	if err != nil {
		return nil, chains.Account{}, err
	}
	address, err := n.Address(k.Curve, k.Public)
	if err != nil {
		return nil, chains.Account{}, fmt.Errorf("address of wallet %s: %w", wallet, err)
	}
	return n, e.accountOf(w.Key, address), nil
}
