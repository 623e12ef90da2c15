package fakenode

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/boatd/boatd/internal/jsonrpc"
)

type object = map[string]any

func refuse(format string, args ...any) *jsonrpc.Error {
	return &jsonrpc.Error{Code: -32000, Message: fmt.Sprintf(format, args...)}
}

func noMethod(name string) *jsonrpc.Error {
	return &jsonrpc.Error{Code: -32601, Message: "the method " + name + " does not exist/is not available"}
}

// call carries out one method for a node that sees the chain up to block see.
func (n *Node) call(q request, see uint64) (any, *jsonrpc.Error) {
	c := n.chain
	switch q.Method {
	case "eth_chainId":
		if n.faults.ChainID != nil {
			return hexBig(n.faults.ChainID), nil
		}
		return hexBig(c.o.ChainID), nil
	case "eth_blockNumber":
		return hexutil.Uint64(see), nil
	case "eth_syncing":
		if n.faults.Syncing {
			return object{"startingBlock": "0x0", "currentBlock": hexutil.Uint64(see), "highestBlock": hexutil.Uint64(see + 1000)}, nil
		}
		return false, nil
	case "eth_getHeaderByNumber", "eth_getBlockByNumber", "eth_getBlockByHash":
		return n.block(q, see)
	case "eth_getBlockTransactionCountByHash":
		b, bad := n.byHash(q, see)
		if b == nil || bad != nil {
			return nil, bad
		}
		return hexutil.Uint64(len(b.txs)), nil
	case "eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_feeHistory":
		return n.fees(q.Method, see)
	case "eth_getTransactionCount", "eth_getBalance", "eth_getCode":
		return n.accountState(q, see)
	case "eth_call", "eth_estimateGas":
		return n.simulate(q, see)
	case "eth_sendRawTransaction":
		return n.send(q)
	case "eth_getTransactionReceipt", "eth_getTransactionByHash":
		return n.lookUp(q, see)
	case "eth_getLogs":
		return n.getLogs(q, see)
	}
	return nil, noMethod(q.Method)
}

func hexBig(v *big.Int) *hexutil.Big { return (*hexutil.Big)(v) }

func param[T any](q request, i int) (T, *jsonrpc.Error) {
	var v T
	if i >= len(q.Params) {
		return v, &jsonrpc.Error{Code: -32602, Message: fmt.Sprintf("missing value for required argument %d", i)}
	}
	if err := json.Unmarshal(q.Params[i], &v); err != nil {
		return v, &jsonrpc.Error{Code: -32602, Message: fmt.Sprintf("invalid argument %d: %v", i, err)}
	}
	return v, nil
}

// at reads a block tag or number; nil for a block that the node does not have.
func (n *Node) at(q request, i int, see uint64) (*block, *jsonrpc.Error) {
	c := n.chain
	tag, bad := param[string](q, i)
	if bad != nil {
		return nil, bad
	}
	number := see
	switch tag {
	case "latest", "pending":
	case "earliest":
		number = 0
	case "safe", "finalized":
		if n.faults.NoFinal {
			return nil, &jsonrpc.Error{Code: -32602, Message: "invalid argument 0: hex string without 0x prefix"}
		}
		if see < c.o.Finality {
			return nil, refuse("finalized block not found")
		}
		number = see - c.o.Finality
	default:
		var err error
		if number, err = hexutil.DecodeUint64(tag); err != nil {
			return nil, &jsonrpc.Error{Code: -32602, Message: "invalid argument 0: " + err.Error()}
		}
	}
	if number > see || number == 0 && n.faults.NoGenesis {
		return nil, nil
	}
	return c.blocks[number], nil
}

func (n *Node) block(q request, see uint64) (any, *jsonrpc.Error) {
	if q.Method == "eth_getHeaderByNumber" && n.faults.NoHeaders {
		return nil, noMethod(q.Method)
	}
	var b *block
	if q.Method == "eth_getBlockByHash" {
		var bad *jsonrpc.Error
		if b, bad = n.byHash(q, see); bad != nil {
			return nil, bad
		}
	} else {
		var bad *jsonrpc.Error
		if b, bad = n.at(q, 0, see); bad != nil {
			return nil, bad
		}
	}
	if b == nil {
		return nil, nil
	}
	o := describe(b, q.Method != "eth_getHeaderByNumber")
	if b.number == 0 && n.faults.Genesis != nil && q.Method != "eth_getBlockByHash" {
		o["hash"] = *n.faults.Genesis
	}
	return o, nil
}

// byHash reads the hash of a block; nil for one that the node does not have.
func (n *Node) byHash(q request, see uint64) (*block, *jsonrpc.Error) {
	hash, bad := param[common.Hash](q, 0)
	if bad != nil {
		return nil, bad
	}
	for _, b := range n.chain.blocks[:see+1] {
		if b.hash == hash {
			return b, nil
		}
	}
	return nil, nil
}

func describe(b *block, body bool) object {
	o := object{
		"number": hexutil.Uint64(b.number), "hash": b.hash, "parentHash": b.parent,
		"timestamp": hexutil.Uint64(b.time), "gasLimit": hexutil.Uint64(blockGas),
	}
	if b.base != nil {
		o["baseFeePerGas"] = hexBig(b.base)
	}
	if body {
		hashes := []common.Hash{}
		for _, in := range b.txs {
			hashes = append(hashes, in.tx.Hash())
		}
		o["transactions"], o["uncles"] = hashes, []common.Hash{}
	}
	return o
}

func (n *Node) fees(method string, see uint64) (any, *jsonrpc.Error) {
	o := &n.chain.o
	switch {
	case method == "eth_gasPrice" && o.Legacy:
		return hexBig(o.Base), nil
	case method == "eth_gasPrice":
		return hexBig(new(big.Int).Add(o.Base, o.Tip)), nil
	case n.faults.NoTip || o.Legacy:
		return nil, noMethod(method)
	case method == "eth_maxPriorityFeePerGas":
		return hexBig(o.Tip), nil
	}
	return object{
		"oldestBlock":   hexutil.Uint64(see),
		"baseFeePerGas": []*hexutil.Big{hexBig(o.Base), hexBig(o.Base)},
		"gasUsedRatio":  []float64{0.5},
		"reward":        [][]*hexutil.Big{{hexBig(o.Tip)}},
	}, nil
}

func (n *Node) accountState(q request, see uint64) (any, *jsonrpc.Error) {
	address, bad := param[common.Address](q, 0)
	if bad != nil {
		return nil, bad
	}
	b, bad := n.at(q, 1, see)
	if bad != nil {
		return nil, bad
	}
	if b == nil {
		return nil, refuse("header not found")
	}
	s := n.chain.state(address, b.number)
	switch q.Method {
	case "eth_getBalance":
		return hexBig(s.balance), nil
	case "eth_getCode":
		return hexutil.Bytes(s.code), nil
	}
	return hexutil.Uint64(max(int64(s.nonce)+n.faults.Nonce, 0)), nil
}

type callArgs struct {
	From  common.Address  `json:"from"`
	To    *common.Address `json:"to"`
	Gas   *hexutil.Uint64 `json:"gas"`
	Value *hexutil.Big    `json:"value"`
	Data  hexutil.Bytes   `json:"data"`
	Input hexutil.Bytes   `json:"input"`
}

func (n *Node) simulate(q request, see uint64) (any, *jsonrpc.Error) {
	args, bad := param[callArgs](q, 0)
	if bad != nil {
		return nil, bad
	}
	if len(q.Params) > 1 {
		b, bad := n.at(q, 1, see)
		switch {
		case bad != nil:
			return nil, bad
		case b == nil:
			return nil, refuse("header not found")
		}
		see = b.number
	}
	m := message{from: args.From, to: args.To, value: new(big.Int), data: args.Input}
	if args.Input == nil {
		m.data = args.Data
	}
	if args.Value != nil {
		m.value = args.Value.ToInt()
	}
	if have := n.chain.state(m.from, see).balance; have.Cmp(m.value) < 0 {
		return nil, refuse("insufficient funds for gas * price + value: address %s have %d want %d", m.from, have, m.value)
	}
	out, gas, failed := n.chain.simulate(m, see, false)
	switch {
	case failed != nil:
		data, _ := json.Marshal(hexutil.Bytes(failed.data))
		return nil, &jsonrpc.Error{Code: 3, Message: failed.text, Data: data}
	case q.Method == "eth_estimateGas":
		return hexutil.Uint64(gas), nil
	case args.Gas != nil && uint64(*args.Gas) < gas:
		return nil, refuse("out of gas")
	}
	return hexutil.Bytes(out), nil
}

func (n *Node) send(q request) (any, *jsonrpc.Error) {
	raw, bad := param[hexutil.Bytes](q, 0)
	if bad != nil {
		return nil, bad
	}
	hash, err := n.add(raw)
	if err != nil {
		return nil, refuse("%v", err)
	}
	return hash, nil
}

var errIndexing = errors.New("transaction indexing is in progress")

func (n *Node) lookUp(q request, see uint64) (any, *jsonrpc.Error) {
	hash, bad := param[common.Hash](q, 0)
	if bad != nil {
		return nil, bad
	}
	if n.faults.Indexing {
		return nil, refuse("%v", errIndexing)
	}
	in := n.chain.included[hash]
	switch {
	case in != nil && in.block.number <= see && q.Method == "eth_getTransactionReceipt":
		r := receipt(in)
		if n.faults.NoPrice {
			delete(r, "effectiveGasPrice")
		}
		return r, nil
	case in != nil && in.block.number <= see:
		return transaction(in.tx, in.from, in), nil
	case q.Method == "eth_getTransactionByHash" && see == n.chain.tip().number:
		if tx := n.pooled(hash); tx != nil {
			from, _ := types.Sender(n.chain.signer, tx)
			return transaction(tx, from, nil), nil
		}
	}
	return nil, nil
}

func receipt(in *inclusion) object {
	status := 0
	if in.success {
		status = 1
	}
	o := object{
		"transactionHash": in.tx.Hash(), "transactionIndex": hexutil.Uint64(in.index),
		"blockHash": in.block.hash, "blockNumber": hexutil.Uint64(in.block.number),
		"from": in.from, "to": in.tx.To(), "status": hexutil.Uint64(status), "type": hexutil.Uint64(in.tx.Type()),
		"gasUsed": hexutil.Uint64(in.gasUsed), "cumulativeGasUsed": hexutil.Uint64(in.gasUsed),
		"effectiveGasPrice": hexBig(in.price), "logs": []any{}, "contractAddress": nil,
		"logsBloom": hexutil.Bytes(make([]byte, 256)),
	}
	if to := in.tx.To(); to != nil && to.Hex() == Loud && in.success {
		o["logs"] = []any{object{"address": Loud, "topics": []string{}, "data": "0x" + strings.Repeat("ab", 600<<10)}}
	}
	if in.tx.To() == nil {
		o["contractAddress"] = crypto.CreateAddress(in.from, in.tx.Nonce())
	}
	return o
}

func transaction(tx *types.Transaction, from common.Address, in *inclusion) object {
	o := object{
		"hash": tx.Hash(), "from": from, "to": tx.To(), "nonce": hexutil.Uint64(tx.Nonce()),
		"value": hexBig(tx.Value()), "input": hexutil.Bytes(tx.Data()), "gas": hexutil.Uint64(tx.Gas()),
		"type": hexutil.Uint64(tx.Type()), "blockHash": nil, "blockNumber": nil, "transactionIndex": nil,
	}
	if in != nil {
		o["blockHash"], o["blockNumber"] = in.block.hash, hexutil.Uint64(in.block.number)
		o["transactionIndex"] = hexutil.Uint64(in.index)
	}
	return o
}
