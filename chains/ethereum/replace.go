package ethereum

import (
	"context"
	"math/big"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
)

// leastBump is by how many percent cap and tip must rise before nodes take a
// replacement (the default of geth, Nethermind, Besu and Erigon).
const leastBump = 10

// JudgeReplacement says whether a fee may be asked for: a unit of gas, and in
// all with the gas limit that the intent was signed with. One that is paid
// already may be, one that no node would take for a replacement may not.
func (n *network) JudgeReplacement(prior []chains.Attempt, maxFee *big.Int) error {
	const doing = "judge a replacement"
	old, err := readPrior(prior)
	if err != nil {
		return err
	}
	ceiling, err := n.opt.ceiling(old.gas, new(big.Int))
	if err != nil {
		return err
	}
	least := raised(old.cap, leastBump)
	switch {
	case maxFee.Cmp(ceiling) > 0:
		return wire.Refuse(chains.ErrCeiling, doing, "fee %d, ceiling %d for %d gas", maxFee, ceiling, old.gas)
	case maxFee.Cmp(old.cap) > 0 && maxFee.Cmp(least) < 0:
		return wire.Refuse(chains.ErrOption, doing, "fee %d, nodes want %d", maxFee, least)
	}
	return nil
}

// PrepareReplacement drafts the intent again, or a transfer of nothing to
// oneself, for higher fees. It answers nil, too, when the chain says that the
// nonce is used: there is nothing left to replace. The intent is not simulated
// again, for it was when it was first signed. Where the host gave a fee with
// the intent, only the host raises it: ErrCeiling for Bumped without maxFee.
func (n *network) PrepareReplacement(ctx context.Context, job *chains.Job, prior []chains.Attempt, p chains.Purpose, maxFee *big.Int) (draft *chains.Draft, err error) {
	const doing = "prepare a replacement"
	old, err := readPrior(prior)
	if err != nil {
		return nil, err
	}
	if prior[0].Nonce != job.Nonce {
		return nil, wire.Refuse(chains.ErrMismatch, doing, "attempt %s: nonce %d, wanted %d", prior[0].Hash, prior[0].Nonce, job.Nonce)
	}
	if maxFee != nil {
		if err := n.JudgeReplacement(prior, maxFee); err != nil {
			return nil, err
		}
	}
	switch {
	case p == chains.Bumped && maxFee == nil && job.Intent.MaxFee != nil:
		return nil, wire.Refuse(chains.ErrCeiling, doing, "the host has set the fee, %d", job.Intent.MaxFee)
	case p == chains.Bumped && maxFee != nil && old.last == p && maxFee.Cmp(old.cap) <= 0:
		return nil, nil
	}
	err = n.pool.Try(ctx, doing, func(e *node.Endpoint) error {
		draft, err = n.replace(ctx, e, job, old, p, maxFee)
		return err
	})
	if err != nil {
		return nil, err
	}
	return draft, nil
}

// predecessors are what the attempts so far have in common.
type predecessors struct {
	kind     uint8
	gas      uint64         // of the attempts for the intent
	cap, tip *big.Int       // the highest
	last     chains.Purpose // Original counts as Bumped
}

func readPrior(prior []chains.Attempt) (*predecessors, error) {
	const doing = "read the attempts so far"
	if len(prior) == 0 {
		return nil, wire.Refuse(chains.ErrMismatch, doing, "there is none")
	}
	old := &predecessors{cap: new(big.Int), tip: new(big.Int)}
	for _, a := range prior {
		tx, err := decode(a.Raw)
		if err != nil || tx.nonce != a.Nonce || a.Nonce != prior[0].Nonce {
			return nil, wire.Refuse(chains.ErrMismatch, doing, "attempt %s: nonce %d, of the first %d", a.Hash, a.Nonce, prior[0].Nonce)
		}
		if a.Purpose != chains.Cancel {
			old.gas = tx.gas
		}
		old.kind, old.last = tx.kind, max(a.Purpose, chains.Bumped)
		old.cap, old.tip = larger(old.cap, tx.cap), larger(old.tip, tx.tip)
	}
	return old, nil
}

func (n *network) replace(ctx context.Context, e *node.Endpoint, job *chains.Job, old *predecessors, p chains.Purpose, maxFee *big.Int) (*chains.Draft, error) {
	in := job.Intent
	if p == chains.Cancel {
		in = chains.Intent{Kind: chains.Transfer, To: job.Account.Address, Value: new(big.Int)}
	} else {
		in.Gas = old.gas
	}
	in.Type, in.MaxFee, in.Tip = &old.kind, nil, nil
	asked := *job
	asked.Intent = in
	s, err := n.survey(ctx, e, &asked, false)
	if err != nil || s.nonce > job.Nonce {
		return nil, err
	}
	if p == chains.Cancel && len(s.code) == 0 {
		s.gas = plainGas // a plain transfer costs exactly that
	}
	b, err := n.opt.outbid(s.market, old, p, s.gas, new(big.Int), maxFee)
	if err != nil || b == nil {
		return nil, err
	}
	to, value, data := effect(in)
	pay := payment{bid: *b, gas: s.gas, nonce: job.Nonce, to: destination(to), value: value, data: data}
	pay.chainID, _ = new(big.Int).SetString(job.Chain.ChainID, 10)
	extra, err := n.rehearse(ctx, e, &asked, &pay, s.head.Number, false)
	if err != nil {
		return nil, err
	}
	if extra.Sign() > 0 {
		if b, err = n.opt.outbid(s.market, old, p, s.gas, extra, maxFee); err != nil {
			return nil, err
		}
		pay.bid = *b
	}
	draft := pay.draft(extra, s.head.Head)
	draft.Purpose = p
	// What is spoken for includes the attempts that this one replaces.
	if err := enough(s.balance, nil, draft.Cost); err != nil {
		return nil, err
	}
	return draft, nil
}

// outbid chooses a bid that nodes take in the place of old and that would be
// included now: cap and tip at least bump_percent higher and at least what the
// market asks. nil: a cancelling attempt that is out already will do.
func (o *options) outbid(m market, old *predecessors, p chains.Purpose, gas uint64, extra, maxFee *big.Int) (*bid, error) {
	const doing = "choose a replacement's fee"
	ceiling, err := o.ceiling(gas, extra)
	if err != nil {
		return nil, err
	}
	_, want, tip := o.estimate(m, chains.Intent{}, old.kind, o.maxTip)
	now := tip
	if m.base != nil {
		now = new(big.Int).Add(m.base, tip)
	}
	if p == chains.Cancel && old.last == p && old.cap.Cmp(now) >= 0 && old.tip.Cmp(tip) >= 0 {
		return nil, nil
	}
	percent := o.bump
	if maxFee != nil {
		percent = leastBump
	}
	b := &bid{kind: old.kind, tip: larger(raised(old.tip, percent), tip)}
	least := larger(larger(raised(old.cap, percent), now), b.tip)
	b.cap = larger(least, smaller(want, ceiling))
	if maxFee != nil {
		b.cap = maxFee
		if maxFee.Cmp(raised(old.cap, leastBump)) < 0 || maxFee.Cmp(b.tip) < 0 {
			return nil, wire.Refuse(chains.ErrUnderpriced, doing, "%d asked for, nodes want %d", maxFee, larger(raised(old.cap, leastBump), b.tip))
		}
	}
	if b.cap.Cmp(ceiling) > 0 || old.kind == 2 && b.tip.Cmp(o.maxTip) > 0 {
		return nil, wire.Refuse(chains.ErrCeiling, doing, "fee %d and tip %d, ceilings %d and %d", b.cap, b.tip, ceiling, o.maxTip)
	}
	if b.kind == 0 {
		b.tip = b.cap
	}
	return b, nil
}

// raised returns v and percent of it, rounded up, and more than v.
func raised(v *big.Int, percent int64) *big.Int {
	r := new(big.Int).Mul(v, big.NewInt(100+percent))
	r.Add(r, big.NewInt(99)).Div(r, big.NewInt(100))
	if r.Cmp(v) == 0 {
		r.Add(r, big.NewInt(1))
	}
	return r
}

var (
	_ chains.Replacer  = (*network)(nil)
	_ chains.Balancer  = (*network)(nil)
	_ chains.FeeQuoter = (*network)(nil)
	_ chains.Querier   = (*network)(nil)
	_ chains.Coder     = (*network)(nil)
	_ chains.Tokener   = (*network)(nil)
	_ chains.Logger    = (*network)(nil)
	_ chains.Meter     = (*network)(nil)
)
