package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// An Endpoint is one node of a network, or what poses as one.
type Endpoint struct {
	pool   *Pool
	url    *url.URL
	client *jsonrpc.Client
	// bodies: the node has no eth_getHeaderByNumber, so blocks come whole.
	bodies atomic.Bool
	// uncounted: the node has no eth_getBlockTransactionCountByHash.
	uncounted atomic.Bool
	greeted   atomic.Uint64

	// Guarded by pool.mu.
	quarantined bool
	up          int       // as in chains.Status
	failures    int       // in a row
	failed      time.Time // the last of them
	rested      time.Time // not asked before while others can be
}

// Host returns the endpoint's name for messages: a whole URL often holds a key.
func (e *Endpoint) Host() string { return e.url.Host }

// Greeted counts the connections over which the endpoint has said who it is.
func (e *Endpoint) Greeted() uint64 { return e.greeted.Load() }

// Do puts calls to the endpoint and keeps the score. An error means that the
// endpoint has not answered all of them.
func (e *Endpoint) Do(ctx context.Context, calls ...*jsonrpc.Call) error {
	if err := e.ask(ctx, calls); err != nil {
		return err
	}
	return e.retryHeaders(ctx, calls)
}

func (e *Endpoint) ask(ctx context.Context, calls []*jsonrpc.Call) error {
	for _, call := range calls {
		call.Long = contractAnswers(call)
	}
	err := e.client.Do(ctx, calls...)
	switch {
	case err == nil:
		return e.score(calls)
	case ctx.Err() != nil:
		return fmt.Errorf("ask %s: %w", e.Host(), ctx.Err())
	case errors.Is(err, chains.ErrOtherChain), errors.Is(err, chains.ErrBudget):
		return err
	}
	return e.down(wire.Refuse(chains.ErrUnreachable, "ask "+e.Host(), "%v", err))
}

// contractAnswers says whether a contract, or who calls it, decides how long the
// answer is, so that the node is not to blame for it.
func contractAnswers(call *jsonrpc.Call) bool {
	switch call.Method {
	case "eth_call", "eth_estimateGas", "eth_getTransactionReceipt", "eth_getTransactionByHash", "eth_getLogs":
		return true
	}
	return false
}

// score takes being told to ask less for not being answered.
func (e *Endpoint) score(calls []*jsonrpc.Call) error {
	for _, call := range calls {
		// Nodes refuse a range of blocks that is too large in words that others have
		// for too many requests.
		if call.Err != nil && call.Method != "eth_getLogs" && wire.Classify(call.Err) == wire.Busy {
			return e.down(wire.Complaint("ask "+e.Host(), call.Err))
		}
	}
	p := e.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	e.up, p.answered = 1, p.o.Deps.Now()
	p.requests++
	return nil
}

func (e *Endpoint) down(err error) error {
	e.Rest()
	p := e.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	e.up, p.lastErr = 2, err
	p.requests, p.failures = p.requests+1, p.failures+1
	return err
}

// good says that the endpoint did what it was asked for.
func (e *Endpoint) good() {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	e.failures, e.rested = 0, time.Time{}
}

// Bad is for an answer that nobody can use: the endpoint rests for it.
func (e *Endpoint) Bad(err error) error {
	e.Rest()
	return wire.Refuse(chains.ErrRefused, "read the answer of "+e.Host(), "%v", err)
}

// countOf is the shortest question for a block by its hash: its answer is null
// where the node does not have it, and a few bytes where it has.
const countOf = "eth_getBlockTransactionCountByHash"

func firstBlock() *jsonrpc.Call {
	return &jsonrpc.Call{Method: "eth_getBlockByNumber", Params: []any{"0x0", false}}
}

// hello asks which chain the far side of a new connection is on; where the
// network's chain is known, in few bytes: whether it is that one.
func (e *Endpoint) hello() []*jsonrpc.Call {
	second := firstBlock()
	if want := e.pool.Identity(); want != nil && !e.uncounted.Load() {
		second = &jsonrpc.Call{Method: countOf, Params: []any{"0x" + want.Genesis}}
	}
	return []*jsonrpc.Call{{Method: "eth_chainId"}, second}
}

// recognised says whether the answers to a short hello are those of the network's
// chain. Where they are not, or the node does not have the method, block 0
// decides.
func (e *Endpoint) recognised(hello []*jsonrpc.Call) bool {
	if hello[1].Err != nil {
		if wire.Classify(hello[1].Err) == wire.NoMethod {
			e.uncounted.Store(true)
		}
		return false
	}
	id, err := wire.ReadBig("chain id", hello[0].Result)
	if err != nil || id.String() != e.pool.Identity().ChainID || e.pool.o.ChainID != "" && e.pool.o.ChainID != id.String() {
		return false
	}
	_, err = wire.ReadUint("number of transactions", hello[1].Result)
	return err == nil
}

// greet judges the answers to hello. The first answer that any endpoint of the
// network gives is what all others must give.
func (e *Endpoint) greet(ask func(...*jsonrpc.Call) error, hello []*jsonrpc.Call) error {
	e.greeted.Add(1)
	if hello[1].Method == countOf {
		if e.recognised(hello) {
			return nil
		}
		hello[1] = firstBlock()
		if err := ask(hello[1]); err != nil {
			return err
		}
	}
	got, err := readIdentity(hello)
	if err != nil {
		return err
	}
	p := e.pool
	if p.o.ChainID != "" && got.ChainID != p.o.ChainID {
		return p.quarantine(e, got)
	}
	want := p.Identity()
	if want == nil {
		first, err := p.meet(ask, got)
		if err != nil || first {
			return err
		}
		want = p.Identity()
	}
	if got == *want {
		return nil
	}
	if got.ChainID == want.ChainID {
		has, err := hasBlock(ask, want.Genesis)
		switch {
		case err != nil:
			return err
		case has:
			return nil
		case got.Genesis == "":
			return errors.New("the node has neither block 0 nor the block that stands for it")
		}
	}
	return p.quarantine(e, got)
}

// readIdentity reads the answers to hello; Genesis stays empty where the node
// has no block 0.
func readIdentity(hello []*jsonrpc.Call) (chains.Identity, error) {
	var got chains.Identity
	if hello[0].Err != nil {
		return got, fmt.Errorf("eth_chainId: %w", hello[0].Err)
	}
	id, err := wire.ReadBig("chain id", hello[0].Result)
	if err != nil {
		return got, err
	}
	if id.Sign() == 0 {
		return got, wire.Malformed("chain id", hello[0].Result)
	}
	got.ChainID = id.String()
	if hello[1].Err != nil {
		return got, nil
	}
	genesis, err := wire.ReadHeader(hello[1].Result)
	if genesis != nil {
		got.Genesis = genesis.Hash
	}
	return got, err
}

// meet makes got the network's identity, or says that another endpoint was
// faster. For a node without block 0 its newest final block stands in, unless
// the chain has a name already: two networks on one chain share its accounts.
func (p *Pool) meet(ask func(...*jsonrpc.Call) error, got chains.Identity) (first bool, err error) {
	if got, err = p.sameAs(ask, got); err != nil {
		return false, err
	}
	if got.Genesis == "" {
		call := &jsonrpc.Call{Method: "eth_getBlockByNumber", Params: []any{"finalized", false}}
		if err := ask(call); err != nil {
			return false, err
		}
		var final *wire.Header
		if call.Err == nil {
			if final, err = wire.ReadHeader(call.Result); err != nil {
				return false, err
			}
		}
		if final == nil {
			return false, errors.New("the node has neither block 0 nor a final block")
		}
		got.Genesis = final.Hash
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.chain != nil {
		return false, nil
	}
	p.chain = &got
	return true, nil
}

// sameAs returns the identity under which another network knows the chain on
// which the node is, or got.
func (p *Pool) sameAs(ask func(...*jsonrpc.Call) error, got chains.Identity) (chains.Identity, error) {
	if p.o.Deps.Known == nil {
		return got, nil
	}
	known := p.o.Deps.Known()
	if slices.Contains(known, got) {
		return got, nil
	}
	for _, k := range known {
		if k.ChainID != got.ChainID {
			continue
		}
		if has, err := hasBlock(ask, k.Genesis); err != nil || has {
			return k, err
		}
	}
	return got, nil
}

// hasBlock says whether the node has the block called hash.
func hasBlock(ask func(...*jsonrpc.Call) error, hash string) (bool, error) {
	call := &jsonrpc.Call{Method: "eth_getBlockByHash", Params: []any{"0x" + hash, false}}
	if err := ask(call); err != nil {
		return false, err
	}
	if call.Err != nil {
		return false, fmt.Errorf("eth_getBlockByHash: %w", call.Err)
	}
	h, err := wire.ReadHeader(call.Result)
	return h != nil && h.Hash == hash, err
}

const shortHeader = "eth_getHeaderByNumber"

// Header asks for a block by number or tag, without its transactions where
// the node can do that: on a busy chain their hashes are most of the answer.
func (e *Endpoint) Header(tag string) *jsonrpc.Call {
	if e.bodies.Load() {
		return &jsonrpc.Call{Method: "eth_getBlockByNumber", Params: []any{tag, false}}
	}
	return &jsonrpc.Call{Method: shortHeader, Params: []any{tag}}
}

// retryHeaders asks for headers again, in the long form, where the node does
// not know the short one.
func (e *Endpoint) retryHeaders(ctx context.Context, calls []*jsonrpc.Call) error {
	var again []*jsonrpc.Call
	for _, call := range calls {
		if call.Method == shortHeader && call.Err != nil && wire.Classify(call.Err) == wire.NoMethod {
			e.bodies.Store(true)
			*call = *e.Header(call.Params[0].(string))
			again = append(again, call)
		}
	}
	if len(again) == 0 {
		return nil
	}
	return e.ask(ctx, again)
}

// Result returns a call's result, or its error as one of the chains room. An
// answer that was too large is ErrRefused; to a question for gas it is
// ErrReverts, because only a revert has more to say than a number.
func (e *Endpoint) Result(call *jsonrpc.Call) (json.RawMessage, error) {
	doing := call.Method + " at " + e.Host()
	switch {
	case call.TooLarge && call.Method == "eth_estimateGas":
		return nil, wire.Refuse(chains.ErrReverts, doing, "the contract says more than can be read")
	case call.TooLarge:
		return nil, wire.Refuse(chains.ErrRefused, doing, "the answer is too large")
	case call.Err != nil:
		return nil, wire.Complaint(doing, call.Err)
	}
	return call.Result, nil
}

// ReadHead reads the answer to Header("latest"): every node has a newest block.
func (e *Endpoint) ReadHead(call *jsonrpc.Call) (*wire.Header, error) {
	raw, err := e.Result(call)
	if err != nil {
		return nil, err
	}
	h, err := wire.ReadHeader(raw)
	if err == nil && h == nil {
		err = wire.Malformed("newest block", raw)
	}
	if err != nil {
		return nil, e.Bad(err)
	}
	return h, nil
}
