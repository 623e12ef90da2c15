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

// A Limit caps what a wallet may spend ([[limit]] of the configuration file).
// Every limit that names a wallet must hold.
type Limit struct {
	Wallet         string
	PerTransaction *big.Int // nil: no cap
	PerDay         *big.Int // nil: no cap
	Recipients     []string // addresses; empty: any
}

// limitRecipients judges where an intent goes.
func (e *Engine) limitRecipients(n *nets.Net, wallet string, in *chains.Intent) error {
	for _, l := range e.cfg.Limits {
		if l.Wallet != wallet || len(l.Recipients) == 0 {
			continue
		}
		listed := in.Kind != chains.Deploy && slices.ContainsFunc(l.Recipients, func(r string) bool {
			a, err := n.ParseAddress(r)
			return err == nil && a == in.To
		})
		if !listed {
			return fmt.Errorf("wallet %s may not send to %q by its limit: %w", wallet, in.To, refusal.ErrByPolicy)
		}
	}
	return nil
}

// limitAmount judges what an intent may cost: signed and waiting are what the
// wallet's window holds already (ledger.State.Reserved).
func (e *Engine) limitAmount(wallet string, cost, signed, waiting *big.Int) error {
	for _, l := range e.cfg.Limits {
		if l.Wallet != wallet {
			continue
		}
		if l.PerTransaction != nil && cost.Cmp(l.PerTransaction) > 0 {
			return fmt.Errorf("%s with the highest fee is over %s a transaction of wallet %s: %w", cost, l.PerTransaction, wallet, refusal.ErrByPolicy)
		}
		sum := new(big.Int).Add(signed, waiting)
		if l.PerDay != nil && sum.Add(sum, cost).Cmp(l.PerDay) > 0 {
			return fmt.Errorf("%s with the highest fee would make %s, over %s a day of wallet %s: %w", cost, sum, l.PerDay, wallet, refusal.ErrByPolicy)
		}
	}
	return nil
}

// judgeAccept judges an order: what is accepted may be signed as long as the
// limits stay as they are.
func (e *Engine) judgeAccept(st *ledger.State, n *nets.Net, wallet string, in *chains.Intent, worst *big.Int, running uint64) error {
	if err := e.limitRecipients(n, wallet, in); err != nil {
		return err
	}
	signed, waiting := st.Reserved(wallet, running, e.finalTime(n.Name), 0)
	return e.limitAmount(wallet, worst, signed, waiting)
}

// judgeSpend judges a signature by what is in force now. One that costs no more
// than what is signed already for the transaction is not spending anew.
func (e *Engine) judgeSpend(st *ledger.State, n *nets.Net, t *ledger.Tx, p chains.Purpose, cost *big.Int, running uint64) error {
	if p != chains.Cancel {
		if err := e.limitRecipients(n, t.Wallet, &t.Intent); err != nil {
			return err
		}
	}
	if sp := st.Spend(t.Wallet, t.ID); p == chains.Cancel && sp != nil && cost.Cmp(sp.Amount) <= 0 {
		return nil
	}
	signed, _ := st.Reserved(t.Wallet, running, e.finalTime(n.Name), t.ID)
	return e.limitAmount(t.Wallet, cost, signed, new(big.Int))
}

// spendTime is the chain time from which a spending day is counted: that of the
// node's newest block, but never before what is known to have passed.
func (s *sweep) spendTime(st *ledger.State, head uint64) uint64 {
	return max(head, s.finalTime(s.net.Name), st.Meta.Trusted, s.cfg.NotBefore)
}

// finalTime returns the time of the newest final block seen in this boot.
func (e *Engine) finalTime(net string) uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.line(net).final.Time
}
