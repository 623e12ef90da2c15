package ethereum

import (
	"context"
	"math/big"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/node"
	"github.com/boatd/boatd/chains/ethereum/wire"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// Balance returns what an account holds in the newest block.
func (n *network) Balance(ctx context.Context, address string) (balance *big.Int, err error) {
	address, err = n.ParseAddress(address)
	if err != nil {
		return nil, err
	}
	err = n.pool.Try(ctx, "ask for a balance", func(e *node.Endpoint) error {
		call := &jsonrpc.Call{Method: "eth_getBalance", Params: []any{address, "latest"}}
		if err := e.Do(ctx, call); err != nil {
			return err
		}
		raw, err := e.Result(call)
		if err != nil {
			return err
		}
		if balance, err = wire.ReadBig("balance", raw); err != nil {
			return e.Bad(err)
		}
		return nil
	})
	return balance, err
}

// Query calls a contract in the newest block. A revert is ErrReverts with the
// reason as detail.
func (n *network) Query(ctx context.Context, from *chains.Account, contract string, data []byte) (out []byte, err error) {
	contract, err = n.ParseAddress(contract)
	if err != nil {
		return nil, err
	}
	sender := "0x0000000000000000000000000000000000000000"
	if from != nil {
		sender = from.Address
	}
	m := message(sender, chains.Intent{To: contract, Value: new(big.Int), Data: data}, 0)
	err = n.pool.Try(ctx, "call a contract", func(e *node.Endpoint) error {
		call := &jsonrpc.Call{Method: "eth_call", Params: []any{m, "latest"}}
		if err := e.Do(ctx, call); err != nil {
			return err
		}
		raw, err := e.Result(call)
		if err != nil {
			return err
		}
		if out, err = wire.ReadData("return data", raw); err != nil {
			return e.Bad(err)
		}
		return nil
	})
	return out, err
}
