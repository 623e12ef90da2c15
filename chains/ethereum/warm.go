package ethereum

import (
	"errors"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
)

// This file remembers answers that change seldom, so that they need not come
// over the air again for the next transaction. Nothing that a nonce, a fee or the
// funds depend on is among them. An account's code is: only a delegation
// (EIP-7702) changes that of an account with a key, and it raises the account's
// nonce, so it is asked again as soon as the nonce is not the journal's.

const (
	// acquaintedFor is how long it is believed of an endpoint that it is not
	// syncing and knows the methods for fees, and of an account what its code is.
	// Whether the endpoint keeps up with the others is seen all the same.
	acquaintedFor = 5 * time.Minute
	// acquaintedBlocks bounds the same by the chain's own pace: the clock of a
	// device that slept has not counted the time.
	acquaintedBlocks = 25
)

// errStale: what is remembered does not fit what a node says now.
var errStale = errors.New("what is known is out of date")

// An acquaintance is what an endpoint has said in full for an account.
type acquaintance struct {
	at   time.Time
	on   uint64 // connection: another one may lead to another node
	head chains.Head
	code []byte
}

type acquainted struct {
	e       *node.Endpoint
	account string
}

func (n *network) acquaint(e *node.Endpoint, account string, s *survey) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known[acquainted{e, account}] = acquaintance{n.now(), e.Greeted(), s.head.Head, s.code}
	n.full.at = n.now()
}

func (n *network) estrange(e *node.Endpoint, account string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.known, acquainted{e, account})
}

// acquainted returns what is remembered, nil for nothing.
func (n *network) acquainted(e *node.Endpoint, account string) *acquaintance {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, ok := n.known[acquainted{e, account}]
	if !ok || n.now().Sub(a.at) >= acquaintedFor || a.on != e.Greeted() {
		return nil
	}
	return &a
}

// rely fills a survey from what is known and the fee history, whose one block is
// the newest.
func (n *network) rely(e *node.Endpoint, s *survey, known *acquaintance, q *quotes) error {
	raw, err := e.Result(q.next)
	if err != nil || known.on != e.Greeted() {
		return errStale
	}
	h, err := wire.ReadHistory(raw)
	if err != nil {
		return e.Bad(err)
	}
	if h.Base == nil || h.Base.Sign() == 0 || h.Oldest < known.head.Number || h.Oldest-known.head.Number > acquaintedBlocks || q.tip.Err != nil {
		return errStale
	}
	s.head, s.code = &wire.Header{Head: chains.Head{Number: h.Oldest}, Base: h.Base}, known.code
	return n.pool.Current(e, s.head.Head)
}
