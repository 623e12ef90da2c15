//go:build e2e

package e2e

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// A chainTx is a transaction in a block, as the chain shows it.
type chainTx struct {
	Hash    common.Hash     `json:"hash"`
	From    common.Address  `json:"from"`
	To      *common.Address `json:"to"`
	Nonce   hexutil.Uint64  `json:"nonce"`
	Value   *hexutil.Big    `json:"value"`
	Input   hexutil.Bytes   `json:"input"`
	Type    hexutil.Uint64  `json:"type"`
	R       *hexutil.Big    `json:"r"`
	S       *hexutil.Big    `json:"s"`
	Block   *hexutil.Big    `json:"blockNumber"`
	Success bool            `json:"-"` // by its receipt
}

// hash is the transaction's hash as boatd writes it.
func (tx *chainTx) hash() string { return strings.TrimPrefix(tx.Hash.Hex(), "0x") }

// effect is what the transaction does, apart from who pays for it.
func (tx *chainTx) effect() effect {
	to := ""
	if tx.To != nil {
		to = tx.To.Hex()
	}
	return effect{to, tx.Value.ToInt().String(), common.Bytes2Hex(tx.Input)}
}

// An effect is what somebody wants from a transaction: tests give each intent
// another one, so that the chain tells how often it happened.
type effect struct {
	to    string // checksummed; "" for a deployment
	value string // wei
	data  string // hex
}

func (n *node) height(t testing.TB) uint64 {
	t.Helper()
	var h hexutil.Uint64
	n.call(t, &h, "eth_blockNumber")
	return uint64(h)
}

func (n *node) balance(t testing.TB, address string) *big.Int {
	t.Helper()
	var b hexutil.Big
	n.call(t, &b, "eth_getBalance", address, "latest")
	return b.ToInt()
}

func (n *node) nonce(t testing.TB, address string) uint64 {
	t.Helper()
	var c hexutil.Uint64
	n.call(t, &c, "eth_getTransactionCount", address, "latest")
	return uint64(c)
}

// word asks a contract with call data and returns the integer that it answers.
func (n *node) word(t testing.TB, contract, data string) *big.Int {
	t.Helper()
	var out hexutil.Bytes
	n.call(t, &out, "eth_call", map[string]string{"to": contract, "data": data}, "latest")
	return new(big.Int).SetBytes(out)
}

// ether is n ether in wei.
func ether(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18)) }

// fund pays an address from the node's own account and waits until it has it.
func (n *node) fund(t testing.TB, address string, wei *big.Int) {
	t.Helper()
	n.mined(t, map[string]string{"from": n.dev, "to": address, "value": hexutil.EncodeBig(wei), "gas": "0x5208",
		"maxFeePerGas": "0x2540be400", "maxPriorityFeePerGas": "0x77359400"})
}

// mined has the node's own account make a transaction and returns the block
// number and contract address of its receipt.
func (n *node) mined(t testing.TB, tx map[string]string) (r receipt) {
	t.Helper()
	var hash common.Hash
	// geth can give two of an account's transactions one nonce when a block comes
	// in between; the second one is refused.
	var err error
	within(patience, func() bool {
		err = n.try(&hash, "eth_sendTransaction", tx)
		return err == nil || !strings.Contains(err.Error(), "underpriced") && !strings.Contains(err.Error(), "nonce")
	})
	if err != nil {
		t.Fatalf("eth_sendTransaction: %v", err)
	}
	if n.dev == anvilDev {
		n.mine(t, 1)
	}
	return n.receipt(t, hash.Hex())
}

// A receipt is what became of a transaction.
type receipt struct {
	Status   hexutil.Uint64  `json:"status"`
	Block    hexutil.Uint64  `json:"blockNumber"`
	Contract *common.Address `json:"contractAddress"`
}

// receipt waits for the receipt of a transaction.
func (n *node) receipt(t testing.TB, hash string) receipt {
	t.Helper()
	var r *receipt
	eventually(t, "the receipt of "+hash, func() bool {
		return n.try(&r, "eth_getTransactionReceipt", hash) == nil && r != nil
	})
	return *r
}

// deploy makes a contract of init code, from the node's own account.
func (n *node) deploy(t testing.TB, code string) (address string) {
	t.Helper()
	r := n.mined(t, map[string]string{"from": n.dev, "data": "0x" + code, "gas": "0xf4240",
		"maxFeePerGas": "0x2540be400", "maxPriorityFeePerGas": "0x77359400"})
	if r.Status != 1 || r.Contract == nil {
		t.Fatalf("the deployment failed: %+v", r)
	}
	return r.Contract.Hex()
}

// mine makes blocks on an anvil.
func (n *node) mine(t testing.TB, blocks int) {
	t.Helper()
	n.call(t, nil, "anvil_mine", hexutil.EncodeUint64(uint64(blocks)))
}

// walkStep is how many blocks are asked for at once.
const walkStep = 64

// transactions returns every transaction of the whole chain from an address, by
// rising block, each with the status of its receipt.
func (n *node) transactions(t testing.TB, from string) []*chainTx {
	t.Helper()
	var all []*chainTx
	top := n.height(t)
	for at := uint64(0); at <= top; at += walkStep {
		txs, err := n.walk(at, min(top, at+walkStep-1), common.HexToAddress(from))
		if err != nil {
			t.Fatalf("walking the chain from block %d: %v", at, err)
		}
		all = append(all, txs...)
	}
	for _, tx := range all {
		tx.Success = n.receipt(t, tx.Hash.Hex()).Status == 1
	}
	return all
}

func (n *node) walk(first, last uint64, from common.Address) ([]*chainTx, error) {
	type block struct {
		Transactions []*chainTx `json:"transactions"`
	}
	calls := make([]rpcCall, last-first+1)
	results := make([]any, len(calls))
	for i := range calls {
		calls[i] = rpcCall{Method: "eth_getBlockByNumber", Params: []any{hexutil.EncodeUint64(first + uint64(i)), true}}
		results[i] = new(block)
	}
	if err := n.ask(calls, results); err != nil {
		return nil, err
	}
	var all []*chainTx
	for i, r := range results {
		for _, tx := range r.(*block).Transactions {
			if tx == nil {
				return nil, fmt.Errorf("block %d has a transaction that is none", first+uint64(i))
			}
			if tx.From == from {
				all = append(all, tx)
			}
		}
	}
	return all, nil
}
