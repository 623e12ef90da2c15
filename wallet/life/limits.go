package life

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/nets"
	"github.com/boatd/boatd/wallet/refusal"
)

// A Limit caps what a wallet may spend ([[limit]] of the configuration file). It
// holds for the key: another wallet with the same key counts with it, and so does
// one that is made after the wallet was deleted. Every limit that covers a wallet
// must hold.
type Limit struct {
	Wallet         string
	PerTransaction *big.Int // nil: no cap
	PerDay         *big.Int // nil: no cap
	Recipients     []string // addresses; empty: any
}

// covers says whether the limit holds for a wallet and its key.
func (l *Limit) covers(st *ledger.State, wallet, key string) bool {
	if l.Wallet == wallet {
		return true
	}
	if w := st.Wallets[l.Wallet]; w != nil && w.Key == key {
		return true
	}
	k := st.Keys[key]
	return k != nil && slices.Contains(k.Limited, l.Wallet)
}

// Held returns what counts against the limit now (ledger.State.Reserved).
func (l *Limit) Held(st *ledger.State, running, now uint64, except uint32) (signed, waiting *big.Int) {
	return st.Reserved(func(sp *ledger.Spend) bool { return l.covers(st, sp.Wallet, sp.Key) }, running, now, except)
}

// recipient judges where an intent goes.
func (l *Limit) recipient(n *nets.Net, in *chains.Intent) error {
	if len(l.Recipients) == 0 {
		return nil
	}
	listed := in.Kind != chains.Deploy && slices.ContainsFunc(l.Recipients, func(r string) bool {
		a, err := n.ParseAddress(r)
		return err == nil && a == in.To
	})
	if !listed {
		return fmt.Errorf("the limit of wallet %s does not list %q: %w", l.Wallet, in.To, refusal.ErrByPolicy)
	}
	return nil
}

// amount judges what an intent may cost beside what is held.
func (l *Limit) amount(cost, held *big.Int) error {
	if l.PerTransaction != nil && cost.Cmp(l.PerTransaction) > 0 {
		return fmt.Errorf("%s with the highest fee is over %s a transaction of wallet %s: %w", cost, l.PerTransaction, l.Wallet, refusal.ErrByPolicy)
	}
	sum := new(big.Int).Add(held, cost)
	if l.PerDay != nil && sum.Cmp(l.PerDay) > 0 {
		return fmt.Errorf("%s with the highest fee would make %s, over %s a day of wallet %s: %w", cost, sum, l.PerDay, l.Wallet, refusal.ErrByPolicy)
	}
	return nil
}

// judgeAccept judges an order: what is accepted may be signed as long as the
// limits stay as they are.
func (e *Engine) judgeAccept(st *ledger.State, n *nets.Net, w *ledger.Wallet, in *chains.Intent, worst *big.Int, running uint64) error {
	for i := range e.cfg.Limits {
		l := &e.cfg.Limits[i]
		if !l.covers(st, w.Name, w.Key) {
			continue
		}
		if err := l.recipient(n, in); err != nil {
			return err
		}
		signed, waiting := l.Held(st, running, e.finalTime(n.Name), 0)
		if err := l.amount(worst, signed.Add(signed, waiting)); err != nil {
			return err
		}
	}
	return nil
}

// judgeSpend judges a signature by what is in force now. A cancellation goes to
// nobody, and one that costs no more than what is signed already for the
// transaction is not spending anew.
func (e *Engine) judgeSpend(st *ledger.State, n *nets.Net, t *ledger.Tx, p chains.Purpose, cost *big.Int, running uint64) error {
	if sp := st.Spend(t.Wallet, t.ID); p == chains.Cancel && sp != nil && cost.Cmp(sp.Amount) <= 0 {
		return nil
	}
	for i := range e.cfg.Limits {
		l := &e.cfg.Limits[i]
		if !l.covers(st, t.Wallet, t.Key) {
			continue
		}
		if p != chains.Cancel {
			if err := l.recipient(n, &t.Intent); err != nil {
				return err
			}
		}
		signed, _ := l.Held(st, running, e.finalTime(n.Name), t.ID)
		if err := l.amount(cost, signed); err != nil {
			return err
		}
	}
	return nil
}

// spendTime is the chain time from which a spending day is counted: that of the
// node's newest block, but never before what is known to have passed.
func (s *sweep) spendTime(st *ledger.State, head uint64) uint64 {
	return max(head, s.chainTime(s.net.Name), s.finalTime(s.net.Name), st.Meta.Trusted, s.cfg.NotBefore)
}

// finalTime returns the time of the newest final block seen in this boot.
func (e *Engine) finalTime(net string) uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.line(net).final.Time
}
