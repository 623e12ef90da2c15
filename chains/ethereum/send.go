package ethereum

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// Send hands bytes to all endpoints at once and waits for all of them, so that
// two calls reach every endpoint in their order. Endpoints that failed lately
// are left out while others work.
func (n *network) Send(ctx context.Context, s chains.Signed) error {
	const doing = "send a transaction"
	list := n.pool.Usable()
	outcomes := make([]error, len(list))
	node.Each(list, func(i int, e *node.Endpoint) error {
		outcomes[i] = submit(ctx, e, s)
		return outcomes[i]
	})
	var worst error
	for _, err := range outcomes {
		if err == nil {
			return nil
		}
		// What a node that was reached says counts for more.
		if worst == nil || errors.Is(worst, chains.ErrUnreachable) {
			worst = err
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	return n.pool.None(doing, worst)
}

// submit hands bytes to one endpoint; nil when it took them or had them already.
func submit(ctx context.Context, e *node.Endpoint, s chains.Signed) error {
	call := &jsonrpc.Call{Method: "eth_sendRawTransaction", Params: []any{"0x" + hex.EncodeToString(s.Raw)}, Acts: true}
	if err := e.Do(ctx, call); err != nil {
		return err
	}
	if call.Err == nil {
		hash, err := wire.ReadHash("transaction hash", call.Result)
		if err != nil {
			return e.Bad(err)
		}
		if hash != s.Hash {
			return e.Bad(wire.Malformed("hash of another transaction", call.Result))
		}
		return nil
	}
	switch wire.Classify(call.Err) {
	case wire.IsKnown:
		return nil
	case wire.NonceLow:
		// The nonce may have been used by this very transaction.
		if holds(ctx, e, s.Hash) {
			return nil
		}
	}
	return wire.Complaint("send a transaction to "+e.Host(), call.Err)
}

func holds(ctx context.Context, e *node.Endpoint, hash string) bool {
	call := hashCall("eth_getTransactionByHash", hash)
	if e.Do(ctx, call) != nil || call.Err != nil {
		return false
	}
	known, err := wire.ReadKnown(call.Result, hash)
	return err == nil && known
}
