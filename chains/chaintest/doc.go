// Package chaintest says what the interfaces of package chains mean, by tests
// that every network must pass, and has two small chains in memory that pass
// them and are unlike Ethereum where it matters:
//
//   - [NewRandomNonce]: nonces are random and never checked, so the identity of
//     a transaction is its bytes and an intent is signed exactly once.
//     Inclusion is final and nothing can be replaced.
//   - [NewMultiSign]: a transaction takes two signatures with the network
//     between them, and a third one, which moves nothing, to ask what became of
//     it (Hyperledger Fabric's shape).
//
// A network's own test is short: it makes a [Harness] and calls [Run]. The same
// harnesses drive the tests of package wallet.
package chaintest

import (
	"math/big"

	"github.com/boatd/boatd/chains"
)

// A Chain is a chain that a test drives. Nothing happens on it by itself.
type Chain interface {
	// Fund adds native coin to an account.
	Fund(address string, amount *big.Int)
	// Mine makes n blocks; what waits and can be included goes into the first.
	Mine(n int)
	// Drop makes the nodes forget what is not in a block.
	Drop()
	// Down makes all nodes unreachable, or reachable again.
	Down(down bool)
	// Hang makes all nodes take requests without answering, or answer again.
	Hang(hang bool)
	// Reset starts the chain again from another first block, under the same
	// chain id, with nothing in it.
	Reset(seed string)
	// Effects counts the transactions to an account or contract, "" for
	// deployments, that are in the chain and had their effect. It is how a test
	// sees that nothing was lost and nothing doubled.
	Effects(to string) int
}

// A Reorger is a chain whose newest blocks can be replaced.
type Reorger interface {
	// Reorg replaces the newest depth blocks by a longer branch without their
	// transactions, which wait again.
	Reorg(depth int)
}

// A Harness is a chain, the protocol that reaches it, and what the suite must
// know to drive them.
type Harness struct {
	Chain    Chain
	Protocol chains.Protocol
	Config   chains.Config
	Signer   *Signer
	// Final is how many blocks, the including one counted, make a transaction
	// settled.
	Final int
	// Tells: nodes say of a transaction that waits that they have it.
	Tells bool
	// Good is an intent that succeeds.
	Good chains.Intent
	// Refused fails before it is signed for the last time, with RefusedAs.
	Refused   chains.Intent
	RefusedAs error
	// Late is included and has no effect, for the reason LateAs.
	Late   chains.Intent
	LateAs error
}
