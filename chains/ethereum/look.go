package ethereum

import (
	"context"
	"encoding/json"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// A look is what one endpoint shows of the chain at one time.
type look struct {
	e        *node.Endpoint
	depth    uint64 // as in options
	watches  []chains.Watch
	since    chains.Head
	head     *wire.Header
	believed chains.Head
	lag      uint64       // of this endpoint behind it
	final    *wire.Header // nil where nothing is final yet, or not known
	finalErr error        // why it is not known
	receipts map[string]lookUp[*wire.Receipt]
	known    map[string]lookUp[bool]
	blocks   map[uint64]*wire.Header // canonical blocks that matter
	nonces   map[string]uint64       // of accounts at the final block
	sync     wire.SyncState
	// long are the blocks of attempts whose receipts are too large to be read.
	long map[string]string
	more []string // attempts whose receipt has turned out so

	questions []question
}

// A lookUp is an answer about one transaction, or why there is none.
type lookUp[T any] struct {
	v   T
	err error
}

// A question is a call and what becomes of its answer; read fails where the
// answer is malformed.
type question struct {
	call *jsonrpc.Call
	read func(*jsonrpc.Call) error
}

func newLook(e *node.Endpoint, depth uint64, since chains.Head, watches []chains.Watch, long map[string]string) *look {
	return &look{
		e: e, depth: depth, since: since, watches: watches, long: long,
		receipts: make(map[string]lookUp[*wire.Receipt]), known: make(map[string]lookUp[bool]),
		blocks: make(map[uint64]*wire.Header), nonces: make(map[string]uint64),
	}
}

func (l *look) ask(call *jsonrpc.Call, read func(*jsonrpc.Call) error) {
	l.questions = append(l.questions, question{call, read})
}

// put asks the questions that have come together, in one batch.
func (l *look) put(ctx context.Context) error {
	if len(l.questions) == 0 {
		return nil
	}
	calls := make([]*jsonrpc.Call, len(l.questions))
	for i, q := range l.questions {
		calls[i] = q.call
	}
	if err := l.e.Do(ctx, calls...); err != nil {
		return err
	}
	for _, q := range l.questions {
		if err := q.read(q.call); err != nil {
			return l.e.Bad(err)
		}
	}
	l.questions = nil
	return nil
}

// glance is the first batch: newest and final block, and a receipt of every
// attempt.
func (l *look) glance(ctx context.Context) error {
	head := l.e.Header("latest")
	l.ask(head, func(*jsonrpc.Call) error { return nil })
	if l.depth == 0 {
		l.ask(l.e.Header("finalized"), l.readFinal)
	}
	l.askReceipts()
	if err := l.put(ctx); err != nil {
		return err
	}
	for _, hash := range l.more {
		r, err := longReceipt(ctx, l.e, hash)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l.receipts[hash] = lookUp[*wire.Receipt]{r, err}
	}
	var err error
	l.head, err = l.e.ReadHead(head)
	return err
}

// askReceipts asks for a receipt of every attempt.
func (l *look) askReceipts() {
	for _, w := range l.watches {
		for _, a := range w.Attempts {
			l.askIncluded(a.Hash)
		}
	}
}

// askIncluded asks in which block an attempt is and what became of it there. Where
// the receipt was too large before, that it is still in the same block is enough.
func (l *look) askIncluded(hash string) {
	method, read := "eth_getTransactionReceipt", wire.ReadReceipt
	block, long := l.long[hash]
	if long {
		method = "eth_getTransactionByHash"
		read = func(raw json.RawMessage, hash string) (*wire.Receipt, error) {
			in, err := wire.ReadInclusion(raw, hash)
			if in == nil || in.Hash != block {
				return nil, err
			}
			return &wire.Receipt{Block: *in, Status: 1, Long: true}, nil
		}
	}
	l.ask(hashCall(method, hash), func(call *jsonrpc.Call) error {
		if call.TooLarge && !long {
			l.more = append(l.more, hash)
			return nil
		}
		raw, err := l.e.Result(call)
		if err != nil {
			l.receipts[hash] = lookUp[*wire.Receipt]{err: err}
			return nil
		}
		r, err := read(raw, hash)
		l.receipts[hash] = lookUp[*wire.Receipt]{v: r}
		return err
	})
}

// longReceipt is for a receipt that is too large to be read. That tells of its
// status: it has logs, which what reverts has not. The block is that of the
// transaction, if it is in the same one before and after.
func longReceipt(ctx context.Context, e *node.Endpoint, hash string) (*wire.Receipt, error) {
	before, err := inclusion(ctx, e, hash)
	if before == nil || err != nil {
		return nil, err
	}
	call := hashCall("eth_getTransactionReceipt", hash)
	if err := e.Do(ctx, call); err != nil {
		return nil, err
	}
	if !call.TooLarge {
		raw, err := e.Result(call)
		if err != nil {
			return nil, err
		}
		r, err := wire.ReadReceipt(raw, hash)
		if err != nil {
			return nil, e.Bad(err)
		}
		return r, nil
	}
	after, err := inclusion(ctx, e, hash)
	if after == nil || err != nil || *after != *before {
		return nil, err
	}
	return &wire.Receipt{Block: *after, Status: 1, Long: true}, nil
}

// inclusion asks in which block a transaction is.
func inclusion(ctx context.Context, e *node.Endpoint, hash string) (*chains.Head, error) {
	call := hashCall("eth_getTransactionByHash", hash)
	if err := e.Do(ctx, call); err != nil {
		return nil, err
	}
	raw, err := e.Result(call)
	if err != nil {
		return nil, err
	}
	in, err := wire.ReadInclusion(raw, hash)
	if err != nil {
		return nil, e.Bad(err)
	}
	return in, nil
}

func hashCall(method, hash string) *jsonrpc.Call {
	return &jsonrpc.Call{Method: method, Params: []any{"0x" + hash}}
}

// readFinal reads the final block. A node that has none yet says so in several
// ways; one that does not know the tag leaves everything unsettled and the
// reason in the evidence.
func (l *look) readFinal(call *jsonrpc.Call) error {
	raw, err := l.e.Result(call)
	switch {
	case err == nil:
		l.final, err = wire.ReadHeader(raw)
		return err
	case wire.Classify(call.Err) != wire.NoBlock:
		l.finalErr = err
	}
	return nil
}

// follow is the second batch, what the first one left open: blocks at which
// something may be settled or was final before, and for watches without a
// receipt whether the node knows the attempts, and what the account's nonce is
// where it is final.
func (l *look) follow(ctx context.Context) error {
	tag := ""
	switch {
	case l.depth == 0 && l.final != nil:
		tag = "finalized"
	case l.depth > 0 && l.head.Number+1 >= l.depth:
		tag = wire.Number(l.deepest())
		l.askBlock(l.deepest())
	}
	if l.since != (chains.Head{}) && l.head.Number >= l.since.Number {
		l.askBlock(l.since.Number)
	}
	pending := false
	for _, w := range l.watches {
		at, r := l.included(w)
		switch {
		case r == nil:
			pending = true
			l.askPending(w, tag)
		case at >= 0 && l.maySettle(r.Block.Number):
			l.askBlock(r.Block.Number)
		}
	}
	if pending {
		l.ask(&jsonrpc.Call{Method: "eth_syncing"}, l.readSync)
	}
	if err := l.put(ctx); err != nil {
		return err
	}
	if l.depth > 0 && l.head.Number+1 >= l.depth {
		l.final = l.blocks[l.deepest()]
	}
	return nil
}

// deepest returns the newest block that is final by depth.
func (l *look) deepest() uint64 { return l.head.Number + 1 - l.depth }

// maySettle says whether a block is old enough to be final.
func (l *look) maySettle(number uint64) bool {
	if l.depth > 0 {
		return number+l.depth <= l.head.Number+1
	}
	return l.final != nil && number <= l.final.Number
}

// askBlock asks for a canonical block. Nothing is settled by one that is not
// shown.
func (l *look) askBlock(number uint64) {
	if _, asked := l.blocks[number]; asked || l.final != nil && l.final.Number == number {
		return
	}
	l.blocks[number] = nil
	l.ask(l.e.Header(wire.Number(number)), func(call *jsonrpc.Call) error {
		if call.Err != nil {
			return nil
		}
		h, err := wire.ReadHeader(call.Result)
		if err == nil && h != nil && h.Number != number {
			err = wire.Malformed("another block", call.Result)
		}
		l.blocks[number] = h
		return err
	})
}

// askPending asks what there is to know of a watch without a receipt.
func (l *look) askPending(w chains.Watch, finalTag string) {
	for _, a := range w.Attempts {
		l.ask(hashCall("eth_getTransactionByHash", a.Hash), func(call *jsonrpc.Call) error {
			if call.TooLarge { // much is not nothing
				l.known[a.Hash] = lookUp[bool]{v: true}
				return nil
			}
			raw, err := l.e.Result(call)
			if err != nil {
				l.known[a.Hash] = lookUp[bool]{err: err}
				return nil
			}
			has, err := wire.ReadKnown(raw, a.Hash)
			l.known[a.Hash] = lookUp[bool]{v: has}
			return err
		})
	}
	address := w.Account.Address
	if _, asked := l.nonces[address]; asked || finalTag == "" {
		return
	}
	l.nonces[address] = 0
	l.ask(&jsonrpc.Call{Method: "eth_getTransactionCount", Params: []any{address, finalTag}}, func(call *jsonrpc.Call) (err error) {
		if call.Err == nil { // else the state is pruned: it will be asked again
			l.nonces[address], err = wire.ReadUint("nonce", call.Result)
		}
		return err
	})
}

func (l *look) readSync(call *jsonrpc.Call) (err error) {
	if call.Err == nil { // else the node does not have the method
		l.sync, err = wire.ReadSync(call.Result)
	}
	return err
}

// block returns the canonical block with a number, nil where it was not shown.
func (l *look) block(number uint64) *wire.Header {
	if l.final != nil && l.final.Number == number {
		return l.final
	}
	return l.blocks[number]
}

// included returns the attempt of a watch that is in a block, and its receipt;
// a second attempt with a receipt is a contradiction and gives -1.
func (l *look) included(w chains.Watch) (int, *wire.Receipt) {
	at, r := 0, (*wire.Receipt)(nil)
	for i, a := range w.Attempts {
		got := l.receipts[a.Hash].v
		switch {
		case got != nil && r != nil:
			return -1, r
		case got != nil:
			at, r = i, got
		}
	}
	return at, r
}
