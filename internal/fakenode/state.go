package fakenode

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// An account keeps what it was after every block that changed it, oldest
// first, so that a node can lag and a branch can be cut off.
type account struct{ history []state }

type state struct {
	block   uint64 // valid from here on
	nonce   uint64
	balance *big.Int // never written to
	code    []byte
	open    bool // Gate only
}

func (c *Chain) account(at common.Address) *account {
	a := c.accounts[at]
	if a == nil {
		a = &account{history: []state{{balance: new(big.Int)}}}
		c.accounts[at] = a
	}
	return a
}

// state returns what an account was after a block.
func (c *Chain) state(at common.Address, block uint64) state {
	a := c.accounts[at]
	if a == nil {
		return state{balance: new(big.Int)}
	}
	for i := len(a.history) - 1; i > 0; i-- {
		if a.history[i].block <= block {
			return a.history[i]
		}
	}
	return a.history[0]
}

// change returns an account's newest state for writing. What is changed
// outside of a block counts from the newest block on.
func (c *Chain) change(at common.Address) *state { return c.changeIn(at, c.tip().number) }

func (c *Chain) changeIn(at common.Address, block uint64) *state {
	a := c.account(at)
	last := &a.history[len(a.history)-1]
	if last.block < block {
		next := *last
		next.block = block
		a.history = append(a.history, next)
		last = &a.history[len(a.history)-1]
	}
	return last
}

// truncate forgets what happened after a block.
func (a *account) truncate(block uint64) {
	for len(a.history) > 1 && a.history[len(a.history)-1].block > block {
		a.history = a.history[:len(a.history)-1]
	}
}

// A message is what a call, an estimate and a transaction have in common.
type message struct {
	from  common.Address
	to    *common.Address
	value *big.Int
	data  []byte
}

// A failure is why a message had no effect; data is what it returned.
type failure struct {
	text string
	data []byte
}

// intrinsic returns the gas that a transaction needs before it does anything.
func intrinsic(m message) uint64 {
	gas := 21000 + 16*uint64(len(m.data))
	if m.to == nil {
		gas += 32000
	}
	return gas
}

// simulate says what a message would return and need after a block.
func (c *Chain) simulate(m message, block uint64, real bool) (out []byte, gas uint64, bad *failure) {
	gas = intrinsic(m)
	if m.to == nil {
		if len(m.data) > 0 && m.data[0] == 0xfe {
			return nil, gas, &failure{text: "execution reverted"}
		}
		return nil, gas + 200*uint64(len(m.data)), nil
	}
	to := c.state(*m.to, block)
	if len(to.code) == 0 {
		return nil, gas, nil
	}
	gas += 5000
	switch m.to.Hex() {
	case Returns:
		return m.data, gas, nil
	case Reverts:
		return nil, gas, revert("not today")
	case Panics:
		return nil, gas, &failure{"execution reverted", append([]byte{0x4e, 0x48, 0x7b, 0x71}, common.LeftPadBytes([]byte{17}, 32)...)}
	case Custom:
		return nil, gas, &failure{"execution reverted", []byte{0xca, 0xfe, 0xba, 0xbe}}
	case Late:
		if real && c.late {
			return nil, gas, revert("too late")
		}
	case Loud:
		if real && c.mute {
			return nil, gas, revert("mute")
		}
	case Gate:
		if !to.open && (len(m.data) == 0 || m.data[0] != 1) {
			return nil, gas, revert("closed")
		}
	case Oracle:
		return common.LeftPadBytes(c.o.L1Fee.Bytes(), 32), gas, nil
	}
	return nil, gas, nil
}

// revert is Solidity's Error(string).
func revert(reason string) *failure {
	data := append([]byte{0x08, 0xc3, 0x79, 0xa0}, common.LeftPadBytes([]byte{32}, 32)...)
	data = append(data, common.LeftPadBytes([]byte{byte(len(reason))}, 32)...)
	data = append(data, common.RightPadBytes([]byte(reason), (len(reason)+31)/32*32)...)
	return &failure{"execution reverted: " + reason, data}
}

// execute runs transactions in the block that follows the newest and returns
// those that it could take.
func (c *Chain) execute(txs []*types.Transaction) []*inclusion {
	next := c.tip().number + 1
	var done []*inclusion
	for _, tx := range txs {
		from, err := types.Sender(c.signer, tx)
		if err != nil || c.state(from, next).balance.Cmp(tx.Cost()) < 0 {
			continue
		}
		done = append(done, c.run(from, tx, next))
	}
	return done
}

func (c *Chain) run(from common.Address, tx *types.Transaction, block uint64) *inclusion {
	m := message{from, tx.To(), tx.Value(), tx.Data()}
	_, gas, bad := c.simulate(m, block, true)
	in := &inclusion{tx: tx, from: from, price: tx.GasPrice(), success: bad == nil, gasUsed: gas}
	if gas > tx.Gas() {
		in.success, in.gasUsed = false, tx.Gas()
	}
	if !c.o.Legacy {
		tip, _ := tx.EffectiveGasTip(c.o.Base)
		in.price = tip.Add(tip, c.o.Base)
	}
	s := c.changeIn(from, block)
	s.nonce++
	fee := new(big.Int).SetUint64(in.gasUsed)
	s.balance = new(big.Int).Sub(s.balance, fee.Mul(fee, in.price))
	if in.success {
		c.effect(m, block, tx.Nonce())
	}
	return in
}

func (c *Chain) effect(m message, block, nonce uint64) {
	from := c.changeIn(m.from, block)
	from.balance = new(big.Int).Sub(from.balance, m.value)
	at := crypto.CreateAddress(m.from, nonce)
	if m.to != nil {
		at = *m.to
	}
	to := c.changeIn(at, block)
	to.balance = new(big.Int).Add(to.balance, m.value)
	switch {
	case m.to == nil:
		to.code = []byte{0}
	case m.to.Hex() == Gate && len(m.data) > 0 && m.data[0] == 1:
		to.open = true
	}
}
