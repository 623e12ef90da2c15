package ethereum

import (
	"context"
	"slices"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// glimpseFor is how long after a full look, or a survey in full, a short one may
// do: in between, neither the newest block's time nor the final block is news.
const glimpseFor = 30 * time.Second

// A glimpse is a look in few bytes, for the time when transactions wait for
// their block or for its being final. It asks for the height, the receipts and
// how far the accounts have come in the final block. Then it asks for what
// follows from the answers: whether the node still holds what has no receipt, and
// the blocks that matter where something may be final. Whatever else it finds (an
// attempt that nobody holds, a block that is gone, a node that is behind) is left
// to a full look.
type glimpse struct {
	*look
	height *jsonrpc.Call
	finals map[string]*jsonrpc.Call // nonces of accounts in the final block
	ending bool                     // something may be final
}

// mayGlimpse says whether a short look may do for now. Whether the block is still
// there that was final when boatd last ran has time until the first full one.
func (n *network) mayGlimpse(since chains.Head, watches []chains.Watch) bool {
	timed := func(w chains.Watch) bool { return w.Timed }
	if len(watches) == 0 || slices.ContainsFunc(watches, timed) {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now().Sub(n.full.at) < glimpseFor && (n.full.final == since || n.full.final == chains.Head{})
}

// looked notes a look in full; what it says is final is the next one's since.
// Where something is amiss, the next one is a full look again.
func (n *network) looked(s *chains.Sight) {
	quiet := true
	for _, ev := range s.Evidence {
		quiet = quiet && ev.Err == nil && (ev.Known || ev.Outcome == chains.Succeeded)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.full.at, n.full.final = time.Time{}, s.Final
	if quiet {
		n.full.at = n.now()
	}
}

// glimpse takes a short look. enough is false where a full one is needed.
func (n *network) glimpse(ctx context.Context, e *node.Endpoint, since chains.Head, watches []chains.Watch) (s *chains.Sight, enough bool, err error) {
	g := &glimpse{look: newLook(e, n.opt.depth, since, watches, n.longOnes()), finals: make(map[string]*jsonrpc.Call)}
	g.begin()
	if err := g.put(ctx); err != nil {
		return nil, false, err
	}
	raw, err := e.Result(g.height)
	if err != nil || len(g.more) > 0 {
		return nil, false, nil
	}
	height, err := wire.ReadNumber(raw)
	if err != nil {
		return nil, false, e.Bad(err)
	}
	g.head = &wire.Header{Head: chains.Head{Number: height}}
	if g.believed, g.lag = n.pool.See(g.head.Head); g.lag > node.Tolerance {
		return nil, false, nil
	}
	if !n.plain(g) {
		return nil, false, nil
	}
	if err := g.put(ctx); err != nil {
		return nil, false, err
	}
	for _, w := range watches {
		if _, r := g.included(w); r == nil && !pendingEvidence(g.look, w).Known {
			return nil, false, nil
		}
	}
	if g.ending {
		if g.depth > 0 {
			g.final = g.blocks[g.deepest()]
		}
		s = n.sight(ctx, g.look)
		n.looked(s)
		return s, true, nil
	}
	s = &chains.Sight{Head: g.believed, Evidence: make([]chains.Evidence, len(watches))}
	for i, w := range watches {
		s.Evidence[i] = n.evidence(g.look, w)
	}
	return s, true, nil
}

// begin asks the first questions.
func (g *glimpse) begin() {
	g.height = &jsonrpc.Call{Method: "eth_blockNumber"}
	g.ask(g.height, func(*jsonrpc.Call) error { return nil })
	g.askReceipts()
	if g.depth > 0 {
		return
	}
	for _, w := range g.watches {
		address := w.Account.Address
		if g.finals[address] == nil {
			g.finals[address] = &jsonrpc.Call{Method: "eth_getTransactionCount", Params: []any{address, "finalized"}}
			g.ask(g.finals[address], func(*jsonrpc.Call) error { return nil })
		}
	}
}

// plain says whether nothing is to be seen but waiting, inclusion and its being
// final, and asks for what there is to know of it.
func (n *network) plain(g *glimpse) bool {
	for _, w := range g.watches {
		at, r := g.included(w)
		switch {
		case at < 0, r == nil && n.wasMined(w):
			return false
		case r == nil:
			g.askPending(w, "")
		case g.mayBeFinal(w, r.Block.Number):
			g.askFinal(r.Block.Number)
		}
	}
	return true
}

// mayBeFinal says whether an attempt in a block may be final: where the rule is
// not a depth, not as long as the account has not come so far in the final block.
func (g *glimpse) mayBeFinal(w chains.Watch, number uint64) bool {
	if g.depth > 0 {
		return g.maySettle(number)
	}
	call := g.finals[w.Account.Address]
	if call.Err != nil { // where not even a final block is known, nothing is final
		return wire.Classify(call.Err) != wire.NoBlock
	}
	nonce, err := wire.ReadUint("nonce", call.Result)
	return err != nil || nonce > w.Attempts[0].Nonce
}

// askFinal asks for the blocks that decide whether one is final, and for the one
// that was final before.
func (g *glimpse) askFinal(number uint64) {
	if !g.ending {
		g.ending = true
		if g.depth == 0 {
			g.ask(g.e.Header("finalized"), g.readFinal)
		} else {
			g.askBlock(g.deepest())
		}
		if g.since != (chains.Head{}) && g.head.Number >= g.since.Number {
			g.askBlock(g.since.Number)
		}
	}
	g.askBlock(number)
}

// wasMined says whether an attempt was seen in a block before.
func (n *network) wasMined(w chains.Watch) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range w.Attempts {
		if _, ok := n.mined[a.Hash]; ok {
			return true
		}
	}
	return false
}
