package life

import (
	"math/big"

	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/nets"
)

// maxLow bounds what is remembered; beyond it hosts are told again.
const maxLow = 256

// SawBalance compares what a wallet holds with the network's low_balance, and
// tells hosts when it has come below: once, until it was above again. balance may
// be nil.
func (e *Engine) SawBalance(n *nets.Net, wallet string, balance *big.Int) {
	least := n.Options.Amount("low_balance")
	if least == nil || balance == nil {
		return
	}
	low := balance.Cmp(least) < 0
	e.mu.Lock()
	news := low && !e.low[wallet]
	if len(e.low) >= maxLow {
		clear(e.low)
	}
	if low {
		e.low[wallet] = true
	} else {
		delete(e.low, wallet)
	}
	e.mu.Unlock()
	if news {
		e.cfg.Book.Emit(book.Event{Topic: book.TopicLow, Name: "low", Fields: []any{uint32(n.Protocol.Decimals), balance.String(), wallet}})
	}
}
