package ethereum

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/abi"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// ParseEvent makes a filter of a signature as package abi reads it.
func (codec) ParseEvent(contract, event string, values []*string, peer func(string) (string, error)) (chains.Filter, error) {
	e, err := abi.ParseEvent(event)
	if err != nil {
		return chains.Filter{}, functionError(err)
	}
	topics, err := e.Topics(values, peer)
	if bad := (*abi.ArgumentError)(nil); errors.As(err, &bad) {
		return chains.Filter{}, &chains.ArgumentError{Index: bad.Index, Err: err}
	}
	return chains.Filter{Contract: contract, Event: e.String(), Topics: topics}, err
}

// Horizon asks the first endpoint that is not behind, in one batch.
func (n *network) Horizon(ctx context.Context, blocks []uint64, final bool) (h *chains.Horizon, err error) {
	err = n.pool.Try(ctx, "look how far the chain is", func(e *node.Endpoint) error {
		h = &chains.Horizon{Blocks: map[uint64]chains.Head{}}
		l := newLook(e, n.opt.depth, chains.Head{}, nil, nil)
		height := &jsonrpc.Call{Method: "eth_blockNumber"}
		l.ask(height, func(call *jsonrpc.Call) error {
			raw, err := e.Result(call)
			if err == nil {
				h.Head, err = wire.ReadNumber(raw)
			}
			return err
		})
		for _, number := range blocks {
			l.askBlock(number)
		}
		if final && l.depth == 0 {
			l.ask(e.Header("finalized"), l.readFinal)
		}
		if err := l.put(ctx); err != nil {
			return err
		}
		if err := n.pool.Current(e, chains.Head{Number: h.Head}); err != nil {
			return err
		}
		switch {
		case l.final != nil:
			h.Final = l.final.Number
		case l.depth > 0 && h.Head+1 >= l.depth:
			h.Final = h.Head + 1 - l.depth
		}
		for _, number := range blocks {
			if b := l.blocks[number]; b != nil {
				h.Blocks[number] = b.Head
			}
		}
		return nil
	})
	return h, err
}

// Scan asks one endpoint for the logs of all scans and for the blocks at which
// they end. What a node says about a range that is too large for it has no form;
// so any complaint about more than one block is taken for that. Where one block
// cannot be read, the next endpoint is asked; where none can, that is the answer
// to this scan alone.
func (n *network) Scan(ctx context.Context, scans []chains.Scan) (all []chains.Scanned, err error) {
	err = n.pool.Try(ctx, "look for events", func(e *node.Endpoint) error {
		some := make([]chains.Scanned, len(scans))
		if err := n.scan(ctx, e, scans, some); err != nil {
			return err
		}
		all = some
		return unread(scans, some)
	})
	if err != nil && len(all) > 1 {
		return all, nil
	}
	return all, err
}

// unread returns why one block, which cannot be made less, was not read.
func unread(scans []chains.Scan, all []chains.Scanned) error {
	for i, s := range scans {
		if s.From == s.To && all[i].Err != nil {
			return all[i].Err
		}
	}
	return nil
}

func (n *network) scan(ctx context.Context, e *node.Endpoint, scans []chains.Scan, all []chains.Scanned) error {
	calls := make([]*jsonrpc.Call, 0, 2*len(scans))
	last := map[uint64]*jsonrpc.Call{}
	for _, s := range scans {
		calls = append(calls, &jsonrpc.Call{Method: "eth_getLogs", Params: []any{logQuery(s)}})
	}
	for _, s := range scans { // behind the logs, so that a node that has the block had it then
		if last[s.To] == nil {
			last[s.To] = e.Header(wire.Number(s.To))
			calls = append(calls, last[s.To])
		}
	}
	if err := e.Do(ctx, calls...); err != nil {
		return err
	}
	for i, s := range scans {
		end, err := readEnd(e, last[s.To], s.To)
		if err != nil {
			return err
		}
		if all[i], err = readScan(e, calls[i], s, end); err != nil {
			return err
		}
	}
	return nil
}

func logQuery(s chains.Scan) map[string]any {
	topics := make([]any, len(s.Filter.Topics))
	for i, t := range s.Filter.Topics {
		if t != nil {
			topics[i] = "0x" + hex.EncodeToString(t)
		}
	}
	return map[string]any{"address": s.Filter.Contract, "topics": topics, "fromBlock": wire.Number(s.From), "toBlock": wire.Number(s.To)}
}

// readEnd reads the block at which a scan ends. A node that does not have it
// cannot know what is logged in it.
func readEnd(e *node.Endpoint, call *jsonrpc.Call, number uint64) (chains.Head, error) {
	raw, err := e.Result(call)
	if err != nil {
		return chains.Head{}, err
	}
	h, err := wire.ReadHeader(raw)
	switch {
	case err == nil && h == nil:
		return chains.Head{}, wire.Refuse(chains.ErrUnreachable, "ask "+e.Host()+" for events", "it has no block %d", number)
	case err == nil && h.Number != number:
		err = wire.Malformed("another block", raw)
	}
	if err != nil {
		return chains.Head{}, e.Bad(err)
	}
	return h.Head, nil
}

// readScan reads logs and holds them against what was asked for.
func readScan(e *node.Endpoint, call *jsonrpc.Call, s chains.Scan, end chains.Head) (chains.Scanned, error) {
	raw, err := e.Result(call)
	if err != nil {
		if s.From < s.To || call.TooLarge {
			err = wire.Refuse(chains.ErrTooMuch, "ask "+e.Host()+" for events", "%v", err)
		}
		return chains.Scanned{Err: err}, nil
	}
	events, err := wire.ReadEvents(raw)
	if err != nil {
		return chains.Scanned{}, e.Bad(err)
	}
	for i := range events {
		ev := &events[i]
		inside := ev.Block.Number >= s.From && ev.Block.Number <= s.To && (i == 0 || ordered(&events[i-1], ev))
		if !inside || !same(ev.Address, s.Filter.Contract) || !passes(ev.Topics, s.Filter.Topics) {
			return chains.Scanned{}, e.Bad(wire.Malformed("a log that was not asked for", raw))
		}
		if ev.Block.Number == end.Number && ev.Block.Hash != end.Hash {
			return chains.Scanned{}, wire.Refuse(chains.ErrDisagree, "ask "+e.Host()+" for events", "block %d was replaced meanwhile", end.Number)
		}
	}
	return chains.Scanned{Events: events, Last: end}, nil
}

// ordered says whether b may come behind a.
func ordered(a, b *chains.Event) bool {
	if a.Block.Number == b.Block.Number {
		return a.Block.Hash == b.Block.Hash && a.Index < b.Index
	}
	return a.Block.Number < b.Block.Number
}

// passes says whether topics are what a filter wants.
func passes(topics, want [][]byte) bool {
	if len(topics) < len(want) {
		return false
	}
	for i, w := range want {
		if w != nil && string(w) != string(topics[i]) {
			return false
		}
	}
	return true
}
