package ethereum

import (
	"context"
	"fmt"
	"math/big"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
)

// A found is an attempt that was seen in a block.
type found struct {
	outcome chains.Outcome
	block   chains.Head
	fee     *big.Int
	long    bool // as in wire.Receipt
}

// Track looks at the chain through one endpoint, the first that is not behind:
// one batch asks for heads and receipts, a second one for what follows from
// the answers. Where all are behind, the one that is least so is believed in
// what it has and not in what it has not. Others are asked only where their
// word is needed: before a transaction counts as final with agree above 1, and
// before one counts as absent. Between two such looks a short one may do
// (glimpse.go).
func (n *network) Track(ctx context.Context, since chains.Head, watches []chains.Watch) (*chains.Sight, error) {
	const doing = "look at the chain"
	var current, stale *look
	var short *chains.Sight
	err := n.pool.Try(ctx, doing, func(e *node.Endpoint) error {
		if n.mayGlimpse(since, watches) {
			if s, enough, err := n.glimpse(ctx, e, since, watches); err != nil || enough {
				short = s
				return err
			}
		}
		l := newLook(e, n.opt.depth, since, watches, n.longOnes())
		if err := l.glance(ctx); err != nil {
			return err
		}
		l.believed, l.lag = n.pool.See(l.head.Head)
		if err := n.pool.Current(e, l.head.Head); err != nil {
			if stale == nil || l.head.Number > stale.head.Number {
				stale = l
			}
			return err
		}
		current = l
		return l.follow(ctx)
	})
	if err != nil {
		if stale == nil || ctx.Err() != nil {
			return nil, err
		}
		current = stale
		if err := current.follow(ctx); err != nil {
			return nil, err
		}
	}
	if short != nil {
		return short, nil
	}
	s := n.sight(ctx, current)
	// What others were asked for is only worth something if they had the time.
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	n.looked(s)
	return s, nil
}

// sight makes the evidence of a look.
func (n *network) sight(ctx context.Context, l *look) *chains.Sight {
	s := &chains.Sight{Head: l.believed, Evidence: make([]chains.Evidence, len(l.watches))}
	if l.lag == 0 {
		s.Head = l.head.Head
	}
	if l.since != (chains.Head{}) {
		if now := l.block(l.since.Number); now != nil && now.Hash != l.since.Hash {
			s.Replaced = true
		}
	}
	switch {
	case l.final != nil && (l.final.Number >= l.since.Number || s.Replaced):
		s.Final = l.final.Head
	case !s.Replaced:
		s.Final = l.since
	}
	for i, w := range l.watches {
		s.Evidence[i] = n.evidence(l, w)
	}
	n.confirm(ctx, l, s.Evidence)
	n.seekAbsent(ctx, l, s.Evidence)
	for i, e := range s.Evidence {
		if e.Settled {
			n.forget(l.watches[i])
		}
	}
	return s
}

// evidence says of one watch what the look shows, without what only other
// endpoints can add.
func (n *network) evidence(l *look, w chains.Watch) chains.Evidence {
	at, r := l.included(w)
	switch {
	case at < 0:
		return chains.Evidence{Err: wire.Refuse(chains.ErrDisagree, "look at the chain", "%s shows two attempts with one nonce in blocks", l.e.Host())}
	case r != nil:
		f := found{chains.Succeeded, r.Block, r.Fee, r.Long}
		if r.Status == 0 {
			f.outcome = chains.Reverted
		}
		n.remember(w.Attempts[at].Hash, f)
		return n.includedEvidence(l, w, at, f)
	}
	if at, f, ok := n.recall(l, w); ok {
		e := n.includedEvidence(l, w, at, f)
		e.Settled = false
		e.Err = wire.Refuse(chains.ErrDisagree, "look at the chain", "%s is %d blocks behind and does not show the transaction", l.e.Host(), l.lag)
		return e
	}
	return pendingEvidence(l, w)
}

func (n *network) includedEvidence(l *look, w chains.Watch, at int, f found) chains.Evidence {
	e := chains.Evidence{Outcome: f.outcome, Attempt: at, Block: f.block, FeePaid: f.fee, Confirmations: 1}
	if top := max(l.believed.Number, l.head.Number); top > f.block.Number {
		e.Confirmations = top - f.block.Number + 1
	}
	if shown := l.block(f.block.Number); shown != nil {
		e.Block.Time = shown.Time
		e.Settled = l.maySettle(f.block.Number) && shown.Hash == f.block.Hash && e.Confirmations >= w.Confirm
	}
	switch {
	case f.outcome == chains.Reverted:
		e.Err = wire.Refuse(chains.ErrReverts, "include "+w.Attempts[at].Hash, "")
	case l.finalErr != nil:
		e.Err = l.finalErr
	}
	return e
}

func pendingEvidence(l *look, w chains.Watch) chains.Evidence {
	e := chains.Evidence{Absent: l.lag <= node.Tolerance && l.sync == wire.InSync}
	for _, a := range w.Attempts {
		for _, err := range []error{l.receipts[a.Hash].err, l.known[a.Hash].err} {
			if err != nil {
				e.Absent, e.Err = false, err
			}
		}
		if l.known[a.Hash].v {
			e.Known, e.Absent = true, false
		}
	}
	e.Consumed = l.nonces[w.Account.Address] > w.Attempts[0].Nonce
	return e
}

// remember, recall and forget keep what was seen in a block until it is
// settled, or until a node that is not behind contradicts it: else a balancer
// in front of two nodes would let transactions come and go.

func (n *network) remember(hash string, f found) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mined[hash] = f
}

// longOnes returns the blocks of those whose receipts are too large to be read.
func (n *network) longOnes() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	blocks := make(map[string]string)
	for hash, f := range n.mined {
		if f.long {
			blocks[hash] = f.block.Hash
		}
	}
	return blocks
}

func (n *network) recall(l *look, w chains.Watch) (int, found, bool) {
	n.mu.Lock()
	for i, a := range w.Attempts {
		if f, ok := n.mined[a.Hash]; ok && l.lag > 0 {
			n.mu.Unlock()
			return i, f, true
		}
	}
	n.mu.Unlock()
	n.forget(w)
	return 0, found{}, false
}

func (n *network) forget(w chains.Watch) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range w.Attempts {
		delete(n.mined, a.Hash)
	}
}
