package fakenode

import (
	"encoding/binary"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/boatd/boatd/internal/jsonrpc"
)

// A logged is an event of a contract that nobody called.
type logged struct {
	address common.Address
	topics  []common.Hash
	data    []byte
}

// Log has a contract log something in the next block.
func (c *Chain) Log(address common.Address, topics []common.Hash, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logs = append(c.logs, logged{address, topics, data})
}

type logFilter struct {
	Address   common.Address `json:"address"`
	Topics    []*common.Hash `json:"topics"`
	FromBlock hexutil.Uint64 `json:"fromBlock"`
	ToBlock   hexutil.Uint64 `json:"toBlock"`
}

func (f *logFilter) passes(l *logged) bool {
	if l.address != f.Address || len(l.topics) < len(f.Topics) {
		return false
	}
	for i, want := range f.Topics {
		if want != nil && *want != l.topics[i] {
			return false
		}
	}
	return true
}

// getLogs says nothing of blocks that the node does not have, as old nodes do.
func (n *Node) getLogs(q request, see uint64) (any, *jsonrpc.Error) {
	f, bad := param[logFilter](q, 0)
	if bad != nil {
		return nil, bad
	}
	from, to := uint64(f.FromBlock), min(uint64(f.ToBlock), see)
	if n.faults.LogRange > 0 && uint64(f.ToBlock)-from >= n.faults.LogRange {
		return nil, &jsonrpc.Error{Code: -32005, Message: "block range limit exceeded"}
	}
	found := []object{}
	for number := from; number <= to; number++ {
		b := n.chain.blocks[number]
		for i := range b.logs {
			if l := &b.logs[i]; f.passes(l) {
				found = append(found, describeLog(b, l, i))
			}
		}
	}
	return found, nil
}

func describeLog(b *block, l *logged, index int) object {
	tx := crypto.Keccak256Hash(b.hash[:], binary.BigEndian.AppendUint64(nil, uint64(index)))
	return object{
		"address": l.address, "topics": slices.Clone(l.topics), "data": hexutil.Bytes(l.data), "blockNumber": hexutil.Uint64(b.number), "blockHash": b.hash,
		"transactionHash": tx, "transactionIndex": hexutil.Uint64(index), "logIndex": hexutil.Uint64(index), "removed": false,
	}
}
