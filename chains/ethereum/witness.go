package ethereum

import (
	"context"
	"errors"
	"sync"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// This file asks the other endpoints, where one is not enough.

// confirm keeps Settled only where as many endpoints as the network demands
// show the same receipt in the same block.
func (n *network) confirm(ctx context.Context, l *look, evidence []chains.Evidence) {
	if n.opt.agree <= 1 {
		return
	}
	votes := make([]int, len(evidence))
	var mu sync.Mutex
	var open []int
	for i := range evidence {
		if evidence[i].Settled {
			votes[i] = 1
			open = append(open, i)
		}
	}
	if len(open) == 0 {
		return
	}
	node.Each(n.pool.Others(l.e, false), func(_ int, e *node.Endpoint) error {
		agreed, err := agreeing(ctx, e, l.watches, evidence, open)
		mu.Lock()
		defer mu.Unlock()
		for _, i := range agreed {
			votes[i]++
		}
		return err
	})
	for _, i := range open {
		if votes[i] < n.opt.agree {
			evidence[i].Settled = false
			evidence[i].Err = wire.Refuse(chains.ErrDisagree, "confirm "+l.watches[i].Attempts[evidence[i].Attempt].Hash,
				"%d endpoints show it, %d are wanted", votes[i], n.opt.agree)
		}
	}
}

// agreeing returns those of open for which e shows the receipt, and the block,
// that the evidence says.
func agreeing(ctx context.Context, e *node.Endpoint, watches []chains.Watch, evidence []chains.Evidence, open []int) ([]int, error) {
	var calls []*jsonrpc.Call
	for _, i := range open {
		hash := watches[i].Attempts[evidence[i].Attempt].Hash
		calls = append(calls,
			hashCall("eth_getTransactionReceipt", hash),
			e.Header(wire.Number(evidence[i].Block.Number)))
	}
	if err := e.Do(ctx, calls...); err != nil {
		return nil, err
	}
	var agreed []int
	for k, i := range open {
		ev := evidence[i]
		if calls[2*k].Err != nil || calls[2*k+1].Err != nil {
			continue
		}
		hash := watches[i].Attempts[ev.Attempt].Hash
		r, err1 := wire.ReadReceipt(calls[2*k].Result, hash)
		if calls[2*k].TooLarge {
			r, err1 = longReceipt(ctx, e, hash)
		}
		h, err2 := wire.ReadHeader(calls[2*k+1].Result)
		if err1 != nil || err2 != nil || r == nil || h == nil {
			continue
		}
		if r.Block.Hash == ev.Block.Hash && h.Hash == ev.Block.Hash && (r.Status == 1) == (ev.Outcome == chains.Succeeded) {
			agreed = append(agreed, i)
		}
	}
	return agreed, nil
}

// seekAbsent asks every other endpoint about the watches of which the first
// one knows nothing. Endpoints that cannot be reached, are behind, syncing or
// indexing have no voice; one that knows the transaction decides, and one that
// answers with an error has not said that there is none. Endpoints
// that failed lately are tried all the same where the nonce is consumed: a
// transaction may be given up for what is found here.
func (n *network) seekAbsent(ctx context.Context, l *look, evidence []chains.Evidence) {
	var open []int
	consumed := false
	for i := range evidence {
		if evidence[i].Absent {
			open = append(open, i)
			consumed = consumed || evidence[i].Consumed
		}
	}
	if len(open) == 0 {
		return
	}
	var mu sync.Mutex
	node.Each(n.pool.Others(l.e, consumed), func(_ int, e *node.Endpoint) error {
		holds, unsure, err := holding(ctx, e, l, open)
		mu.Lock()
		defer mu.Unlock()
		for _, i := range holds {
			evidence[i].Known, evidence[i].Absent = true, false
		}
		if errors.Is(err, chains.ErrBudget) { // it could be reached, and was not asked
			unsure = open
		}
		for _, i := range unsure {
			evidence[i].Absent = false
		}
		return err
	})
}

// holding returns those of open of which e has an attempt, waiting or in a
// block, and those of which it did not say.
func holding(ctx context.Context, e *node.Endpoint, l *look, open []int) (holds, unsure []int, err error) {
	var calls []*jsonrpc.Call
	var of []int
	for _, i := range open {
		for _, a := range l.watches[i].Attempts {
			calls = append(calls,
				hashCall("eth_getTransactionByHash", a.Hash),
				hashCall("eth_getTransactionReceipt", a.Hash))
			of = append(of, i, i)
		}
	}
	if err := e.Do(ctx, calls...); err != nil {
		return nil, nil, err
	}
	for k, call := range calls {
		switch {
		case call.TooLarge || call.Err == nil && !wire.IsNull(call.Result):
			holds = append(holds, of[k])
		case call.Err != nil && wire.Classify(call.Err) != wire.Indexing:
			unsure = append(unsure, of[k])
		}
	}
	return holds, unsure, nil
}
