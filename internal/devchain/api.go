package main

import (
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// devAPI holds the dev_ methods; the RPC server finds them by their names.
type devAPI struct{ c *chain }

// maxBlocks bounds what one request may ask for.
const maxBlocks = 10_000

var errTooMany = errors.New("more than 10000 blocks at once")

// Fund pays amount wei to an address, in a block of its own.
func (a *devAPI) Fund(to common.Address, amount hexutil.Big) (common.Hash, error) {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	return a.c.fund(to, amount.ToInt())
}

// Mine makes n blocks.
func (a *devAPI) Mine(n uint64) (uint64, error) {
	if n > maxBlocks {
		return 0, errTooMany
	}
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	return a.c.mine(n)
}

// Reorg replaces the newest depth blocks.
func (a *devAPI) Reorg(depth uint64) (uint64, error) {
	if depth > maxBlocks {
		return 0, errTooMany
	}
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	return a.c.reorg(depth)
}

// Drop forgets the waiting transactions.
func (a *devAPI) Drop() bool {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	a.c.eth.TxPool().Clear()
	return true
}

// Period sets the time between blocks in milliseconds; 0 stops the clock.
func (a *devAPI) Period(ms uint32) bool {
	a.c.setPeriod(time.Duration(ms) * time.Millisecond)
	return true
}
