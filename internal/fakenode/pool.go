package fakenode

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Submit hands a signed transaction to a node, as somebody else who has the
// key would do.
func (n *Node) Submit(raw []byte) error {
	n.chain.mu.Lock()
	defer n.chain.mu.Unlock()
	_, err := n.add(raw)
	return err
}

// add judges a transaction as geth does, in its order and words, and puts it
// into the pool.
func (n *Node) add(raw []byte) (common.Hash, error) {
	c := n.chain
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(raw); err != nil {
		return common.Hash{}, err
	}
	from, err := c.judge(tx)
	if err != nil {
		return common.Hash{}, err
	}
	old := n.pool[from][tx.Nonce()]
	switch {
	case old == nil:
	case old.Hash() == tx.Hash():
		return common.Hash{}, errors.New("already known")
	case !replaces(tx, old):
		return common.Hash{}, errors.New("replacement transaction underpriced")
	}
	n.put(from, tx)
	return tx.Hash(), nil
}

func (c *Chain) judge(tx *types.Transaction) (common.Address, error) {
	from, err := types.Sender(c.signer, tx)
	account := c.state(from, c.tip().number)
	switch {
	case tx.Type() > 2 || c.o.Legacy && tx.Type() != 0:
		return from, errors.New("transaction type not supported")
	case !tx.Protected():
		return from, errors.New("only replay-protected (EIP-155) transactions allowed over RPC")
	case err != nil:
		return from, fmt.Errorf("invalid sender: %w", err)
	case tx.Gas() > blockGas:
		return from, errors.New("exceeds block gas limit")
	case tx.GasTipCap().Cmp(tx.GasFeeCap()) > 0:
		return from, errors.New("max priority fee per gas higher than max fee per gas")
	case tx.Gas() < intrinsic(message{to: tx.To(), data: tx.Data()}):
		return from, fmt.Errorf("intrinsic gas too low: gas %d, minimum needed %d", tx.Gas(), intrinsic(message{to: tx.To(), data: tx.Data()}))
	case tx.Nonce() < account.nonce:
		return from, fmt.Errorf("nonce too low: next nonce %d, tx nonce %d", account.nonce, tx.Nonce())
	case account.balance.Cmp(tx.Cost()) < 0:
		return from, fmt.Errorf("insufficient funds for gas * price + value: balance %d, tx cost %d", account.balance, tx.Cost())
	}
	return from, nil
}

// replaces is geth's rule: both fees at least a tenth higher.
func replaces(tx, old *types.Transaction) bool {
	higher := func(now, before *big.Int) bool {
		limit := new(big.Int).Mul(before, big.NewInt(110))
		return now.Cmp(before) > 0 && new(big.Int).Mul(now, big.NewInt(100)).Cmp(limit) >= 0
	}
	return higher(tx.GasFeeCap(), old.GasFeeCap()) && higher(tx.GasTipCap(), old.GasTipCap())
}

func (n *Node) put(from common.Address, tx *types.Transaction) {
	if n.pool[from] == nil {
		n.pool[from] = make(map[uint64]*types.Transaction)
	}
	n.pool[from][tx.Nonce()] = tx
}

// forgetStale drops what can never be included any more.
func (n *Node) forgetStale() {
	for from, byNonce := range n.pool {
		next := n.chain.state(from, n.chain.tip().number).nonce
		for nonce := range byNonce {
			if nonce < next {
				delete(byNonce, nonce)
			}
		}
	}
}

// pooled returns a transaction of the pool.
func (n *Node) pooled(hash common.Hash) *types.Transaction {
	for _, byNonce := range n.pool {
		for _, tx := range byNonce {
			if tx.Hash() == hash {
				return tx
			}
		}
	}
	return nil
}
