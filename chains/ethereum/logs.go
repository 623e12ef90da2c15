package ethereum

import (
	"context"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
)

// Logs asks for the receipt of a transaction and returns its logs.
func (n *network) Logs(ctx context.Context, hash string) (logs []chains.Log, err error) {
	err = n.pool.Try(ctx, "ask for logs", func(e *node.Endpoint) error {
		call := hashCall("eth_getTransactionReceipt", hash)
		if err := e.Do(ctx, call); err != nil {
			return err
		}
		raw, err := e.Result(call)
		if err != nil {
			return err
		}
		if logs, err = wire.ReadLogs(raw, hash); err != nil {
			return e.Bad(err)
		}
		if logs == nil {
			return wire.Refuse(chains.ErrRefused, "ask "+e.Host()+" for logs", "it has no block with %s", hash)
		}
		return nil
	})
	return logs, err
}
