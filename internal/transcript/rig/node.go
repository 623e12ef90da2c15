package rig

import (
	"context"
	"math/big"
)

// A Node is a real node that a stage can drive. A [DevChain] is one.
type Node interface {
	// Fund pays wei to an address, in a block of its own.
	Fund(ctx context.Context, address string, wei *big.Int) error
	// Mine makes blocks.
	Mine(ctx context.Context, n uint64) error
	// Reorg replaces the newest blocks.
	Reorg(ctx context.Context, depth uint64) error
	// Balance returns what an address holds in the newest block, in wei.
	Balance(ctx context.Context, address string) (*big.Int, error)
	// Nonce returns how many transactions of an address are in the chain.
	Nonce(ctx context.Context, address string) (uint64, error)
	// Close ends the node.
	Close() error
}
