package main

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/boatd/boatd/internal/amount"
	"github.com/boatd/boatd/internal/transcript/rig"
)

// A transfer is a transaction of the wallet that is in the chain.
type transfer struct {
	To    string         `json:"to"`
	From  string         `json:"from"`
	Nonce hexutil.Uint64 `json:"nonce"`
	Value hexutil.Big    `json:"value"`
}

// evidence is what the chain says.
type evidence struct {
	balance   *big.Int // of the recipient
	nonce     uint64   // of the wallet
	transfers []transfer
}

// ask reads the whole chain, without any of boatd's code.
func ask(ctx context.Context, node *rig.DevChain, from, to string) (e evidence, err error) {
	if e.balance, err = node.Balance(ctx, to); err != nil {
		return e, err
	}
	if e.nonce, err = node.Nonce(ctx, from); err != nil {
		return e, err
	}
	var height hexutil.Uint64
	if err := rig.Ask(ctx, node.URL, &height, "eth_blockNumber"); err != nil {
		return e, err
	}
	for n := range height + 1 {
		var block struct{ Transactions []transfer }
		if err := rig.Ask(ctx, node.URL, &block, "eth_getBlockByNumber", n, true); err != nil {
			return e, err
		}
		for _, t := range block.Transactions {
			if strings.EqualFold(t.From, from) {
				e.transfers = append(e.transfers, t)
			}
		}
	}
	return e, nil
}

// judge compares what the host was told with what the chain says, and returns
// what does not fit.
func judge(told []order, e evidence) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	sum := new(big.Int)
	for _, o := range told {
		wei, err := amount.Native(o.amount)
		if err != nil {
			bad("%s: %v", o.ref, err)
			continue
		}
		sum.Add(sum, wei)
		for _, id := range o.ids {
			if id != o.ids[0] {
				bad("%s was answered with the ids %q", o.ref, o.ids)
			}
		}
		if len(o.ids) < 2 {
			bad("%s was given %d times, not twice", o.ref, len(o.ids))
		}
		if o.state != "4" {
			bad("%s is in state %s, not confirmed", o.ref, o.state)
		}
		if n := e.count(wei); n != 1 {
			bad("the chain has %d transactions for %s", n, o.ref)
		}
	}
	if len(told) == 0 {
		bad("no order was given")
	}
	if e.balance == nil || e.balance.Cmp(sum) != 0 {
		bad("the recipient has %v, the orders are for %v", e.balance, sum)
	}
	if int(e.nonce) != len(told) || len(e.transfers) != len(told) {
		bad("the wallet's nonce is %d and the chain has %d of its transactions, for %d orders", e.nonce, len(e.transfers), len(told))
	}
	return problems
}

// count counts the transactions of an amount to the recipient.
func (e *evidence) count(wei *big.Int) int {
	n := 0
	for _, t := range e.transfers {
		if strings.EqualFold(t.To, recipient) && t.Value.ToInt().Cmp(wei) == 0 {
			n++
		}
	}
	return n
}
